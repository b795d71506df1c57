// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <iostream>

#include "../pci/card_function.h"
#include "../pci/card_server.h"
#include "../pci/mpqemu_server.h"
#include "../pci/ownership.h"
#include "../pci/qtest_client.h"
#include "../pci/vfio_user_server.h"
#include "../platform/cable.h"
#include "cable_control.h"
#include "host_interface.h"
#include "lab_file.h"
#include "modes.h"

namespace poplink::sim {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kFrameBuffer = 16'384;
constexpr std::size_t kIngressQueue =
    32;  ///< frames a port may have waiting; the rest stays in the kernel, which slows its sender down

/// What time it is: for the cards and the captures.
using WallClock = std::chrono::system_clock;
/// How time passes: for the delays of cables.
using DelayClock = std::chrono::steady_clock;

template <class Clock>
std::uint64_t nowNs() {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now().time_since_epoch()).count());
}

/// An interface of the host plugged into a card's port.
class HostPort : public FrameSink {
 public:
  HostPort(asio::io_context& context, std::unique_ptr<host::HostInterface> interface, CardModule& card, unsigned port)
      : interface_(std::move(interface)),
        card_(card),
        port_(port),
        readable_(context, ::dup(interface_->descriptor())) {
    card_.connect(port, *this);
    watch();
  }

  void deliver(std::span<const std::uint8_t> frame) override {
    if (!interface_->give(frame)) ++refused_;
  }
  /// Frames that left the card and that the host's interface had no room for.
  std::uint64_t refused() const { return refused_; }
  unsigned port() const { return port_; }

  /// Moves what the host has sent into the card, as long as the port's queue has room.
  void feed() {
    try {
      while (ready_ && card_.model().waiting(port_) < kIngressQueue) {
        const std::span<const std::uint8_t> frame = interface_->take(buffer_);
        if (frame.empty()) {
          ready_ = false;
          watch();
        } else {
          card_.ingress(port_).deliver(frame);
        }
      }
    } catch (const host::HostInterfaceError& error) {
      std::cerr << "poplink-sim: " << error.what() << "; port " << port_ << " has no link\n";
      ready_ = false;
      card_.model().setReceivedLight(port_, std::nullopt);
      card_.model().setPortUp(port_, false);
    }
  }

 private:
  void watch() {
    readable_.async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
      if (!error) ready_ = true;
    });
  }

  std::unique_ptr<host::HostInterface> interface_;
  CardModule& card_;
  unsigned port_;
  asio::posix::stream_descriptor readable_;
  bool ready_ = false;
  std::uint64_t refused_ = 0;
  std::array<std::uint8_t, kFrameBuffer> buffer_{};
};

void tell(const std::string& text) {
  std::cerr << "poplink-sim: " << text << "\n";
}

