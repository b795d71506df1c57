// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/capture.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <system_error>

#include "../capture/frame_filter.h"
#include "../capture/pcapng.h"
#include "commands.h"
#include "open_card.h"
#include "poplink/driver/rings.h"
#include "signals.h"

namespace poplink::host {

namespace {

using Clock = std::chrono::steady_clock;
using driver::HostFrame;

constexpr std::chrono::milliseconds kPollPause(5);  // without interrupts
constexpr std::chrono::seconds kCheckPause(1);      // between looks whether the card still is there
constexpr unsigned kForwarded = 0;

driver::Capture wanted(const CaptureOptions& options) {
  driver::Capture capture;
  if (options.ports.empty()) capture.ports.set();
  for (const unsigned port : options.ports) capture.ports.set(port);
  for (const std::string& name : options.outcomes) {
    if (name == "dropped" || name == "all") {
      for (const card_map::DropReason& reason : card_map::kDropReasons) capture.outcomes.set(reason.number);
    }
    if (name == "forwarded" || name == "all") capture.outcomes.set(kForwarded);
    for (const card_map::DropReason& reason : card_map::kDropReasons) {
      if (reason.name == name) capture.outcomes.set(reason.number);
    }
  }
  capture.service = options.service;
  return capture;
}

std::string macAddress(std::span<const std::uint8_t> bytes) {
  char text[20];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
                bytes[5]);
  return text;
}

std::string portName(unsigned port) {
  return port == driver::kFromHost ? "host" : "port" + std::to_string(port);
}

/// Why the frame is here, in words.
std::string outcome(const HostFrame& frame) {
  if (frame.reason == kForwarded)
    return (frame.learned ? "new source address, forwarded to " : "forwarded to ") + portName(frame.egress_port);
  for (const card_map::DropReason& reason : card_map::kDropReasons) {
    if (reason.number == frame.reason)
      return (frame.copy || frame.learned ? "dropped: " : "to the host: ") + std::string(reason.name) + ", " +
             std::string(reason.text);
  }
  return "dropped: reason " + std::to_string(frame.reason);
}

/// Where captured frames go: lines of text, or a pcapng file.
class Sink {
 public:
  Sink(const CaptureOptions& options, std::uint64_t card_us) : to_file_(!options.file.empty()) {
    const auto now =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
    offset_us_ = static_cast<std::uint64_t>(now.count()) - card_us;
    if (!to_file_) return;
    if (options.file != "-") {
      file_.open(options.file, std::ios::binary | std::ios::trunc);
      if (!file_) throw UsageError("cannot write " + options.file + ": " + std::generic_category().message(errno));
      out_ = &file_;
    }
    std::vector<std::string> names;
    for (unsigned port = 0; port <= driver::kFromHost; ++port) names.push_back(portName(port));
    write(pcapng::header("poplink capture", names));
  }

  void frame(const HostFrame& one) {
    const std::uint64_t us = one.us + offset_us_;
    std::string why = outcome(one);
    if (one.service) why += " (service " + std::to_string(*one.service) + ")";
    if (to_file_) {
      write(pcapng::packet({one.port, us, one.bytes, one.frame_bytes, pcapng::Direction::inbound, one.lost, why}));
      return;
    }
    if (one.lost != 0) std::cout << "... " << one.lost << " frames of this class are missing\n";
    const auto seconds = static_cast<std::time_t>(us / 1'000'000);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    char time[32], type[8];
    std::snprintf(time, sizeof time, "%02d:%02d:%02d.%06u", parts.tm_hour, parts.tm_min, parts.tm_sec,
                  static_cast<unsigned>(us % 1'000'000));
    std::snprintf(type, sizeof type, "0x%02x%02x", one.bytes[12], one.bytes[13]);
    std::cout << time << " " << portName(one.port) << " " << macAddress(one.bytes.subspan(6)) << " > "
              << macAddress(one.bytes) << " " << type << " " << one.frame_bytes << " bytes, " << why << "\n";
  }
  /// What was written is there for whoever reads along.
  void flush() {
    if (!out_->flush()) throw UsageError("cannot write what was captured");
  }

