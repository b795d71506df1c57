// SPDX-License-Identifier: Apache-2.0
#include "qtest_client.h"

#include <sys/un.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>

namespace poplink::sim {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

namespace {
constexpr std::size_t kLongestAnswer = 4096, kMostWaiting = 1U << 16;
}

struct QtestClient::State : std::enable_shared_from_this<State> {
  State(asio::io_context& ioc, std::string where, std::function<void(const std::string&)> say)
      : context(ioc), path(std::move(where)), tell(std::move(say)) {}

  /// One of QEMU's lives.
  struct Connection : std::enable_shared_from_this<Connection> {
    Connection(asio::io_context& context, State& owner) : socket(context), state(&owner) {}

    void end(const std::string& why) {
      boost::system::error_code ignored;
      socket.close(ignored);
      if (State* const client = std::exchange(state, nullptr)) {
        client->connection.reset();
        if (!why.empty()) client->tell(client->path + ": " + why);
      }
    }
    void send() {
      std::swap(under_way, waiting);
      asio::async_write(socket, asio::buffer(under_way),
                        [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                          self->under_way.clear();
                          if (error || self->state == nullptr) return self->end("");
                          if (!self->waiting.empty()) self->send();
                        });
    }
    /// Every command is answered with a line.
    void read() {
      asio::async_read_until(socket, asio::dynamic_buffer(text, kLongestAnswer), '\n',
                             [self = shared_from_this()](boost::system::error_code error, std::size_t length) {
                               if (error == asio::error::not_found) return self->end("QEMU answers without end");
                               if (error || self->state == nullptr) return self->end("");  // QEMU has ended
                               const std::string line = self->text.substr(0, length - 1);
                               self->text.erase(0, length);
                               if (line.rfind("OK", 0) != 0)
                                 return self->end("QEMU answers '" + line + "' to an interrupt");
                               self->read();
                             });
    }

    Local::socket socket;
    State* state;  ///< null: ended
    std::string waiting, under_way, text;
  };

  void connect() {
    boost::system::error_code error = asio::error::name_too_long;
    auto next = std::make_shared<Connection>(context, *this);
    if (path.size() < sizeof sockaddr_un{}.sun_path) {
      const Local::endpoint endpoint(path);
      next->socket.open(endpoint.protocol(), error);
      next->socket.native_non_blocking(true, error);  // QEMU takes one client: a second one must not hang
      next->socket.connect(endpoint, error);
    }
    if (error) {
      next->state = nullptr;
      if (!told) tell(path + ": " + error.message() + "; QEMU gets no interrupts");
      told = true;  // once, not for every interrupt
      return;
    }
    told = false;
    connection = std::move(next);
    connection->read();
  }

  asio::io_context& context;
  std::string path;
  std::function<void(const std::string&)> tell;
  std::shared_ptr<Connection> connection;
  bool told = false;
};

QtestClient::QtestClient(asio::io_context& context, std::string socket, std::function<void(const std::string&)> tell)
    : state_(std::make_shared<State>(context, std::move(socket), std::move(tell))) {}

QtestClient::~QtestClient() {
  if (state_->connection) std::shared_ptr(state_->connection)->end("");
}

void QtestClient::write(std::uint64_t address, std::uint32_t value) {
  if (!state_->connection) state_->connect();
  const auto connection = state_->connection;
  if (!connection) return;
  if (connection->waiting.size() > kMostWaiting) return connection->end("QEMU takes no more interrupts");
  char text[64];
  std::snprintf(text, sizeof text, "writel 0x%llx 0x%x\n", static_cast<unsigned long long>(address), value);
  connection->waiting += text;
  if (connection->under_way.empty()) connection->send();
}

}  // namespace poplink::sim
