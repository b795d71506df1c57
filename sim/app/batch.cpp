// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "../io/pcap.h"
#include "../pci/card_function.h"
#include "function_transport.h"
#include "modes.h"
#include "poplink/driver/card.h"

namespace poplink::sim {

namespace {

constexpr std::size_t kWireQueue = 64;              ///< frames kept waiting at a port that sends back to back
constexpr std::uint64_t kDrainCycles = 10'000'000;  ///< a card that is not at rest by then never will be
constexpr std::uint64_t kLongestCaptureNs = 100ULL * 24 * 3600 * 1'000'000'000;  ///< SystemC counts 213 days

using Captures = std::map<unsigned, std::vector<CapturedFrame>>;

/// All of them, before any output is opened: a file may be named as both.
Captures readCaptures(const std::map<unsigned, std::string>& files) {
  Captures captures;
  for (const auto& [port, file] : files) captures.emplace(port, readPcap(file));
  return captures;
}

/// The time of the first frame over all captures.
std::uint64_t startOf(const Captures& captures) {
  std::uint64_t start = std::numeric_limits<std::uint64_t>::max(), end = 0;
  for (const auto& [port, frames] : captures) {
    for (const CapturedFrame& frame : frames) {
      start = std::min(start, frame.time_ns);
      end = std::max(end, frame.time_ns);
    }
  }
  if (end > start && end - start > kLongestCaptureNs)
    throw std::runtime_error("the captures span more than 100 days; without their times: --timing wire");
  return std::min(start, end);
}

/// Sends a capture into a port.
class PcapSource : public sc_core::sc_module {
 public:
  /// `start_ns`: the captures' time at the start of the simulation; nothing: back to back.
  PcapSource(sc_core::sc_module_name name, const std::vector<CapturedFrame>& frames, CardModule& card, unsigned port,
             std::optional<std::uint64_t> start_ns)
      : sc_core::sc_module(name), frames_(frames), card_(card), port_(port), start_ns_(start_ns) {
    SC_HAS_PROCESS(PcapSource);
    SC_METHOD(run);
  }
  bool done() const { return next_ == frames_.size(); }

 private:
  void run() {
    for (; next_ < frames_.size(); ++next_) {
      const CapturedFrame& frame = frames_[next_];
      if (const sc_core::sc_time pause = pauseBefore(frame); pause != sc_core::SC_ZERO_TIME) return next_trigger(pause);
      card_.ingress(port_).deliver(frame.bytes);
    }
  }
  sc_core::sc_time pauseBefore(const CapturedFrame& frame) const {
    if (!start_ns_)
      return card_.model().waiting(port_) < kWireQueue ? sc_core::SC_ZERO_TIME
                                                       : static_cast<double>(kQuantumCycles) * kCycle;
    const sc_core::sc_time due(static_cast<double>(frame.time_ns - std::min(frame.time_ns, *start_ns_)),
                               sc_core::SC_NS);
    return due > sc_core::sc_time_stamp() ? due - sc_core::sc_time_stamp() : sc_core::SC_ZERO_TIME;
  }

  const std::vector<CapturedFrame>& frames_;
  CardModule& card_;
  const unsigned port_;
  const std::optional<std::uint64_t> start_ns_;
  std::size_t next_ = 0;
};

struct NoSink : FrameSink {
  void deliver(std::span<const std::uint8_t>) override {}
};

/// nlohmann's own conversion would cut fractions off and wrap negative numbers around.
std::uint64_t number(const nlohmann::json& value) {
  if (!value.is_number_unsigned()) throw driver::DriverError(value.dump() + " is no number from 0");
  return value.get<std::uint64_t>();
}

void loadTables(const std::string& file, driver::Card& card) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file + ": cannot be read");
  try {
    const nlohmann::json image = nlohmann::json::parse(in);
    if (const auto hash = image.find("hash"); hash != image.end()) {
      const std::uint64_t seed = number(hash->at("seed"));
      if (seed > std::numeric_limits<std::uint32_t>::max())
        throw driver::DriverError("a seed of " + std::to_string(seed) + " does not fit 32 bits");
      card.setHash({static_cast<std::uint32_t>(seed), hash->at("symmetric").get<bool>()});
    }
    for (const nlohmann::json& one : image.at("tables")) {
      driver::Entry entry;
      for (const auto& [field, value] : one.at("entry").items()) entry.emplace(field, number(value));
      const std::uint64_t index = number(one.at("index"));
      if (index > std::numeric_limits<std::uint32_t>::max())
        throw driver::DriverError("no table has an entry " + std::to_string(index));
      card.writeEntry(one.at("table").get<std::string>(), static_cast<std::uint32_t>(index), entry);
    }
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(file + ": is no table image: " + error.what());
  } catch (const driver::DriverError& error) {
    throw std::runtime_error(file + ": " + error.what());
  }
}

