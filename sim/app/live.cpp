// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
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
#include "interface_outlet.h"
#include "lab_file.h"
#include "modes.h"
#include "ready_handlers.h"
#include "stream_outlet.h"

namespace poplink::sim {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kIngressQueue =
    32;  ///< frames a port may have waiting; the rest stays with whoever sends them, which slows it down
constexpr std::size_t kInCable = 1024;  ///< and as many may be in the cable from there

/// What time it is: for the cards and the captures.
using WallClock = std::chrono::system_clock;
/// How time passes: for the delays of cables.
using DelayClock = std::chrono::steady_clock;

template <class Clock>
std::uint64_t nowNs() {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now().time_since_epoch()).count());
}

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

/// What a cable ends at: a card's port or an outlet.
struct LiveEnd {
  CardModule* card = nullptr;
  unsigned port = 0;
  Outlet* outlet = nullptr;

  void setLink(bool up) const {
    if (card != nullptr) return card->setLink(port, up);
    outlet->setCarrier(up);
  }
  void setLight(std::optional<double> dbm) const {
    if (card != nullptr) card->setLight(port, dbm);
  }
};

struct LiveCable {
  LiveCable(const LabCable& lab, PcapWriter* tap)
      : cable(lab.delay_ns, nowNs<DelayClock>, tap, lab.loss_db), control{&cable, {}} {}

  Cable cable;
  std::array<LiveEnd, 2> ends;
  unsigned used = 0;     ///< of the ends
  LabCableEnds control;  ///< for whoever names it

  /// A port is plugged in at the next end that is free.
  unsigned plug(CardModule& card, unsigned port, const std::string& name, const std::optional<Module>& module) {
    const unsigned end = used++;
    ends.at(end) = {&card, port, nullptr};
    control.ends.at(end).card = name;
    card.connect(port, cable.end(end));
    cable.connect(end, card.ingress(port));
    card.model().setModule(port, module);
    cable.plug(end, module ? std::optional(module->optic) : std::nullopt);
    return end;
  }
  /// Its ends see what is plugged at the other one, and from now on what happens to it.
  void light() {
    for (unsigned end = 0; end < 2; ++end) {
      if (ends[end].card != nullptr) {
        ends[end].card->model().setReceivedLight(ends[end].port, cable.lightAt(end));
        ends[end].card->model().setPortUp(ends[end].port, cable.isUp());
      } else {
        ends[end].outlet->setCarrier(cable.isUp());
      }
    }
    cable.on_light = [this] {
      for (unsigned end = 0; end < 2; ++end) ends[end].setLight(cable.lightAt(end));
    };
    cable.on_link = [this](bool up) {
      for (const LiveEnd& end : ends) end.setLink(up);
    };
  }
};

/// Everything in the lab file, connected.
class LiveLab {
 public:
  LiveLab(asio::io_context& context, const Lab& lab) {
    for (const LabCable& one : lab.cables) {
      PcapWriter* tap = nullptr;
      if (!one.pcap.empty()) tap = taps_.emplace_back(std::make_unique<PcapWriter>(one.pcap, nowNs<WallClock>)).get();
      named_[one.name] = &cables_.emplace_back(one, tap);
    }
    for (const LabCard& one : lab.cards) addCard(context, one);
    std::map<std::string, LabCableEnds> controlled;
    for (const auto& [name, cable] : named_) controlled[name] = cable->control;
    for (LiveCable& cable : cables_) cable.light();
    if (!lab.control.empty())
      control_ = std::make_unique<CableControl>(context, lab.control, std::move(controlled), accesses_);
  }

