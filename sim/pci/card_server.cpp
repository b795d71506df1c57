// SPDX-License-Identifier: Apache-2.0
#include "card_server.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <utility>

#include "descriptors.h"
#include "local_listener.h"
#include "mapped_memory.h"
#include "poplink/driver/pci_config.h"
#include "poplink/driver/sim_protocol.h"

namespace poplink::sim {

namespace {

namespace asio = boost::asio;
namespace proto = driver::sim_protocol;
using Local = asio::local::stream_protocol;

constexpr std::chrono::milliseconds kAcceptPause(50);
constexpr std::uint64_t kMessages = 0xFEE0'0000;  // where vectors send theirs on this bus

}  // namespace

struct CardServer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, const std::string& socket, Ownership& owned)
      : acceptor(host::listenAt(context, socket)), pause(context), path(socket), card(&owned) {}

  struct Client : Owner, PciHost, std::enable_shared_from_this<Client> {
    Client(Local::socket s, std::shared_ptr<State> o) : socket(std::move(s)), state(std::move(o)) {}
    ~Client() override {
      if (state->card != nullptr) state->card->release(*this);
      if (state->owner == this) state->owner = nullptr;
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    std::string ownerName() const override { return name; }
    /// The peer has hung up, whatever it sent before that is still unread.
    bool ownerGone() override {
      pollfd connection{socket.native_handle(), 0, 0};
      return ::poll(&connection, 1, 0) > 0 && (connection.revents & POLLHUP) != 0;
    }

    // ---- as the function's host

    bool readMemory(std::uint64_t address, std::span<std::uint8_t> into) override { return memory.read(address, into); }
    bool writeMemory(std::uint64_t address, std::span<const std::uint8_t> from) override {
      return memory.write(address, from);
    }
    void message(std::uint64_t address, std::uint32_t data) override {
      const auto found = address == kMessages ? vectors.find(data) : vectors.end();
      if (found == vectors.end()) return;
      // An owner that fills its counter up does not stop the card: there is a count to be seen in any case.
      pollfd counter{found->second.get(), POLLOUT, 0};
      constexpr std::uint64_t kOne = 1;
      if (::poll(&counter, 1, 0) == 1 && ::write(counter.fd, &kOne, sizeof kOne) < 0) return;
    }

    // ---- its connection

    void readHeader() { await(head, 1, &Client::gotHeader); }
    /// Calls `then` when all of `bytes` have come.
    void await(std::span<std::uint8_t> bytes, std::size_t descriptors, void (Client::*then)()) {
      part.want(bytes, descriptors);
      gather(then);
    }
    void gather(void (Client::*then)()) {
      if (state->card == nullptr) return;
      switch (part.read(socket.native_handle())) {
        case MessagePart::State::complete:
          return (this->*then)();
        case MessagePart::State::ended:
          return;
        case MessagePart::State::malformed:
          return refuse("was sent a malformed message");
        case MessagePart::State::incomplete:
          socket.async_wait(Local::socket::wait_read,
                            [self = shared_from_this(), then](boost::system::error_code error) {
                              if (!error) self->gather(then);
                            });
      }
    }
    void gotHeader() {
      passed = part.takeDescriptors();
      const auto decoded = proto::decodeHeader(head);
      if (!decoded) return refuse("was sent something that is no message of its protocol");
      header = *decoded;
      payload.resize(header.payload_bytes);
      await(payload, 0, &Client::gotPayload);
    }
    void gotPayload() {
      const std::vector<Descriptor> with = std::exchange(passed, {});
      if (header.type != proto::Type::hello && !state->card->isOwner(*this)) return refuse("wants a hello first");
      const bool wanted = header.type == proto::Type::map || header.type == proto::Type::vector;
      if (with.size() != (wanted ? 1 : 0)) return refuse("was sent a malformed message");
      answer(header.type, with.empty() ? -1 : with[0].get());
    }
    void send(proto::Bytes message) {
      out = std::move(message);
      asio::async_write(socket, asio::buffer(out),
                        [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                          if (!error) self->readHeader();
                        });
    }
    /// The text goes out, then the connection ends.
    void refuse(const std::string& text) {
      out = proto::encodeRefused(text);
      asio::async_write(socket, asio::buffer(out),
                        [self = shared_from_this()](boost::system::error_code, std::size_t) {});
    }

    // ---- its messages

    /// `descriptor`: the one that came along; -1: none.
    void answer(proto::Type type, int descriptor) {
      if (type == proto::Type::hello) return hello();
      if (type == proto::Type::batch) return batch();
      if (type == proto::Type::config_read) {
        const auto access = proto::decodeConfigRead(payload);
        if (!access) return refuse("was sent a malformed message");
        return send(proto::encodeConfigReadAnswer(function().configRead(access->offset, access->size)));
      }
      if (type == proto::Type::config_write) {
        const auto access = proto::decodeConfigWrite(payload);
        if (!access) return refuse("was sent a malformed message");
        function().configWrite(access->offset, access->size, access->value);
        return send(proto::encodeDone(type));
      }
      if (type == proto::Type::map) return map(descriptor);
      if (type == proto::Type::unmap) return unmap();
      if (type == proto::Type::vector) return vector(descriptor);
      if (type == proto::Type::reset) return reset();
      refuse("was sent something that only a card says");
    }
    void hello() {
      const auto hello = proto::decodeHello(payload);
      if (!hello) return refuse("was sent a malformed message");
      if (hello->version != proto::kVersion) {
        return refuse("speaks protocol version " + std::to_string(proto::kVersion) + ", not " +
                      std::to_string(hello->version));
      }
      if (!state->card->take(*this, this)) return refuse("is held by " + state->card->heldBy());
      state->owner = this;
      enable();
      name = hello->client.empty() ? "a client without a name" : hello->client;
      const auto id = [&](std::uint16_t offset) {
        return static_cast<std::uint16_t>(function().configRead(offset, 2));
      };
      send(proto::encodeHelloAnswer(
          {proto::kVersion, id(0), id(2), static_cast<std::uint32_t>(function().bars().at(0).bytes)}));
    }
    /// As firmware and the kernel leave a function to its driver.
    void enable() { function().configWrite(kPciCommand, 2, kPciMemorySpace | kPciBusMaster); }

    void map(int file) {
      const auto mapping = proto::decodeMap(payload);
      if (!mapping) return refuse("was sent a malformed message");
      const auto impossible = [this](const std::string& why) { refuse("cannot use the memory it was given: " + why); };
      if (mappings.size() == proto::kMaxMappings) return impossible("there is too much of it");
      if (mayShrink(file)) return impossible("its file may shrink");
      try {
        memory.add(mapping->bus_address, mapping->bytes, file, 0);
      } catch (const std::runtime_error& error) {
        return impossible(error.what());
      }
      mappings.emplace(mapping->bus_address, mapping->bytes);
      send(proto::encodeDone(proto::Type::map));
    }
    void unmap() {
      const auto address = proto::decodeUnmap(payload);
      if (!address) return refuse("was sent a malformed message");
      const auto found = mappings.find(*address);
      if (found == mappings.end()) return refuse("was never given memory at this address");
      memory.remove(found->first, found->second);
      mappings.erase(found);
      send(proto::encodeDone(proto::Type::unmap));
    }
    void vector(int event) {
      const auto number = proto::decodeVector(payload);
      if (!number) return refuse("was sent a malformed message");
      if (*number >= msix().vectors) return refuse("has no interrupt vector " + std::to_string(*number));
      // Whatever else it is, writing to it might stop this process.
      std::error_code ignored;
      const auto kind = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(event), ignored);
      if (kind != "anon_inode:[eventfd]") return refuse("was given something that is no eventfd");
      vectors.insert_or_assign(*number, Descriptor(::fcntl(event, F_DUPFD_CLOEXEC, 0)));
      setUp(*number);
      send(proto::encodeDone(proto::Type::vector));
    }
    void reset() {
      function().reset();
      enable();
      for (const auto& [number, event] : vectors) setUp(number);
      send(proto::encodeDone(proto::Type::reset));
    }
    driver::pci::Msix msix() {
      return driver::pci::findMsix(
          [this](std::uint16_t offset, std::uint16_t size) { return function().configRead(offset, size); });
    }
    /// The vector's message: its number at kMessages.
    void setUp(std::uint32_t number) {
      const driver::pci::Msix table = msix();
      const std::uint64_t entry = table.table + std::uint64_t{number} * driver::pci::kMsixEntryBytes;
      const std::uint32_t words[] = {static_cast<std::uint32_t>(kMessages), 0, number, 0};
      for (std::size_t i = 0; i < std::size(words); ++i) function().barWrite(table.bar, entry + 4 * i, words[i]);
      const auto control = static_cast<std::uint16_t>(table.capability + 2);
      function().configWrite(control, 2, function().configRead(control, 2) | driver::pci::kMsixEnable);
    }
    void batch() {
      const auto accesses = proto::decodeBatch(payload);
      if (!accesses) return refuse("was sent a malformed message");
      proto::BatchAnswer result;
      for (const driver::Access& access : *accesses) {
        std::uint32_t value = 0;
        if (access.kind == driver::Access::Kind::write) {
          if (!function().barWrite(0, access.address, access.value)) break;
        } else {
          if (!function().barRead(0, access.address, value)) break;
          result.values.push_back(value);
        }
        ++result.done;
      }
      send(proto::encodeBatchAnswer(result));
    }

    PciFunction& function() { return state->card->function(); }

    Local::socket socket;
    std::shared_ptr<State> state;
    std::string name;
    MappedMemory memory;
    std::map<std::uint64_t, std::uint64_t> mappings;  ///< bus address to bytes
    std::map<std::uint32_t, Descriptor> vectors;      ///< that the owner has asked for, with their eventfds
    MessagePart part;
    std::array<std::uint8_t, proto::kHeaderBytes> head{};
    proto::Header header{};
    std::vector<Descriptor> passed;
    proto::Bytes payload, out;
  };

  void accept() {
    acceptor.async_accept([self = shared_from_this()](boost::system::error_code error, Local::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return self->acceptLater();
      std::make_shared<Client>(std::move(socket), self)->readHeader();
      self->accept();
    });
  }
  /// No descriptor is left for a client: the others are served on, and it waits until one is.
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
  Client* owner = nullptr;
};

CardServer::CardServer(asio::io_context& context, const std::string& socket, Ownership& card)
    : state_(std::make_shared<State>(context, socket, card)) {
  state_->accept();
}

CardServer::~CardServer() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  if (state_->owner != nullptr) state_->card->release(*state_->owner);
  state_->card = nullptr;
  ::unlink(state_->path.c_str());
}

}  // namespace poplink::sim
