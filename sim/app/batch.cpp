// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "../io/pcap.h"
#include "../pci/card_function.h"
#include "function_transport.h"
#include "modes.h"
#include "poplink/driver/card.h"

namespace poplink::sim {

namespace {

constexpr std::uint64_t kNsPerCycle = 4;
constexpr std::size_t kWireQueue = 64;              ///< frames kept waiting at a port that sends back to back
constexpr std::uint64_t kDrainCycles = 10'000'000;  ///< a card that is not at rest by then never will be

/// Sends a capture into a port.
class PcapSource : public sc_core::sc_module {
 public:
  PcapSource(sc_core::sc_module_name name, const std::string& file, CardModule& card, unsigned port, bool capture_times)
      : sc_core::sc_module(name), frames_(readPcap(file)), card_(card), port_(port), capture_times_(capture_times) {
    SC_HAS_PROCESS(PcapSource);
    SC_THREAD(run);
  }
  bool done() const { return next_ == frames_.size(); }

 private:
  void run() {
    const std::uint64_t start = frames_.empty() ? 0 : frames_.front().time_ns;
    for (; next_ < frames_.size(); ++next_) {
      const CapturedFrame& frame = frames_[next_];
      if (capture_times_ && frame.time_ns > start) {
        const sc_core::sc_time due(static_cast<double>(frame.time_ns - start), sc_core::SC_NS);
        if (due > sc_core::sc_time_stamp()) wait(due - sc_core::sc_time_stamp());
      }
      while (!capture_times_ && card_.model().waiting(port_) >= kWireQueue)
        wait(static_cast<double>(kQuantumCycles) * kCycle);
      card_.ingress(port_).deliver(frame.bytes);
    }
  }

  const std::vector<CapturedFrame> frames_;
  CardModule& card_;
  const unsigned port_;
  const bool capture_times_;
  std::size_t next_ = 0;
};

struct NoSink : FrameSink {
  void deliver(std::span<const std::uint8_t>) override {}
};

void loadTables(const std::string& file, driver::Card& card) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file + ": cannot be read");
  try {
    for (const auto& one : nlohmann::json::parse(in).at("tables")) {
      card.writeEntry(one.at("table").get<std::string>(), one.at("index").get<std::uint32_t>(),
                      one.at("entry").get<driver::Entry>());
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

/// One line per frame that came in whole or went out: in and out are joined by reading order per port.
class Stamps {
 public:
  explicit Stamps(const std::string& file) {
    if (file.empty()) return;
    out_.open(file);
    if (!out_) throw std::runtime_error(file + ": cannot be written");
    out_ << "direction,port,number,bytes,first_cycle,last_cycle\n";
  }
  void received(unsigned port, std::uint64_t cycle) {
    if (out_.is_open()) out_ << "in," << port << "," << in_[port]++ << ",,," << cycle << "\n";
  }
  void sent(const SentFrame& frame) {
    if (out_.is_open())
      out_ << "out," << frame.port << "," << sent_[frame.port]++ << "," << frame.bytes.size() << ","
           << frame.first_cycle << "," << frame.last_cycle << "\n";
  }

 private:
  std::ofstream out_;
  std::array<std::uint64_t, CardModel::kPortCount> in_{}, sent_{};
};

}  // namespace

int runBatch(const BatchOptions& options) {
  CardModule* self = nullptr;
  CardModule card("card", options.speed_gigabits * kTenGigabitBytesPerCycle / 10,
                  [&self] { return self->model().cycle() * kNsPerCycle / 1000; });
  self = &card;
  CardFunction function("function", card);
  NoSink nowhere;
  for (unsigned port = 0; port < CardModel::kPortCount; ++port) card.connect(port, nowhere);
  driver::Card software(std::make_unique<FunctionTransport>(function));
  if (!options.tables.empty()) loadTables(options.tables, software);

  Stamps stamps(options.stamps);
  std::map<unsigned, std::unique_ptr<PcapWriter>> writers;
  for (const auto& [port, file] : options.out)
    writers.emplace(port, std::make_unique<PcapWriter>(file, [] { return 0; }));
  card.model().on_received = [&](unsigned port, std::uint64_t cycle) { stamps.received(port, cycle); };
  std::uint64_t sent = 0;
  card.on_sent = [&](const SentFrame& frame) {
    ++sent;
    stamps.sent(frame);
    if (const auto found = writers.find(frame.port); found != writers.end())
      found->second->write(frame.bytes, frame.last_cycle * kNsPerCycle);
  };
  std::vector<std::unique_ptr<PcapSource>> sources;
  for (const auto& [port, file] : options.in) {
    sources.push_back(
        std::make_unique<PcapSource>(("in_" + std::to_string(port)).c_str(), file, card, port, options.capture_times));
  }
  const std::uint64_t start = card.model().cycle();
  std::uint64_t last_active = start;
  for (;;) {
    sc_core::sc_start(static_cast<double>(kQuantumCycles) * kCycle);
    const bool sending =
        std::any_of(sources.begin(), sources.end(), [](const auto& source) { return !source->done(); });
    if (!sending && card.quiescent()) break;
    if (sending) last_active = card.model().cycle();
    if (card.model().cycle() - last_active > kDrainCycles) throw std::runtime_error("the card did not come to rest");
  }
  if (!options.counters.empty()) {
    std::ofstream out(options.counters);
    out << countersOf(software).dump(2) << "\n";
    if (!out.flush()) throw std::runtime_error(options.counters + ": cannot be written");
  }
  std::cout << sent << " frames sent in " << card.model().cycle() - start << " cycles\n";
  return 0;
}

}  // namespace poplink::sim
