// SPDX-License-Identifier: Apache-2.0
#include "server.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <sstream>

#include "../net/local_listener.h"
#include "session.h"

namespace poplink::host::api {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

namespace {

constexpr mode_t kSocketMode = 0660;
constexpr std::chrono::milliseconds kAcceptPause(50);  // when this process has no descriptors left

Local::acceptor listenIn(asio::io_context& context, const std::string& path) {
  makeFolderOf(path);
  return listenAt(context, path, kSocketMode);
}

/// Says so to one client too many; what it does not take at once it does not get.
void turnAway(Local::socket& socket, unsigned sessions) {
  std::ostringstream text;
  text << Session::refusal({Status::unavailable, "there are " + std::to_string(sessions) + " connections already"},
                           false);
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text.str()), ignored);
  socket.shutdown(Local::socket::shutdown_both, ignored);
}

}  // namespace

struct Server::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, const std::string& path, Handler handler, const ServerOptions& options)
      : acceptor(listenIn(context, path)), file(std::in_place, path), pause(context) {
    sessions->handler = std::move(handler);
    sessions->options = options;
  }

  void accept() {
    acceptor.async_accept([self = shared_from_this()](boost::system::error_code error, Local::socket socket) {
      if (self->sessions->closed || error == asio::error::operation_aborted) return;
      if (error) return self->acceptLater();
      self->serve(std::move(socket));
      self->accept();
    });
  }
  void acceptLater() {
    pause.expires_after(kAcceptPause);
    pause.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->accept();
    });
  }
  void serve(Local::socket socket) {
    if (sessions->all.size() >= sessions->options.sessions) return turnAway(socket, sessions->options.sessions);
    std::make_shared<Session>(std::move(socket), sessions)->start();
  }
  void close() {
    boost::system::error_code ignored;
    sessions->closed = true;
    acceptor.close(ignored);
    file.reset();
    pause.cancel();
    for (Session* session : std::set(sessions->all)) session->close();
    sessions->handler = nullptr;
  }

  Local::acceptor acceptor;
  std::optional<SocketFile> file;  // until close(): handlers keep the rest alive
  asio::steady_timer pause;
  std::shared_ptr<Sessions> sessions = std::make_shared<Sessions>();
};

Server::Server(asio::io_context& context, const std::string& path, Handler handler, const ServerOptions& options)
    : state_(std::make_shared<State>(context, path, std::move(handler), options)) {
  state_->accept();
}

Server::~Server() {
  state_->close();
}

unsigned Server::sessions() const {
  return static_cast<unsigned>(state_->sessions->all.size());
}

}  // namespace poplink::host::api
