// SPDX-License-Identifier: Apache-2.0
#include "mpqemu_server.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <vector>

#include "descriptors.h"
#include "host_memory.h"
#include "local_listener.h"

namespace poplink::sim {

namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

constexpr std::chrono::milliseconds kAcceptPause(50);

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

/// What a processor reads where nothing answers.
std::uint64_t allOnes(unsigned size) {
  return size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * size)) - 1;
}

}  // namespace

struct MpqemuServer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, const std::string& socket, Ownership& owned, Hooks what)
      : acceptor(listenAt(context, socket)), pause(context), path(socket), card(&owned), hooks(std::move(what)) {}

  struct Proxy : Owner, PciHost, std::enable_shared_from_this<Proxy> {
    Proxy(Local::socket s, std::shared_ptr<State> o)
        : socket(std::move(s)), state(std::move(o)), name("QEMU (" + peerOf(socket.native_handle()) + ")") {}
    ~Proxy() override { leave(); }
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;

    // ---- as an owner, and as the function's host

    std::string ownerName() const override { return name; }
    bool ownerGone() override {
      pollfd connection{socket.native_handle(), 0, 0};
      return ::poll(&connection, 1, 0) > 0 && (connection.revents & POLLHUP) != 0;
    }
    bool readMemory(std::uint64_t address, std::span<std::uint8_t> into) override { return memory.read(address, into); }
    bool writeMemory(std::uint64_t address, std::span<const std::uint8_t> from) override {
      return memory.write(address, from);
    }
    void message(std::uint64_t address, std::uint32_t data) override {
      if (state->hooks.message) state->hooks.message(address, data);
    }

    // ---- its connection

    void start() {
      if (!state->card->take(*this, this)) return end("is turned away: the card is held by " + state->card->heldBy());
      state->owner = this;
      await(bytesOf(header), kMostDescriptors, &Proxy::gotHeader);
    }
    void leave() {
      if (state->card != nullptr) state->card->release(*this);
      if (state->owner == this) state->owner = nullptr;
      memory.clear();
    }
    /// The card is free again.
    void end(const std::string& why) {
      leave();
      boost::system::error_code ignored;
      socket.close(ignored);
      if (!why.empty() && state->hooks.tell) state->hooks.tell(state->path + ": " + name + " " + why);
    }
    /// Calls `then` when all of `bytes` have come.
    void await(std::span<std::uint8_t> bytes, std::size_t descriptors, void (Proxy::*then)()) {
      part.want(bytes, descriptors);
      gather(then);
    }
    void gather(void (Proxy::*then)()) {
      if (state->card == nullptr) return;
      switch (part.read(socket.native_handle())) {
        case MessagePart::State::complete:
          return (this->*then)();
        case MessagePart::State::ended:
          return end("");
        case MessagePart::State::malformed:
          return end("sent more files than a message has");
        case MessagePart::State::incomplete:
          socket.async_wait(Local::socket::wait_read,
                            [self = shared_from_this(), then](boost::system::error_code error) {
                              if (!error) self->gather(then);
                            });
      }
    }
    void next() {
      asio::post(socket.get_executor(), [self = shared_from_this()] {
        self->await(bytesOf(self->header), kMostDescriptors, &Proxy::gotHeader);
      });
    }
    void gotHeader() {
      files = part.takeDescriptors();
      const auto bytes = dataBytes(header.command);
      if (!bytes || header.bytes != *bytes)
        return end("sent something that is no message of its protocol (command " + std::to_string(header.command) +
                   ", " + std::to_string(header.bytes) + " bytes)");
      payload.resize(*bytes);
      await(payload, 0, &Proxy::gotData);
    }
    template <class Structure>
    Structure decoded() const {
      Structure structure;
      std::memcpy(&structure, payload.data(), sizeof structure);
      return structure;
    }
    void answer(std::uint64_t value) {
      reply = {{static_cast<std::int32_t>(Command::answer), 0, sizeof value}, value};
      asio::async_write(socket, asio::buffer(&reply, sizeof reply),
                        [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                          if (self->state->card == nullptr) return;
                          if (error) return self->end("");
                          self->await(bytesOf(self->header), kMostDescriptors, &Proxy::gotHeader);
                        });
    }

    // ---- its messages

    void gotData() {
      if (!state->card->isOwner(*this)) return end("");  // another took over while this one was ending
      const std::vector<Descriptor> passed = std::exchange(files, {});
      const auto command = static_cast<Command>(header.command);
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
      HostMemory fresh;
      for (std::size_t i = 0; i < with.size(); ++i) {
        try {
          if (list.offset[i] < 0) throw std::runtime_error("it begins before its file");
          fresh.add(list.address[i], list.bytes[i], with[i].get(), static_cast<std::uint64_t>(list.offset[i]));
        } catch (const std::runtime_error& error) {
          char text[96];
          std::snprintf(text, sizeof text,
                        "%llu bytes of memory at 0x%llx: ", static_cast<unsigned long long>(list.bytes[i]),
                        static_cast<unsigned long long>(list.address[i]));
          return end("announced " + std::string(text) + error.what());
        }
      }
      memory = std::move(fresh);
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
    /// Registers are of 32 bits: two make 64, a part of one is read with the whole.
    std::uint64_t read(Place place, unsigned size) {
      const unsigned shift = 8 * static_cast<unsigned>(place.offset % 4);
      std::uint64_t value = 0;
      for (unsigned at = 0; at < std::max(size, 4U); at += 4) {
        std::uint32_t word = 0;
        if (!function().barRead(place.bar, (place.offset & ~std::uint64_t{3}) + at, word)) word = ~std::uint32_t{0};
        value |= std::uint64_t{word} << (8 * at);
      }
      return (value >> shift) & allOnes(size);
    }
    /// A part of a register is not written: the card's bus has no byte enables, and reading the rest first may do
    /// something.
    void write(Place place, unsigned size, std::uint64_t value) {
      for (unsigned at = 0; at + 4 <= size; at += 4)
        function().barWrite(place.bar, place.offset + at, static_cast<std::uint32_t>(value >> (8 * at)));
    }

    PciFunction& function() { return state->card->function(); }

    Local::socket socket;
    std::shared_ptr<State> state;
    std::string name;
    HostMemory memory;
    MessagePart part;
    Header header{};
    std::vector<std::uint8_t> payload;
    std::vector<Descriptor> files;
    Answer reply{};
  };

  void accept() {
    acceptor.async_accept([self = shared_from_this()](boost::system::error_code error, Local::socket socket) {
      if (error == asio::error::operation_aborted || self->card == nullptr) return;
      if (error) return self->acceptLater();
      std::make_shared<Proxy>(std::move(socket), self)->start();
      self->accept();
    });
  }
  /// No descriptor is left: whoever comes waits until one is.
  void acceptLater() {
    pause.expires_after(kAcceptPause);
    pause.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->accept();
    });
  }

  Local::acceptor acceptor;
  asio::steady_timer pause;
  std::string path;
  Ownership* card;  ///< null: the server has ended, and its connections do with the context
  Proxy* owner = nullptr;
  Hooks hooks;
};

MpqemuServer::MpqemuServer(asio::io_context& context, const std::string& socket, Ownership& card, Hooks hooks)
    : state_(std::make_shared<State>(context, socket, card, std::move(hooks))) {
  state_->accept();
}

MpqemuServer::~MpqemuServer() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  if (state_->owner != nullptr) state_->owner->leave();
  state_->card = nullptr;
  ::unlink(state_->path.c_str());
}

}  // namespace poplink::sim