/// What is plugged into a port; nothing: no module.
std::optional<Module> moduleOf(const LabCard& card, unsigned port, const LabPort& plug) {
  if (!plug.has_module) return std::nullopt;
  char serial[17];
  std::snprintf(serial, sizeof serial, "PL%08llX%02u", static_cast<unsigned long long>(card.serial & 0xFFFF'FFFF),
                port % 100);
  Module module = usualModule(plug.speed == PortSpeed::gigabit, serial);
  if (!plug.module_vendor.empty()) module.vendor = plug.module_vendor;
  if (!plug.module_part.empty()) module.part = plug.module_part;
  if (!plug.module_serial.empty()) module.serial = plug.module_serial;
  return module;
}

/// A port that a cable ends at.
struct CableEnd {
  CardModule* card = nullptr;
  unsigned port = 0;
};
using CableEnds = std::array<CableEnd, 2>;

/// Everything in the lab file, connected.
class LiveLab {
 public:
  LiveLab(asio::io_context& context, const Lab& lab) {
    for (const LabCable& one : lab.cables) {
      PcapWriter* tap = nullptr;
      if (!one.pcap.empty()) tap = taps_.emplace_back(std::make_unique<PcapWriter>(one.pcap, nowNs<WallClock>)).get();
      cables_[one.name] = std::make_unique<Cable>(one.delay_ns, nowNs<DelayClock>, tap, one.loss_db);
    }
    std::map<std::string, LabCableEnds> ends;
    std::map<std::string, unsigned> ends_used;
    LabCardAccesses accesses;
    for (std::size_t i = 0; i < lab.cards.size(); ++i) {
      const LabCard& one = lab.cards[i];
      const std::string number = std::to_string(i);
      CardModule& card = *cards_.emplace_back(std::make_unique<CardModule>(
          ("card_" + number).c_str(), [](std::uint64_t) { return nowNs<WallClock>() / 1000; }));
      card.model().setSerial(one.serial);
      CardFunction& function =
          *functions_.emplace_back(std::make_unique<CardFunction>(("function_" + number).c_str(), card));
      accesses[one.name] = &function.accesses();
      Ownership& owned = *owned_.emplace_back(std::make_unique<Ownership>(function));
      if (!one.socket.empty()) servers_.push_back(std::make_unique<CardServer>(context, one.socket, owned));
      if (one.qemu) offerToQemu(context, *one.qemu, owned);
      if (!one.vfio_user.empty())
        vfio_user_servers_.push_back(std::make_unique<VfioUserServer>(context, one.vfio_user, owned, tell));
      for (const auto& [port, plug] : one.ports) {
        card.model().setSpeed(port, plug.speed);
        if (plug.cable.empty()) {
          auto interface = host::makeHostInterface(plug.interface, plug.netns, plug.attach);
          host_ports_.push_back(std::make_unique<HostPort>(context, std::move(interface), card, port));
          card.model().setModule(port, moduleOf(one, port, plug));
          card.model().setPortUp(port, plug.has_module);
          continue;
        }
        Cable& cable = *cables_.at(plug.cable);
        const unsigned end = ends_used[plug.cable]++;
        card.connect(port, cable.end(end));
        cable.connect(end, card.ingress(port));
        cable_ports_[plug.cable][end] = {&card, port};
        ends[plug.cable].cable = &cable;
        ends[plug.cable].cards[end] = one.name;
        const std::optional<Module> module = moduleOf(one, port, plug);
        card.model().setModule(port, module);
        cable.plug(end, module ? std::optional(module->optic) : std::nullopt);
      }
    }
    for (const auto& [name, cable] : cables_) light(*cable, cable_ports_[name]);
    if (!lab.control.empty())
      control_ = std::make_unique<CableControl>(context, lab.control, std::move(ends), std::move(accesses));
  }

  /// A cable's ends see what is plugged at the other one, and from now on what happens to it.
  static void light(Cable& cable, const CableEnds& ends) {
    for (unsigned end = 0; end < 2; ++end) {
      ends[end].card->model().setReceivedLight(ends[end].port, cable.lightAt(end));
      ends[end].card->model().setPortUp(ends[end].port, cable.isUp());
    }
    cable.on_light = [&cable, ends] {
      for (unsigned end = 0; end < 2; ++end) ends[end].card->setLight(ends[end].port, cable.lightAt(end));
    };
    cable.on_link = [ends](bool up) {
      for (const CableEnd& end : ends) end.card->setLink(end.port, up);
    };
  }

  void offerToQemu(asio::io_context& context, const LabQemu& qemu, Ownership& card) {
    MpqemuServer::Hooks hooks{{}, tell};
    if (!qemu.qtest.empty()) {
      auto& client = qtests_[qemu.qtest];
      if (!client) client = std::make_unique<QtestClient>(context, qemu.qtest, tell);
      hooks.message = [&qtest = *client](std::uint64_t address, std::uint32_t data) { qtest.write(address, data); };
    }
    qemu_servers_.push_back(std::make_unique<MpqemuServer>(context, qemu.socket, card, hooks));
  }

  /// Moves into the cards what hosts have sent and what has come through a cable; wakes those that have something due.
  void feed() {
    for (const auto& card : cards_) card->attend();
    for (const auto& port : host_ports_) port->feed();
    for (const auto& [name, cable] : cables_) cable->advance();
  }
  bool cardsQuiescent() const {
    return std::all_of(cards_.begin(), cards_.end(), [](const auto& card) { return card->quiescent(); });
  }
  /// When the next frame comes out of a cable; nothing: none is in one.
  std::optional<std::uint64_t> nextDueNs() const {
    std::optional<std::uint64_t> next;
    for (const auto& [name, cable] : cables_) {
      const auto due = cable->nextDueNs();
      if (due && (!next || *due < *next)) next = due;
    }
    return next;
  }
  /// Card time at which the first sleeping card has something to do; nothing: none has.
  std::optional<std::uint64_t> nextAlarmUs() const {
    std::optional<std::uint64_t> next;
    for (const auto& card : cards_) {
      const auto due = card->alarmUs();
      if (due && (!next || *due < *next)) next = due;
    }
    return next;
  }
  /// What was lost outside the cards, where no counter of theirs shows it.
  void tellLosses() const {
    for (const auto& port : host_ports_) {
      if (port->refused() != 0)
        std::cerr << "poplink-sim: port " << port->port() << ": the host's interface had no room for "
                  << port->refused() << " frames\n";
    }
  }
  void flush() {
    for (const auto& tap : taps_) tap->flush();
  }

 private:
  std::vector<std::unique_ptr<PcapWriter>> taps_;
  std::map<std::string, std::unique_ptr<Cable>> cables_;
  std::map<std::string, CableEnds> cable_ports_;
  std::vector<std::unique_ptr<CardModule>> cards_;
  std::vector<std::unique_ptr<CardFunction>> functions_;
  std::vector<std::unique_ptr<Ownership>> owned_;
  std::vector<std::unique_ptr<CardServer>> servers_;
  std::map<std::string, std::unique_ptr<QtestClient>> qtests_;
  std::vector<std::unique_ptr<MpqemuServer>> qemu_servers_;
  std::vector<std::unique_ptr<VfioUserServer>> vfio_user_servers_;
  std::vector<std::unique_ptr<HostPort>> host_ports_;
  std::unique_ptr<CableControl> control_;
};

/// Ends the sleep of an io_context at a given time of a clock.
template <class Clock>
class Alarm {
 public:
  explicit Alarm(asio::io_context& context) : timer_(context) {}

  void set(std::uint64_t due_ns) {
    if (set_ == due_ns) return;  // setting a timer wakes whoever waits for it, so only when the time is another
    set_ = due_ns;
    timer_.expires_at(typename Clock::time_point(
        std::chrono::duration_cast<typename Clock::duration>(std::chrono::nanoseconds(due_ns))));
    timer_.async_wait([this](boost::system::error_code error) {
      if (!error) set_.reset();
    });
  }

 private:
  asio::basic_waitable_timer<Clock> timer_;
  std::optional<std::uint64_t> set_;
};

}  // namespace

int runLive(const LiveOptions& options) {
  const Lab lab = readLab(options.lab);
  asio::io_context context;
  asio::signal_set signals(context, SIGINT, SIGTERM);
  bool stop = false;
  signals.async_wait([&](boost::system::error_code, int) { stop = true; });
  Alarm<DelayClock> cables(context);
  Alarm<WallClock> cards(context);
  LiveLab live(context, lab);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  std::cout << "ready" << std::endl;
  while (!stop) {
    live.feed();
    if (live.cardsQuiescent()) {
      // Nothing moves inside: sleep until the host sends, a client speaks, a frame is due or a signal comes.
      live.flush();
      if (const auto due_ns = live.nextDueNs()) cables.set(*due_ns);
      if (const auto due_us = live.nextAlarmUs()) cards.set(*due_us * 1000);
      context.run_one();
    } else {
      sc_core::sc_start(static_cast<double>(kQuantumCycles) * kCycle);
    }
    context.poll();
  }
  live.tellLosses();
  return 0;
}

}  // namespace poplink::sim
