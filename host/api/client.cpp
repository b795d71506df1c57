// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace poplink::host::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Error = boost::system::error_code;

namespace {

constexpr unsigned kHttp11 = 11;
constexpr std::uint64_t kAnswerBytes = 256 << 20;  // a card's tables in full

http::request<http::string_body> message(const std::string& method, const std::string& target, const Json& body) {
  http::request<http::string_body> request(http::string_to_verb(method), target, kHttp11);
  request.set(http::field::host, "poplinkd");
  if (!body.is_null()) {
    request.set(http::field::content_type, "application/json");
    request.body() = body.dump();
  }
  request.prepare_payload();
  return request;
}

/// What a refusal says.
std::string reason(unsigned status, const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  const auto message = json.is_object() ? json.value(Json::json_pointer("/error/message"), Json()) : Json();
  if (message.is_string()) return message;
  return "the answer was " + std::to_string(status);
}

}  // namespace

struct Client::Connection {
  Connection(std::string where, std::chrono::milliseconds limit)
      : path(std::move(where)), timeout(limit), socket(context) {}

  /// Until an operation that was started before has ended: its handler sets `ended`. Nothing of it is left behind.
  Error wait(const std::optional<Error>& ended, std::optional<std::chrono::milliseconds> limit) {
    context.restart();
    if (limit) {
      const auto end = std::chrono::steady_clock::now() + *limit;
      while (!ended && context.run_one_until(end) != 0) {
      }
    }
    const bool late = limit && !ended;
    if (late) socket.close();
    while (!ended && context.run_one() != 0) {
    }
    return late ? Error(asio::error::timed_out) : ended.value_or(asio::error::operation_aborted);
  }
  [[noreturn]] void gone(const Error& error) const {
    throw ClientError(Status::unavailable, error == asio::error::timed_out ? "poplinkd at " + path + " does not answer"
                                                                           : "poplinkd at " + path + " has hung up");
  }
  /// One that does not take the request may have said why before.
  void send(const http::request<http::string_body>& request) {
    std::optional<Error> sent;
    http::async_write(socket, request, [&](Error error, std::size_t) { sent = error; });
    if (const Error error = wait(sent, timeout); error == asio::error::timed_out) gone(error);
  }

  std::string path;
  std::chrono::milliseconds timeout;
  asio::io_context context;
  asio::local::stream_protocol::socket socket;
  beast::flat_buffer buffer;
};

Client::Client(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

std::optional<Client> Client::connect(const std::string& path, std::chrono::milliseconds timeout) {
  auto connection = std::make_unique<Connection>(path, timeout);
  asio::local::stream_protocol::endpoint endpoint;
  try {
    endpoint = path;
  } catch (const boost::system::system_error&) {
    throw ClientError(Status::unavailable, path + " is too long for a socket");
  }
  Error error;
  connection->socket.connect(endpoint, error);
  if (error == boost::system::errc::no_such_file_or_directory || error == boost::system::errc::not_a_directory ||
      error == boost::system::errc::connection_refused)
    return std::nullopt;
  if (error) throw ClientError(Status::unavailable, path + ": " + error.message());
  return Client(std::move(connection));
}

Json Client::request(const std::string& method, const std::string& target, const Json& body) {
  connection_->send(message(method, target, body));
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerBytes);
  std::optional<Error> received;
  http::async_read(connection_->socket, connection_->buffer, parser,
                   [&](Error error, std::size_t) { received = error; });
  if (const Error error = connection_->wait(received, connection_->timeout)) connection_->gone(error);
  const auto& answer = parser.get();
  if (answer.result() != http::status::ok)
    throw ClientError(static_cast<Status>(answer.result_int()), reason(answer.result_int(), answer.body()));
  Json json = Json::parse(answer.body(), nullptr, false);
  if (json.is_discarded()) throw ClientError(Status::unavailable, "the answer is no JSON");
  return json;
}

namespace {

/// Chunks of a stream, cut into records.
class Lines {
 public:
  explicit Lines(const std::function<bool(const Json&)>& take) : take_(take) {}

  /// False: enough.
  bool add(std::string_view text) {
    waiting_ += text;
    std::size_t begin = 0;
    for (std::size_t end; (end = waiting_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const Json record = Json::parse(waiting_.begin() + static_cast<std::ptrdiff_t>(begin),
                                      waiting_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
      if (!record.is_object()) throw ClientError(Status::unavailable, "a record of the stream is no JSON object");
      if (!take_(record)) return false;
    }
    waiting_.erase(0, begin);
    return true;
  }

 private:
  const std::function<bool(const Json&)>& take_;
  std::string waiting_;
};

/// What ends a stream from our side.
class Ending {
 public:
  Ending(asio::io_context& context, asio::local::stream_protocol::socket& socket, const Client::Until& until)
      : context_(context), stop_(context), timer_(context) {
    const auto end = [this, &socket](const Error& error) {
      if (error) return;
      come_ = true;
      socket.close();
    };
    if (until.stop >= 0) {
      stop_.assign(::dup(until.stop));
      stop_.async_wait(asio::posix::stream_descriptor::wait_read, end);
    }
    if (until.time) {
      timer_.expires_at(*until.time);
      timer_.async_wait(end);
    }
  }
  ~Ending() {
    Error ignored;
    stop_.close(ignored);
    timer_.cancel();
    context_.restart();
    context_.poll();  // nobody calls into this any more
  }
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

  bool hasCome() const { return come_; }

 private:
  asio::io_context& context_;
  asio::posix::stream_descriptor stop_;
  asio::steady_timer timer_;
  bool come_ = false;
};

}  // namespace

void Client::stream(const std::string& target, const Until& until, const std::function<void()>& started,
                    const std::function<bool(const Json&)>& take) {
  if (follow("GET", target, {}, until, started, take)) connection_->gone(asio::error::eof);
}

bool Client::records(const std::string& method, const std::string& target, const Json& body, const Until& until,
                     const std::function<bool(const Json&)>& take) {
  return follow(method, target, body, until, [] {}, take);
}

/// Whether the stream has come to its end.
bool Client::follow(const std::string& method, const std::string& target, const Json& body, const Until& until,
                    const std::function<void()>& started, const std::function<bool(const Json&)>& take) {
  Connection& connection = *connection_;
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  std::array<char, 64 << 10> part;
  std::optional<Error> received;
  const auto receive = [&](Error error, std::size_t) { received = error; };
  const Ending ending(connection.context, connection.socket, until);
  connection.send(message(method, target, body));
  http::async_read_header(connection.socket, connection.buffer, parser, receive);
  const Error head = connection.wait(received, connection.timeout);
  if (ending.hasCome()) return false;
  if (head) connection.gone(head);

  const unsigned status = parser.get().result_int();
  const bool granted = parser.get().result() == http::status::ok;
  if (granted) started();
  Lines lines(take);
  std::string refusal;
  while (!parser.is_done()) {
    parser.get().body() = {part.data(), part.size(), true};
    received.reset();
    http::async_read_some(connection.socket, connection.buffer, parser, receive);
    Error error = connection.wait(received, granted ? std::nullopt : std::optional(connection.timeout));
    if (ending.hasCome()) return false;
    if (error == http::error::need_buffer) error = {};
    const std::string_view text(part.data(), part.size() - parser.get().body().size);
    if (!granted)
      refusal += text;
    else if (!lines.add(text))
      return false;
    if (error && granted) connection.gone(error);
    if (error) break;
  }
  if (granted) return true;
  throw ClientError(static_cast<Status>(status), reason(status, refusal));
}

}  // namespace poplink::host::api
