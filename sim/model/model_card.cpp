// SPDX-License-Identifier: Apache-2.0
#include "model_card.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "poplink/card_map.h"

namespace poplink::sim {

namespace reg = card_map::reg;
namespace field = card_map::field;
using kernels::Origin;

namespace {

constexpr unsigned kMinFrame = 60, kMaxFrame = 9216;  // bytes without FCS
constexpr unsigned kCopyClass = static_cast<unsigned>(kernels::HostClass::digests);

// rtl/regs/drop_reasons.def
enum ShellDrop : unsigned {
#define POPLINK_DROP(number, name, text) name = number,
#include "../../rtl/regs/drop_reasons.def"
#undef POPLINK_DROP
};

template <class Field>
void setBits(Field& field, std::uint64_t value) {
  field = static_cast<Field>(value);
}

}  // namespace

/// While it lives, the card is in the middle of something.
class ModelCard::Busy {
 public:
  explicit Busy(bool& flag) : flag_(flag) { flag_ = true; }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  bool& flag_;
};

ModelCard::ModelCard(std::function<std::uint64_t()> now_us, std::uint64_t serial)
    : now_us_(std::move(now_us)), serial_(serial) {
  interrupts_.on_interrupt = [this](unsigned vector) {
    if (on_interrupt) on_interrupt(vector);
  };
  rings_.on_frame = [this](std::span<const std::uint8_t> frame, unsigned origin, unsigned target) {
    decide(frame, static_cast<Origin>(origin), target);
  };
  rings_.on_sent = [this](unsigned host_class, bool refused, unsigned bytes) {
    counters_.ofHost(host_class, refused).add(bytes);
  };
  for (unsigned port = 0; port < kPorts; ++port) {
    ports_[port].module = usualModule(false, "PL" + std::to_string(port));
    ports_[port].received_dbm = ports_[port].module->optic.transmit_dbm - kUsualLossDb;
  }
  portsChanged();
}

void ModelCard::tick() {
  now_ = now_us_();
  for (unsigned ring = 0; ring < HostRings::kRings; ++ring) interrupts_.look(ring, rings_.interruptOf(ring), now_);
  if (repeater_.any()) settle();
}

bool ModelCard::repeat() {
  const auto port = repeater_.take(now_);
  if (!port) return false;
  const std::vector<std::uint8_t> frame = repeater_.frame(*port);  // whoever hears of it may give another one
  decide(frame, Origin::to_port, *port);
  return true;
}

void ModelCard::settle() {
  if (busy_) return;
  const Busy busy(busy_);
  for (;;) {
    if (repeat()) continue;
    if (rings_.serve(now_)) continue;
    if (arrivals_.empty()) return;
    const Arrival next = std::move(arrivals_.front());
    arrivals_.pop_front();
    arrive(next.port, next.bytes, next.bad);
  }
}

void ModelCard::poll() {
  tick();
}

std::optional<std::uint64_t> ModelCard::nextPoll() const {
  std::optional<std::uint64_t> first = repeater_.due();
  for (unsigned ring = 0; ring < HostRings::kRings; ++ring) {
    const auto due = interrupts_.due(ring, rings_.interruptOf(ring));
    if (due && (!first || *due < *first)) first = due;
  }
  return first;
}

// ---- frames

void ModelCard::receive(unsigned port, std::span<const std::uint8_t> bytes, bool bad) {
  if (port >= kPorts) throw std::out_of_range("the card has no such port");
  if (bytes.empty()) throw std::invalid_argument("a frame has at least one byte");
  if (busy_) {
    arrivals_.push_back({port, {bytes.begin(), bytes.end()}, bad});
    return;
  }
  tick();
  {
    const Busy busy(busy_);
    arrive(port, bytes, bad);
  }
  settle();
}

void ModelCard::arrive(unsigned port, std::span<const std::uint8_t> bytes, bool bad) {
  const bool long_one = bytes.size() > kMaxFrame;
  const unsigned reason = bad ? bad_frame : long_one ? oversize : bytes.size() < kMinFrame ? runt : 0U;
  if (reason != 0) return counters_.dropped(port, reason).add(long_one ? kMaxFrame + 1 : bytes.size());
  counters_.received(port).add(bytes.size());
  decide(bytes, Origin::wire, port);
}

void ModelCard::decide(std::span<const std::uint8_t> bytes, Origin origin, unsigned port) {
  const std::size_t shown = std::min<std::size_t>(bytes.size(), kernels::kHeaderBytes);
  std::memcpy(in_.header, bytes.data(), shown);
  std::memset(&in_.header[shown], 0, kernels::kHeaderBytes - shown);
  setBits(in_.length, bytes.size());
  setBits(in_.port, port);
  setBits(in_.origin, static_cast<unsigned>(origin));
  {
    const TablesInUse use(tables_);
    kernels::forward(in_, out_);
  }
  const bool of_host = origin != Origin::wire;
  const unsigned drop = admit();
  count(bytes.size(), of_host ? CardCounters::kHost : port, drop);
  tellHost(bytes, of_host, port, drop);
  if (drop == 0) send(bytes);
}

/// rtl/core/admission.sv, without room to run out of.
unsigned ModelCard::admit() const {
  const auto port = static_cast<unsigned>(out_.egress_port);
  if (out_.drop != 0) return static_cast<unsigned>(out_.drop);
  if (!portUp(port)) return egress_down;
  return portEnabled(port) ? 0 : egress_locked;
}

void ModelCard::count(std::size_t bytes, unsigned ingress, unsigned drop) {
  if (drop != 0) return counters_.dropped(ingress, drop).add(bytes);
  const auto link = static_cast<unsigned>(out_.link);
  if (out_.service_valid) counters_.service(static_cast<unsigned>(out_.service), out_.to_backbone).add(bytes);
  if (!out_.to_backbone) return;
  counters_.member(static_cast<unsigned>(out_.group), link).add(bytes);
  sketch_.count(now_, link, static_cast<unsigned>(out_.flow_slot));
}

bool ModelCard::captured(unsigned ingress, unsigned drop) const {
  const std::uint32_t capture = registers_.get(reg::kCaptureControl);
  if (field::kCaptureControlEnable.of(capture) == 0) return false;
  if ((registers_.get(reg::kCapturePorts) >> ingress & 1) == 0 || (captured_outcomes_ >> drop & 1) == 0) return false;
  return field::kCaptureControlByService.of(capture) == 0 ||
         (out_.service_valid && out_.service == field::kCaptureControlService.of(capture));
}

bool ModelCard::learns(unsigned port, std::span<const std::uint8_t> bytes) {
  if ((registers_.get(reg::kLearnPorts) >> port & 1) == 0) return false;
  std::uint64_t source = 0;
  for (unsigned i = 0; i < 6; ++i) source |= std::uint64_t{bytes[6 + i]} << (8 * i);
  return learner_.isNew(now_, port, source);
}

/// rtl/core/host_punt.sv: the frame itself or a copy, through the policers into the queue.
void ModelCard::tellHost(std::span<const std::uint8_t> bytes, bool of_host, unsigned port, unsigned drop) {
  const unsigned ingress = of_host ? CardCounters::kHost : port;
  const bool copy = !out_.punt && captured(ingress, drop);
  const bool learned = drop == 0 && out_.service_valid && !of_host && learns(port, bytes);
  if (!out_.punt && !copy && !learned) return;
  const unsigned host_class = out_.punt ? static_cast<unsigned>(out_.host_class) : kCopyClass;
  setBits(punt_.host_class, host_class);
  setBits(punt_.port, ingress);
  punt_.service_valid = out_.service_valid;
  punt_.service = out_.service;
  setBits(punt_.now_us, now_);
  kernels::PuntFate fate = policers_.fate(punt_);
  if (fate != kernels::PuntFate::queued) {
    queue_.lose(host_class);
  } else if (!rings_.open(host_class)) {
    queue_.lose(host_class);
    fate = kernels::PuntFate::no_room;
  } else if (!queue_.offer(host_class, port, bytes,
                           {.port = ingress,
                            .reason = drop,
                            .copy = copy,
                            .learned = learned,
                            .service_valid = out_.service_valid,
                            .service = static_cast<unsigned>(out_.service),
                            .hash = static_cast<std::uint32_t>(out_.hash),
                            .egress_port = static_cast<unsigned>(out_.egress_port),
                            .decided_us = now_})) {
    fate = kernels::PuntFate::no_room;
  } else {
    rings_.wake();
  }
  counters_.punted(host_class, ingress, static_cast<unsigned>(fate)).add(bytes.size());
}

void ModelCard::send(std::span<const std::uint8_t> bytes) {
  const auto port = static_cast<unsigned>(out_.egress_port);
  const auto strip = static_cast<std::size_t>(out_.edit.strip), prepend = static_cast<std::size_t>(out_.edit.prepend);
  const auto rest = bytes.subspan(strip);
  const std::size_t length = prepend + rest.size();
  counters_.sent(port).add(length);
  if (!on_sent) return;
  std::memcpy(sent_.data(), out_.edit.data, prepend);
  std::memcpy(&sent_[prepend], rest.data(), rest.size());
  if (length < kMinFrame) std::memset(&sent_[length], 0, kMinFrame - length);
  on_sent(port, std::span(sent_).first(std::max<std::size_t>(length, kMinFrame)));
}

// ---- ports

bool ModelCard::portEnabled(unsigned port) const {
  return port < kPorts && field::kPortControlEnable.of(at(reg::kPortControl, port)) != 0;
}

template <class Change>
void ModelCard::changePort(unsigned number, Change&& change) {
  Port& port = ports_.at(number);
  tick();
  const auto before = port.state();
  change(port);
  portsChanged();
  if (port.state() != before) interrupts_.linkChanged(number);
}

void ModelCard::setPortUp(unsigned port, bool up) {
  changePort(port, [this, port, up](Port& one) {
    one.up = up;
    if (up) return;
    repeater_.stop(port);
    one.held = one.held || field::kPortHoldHold.of(at(reg::kPortHold, port)) != 0;
  });
}

void ModelCard::setModule(unsigned port, std::optional<Module> module) {
  changePort(port, [&module](Port& one) {
    one.received_dbm = module ? std::optional(module->optic.transmit_dbm - kUsualLossDb) : std::nullopt;
    one.module = std::move(module);
  });
}

void ModelCard::setReceivedLight(unsigned port, std::optional<double> dbm) {
  changePort(port, [dbm](Port& one) { one.received_dbm = dbm; });
}

void ModelCard::portsChanged() {
  tables_.live_ports = tables_.held_ports = 0;
  for (unsigned port = 0; port < kPorts; ++port) {
    const bool held = ports_[port].held, live = portUp(port) && portEnabled(port) && !held;
    tables_.live_ports |= static_cast<std::uint16_t>((live ? 1U : 0U) << port);
    tables_.held_ports |= static_cast<std::uint16_t>((held ? 1U : 0U) << port);
  }
}

}  // namespace poplink::sim
