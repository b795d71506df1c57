// SPDX-License-Identifier: Apache-2.0
#include "mpqemu_server.h"

#include <array>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <vector>

namespace poplink::sim {

namespace {

namespace asio = boost::asio;
// QEMU 7.2, include/hw/remote/mpqemu-link.h: x86-64 structures as they lie in memory.
enum class Command : std::int32_t {
  sync_memory = 0,
  answer = 1,
  config_write = 2,
  config_read = 3,
  bar_write = 4,
  bar_read = 5,
  set_irqfd = 6,
  reset = 7,
};
struct Header {
  std::int32_t command;
  std::uint32_t padding;
  std::uint64_t bytes;
};
struct Answer {
  Header header;
  std::uint64_t value;
};
constexpr std::size_t kRegions = 8;
struct Memory {
  std::array<std::uint64_t, kRegions> address, bytes;
  std::array<std::int64_t, kRegions> offset;
};
struct ConfigAccess {
  std::uint32_t address, value;
  std::int32_t size;
};
struct BarAccess {
  std::uint64_t address, value;
  std::uint32_t size;
  std::uint8_t memory;
  std::array<std::uint8_t, 3> padding;
};
static_assert(sizeof(Header) == 16 && sizeof(Memory) == 192 && sizeof(ConfigAccess) == 12 && sizeof(BarAccess) == 24);

constexpr std::uint64_t kConfigBytes = 4096;
constexpr std::size_t kMostDescriptors = kRegions;

/// Bytes of a command's data; nothing: there is no such command.
std::optional<std::size_t> dataBytes(std::int32_t command) {
  switch (static_cast<Command>(command)) {
    case Command::sync_memory:
      return sizeof(Memory);
    case Command::config_write:
    case Command::config_read:
      return sizeof(ConfigAccess);
    case Command::bar_write:
    case Command::bar_read:
      return sizeof(BarAccess);
    case Command::set_irqfd:
    case Command::reset:
      return 0;
    case Command::answer:
      break;
  }
  return std::nullopt;
}

template <class Structure>
std::span<std::uint8_t> bytesOf(Structure& structure) {
  return {reinterpret_cast<std::uint8_t*>(&structure), sizeof structure};
}

std::uint64_t valueOf(const std::array<std::uint8_t, 8>& bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

/// What a processor reads where nothing answers.
std::uint64_t allOnes(unsigned size) {
  return size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * size)) - 1;
}

class Proxy : public MachineClient {
 public:
  Proxy(MachineListener::Socket socket, std::shared_ptr<MachineListener> listener,
        std::function<void(std::uint64_t, std::uint32_t)> message)
      : MachineClient(std::move(socket), std::move(listener), "QEMU"), message_(std::move(message)) {}

  bool readMemory(std::uint64_t address, std::span<std::uint8_t> into) override { return memory_.read(address, into); }
  bool writeMemory(std::uint64_t address, std::span<const std::uint8_t> from) override {
    return memory_.write(address, from);
  }
  void message(std::uint64_t address, std::uint32_t data) override {
    if (message_) message_(address, data);
  }

 private:
  void begin() override {
    await(bytesOf(header_), kMostDescriptors, [this] { gotHeader(); });
  }
  void next(boost::system::error_code error = {}) {
    if (error) return end("");
    post([this] { begin(); });
  }
  void gotHeader() {
    files_ = part_.takeDescriptors();
    const auto bytes = dataBytes(header_.command);
    if (!bytes || header_.bytes != *bytes)
      return end("sent something that is no message of its protocol (command " + std::to_string(header_.command) +
                 ", " + std::to_string(header_.bytes) + " bytes)");
    payload_.resize(*bytes);
    await(payload_, 0, [this] { gotData(); });
  }
  template <class Structure>
  Structure decoded() const {
    Structure structure;
    std::memcpy(&structure, payload_.data(), sizeof structure);
    return structure;
  }
  void answer(std::uint64_t value) {
    reply_ = {{static_cast<std::int32_t>(Command::answer), 0, sizeof value}, value};
    asio::async_write(socket_, asio::buffer(&reply_, sizeof reply_),
                      [self = shared_from_this(), this](boost::system::error_code error, std::size_t) { next(error); });
  }

