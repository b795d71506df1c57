// SPDX-License-Identifier: Apache-2.0
#include "card_server.h"

#include <poll.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "local_listener.h"
#include "poplink/driver/sim_protocol.h"

namespace poplink::sim {

namespace {

namespace asio = boost::asio;
namespace proto = driver::sim_protocol;
using Local = asio::local::stream_protocol;

constexpr std::chrono::milliseconds kAcceptPause(50);

}  // namespace

struct CardServer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, const std::string& socket, Ownership& owned)
      : acceptor(listenAt(context, socket)), pause(context), path(socket), card(&owned) {}

  struct Client : Owner, std::enable_shared_from_this<Client> {
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

    void readHeader() {
      asio::async_read(socket, asio::buffer(head),
                       [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                         if (error) return;
                         const auto header = proto::decodeHeader(self->head);
                         if (!header) return self->refuse("was sent something that is no message of its protocol");
                         self->readPayload(*header);
                       });
    }
    void readPayload(proto::Header header) {
      payload.resize(header.payload_bytes);
      asio::async_read(socket, asio::buffer(payload),
                       [self = shared_from_this(), header](boost::system::error_code error, std::size_t) {
                         if (!error) self->answer(header.type);
                       });
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

    void answer(proto::Type type) {
      if (state->card == nullptr) return;
      if (type == proto::Type::hello) return hello();
      if (!state->card->isOwner(*this)) return refuse("wants a hello first");
      if (type == proto::Type::batch) return batch();
      if (type == proto::Type::config_read) {
        const auto access = proto::decodeConfigRead(payload);
        if (!access) return refuse("was sent a malformed message");
        return send(proto::encodeConfigAnswer(type, state->function().configRead(access->offset, access->size)));
      }
      if (type == proto::Type::config_write) {
        const auto access = proto::decodeConfigWrite(payload);
        if (!access) return refuse("was sent a malformed message");
        state->function().configWrite(access->offset, access->size, access->value);
        return send(proto::encodeConfigAnswer(type, std::nullopt));
      }
      refuse("was sent something that only a card says");
    }
    void hello() {
      const auto hello = proto::decodeHello(payload);
      if (!hello) return refuse("was sent a malformed message");
      if (hello->version != proto::kVersion) {
        return refuse("speaks protocol version " + std::to_string(proto::kVersion) + ", not " +
                      std::to_string(hello->version));
      }
      if (!state->card->take(*this, nullptr)) return refuse("is held by " + state->card->heldBy());
      state->owner = this;
      state->function().configWrite(kPciCommand, 2, kPciMemorySpace | kPciBusMaster);
      name = hello->client.empty() ? "a client without a name" : hello->client;
      const auto id = [&](std::uint16_t offset) {
        return static_cast<std::uint16_t>(state->function().configRead(offset, 2));
      };
      send(proto::encodeHelloAnswer(
          {proto::kVersion, id(0), id(2), static_cast<std::uint32_t>(state->function().bars().at(0).bytes)}));
    }
    void batch() {
      const auto accesses = proto::decodeBatch(payload);
      if (!accesses) return refuse("was sent a malformed message");
      proto::BatchAnswer result;
      for (const driver::Access& access : *accesses) {
        std::uint32_t value = 0;
        if (access.kind == driver::Access::Kind::write) {
          if (!state->function().barWrite(0, access.address, access.value)) break;
        } else {
          if (!state->function().barRead(0, access.address, value)) break;
          result.values.push_back(value);
        }
        ++result.done;
      }
      send(proto::encodeBatchAnswer(result));
    }

    Local::socket socket;
    std::shared_ptr<State> state;
    std::string name;
    std::array<std::uint8_t, proto::kHeaderBytes> head{};
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

  PciFunction& function() { return card->function(); }

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
