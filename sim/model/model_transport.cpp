// SPDX-License-Identifier: Apache-2.0
#include "model_transport.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>

#include "poplink/driver/descriptor.h"
#include "poplink/driver/error.h"
#include "poplink/driver/pages.h"

namespace poplink::sim {

namespace {

using driver::Access;
using driver::DriverError;

/// The pages that a card was given, by bus addresses of their own: above 4 GiB, with a gap behind each, and none twice.
class Bus : public HostMemory {
 public:
  std::uint64_t add(std::span<std::uint8_t> bytes) {
    const std::uint64_t address = next_;
    next_ += bytes.size() + driver::pageBytes();
    given_.emplace(address, bytes);
    return address;
  }
  void remove(std::uint64_t address) { given_.erase(address); }

  bool read(std::uint64_t address, std::span<std::uint8_t> into) override {
    const std::uint8_t* from = find(address, into.size());
    if (from != nullptr) std::memcpy(into.data(), from, into.size());
    return from != nullptr;
  }
  bool write(std::uint64_t address, std::span<const std::uint8_t> from) override {
    std::uint8_t* to = find(address, from.size());
    if (to != nullptr) std::memcpy(to, from.data(), from.size());
    return to != nullptr;
  }

 private:
  std::uint8_t* find(std::uint64_t address, std::size_t bytes) const {
    auto found = given_.upper_bound(address);
    if (found == given_.begin()) return nullptr;
    --found;
    const std::span<std::uint8_t> memory = found->second;
    const std::uint64_t at = address - found->first;
    return at < memory.size() && bytes <= memory.size() - at ? &memory[at] : nullptr;
  }

  std::uint64_t next_ = 0x1'0000'0000;
  std::map<std::uint64_t, std::span<std::uint8_t>> given_;
};

class Memory : public driver::DmaMemory {
 public:
  Memory(std::unique_ptr<driver::GuardedPages> pages, std::shared_ptr<Bus> bus)
      : DmaMemory(pages->bytes(), bus->add(pages->bytes())), pages_(std::move(pages)), bus_(std::move(bus)) {}
  ~Memory() override { bus_->remove(busAddress()); }

 private:
  std::unique_ptr<driver::GuardedPages> pages_;
  std::shared_ptr<Bus> bus_;
};

class ModelTransport : public driver::Transport {
 public:
  ModelTransport(ModelCard& card, const std::string& name, const std::string& client) : card_(card), name_(name) {
    if (!card.owner.empty()) throw DriverError("the card " + name + " is held by " + card.owner);
    card_.owner = client.empty() ? "a client without a name" : client;
    card_.attach(bus_.get());
    card_.on_interrupt = [this](unsigned vector) { raise(vector); };
  }
  ~ModelTransport() override {
    card_.stopHostPath();
    card_.attach(nullptr);
    card_.on_interrupt = nullptr;
    card_.owner.clear();
  }

  std::vector<std::uint32_t> run(std::span<const Access> accesses) override {
    std::vector<std::uint32_t> values;
    for (const Access& access : accesses) {
      const bool writes = access.kind == Access::Kind::write;
      const auto value = writes ? std::nullopt : card_.read(access.address);
      if (value) values.push_back(*value);
      if (writes ? card_.write(access.address, access.value) : value.has_value()) continue;
      char text[80];
      std::snprintf(text, sizeof text, "the card refused a %s at BAR0 + 0x%05x", writes ? "write" : "read",
                    access.address);
      throw DriverError(text);
    }
    return values;
  }
  std::string name() const override { return name_; }
  driver::Capabilities capabilities() override { return {true, ModelCard::kVectors}; }

  std::unique_ptr<driver::DmaMemory> allocate(std::size_t bytes) override {
    return std::make_unique<Memory>(std::make_unique<driver::GuardedPages>(bytes), bus_);
  }

  std::span<const int> vectors() override {
    if (descriptors_[0] < 0) {
      for (unsigned i = 0; i < events_.size(); ++i) {
        events_[i] = driver::Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (!events_[i]) throw DriverError(std::string("no descriptor for an interrupt: ") + std::strerror(errno));
      }
      for (unsigned i = 0; i < events_.size(); ++i) descriptors_[i] = events_[i].get();
    }
    return descriptors_;
  }

  void reset() override { card_.stopHostPath(); }

 private:
  /// Before the vectors are set up nobody listens, and none is remembered.
  void raise(unsigned vector) {
    const std::uint64_t one = 1;
    if (events_.at(vector)) static_cast<void>(::write(events_[vector].get(), &one, sizeof one));
  }

  ModelCard& card_;
  std::string name_;
  std::shared_ptr<Bus> bus_ = std::make_shared<Bus>();
  std::array<driver::Descriptor, ModelCard::kVectors> events_;
  std::array<int, ModelCard::kVectors> descriptors_ = [] {
    std::array<int, ModelCard::kVectors> none{};
    none.fill(-1);
    return none;
  }();
};

}  // namespace

std::unique_ptr<driver::Transport> openModelCard(ModelCard& card, const std::string& name, const std::string& client) {
  return std::make_unique<ModelTransport>(card, name, client);
}

}  // namespace poplink::sim
