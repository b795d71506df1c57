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
constexpr std::chrono::seconds kAnswerTimeout(30);
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
  if (json.is_object() && json.contains("error") && json["error"].contains("message"))
    return json["error"]["message"].get<std::string>();
  return "the answer was " + std::to_string(status);
}

}  // namespace

struct Client::Connection {
  Connection(std::string where) : path(std::move(where)), socket(context) {}

  /// Until `operation`, started before, has ended.
  Error wait(const std::optional<Error>& ended, std::chrono::seconds limit) {
    context.restart();
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!ended && context.run_one_until(end) != 0) {
    }
    if (ended) return *ended;
    socket.close();
    return asio::error::timed_out;
  }
  [[noreturn]] void gone(const Error& error) const {
    throw ClientError(Status::unavailable, error == asio::error::timed_out ? "poplinkd at " + path + " does not answer"
                                                                           : "poplinkd at " + path + " has hung up");
  }
  void send(const http::request<http::string_body>& request) {
    std::optional<Error> sent;
    http::async_write(socket, request, [&](Error error, std::size_t) { sent = error; });
    if (const Error error = wait(sent, kAnswerTimeout)) gone(error);
  }

  std::string path;
  asio::io_context context;
  asio::local::stream_protocol::socket socket;
  beast::flat_buffer buffer;
};

Client::Client(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

std::optional<Client> Client::connect(const std::string& path) {
  auto connection = std::make_unique<Connection>(path);
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
  if (const Error error = connection_->wait(received, kAnswerTimeout)) connection_->gone(error);
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
      if (!record.is_discarded() && !take_(record)) return false;
    }
    waiting_.erase(0, begin);
    return true;
  }

 private:
  const std::function<bool(const Json&)>& take_;
  std::string waiting_;
};

}  // namespace

void Client::stream(const std::string& target, const Until& until, const std::function<void()>& started,
                    const std::function<bool(const Json&)>& take) {
  Connection& connection = *connection_;
  connection.send(message("GET", target, {}));
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  std::optional<Error> received;
  http::async_read_header(connection.socket, connection.buffer, parser,
                          [&](Error error, std::size_t) { received = error; });
  if (const Error error = connection.wait(received, kAnswerTimeout)) connection.gone(error);
  std::array<char, 64 << 10> part;
  const auto next = [&] { parser.get().body() = {part.data(), part.size(), true}; };
  if (parser.get().result() != http::status::ok) {
    next();
    Error error;
    http::read(connection.socket, connection.buffer, parser, error);
    const std::string body(part.data(), part.size() - parser.get().body().size);
    throw ClientError(static_cast<Status>(parser.get().result_int()), reason(parser.get().result_int(), body));
  }
  started();

  bool stopped = false;
  asio::posix::stream_descriptor stop(connection.context);
  const auto end = [&](const Error& error) {
    if (error) return;
    stopped = true;
    connection.socket.close();
  };
  if (until.stop >= 0) {
    stop.assign(::dup(until.stop));
    stop.async_wait(asio::posix::stream_descriptor::wait_read, end);
  }
  asio::steady_timer timer(connection.context);
  if (until.time) {
    timer.expires_at(*until.time);
    timer.async_wait(end);
  }
  Lines lines(take);
  Error broken;
  std::function<void()> read = [&] {
    next();
    http::async_read_some(connection.socket, connection.buffer, parser, [&](Error error, std::size_t) {
      if (error == http::error::need_buffer) error = {};
      if (!lines.add({part.data(), part.size() - parser.get().body().size})) {
        stopped = true;
      } else if (error || parser.is_done()) {
        broken = error ? error : asio::error::eof;
      } else {
        return read();
      }
      stop.close();
      timer.cancel();
    });
  };
  read();
  connection.context.restart();
  connection.context.run();
  if (!stopped) connection.gone(broken);
}

}  // namespace poplink::host::api
