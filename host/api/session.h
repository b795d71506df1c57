// SPDX-License-Identifier: Apache-2.0
// One connection of a Server: request, answer, request, ... until one side ends it.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <set>

#include "server.h"
#include "stream.h"

namespace poplink::host::api {

class Session;

/// What the sessions of a server share.
struct Sessions {
  Handler handler;
  ServerOptions options;
  std::set<Session*> all{};
  unsigned streams = 0;
  bool closed = false;  ///< the server is gone
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  using Text = boost::beast::http::response<boost::beast::http::string_body>;

  Session(Socket socket, std::shared_ptr<Sessions> shared);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start() { read(); }
  /// Hangs up.
  void close();

  /// An answer that says why not.
  static Text refusal(const Refused& why, bool keep_alive);

 private:
  using Error = boost::system::error_code;
  using Head = boost::beast::http::response<boost::beast::http::empty_body>;

  void read();
  void answerTo(Error error);
  void answerRequest();
  Answer handled();
  void send(Text answer);
  /// Ends the connection so that the client gets what was sent: waits until it hangs up, or for a moment.
  void linger();
  void discard();

  void startStream(const Answer& answer);
  void sendChunks();
  void chunkSent(Error error);
  void watchClient();

  boost::beast::basic_stream<boost::asio::local::stream_protocol> socket_;
  std::shared_ptr<Sessions> shared_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::optional<Text> text_;
  std::optional<Head> head_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::empty_body>> serializer_;
  std::shared_ptr<Stream> stream_;
  std::string chunk_;
  bool sending_ = false, finishing_ = false;
};

}  // namespace poplink::host::api