nlohmann::ordered_json countersOf(driver::Card& card) {
  const auto pair = [](const driver::Count& count) {
    return nlohmann::ordered_json{{"frames", count.frames}, {"bytes", count.bytes}};
  };
  nlohmann::ordered_json ports = nlohmann::ordered_json::array(), services = nlohmann::ordered_json::array();
  for (unsigned p = 0; p < card.ports(); ++p) {
    const driver::PortState state = card.port(p);
    nlohmann::ordered_json drops = nlohmann::ordered_json::object();
    const auto counted = card.drops(p);
    for (const card_map::DropReason& reason : card_map::kDropReasons) {
      if (const auto found = counted.find(reason.number); found != counted.end())
        drops[std::string(reason.name)] = found->second.frames;
    }
    ports.push_back({{"port", p}, {"received", pair(state.received)}, {"sent", pair(state.sent)}, {"drops", drops}});
  }
  for (const auto& [number, entry] : card.validEntries("service")) {
    services.push_back({{"service", number},
                        {"to_backbone", pair(card.service(number, true))},
                        {"from_backbone", pair(card.service(number, false))}});
  }
  return {{"ports", ports}, {"services", services}};
}

/// A text file to write; without a name everything goes nowhere.
class TextFile {
 public:
  explicit TextFile(const std::string& name) : name_(name) {
    if (!name_.empty()) out_.open(name_);
    check();
  }
  std::ostream& out() { return out_; }
  bool wanted() const { return !name_.empty(); }
  void close() {
    if (wanted()) out_.close();
    check();
  }

 private:
  void check() const {
    if (wanted() && !out_) throw std::runtime_error(name_ + ": cannot be written");
  }
  std::string name_;
  std::ofstream out_;
};

/// One line per frame that came in whole or went out: in and out are joined by reading order per port.
class Stamps {
 public:
  explicit Stamps(const std::string& file) : file_(file) {
    file_.out() << "direction,port,number,bytes,first_cycle,last_cycle\n";
  }
  void close() { file_.close(); }
  void received(unsigned port, std::uint64_t cycle) {
    if (file_.wanted()) file_.out() << "in," << port << "," << in_[port]++ << ",,," << cycle << "\n";
  }
  void sent(const SentFrame& frame) {
    if (!file_.wanted()) return;
    file_.out() << "out," << frame.port << "," << sent_[frame.port]++ << "," << frame.bytes.size() << ","
                << frame.first_cycle << "," << frame.last_cycle << "\n";
  }

 private:
  TextFile file_;
  std::array<std::uint64_t, CardModel::kPortCount> in_{}, sent_{};
};

/// Runs until everything is sent and the card is at rest; quiet time between frames is jumped over.
void runToRest(CardModule& card, const std::vector<std::unique_ptr<PcapSource>>& sources) {
  const sc_core::sc_time quantum = static_cast<double>(kQuantumCycles) * kCycle;
  std::uint64_t last_active = card.model().cycle();
  bool was_sending = true;  // the last frame may come after an hour's jump
  for (;;) {
    sc_core::sc_start(card.quiescent() ? std::max(quantum, sc_core::sc_time_to_pending_activity()) : quantum);
    const bool sending =
        std::any_of(sources.begin(), sources.end(), [](const auto& source) { return !source->done(); });
    if (!sending && card.quiescent()) return;
    if (was_sending) last_active = card.model().cycle();
    was_sending = sending;
    if (card.model().cycle() - last_active > kDrainCycles) throw std::runtime_error("the card did not come to rest");
  }
}

}  // namespace

int runBatch(const BatchOptions& options) {
  const Captures captures = readCaptures(options.in);
  CardModule card("card", [](std::uint64_t cycle) { return cycle * kNsPerCycle / 1000; });
  CardFunction function("function", card);
  NoSink nowhere;
  for (unsigned port = 0; port < CardModel::kPortCount; ++port) {
    card.connect(port, nowhere);
    card.model().setSpeed(port, options.speed);
    card.model().setModule(port, usualModule(options.speed == PortSpeed::gigabit, "PL" + std::to_string(port)));
  }
  driver::Card software(std::make_unique<FunctionTransport>(function));
  if (!options.tables.empty()) loadTables(options.tables, software);
  card.model().drain(kDrainCycles);  // frames start on a card at rest, whatever was loaded

  Wave<CardModel> wave(options.wave, card.model());
  Stamps stamps(options.stamps);
  TextFile counters(options.counters);
  std::map<unsigned, std::unique_ptr<PcapWriter>> writers;
  for (const auto& [port, file] : options.out)
    writers.emplace(port, std::make_unique<PcapWriter>(file, [] { return 0; }));
  const std::optional<std::uint64_t> capture_start =
      options.capture_times ? std::optional(startOf(captures)) : std::nullopt;
  const std::uint64_t start = card.model().cycle();
  card.model().on_received = [&](unsigned port, std::uint64_t cycle) { stamps.received(port, cycle); };
  std::uint64_t sent = 0;
  card.on_sent = [&](const SentFrame& frame) {
    ++sent;
    stamps.sent(frame);
    if (const auto found = writers.find(frame.port); found != writers.end())
      found->second->write(frame.bytes, capture_start.value_or(0) + (frame.last_cycle - start) * kNsPerCycle);
  };
  std::vector<std::unique_ptr<PcapSource>> sources;
  for (const auto& [port, frames] : captures) {
    sources.push_back(
        std::make_unique<PcapSource>(("in_" + std::to_string(port)).c_str(), frames, card, port, capture_start));
  }
  runToRest(card, sources);
  const std::uint64_t cycles = card.model().cycle() - start;
  wave.close();
  stamps.close();
  for (const auto& [port, writer] : writers) writer->flush();
  if (counters.wanted()) counters.out() << countersOf(software).dump(2) << "\n";
  counters.close();
  std::cout << sent << " frames sent in " << cycles << " cycles\n";
  return 0;
}

}  // namespace poplink::sim