 private:
  void write(const pcapng::Bytes& bytes) {
    out_->write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

  bool to_file_;
  std::uint64_t offset_us_ = 0;  ///< from card time to the time of day
  std::ofstream file_;
  std::ostream* out_ = &std::cout;
};

/// Stops the copies however it ends.
struct Copies {
  Copies(driver::Transport& card, const driver::Capture& capture, bool new_addresses) : transport(card) {
    driver::startCapture(transport, capture);
    if (new_addresses) driver::learnAddresses(transport, capture.ports.to_ulong() & 0xFFFF);
  }
  ~Copies() {
    try {
      driver::stopCapture(transport);
      driver::learnAddresses(transport, {});
    } catch (const driver::DriverError&) {
    }
  }
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;
  driver::Transport& transport;
};

}  // namespace

int capture(const CaptureOptions& options) {
  std::optional<FrameFilter> filter;
  try {
    filter.emplace(options.filter);
  } catch (const FilterError& error) {
    throw UsageError(error.what());
  }
  const driver::Capture what = wanted(options);
  const driver::Descriptor signals = endingSignals();
  const auto card = openTransport(options.choice, "poplink capture");
  driver::checkRegisterMap(*card);
  Sink sink(options, driver::cardTime(*card));
  std::array<std::unique_ptr<driver::RxRing>, driver::kHostClasses> rings;
  for (unsigned c = 0; c < rings.size(); ++c)
    rings[c] = std::make_unique<driver::RxRing>(*card, static_cast<driver::HostClass>(c));
  const Copies copies(*card, what, options.new_addresses);
  std::cerr << "capturing at " << card->name() << ", Ctrl-C ends it\n";

  std::uint64_t captured = 0;
  const auto enough = [&] { return options.count != 0 && captured >= options.count; };
  const auto take = [&](const HostFrame& frame) {
    // What the card gives us for its own reasons is subject to the same wishes.
    if (enough() || !what.ports.test(frame.port) || !(frame.learned || what.outcomes.test(frame.reason))) return;
    if (what.service && frame.service != what.service) return;
    if (!filter->matches(frame.bytes, frame.frame_bytes)) return;
    sink.frame(frame);
    ++captured;
  };
  try {
    std::vector<pollfd> waits = {{signals.get(), POLLIN, 0}};
    for (const auto& ring : rings) {
      if (!options.poll && ring->eventDescriptor() >= 0) waits.push_back({ring->eventDescriptor(), POLLIN, 0});
    }
    const bool interrupts = waits.size() > 1;
    const auto end =
        options.seconds == 0 ? Clock::time_point::max() : Clock::now() + std::chrono::seconds(options.seconds);
    auto next_check = Clock::now() + kCheckPause;
    while (!enough() && Clock::now() < end) {
      std::size_t frames = 0;
      for (const auto& ring : rings) frames += ring->poll(take);
      if (Clock::now() >= next_check) {
        next_check = Clock::now() + kCheckPause;
        for (const auto& ring : rings) ring->check();
      }
      if (frames != 0) {
        if (::poll(waits.data(), 1, 0) > 0) break;
        continue;
      }
      sink.flush();
      if (interrupts) {
        for (const auto& ring : rings) ring->arm();
      }
      const auto until = std::min<Clock::duration>(
          end - Clock::now(), interrupts ? Clock::duration(kCheckPause) : Clock::duration(kPollPause));
      const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(until);
      ::poll(waits.data(), waits.size(), static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
      if (waits.front().revents != 0) break;
      for (std::size_t i = 1; i < waits.size(); ++i) {
        std::uint64_t fired = 0;
        if (waits[i].revents != 0) static_cast<void>(::read(waits[i].fd, &fired, sizeof fired));
      }
    }
    sink.flush();
    std::uint64_t lost = 0;
    for (const auto& ring : rings) lost += ring->lost();
    std::cerr << captured << " frames captured"
              << (lost != 0 ? ", " + std::to_string(lost) + " discarded by the card" : "") << "\n";
  } catch (const driver::DriverError& error) {
    return cardFailed(error);
  }
  return kExitDone;
}

}  // namespace poplink::host
