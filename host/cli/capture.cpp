// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/capture.h"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <system_error>

#include "../api/capture_record.h"
#include "../capture/capture_hub.h"
#include "../capture/frame_filter.h"
#include "../capture/pcapng.h"
#include "../model/read_region.h"
#include "commands.h"
#include "daemon_client.h"
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

CaptureWish wanted(const CaptureOptions& options) {
  try {
    return captureWish(options.ports, options.outcomes, options.service, options.new_addresses);
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
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
  explicit Sink(const CaptureOptions& options) : to_file_(!options.file.empty()) {
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

  /// `offset_us`: from the frame's time to the time of day.
  void frame(const HostFrame& one, std::uint64_t offset_us) {
    const std::uint64_t us = one.us + offset_us;
    std::string why = outcome(one);
    if (one.service) why += " (service " + std::to_string(*one.service) + ")";
    if (to_file_) {
      write(pcapng::packet({one.port, us, one.bytes, one.frame_bytes, pcapng::Direction::inbound, one.lost, why}));
      return;
    }
    if (one.lost != 0) std::cout << "... " << one.lost << " frames are missing\n";
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
  std::ofstream file_;
  std::ostream* out_ = &std::cout;
};

/// What both ways to the frames share.
class Session {
 public:
  Session(const CaptureOptions& options, const FrameFilter& filter)
      : options_(options), wish_(wanted(options)), filter_(filter), sink_(options) {}

  bool enough() const { return options_.count != 0 && captured_ >= options_.count; }
  Clock::time_point end() const { return end_; }
  const CaptureWish& wish() const { return wish_; }

  void take(const HostFrame& frame, std::uint64_t offset_us) {
    // What the card gives the host for reasons of its own is subject to the same wishes.
    if (enough() || !isWanted(wish_, frame)) return;
    missing(frame.lost);
    if (!filter_.matches(frame.bytes, frame.frame_bytes)) return;
    HostFrame one = frame;
    one.lost = static_cast<std::uint32_t>(std::min<std::uint64_t>(std::exchange(missing_, 0), UINT32_MAX));
    sink_.frame(one, offset_us);
    ++captured_;
  }
  /// So many are not there in front of the next one that is shown.
  void missing(std::uint64_t frames) {
    missing_ += frames;
    missing_in_all_ += frames;
  }
  std::uint64_t missingInAll() const { return missing_in_all_; }
  void begun(const std::string& where) {
    std::cerr << "capturing at " << where << ", Ctrl-C ends it\n";
    if (options_.seconds != 0) end_ = Clock::now() + std::chrono::seconds(options_.seconds);
  }
  void flush() { sink_.flush(); }
  /// `lost`: frames, `how` in words.
  int finish(std::uint64_t lost, const char* how) {
    sink_.flush();
    std::cerr << captured_ << " frames captured" << (lost != 0 ? ", " + std::to_string(lost) + how : "") << "\n";
    return kExitDone;
  }

 private:
  const CaptureOptions& options_;
  CaptureWish wish_;
  const FrameFilter& filter_;
  Sink sink_;
  Clock::time_point end_ = Clock::time_point::max();
  std::uint64_t captured_ = 0;
  std::uint64_t missing_ = 0;  ///< to be told with the next frame
  std::uint64_t missing_in_all_ = 0;
};

/// All rings of the card in a loop of our own.
class OwnRings {
 public:
  OwnRings(driver::Transport& card, Session& session, bool poll) : session_(session), hub_(card) {
    for (const auto one : {driver::HostClass::slow_protocols, driver::HostClass::routing, driver::HostClass::bfd})
      rings_.push_back(std::make_unique<driver::RxRing>(card, one));
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    offset_us_ = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()) -
                 driver::cardTime(card);
    member_ = hub_.join(session.wish(), [this](const HostFrame& frame) { session_.take(frame, offset_us_); });
    if (poll) return;
    for (const auto& ring : rings_) vectors_.push_back(ring->eventDescriptor());
    vectors_.push_back(hub_.eventDescriptor());
    std::erase_if(vectors_, [](int vector) { return vector < 0; });
  }

  void run(int signals) {
    std::vector<pollfd> waits = {{signals, POLLIN, 0}};
    for (const int vector : vectors_) waits.push_back({vector, POLLIN, 0});
    auto next_check = Clock::now() + kCheckPause;
    while (!session_.enough() && Clock::now() < session_.end()) {
      if (Clock::now() >= next_check) {
        next_check = Clock::now() + kCheckPause;
        check();
      }
      const bool busy = poll() != 0;
      if (!busy) session_.flush();
      if (!busy && !vectors_.empty()) arm();
      ::poll(waits.data(), busy ? 1 : waits.size(), busy ? 0 : pauseMs());
      if (waits.front().revents != 0) break;
      for (std::size_t i = 1; i < waits.size(); ++i) {
        std::uint64_t fired = 0;
        if (waits[i].revents != 0) static_cast<void>(::read(waits[i].fd, &fired, sizeof fired));
      }
    }
  }

  std::uint64_t lost() {
    std::uint64_t all = hub_.lost();
    for (const auto& ring : rings_) all += ring->lost();
    return all;
  }

 private:
  std::size_t poll() {
    std::size_t frames = hub_.poll();
    for (const auto& ring : rings_) frames += ring->poll([this](const HostFrame& frame) { hub_.frame(frame); });
    return frames;
  }
  void arm() {
    for (const auto& ring : rings_) ring->arm();
    hub_.arm();
  }
  void check() {
    for (const auto& ring : rings_) ring->check();
    hub_.check();
  }
  int pauseMs() const {
    const Clock::duration most = vectors_.empty() ? Clock::duration(kPollPause) : Clock::duration(kCheckPause);
    const auto wait = std::min<Clock::duration>(session_.end() - Clock::now(), most);
    return static_cast<int>(
        std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(wait).count(), 0));
  }

  Session& session_;
  CaptureHub hub_;
  std::vector<std::unique_ptr<driver::RxRing>> rings_;
  std::uint64_t offset_us_ = 0;
  std::unique_ptr<CaptureHub::Membership> member_;
  std::vector<int> vectors_;
};

int captureFromCard(const CaptureOptions& options, const FrameFilter& filter, int signals) {
  const auto card = openTransport(options.choice, "poplink capture");
  driver::checkRegisterMap(*card);
  Session session(options, filter);
  OwnRings rings(*card, session, options.poll);
  session.begun(card->name());
  try {
    rings.run(signals);
    return session.finish(rings.lost(), " discarded by the card");
  } catch (const driver::DriverError& error) {
    return cardFailed(error);
  }
}

std::string targetOf(const CaptureOptions& options) {
  std::string target = "/v1/capture?outcomes=";
  for (const std::string& outcome : options.outcomes)
    target += (target.back() == '=' ? "" : ",") + api::encode(outcome);
  for (const unsigned port : options.ports) target += "&ports=" + std::to_string(port);
  if (options.service) target += "&service=" + std::to_string(*options.service);
  return target + (options.new_addresses ? "&new_addresses=1" : "");
}

/// Of a record that tells of nothing else.
std::uint64_t lostOf(const api::Json& record) {
  const auto lost = record.find("lost");
  if (record.size() != 1 || lost == record.end() || !lost->is_number_unsigned())
    throw driver::DriverError("what poplinkd sends is no captured frame");
  return *lost;
}

int captureFromDaemon(api::Client& daemon, const std::string& where, const CaptureOptions& options,
                      const FrameFilter& filter, int signals) {
  Session session(options, filter);
  const auto take = [&](const api::Json& json) -> bool {
    auto record = api::captureRecordOf(json);
    if (!record) {
      session.missing(lostOf(json));
      return true;
    }
    session.take(record->frame, 0);
    session.flush();
    return !session.enough();
  };
  api::Client::Until until{signals, {}};
  if (options.seconds != 0) until.time = Clock::now() + std::chrono::seconds(options.seconds);
  ask([&]() -> api::Json {
    daemon.stream(targetOf(options), until, [&] { session.begun("poplinkd, " + where); }, take);
    return {};
  });
  return session.finish(session.missingInAll(), " missing");
}

}  // namespace

int capture(const CaptureOptions& options) {
  std::optional<FrameFilter> filter;
  try {
    filter.emplace(options.filter);
  } catch (const FilterError& error) {
    throw UsageError(error.what());
  }
  const driver::Descriptor signals = endingSignals();
  if (!options.choice.node.empty()) {
    const Node node = readNode(options.choice.node);
    if (auto daemon = daemonOf(node)) return captureFromDaemon(*daemon, node.api, options, *filter, signals.get());
  }
  return captureFromCard(options, *filter, signals.get());
}

}  // namespace poplink::host
