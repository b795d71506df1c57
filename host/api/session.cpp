// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "poplink/driver/error.h"

namespace poplink::host::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr std::chrono::seconds kLinger(2);
constexpr unsigned kHttp11 = 11;

bool isHttpError(const boost::system::error_code& error) {
  return error.category() == http::make_error_code(http::error::end_of_stream).category();
}

/// Why bytes from a client are no request.
Refused malformed(const boost::system::error_code& error, const ServerOptions& options) {
  if (error == http::error::header_limit)
    return {Status::header_fields_too_large,
            "a request's head has at most " + std::to_string(options.header_bytes) + " bytes"};
  if (error == http::error::body_limit)
    return {Status::content_too_large, "a request's body has at most " + std::to_string(options.body_bytes) + " bytes"};
  return {Status::bad_request, "no request of HTTP/1.1: " + error.message()};
}

std::string jsonText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

const char* streamType(bool events) {
  return events ? "text/event-stream" : "application/x-ndjson";
}

bool wantsEvents(const http::request<http::string_body>& message) {
  return message[http::field::accept].find("text/event-stream") != beast::string_view::npos;
}

Session::Text plainAnswer(Status status, const PlainText& plain, bool keep_alive) {
  Session::Text answer(static_cast<http::status>(status), kHttp11);
  answer.set(http::field::content_type, plain.type);
  answer.set(http::field::cache_control, "no-store");
  answer.keep_alive(keep_alive);
  answer.body() = plain.text;
  answer.content_length(answer.body().size());
  return answer;
}

Session::Text textAnswer(Status status, const Json& body, bool keep_alive) {
  return plainAnswer(status, PlainText{"application/json", jsonText(body)}, keep_alive);
}

}  // namespace

Session::Session(Socket socket, std::shared_ptr<Sessions> shared)
    : socket_(std::move(socket)), shared_(std::move(shared)) {
  shared_->all.insert(this);
}

Session::~Session() {
  close();
  shared_->all.erase(this);
}

void Session::close() {
  socket_.close();
  if (const auto stream = std::exchange(stream_, nullptr)) {
    --shared_->streams;
    stream->close();
  }
}

Session::Text Session::refusal(const Refused& why, bool keep_alive) {
  Json error = {{"message", why.what()}};
  if (!why.field.empty()) error["field"] = why.field;
  Text answer = textAnswer(why.status, {{"error", error}}, keep_alive);
  if (!why.allow.empty()) answer.set(http::field::allow, why.allow);
  return answer;
}

// ---- requests

void Session::read() {
  parser_.emplace();
  parser_->header_limit(shared_->options.header_bytes);
  parser_->body_limit(shared_->options.body_bytes);
  socket_.expires_after(shared_->options.request_timeout);
  http::async_read(socket_, buffer_, *parser_,
                   [self = shared_from_this()](Error error, std::size_t) { self->answerTo(error); });
}

void Session::answerTo(Error error) {
  if (shared_->closed || error == http::error::end_of_stream) return close();
  if (error && !isHttpError(error)) return close();
  if (error) return send(refusal(malformed(error, shared_->options), false));
  answerRequest();
}

Answer Session::handled() {
  const auto& message = parser_->get();
  if (message.method() == http::verb::unknown)
    throw Refused(Status::not_implemented, "there is no method " + std::string(message.method_string()));
  if (message.version() == kHttp11 && message.count(http::field::host) != 1)
    throw Refused(Status::bad_request, "a request of HTTP/1.1 has one Host");
  Answer answer = shared_->handler(
      parseRequest(std::string(message.method_string()), std::string(message.target()), message.body()));
  if (!answer.stream) return answer;
  if (message.version() != kHttp11) throw Refused(Status::bad_request, "a stream needs HTTP/1.1");
  if (shared_->streams >= shared_->options.streams)
    throw Refused(Status::unavailable, "there are " + std::to_string(shared_->streams) + " streams already");
  if (message.method() != http::verb::head) startStream(answer);
  return answer;
}

void Session::answerRequest() {
  const auto& message = parser_->get();
  const bool keep_alive = message.keep_alive();
  const bool head_only = message.method() == http::verb::head;
  Text text;
  try {
    const Answer answer = handled();
    if (stream_) return;
    text = answer.plain ? plainAnswer(answer.status, *answer.plain, keep_alive)
                        : textAnswer(answer.status, answer.body, keep_alive);
    if (answer.stream) {
      text.set(http::field::content_type, streamType(wantsEvents(message)));
      text.content_length(boost::none);
      text.keep_alive(false);
    }
  } catch (const Refused& why) {
    text = refusal(why, keep_alive);
  } catch (const driver::DriverError& error) {
    text = refusal({Status::unavailable, error.what()}, keep_alive);
  } catch (const std::exception& error) {
    text = refusal({Status::internal_error, std::string("this should not happen: ") + error.what()}, keep_alive);
  }
  if (head_only) text.body().clear();  // and the length stays what it would be (RFC 9110, section 9.3.2)
  send(std::move(text));
}

void Session::send(Text answer) {
  text_ = std::move(answer);
  const bool more = text_->keep_alive();
  socket_.expires_after(shared_->options.answer_timeout);
  http::async_write(socket_, *text_, [self = shared_from_this(), more](Error error, std::size_t) {
    if (error || self->shared_->closed) return self->close();
    more ? self->read() : self->linger();
  });
}

void Session::linger() {
  Error ignored;
  socket_.socket().shutdown(Socket::shutdown_send, ignored);
  socket_.expires_after(kLinger);
  discard();
}

void Session::discard() {
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](Error error, std::size_t) {
    error ? self->close() : self->discard();
  });
}

// ---- streams

void Session::startStream(const Answer& answer) {
  const bool events = wantsEvents(parser_->get());
  const auto stream = std::make_shared<Stream>(events ? Stream::Format::events : Stream::Format::lines,
                                               shared_->options.stream_bytes, [this] { sendChunks(); });
  sending_ = true;  // the head, from here on
  try {
    answer.stream(stream);
  } catch (...) {
    sending_ = false;
    stream->close();
    throw;
  }
  stream_ = stream;
  ++shared_->streams;
  head_.emplace(http::status::ok, kHttp11);
  head_->set(http::field::content_type, streamType(events));
  head_->set(http::field::cache_control, "no-store");
  head_->keep_alive(false);
  head_->chunked(true);
  serializer_.emplace(*head_);
  socket_.expires_never();  // a client that does not read only loses records
  http::async_write_header(socket_, *serializer_,
                           [self = shared_from_this()](Error error, std::size_t) { self->chunkSent(error); });
  watchClient();
}

void Session::sendChunks() {
  if (sending_ || !stream_) return;
  chunk_ = stream_->take();
  finishing_ = chunk_.empty() && stream_->hasEnded();
  if (chunk_.empty() && !finishing_) return;
  sending_ = true;
  if (stream_->hasEnded()) socket_.expires_after(shared_->options.answer_timeout);
  const auto done = [self = shared_from_this()](Error error, std::size_t) { self->chunkSent(error); };
  if (finishing_)
    asio::async_write(socket_, http::make_chunk_last(), done);
  else
    asio::async_write(socket_, http::make_chunk(asio::buffer(chunk_)), done);
}

void Session::chunkSent(Error error) {
  sending_ = false;
  if (error || finishing_) return close();
  sendChunks();
}

void Session::watchClient() {
  // What a client could send behind a stream's request has no answer: it ends the connection as hanging up does.
  socket_.async_read_some(buffer_.prepare(1), [self = shared_from_this()](Error, std::size_t) { self->close(); });
}

}  // namespace poplink::host::api
