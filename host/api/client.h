// SPDX-License-Identifier: Apache-2.0
// The other end of a Server, for programs that wait: one request after the other on one connection.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "message.h"

namespace poplink::host::api {

/// The request was not granted, or nobody is there any more.
struct ClientError : std::runtime_error {
  ClientError(Status why, const std::string& text) : std::runtime_error(text), status(why) {}
  Status status;  ///< unavailable also when the connection broke or nothing came in time
};

class Client {
 public:
  /// Nothing: there is no socket at `path`, or nobody listens there. Throws ClientError when there is one that cannot
  /// be used. `timeout`: for a request to be taken, and again for its answer.
  static std::optional<Client> connect(const std::string& path,
                                       std::chrono::milliseconds timeout = std::chrono::seconds(30));
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Each throws ClientError. `target` as "/v1/ports?name=x", encoded.
  Json get(const std::string& target) { return request("GET", target, {}); }
  Json put(const std::string& target, const Json& body) { return request("PUT", target, body); }
  Json post(const std::string& target, const Json& body) { return request("POST", target, body); }

  struct Until {
    int stop = -1;                                                ///< descriptor that ends it when readable; -1: none
    std::optional<std::chrono::steady_clock::time_point> time{};  ///< or so long
  };
  /// Records of a stream, each as it comes; `started` is called when the answer has begun. Returns when `take` says
  /// false, or at `until`; after it the connection is of no use. Throws ClientError when the stream ends by itself,
  /// and for a record that is no object.
  void stream(const std::string& target, const Until& until, const std::function<void()>& started,
              const std::function<bool(const Json&)>& take);
  /// The same for a stream that has an end, which is then no error: has it come?
  bool records(const std::string& method, const std::string& target, const Json& body, const Until& until,
               const std::function<bool(const Json&)>& take);

 private:
  struct Connection;
  explicit Client(std::unique_ptr<Connection> connection);
  Json request(const std::string& method, const std::string& target, const Json& body);
  bool follow(const std::string& method, const std::string& target, const Json& body, const Until& until,
              const std::function<void()>& started, const std::function<bool(const Json&)>& take);

  std::unique_ptr<Connection> connection_;
};

}  // namespace poplink::host::api