  /// Moves into the cards what hosts have sent and what has come through a cable; wakes those that have something due.
  void feed() {
    for (const auto& card : cards_) card->attend();
    for (const auto& outlet : outlets_) outlet->feed();
    for (LiveCable& one : cables_) one.cable.advance();
  }
  bool cardsQuiescent() const {
    return std::all_of(cards_.begin(), cards_.end(), [](const auto& card) { return card->quiescent(); });
  }
  /// When the next frame comes out of a cable; nothing: none is in one.
  std::optional<std::uint64_t> nextDueNs() const {
    std::optional<std::uint64_t> next;
    for (const LiveCable& one : cables_) {
      const auto due = one.cable.nextDueNs();
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
    for (const auto& outlet : outlets_) {
      if (outlet->refused() != 0)
        tell(outlet->name() + " had no room for " + std::to_string(outlet->refused()) + " frames");
    }
  }
  void flush() {
    for (const auto& tap : taps_) tap->flush();
  }

 private:
  void addCard(asio::io_context& context, const LabCard& one) {
    const std::string number = std::to_string(cards_.size());
    CardModule& card = *cards_.emplace_back(std::make_unique<CardModule>(
        ("card_" + number).c_str(), [](std::uint64_t) { return nowNs<WallClock>() / 1000; }));
    card.model().setSerial(one.serial);
    CardFunction& function =
        *functions_.emplace_back(std::make_unique<CardFunction>(("function_" + number).c_str(), card));
    accesses_[one.name] = &function.accesses();
    Ownership& owned = *owned_.emplace_back(std::make_unique<Ownership>(function));
    if (!one.socket.empty()) servers_.push_back(std::make_unique<CardServer>(context, one.socket, owned));
    if (one.qemu) offerToQemu(context, *one.qemu, owned);
    if (!one.vfio_user.empty())
      vfio_user_servers_.push_back(std::make_unique<VfioUserServer>(context, one.vfio_user, owned, tell));
    for (const auto& [port, plug] : one.ports) {
      card.model().setSpeed(port, plug.speed);
      LiveCable& cable = plug.cable.empty() ? cables_.emplace_back(LabCable{}, nullptr) : *named_.at(plug.cable);
      cable.plug(card, port, one.name, moduleOf(one, port, plug));
      if (!plug.interface.empty() || !plug.stream.empty()) addOutlet(context, plug, cable);
    }
  }

  /// At the end of the cable that the port has left free. It sends like a module that is equal to the port's.
  void addOutlet(asio::io_context& context, const LabPort& plug, LiveCable& one) {
    const unsigned end = one.used++;
    CardModule& card = *one.ends.at(1 - end).card;
    const unsigned port = one.ends.at(1 - end).port;
    const Optic optic = usualModule(plug.speed == PortSpeed::gigabit, "").optic;
    OutletWire wire{
        one.cable.end(end),
        [&card, port, end, &one] {
          one.cable.advance();
          return card.model().waiting(port) < kIngressQueue && one.cable.underWay(1 - end) < kInCable;
        },
        [&one, end, optic](bool there) { one.cable.plug(end, there ? std::optional(optic) : std::nullopt); }};
    if (plug.stream.empty()) {
      outlets_.push_back(std::make_unique<InterfaceOutlet>(
          context, host::makeHostInterface(plug.interface, plug.netns, plug.attach), plug.interface, std::move(wire),
          [port](const std::string& text) { tell(text + "; port " + std::to_string(port) + " has no link"); }));
    } else {
      outlets_.push_back(std::make_unique<StreamOutlet>(context, plug.stream, std::move(wire), tell));
    }
    Outlet& outlet = *outlets_.back();
    one.ends.at(end).outlet = &outlet;
    one.control.ends.at(end).outlet = &outlet;
    one.cable.connect(end, outlet);
    one.cable.plug(end, plug.stream.empty() ? std::optional(optic) : std::nullopt);
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

  std::vector<std::unique_ptr<PcapWriter>> taps_;
  std::deque<LiveCable> cables_;
  std::map<std::string, LiveCable*> named_;
  std::vector<std::unique_ptr<CardModule>> cards_;
  std::vector<std::unique_ptr<CardFunction>> functions_;
  LabCardAccesses accesses_;
  std::vector<std::unique_ptr<Ownership>> owned_;
  std::vector<std::unique_ptr<CardServer>> servers_;
  std::map<std::string, std::unique_ptr<QtestClient>> qtests_;
  std::vector<std::unique_ptr<MpqemuServer>> qemu_servers_;
  std::vector<std::unique_ptr<VfioUserServer>> vfio_user_servers_;
  std::vector<std::unique_ptr<Outlet>> outlets_;
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
    runReady(context);  // who reads a whole card does not keep the others' frames waiting
  }
  live.tellLosses();
  return 0;
}

}  // namespace poplink::sim