  void gotData() {
    const std::vector<Descriptor> passed = std::exchange(files_, {});
    const auto command = static_cast<Command>(header_.command);
    const std::size_t takes = command == Command::sync_memory ? kRegions : command == Command::set_irqfd ? 2 : 0;
    if (passed.size() > takes) return end("passed files with a message that has none");
    switch (command) {
      case Command::sync_memory:
        return syncMemory(decoded<Memory>(), passed);
      case Command::config_read:
      case Command::config_write:
        return config(command, decoded<ConfigAccess>());
      case Command::bar_read:
      case Command::bar_write:
        return bar(command, decoded<BarAccess>());
      case Command::reset:
        function().reset();
        return answer(0);
      default:
        return next();  // the interrupt's eventfds, which only KVM connects
    }
  }

  /// The whole list each time.
  void syncMemory(const Memory& list, const std::vector<Descriptor>& with) {
    MappedMemory fresh;
    for (std::size_t i = 0; i < with.size(); ++i) {
      try {
        if (list.offset[i] < 0) throw std::runtime_error("it begins before its file");
        if (mayShrink(with[i].get())) throw std::runtime_error("its file may shrink (memory-backend-memfd's cannot)");
        fresh.add(list.address[i], list.bytes[i], with[i].get(), static_cast<std::uint64_t>(list.offset[i]));
      } catch (const std::runtime_error& error) {
        char text[96];
        std::snprintf(text, sizeof text,
                      "%llu bytes of memory at 0x%llx: ", static_cast<unsigned long long>(list.bytes[i]),
                      static_cast<unsigned long long>(list.address[i]));
        return end("announced " + std::string(text) + error.what());
      }
    }
    memory_ = std::move(fresh);
    next();
  }

  void config(Command command, const ConfigAccess& access) {
    const bool known_size = access.size == 1 || access.size == 2 || access.size == 4;
    if (!known_size || access.address > kConfigBytes - static_cast<unsigned>(access.size))
      return end("asked for " + std::to_string(access.size) + " bytes of configuration at " +
                 std::to_string(access.address));
    const auto offset = static_cast<std::uint16_t>(access.address);
    const auto size = static_cast<unsigned>(access.size);
    if (command == Command::config_read) return answer(function().configRead(offset, size));
    function().configWrite(offset, size, access.value);
    answer(0);
  }

  void bar(Command command, const BarAccess& access) {
    const unsigned size = access.size;
    if ((size != 1 && size != 2 && size != 4 && size != 8) || access.address % size != 0)
      return end("asked for " + std::to_string(size) + " bytes of a BAR at an address that does not suit");
    const auto place = access.memory == 0 ? std::nullopt : placeOf(access.address);
    if (command == Command::bar_read) return answer(place ? read(*place, size) : allOnes(size));
    if (place) write(*place, size, access.value);
    answer(0);
  }

  struct Place {
    unsigned bar;
    std::uint64_t offset;
  };
  /// Addresses are those of the bus.
  std::optional<Place> placeOf(std::uint64_t address) {
    constexpr std::uint32_t kAddressBits = ~std::uint32_t{0xF};
    for (const PciBar& one : function().bars()) {
      const std::uint64_t base =
          function().configRead(static_cast<std::uint16_t>(kPciBar0 + 4 * one.number), 4) & kAddressBits;
      if (address >= base && address - base < one.bytes) return Place{one.number, address - base};
    }
    return std::nullopt;
  }
  std::uint64_t read(Place place, unsigned size) {
    std::array<std::uint8_t, 8> bytes{};
    readBar(function(), place.bar, place.offset, std::span(bytes).first(size));
    return valueOf(bytes);
  }
  void write(Place place, unsigned size, std::uint64_t value) {
    std::array<std::uint8_t, 8> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    writeBar(function(), place.bar, place.offset, std::span(bytes).first(size));
  }

  std::function<void(std::uint64_t, std::uint32_t)> message_;
  Header header_{};
  std::vector<std::uint8_t> payload_;
  std::vector<Descriptor> files_;
  Answer reply_{};
};

}  // namespace

MpqemuServer::MpqemuServer(asio::io_context& context, const std::string& socket, Ownership& card, const Hooks& hooks)
    : listener_(std::make_shared<MachineListener>(
          context, socket, card,
          [message = hooks.message](MachineListener::Socket connection, std::shared_ptr<MachineListener> listener) {
            return std::make_shared<Proxy>(std::move(connection), std::move(listener), message);
          },
          hooks.tell)) {
  listener_->accept();
}

MpqemuServer::~MpqemuServer() {
  listener_->close();
}

}  // namespace poplink::sim
