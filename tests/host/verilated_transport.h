// SPDX-License-Identifier: Apache-2.0
// The Verilated card without a socket between: its registers, its DMA into memory of this process, its interrupts.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <optional>

#include "card_model.h"
#include "poplink/driver/error.h"
#include "poplink/driver/transport.h"

namespace poplink::driver {

class VerilatedTransport : public Transport, private sim::HostMemory {
 public:
  VerilatedTransport() {
    model.host.memory = this;
    for (int& vector : vectors_) vector = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    model.host.on_interrupt = [this](unsigned vector) {
      const std::uint64_t one = 1;
      ++interrupts;
      static_cast<void>(::write(vectors_.at(vector), &one, sizeof one));
    };
  }
  ~VerilatedTransport() override {
    for (const int vector : vectors_) ::close(vector);
  }

  std::vector<std::uint32_t> run(std::span<const Access> accesses) override {
    std::vector<std::uint32_t> values;
    for (const Access& access : accesses) {
      if (gone) {
        if (access.kind == Access::Kind::read) values.push_back(*gone);
        continue;
      }
      try {
        if (access.kind == Access::Kind::write) {
          ++writes;
          model.writeRegister(access.address, access.value);
        } else {
          ++reads;
          values.push_back(model.readRegister(access.address));
        }
      } catch (const sim::BusError& error) {
        throw DriverError(error.what());
      }
    }
    return values;
  }
  std::string name() const override { return "the model"; }
  Capabilities capabilities() override { return {true, static_cast<unsigned>(vectors_.size())}; }
  std::unique_ptr<DmaMemory> allocate(std::size_t bytes) override {
    return std::make_unique<Memory>(*this, (bytes + kPage - 1) / kPage * kPage);
  }
  std::span<const int> vectors() override { return vectors_; }

  sim::CardModel model;
  std::uint64_t reads = 0, writes = 0, interrupts = 0;  ///< register accesses, MSI-X messages
  std::uint64_t outside = 0;                            ///< DMA to where nothing was given
  std::optional<std::uint32_t> gone;                    ///< answers this only, as a card that was pulled

 private:
  static constexpr std::size_t kPage = 4096;

  class Memory : public DmaMemory {
   public:
    Memory(VerilatedTransport& owner, std::size_t size)
        : DmaMemory({new(std::align_val_t(kPage)) std::uint8_t[size](), size}, owner.next_), owner_(owner) {
      owner.next_ += size + kPage;
      owner.given_.emplace(busAddress(), this);
    }
    ~Memory() override {
      owner_.given_.erase(busAddress());
      ::operator delete[](bytes().data(), std::align_val_t(kPage));
    }

   private:
    VerilatedTransport& owner_;
  };

  std::uint8_t* find(std::uint64_t address, std::size_t size) {
    auto found = given_.upper_bound(address);
    if (found != given_.begin()) {
      const Memory& memory = *(--found)->second;
      const std::uint64_t at = address - memory.busAddress();
      if (at + size <= memory.bytes().size()) return &memory.bytes()[at];
    }
    ++outside;
    return nullptr;
  }
  bool read(std::uint64_t address, std::span<std::uint8_t> into) override {
    const std::uint8_t* at = find(address, into.size());
    if (at != nullptr) std::memcpy(into.data(), at, into.size());
    return at != nullptr;
  }
  bool write(std::uint64_t address, std::span<const std::uint8_t> from) override {
    std::uint8_t* at = find(address, from.size());
    if (at != nullptr) std::memcpy(at, from.data(), from.size());
    return at != nullptr;
  }

  std::array<int, 9> vectors_{};
  std::uint64_t next_ = 0x1'0000'0000;
  std::map<std::uint64_t, Memory*> given_;
};

}  // namespace poplink::driver
