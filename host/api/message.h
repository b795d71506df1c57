// SPDX-License-Identifier: Apache-2.0
// Requests and answers of the API, as values.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace poplink::host::api {

using Json = nlohmann::ordered_json;

class Stream;

/// Status codes in use (RFC 9110, section 15).
enum class Status : unsigned {
  ok = 200,
  bad_request = 400,
  not_found = 404,
  method_not_allowed = 405,
  conflict = 409,
  content_too_large = 413,
  header_fields_too_large = 431,
  internal_error = 500,
  not_implemented = 501,
  unavailable = 503
};

/// A request that is not granted, for handlers to throw: becomes `{"error": {"message": ..., "field": ...}}`.
struct Refused : std::runtime_error {
  Refused(Status why, const std::string& message, std::string named = "")
      : std::runtime_error(message), status(why), field(std::move(named)) {}
  Status status;
  std::string field;    ///< of the query or the body that is wrong; empty: none in particular
  std::string allow{};  ///< of method_not_allowed: the methods that there are
};

struct Request {
  std::string method;                                      ///< as GET
  std::vector<std::string> path;                           ///< segments, decoded
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
  std::map<std::string, std::string> parameters{};         ///< of the path, by their names in the route's pattern
  Json body{};                                             ///< null: there is none

  /// All values of a query parameter.
  std::vector<std::string> all(const std::string& name) const;
  /// The only one. Throws Refused when there are several.
  std::optional<std::string> one(const std::string& name) const;
  /// "1", "true" and "" (`?follow`) are yes, "0", "false" and nothing no. Throws Refused.
  bool flag(const std::string& name) const;
  // Fields of the body. Throw Refused when the body is no object, or the field is missing or of another type.
  std::string text(const std::string& field) const;
  std::vector<std::string> texts(const std::string& field) const;
  /// `fallback`: of a field that is not there.
  bool flag(const std::string& field, bool fallback) const;
};

/// A request from its parts. `target` as it stands in the first line (RFC 9112, section 3.2.1), `body` empty or JSON of
/// few levels. Throws Refused.
Request parseRequest(std::string method, const std::string& target, const std::string& body);

/// Part of a target that a client writes: everything but unreserved characters encoded.
std::string encode(const std::string& text);

/// Of an answer that is no JSON.
struct PlainText {
  std::string type;  ///< as in Content-Type
  std::string text;
};

/// An object, a text, or from now on one record after the other.
struct Answer {
  Status status = Status::ok;
  Json body{};
  /// Called with the stream when the head of the answer is on its way; not called for HEAD.
  std::function<void(const std::shared_ptr<Stream>&)> stream{};
  std::optional<PlainText> plain{};  ///< instead of `body`
};

inline Answer toAnswer(Json body) {
  return {Status::ok, std::move(body), {}, {}};
}

/// What answers a request. Throws Refused, or DriverError when the card does not answer (which becomes 503).
using Handler = std::function<Answer(const Request&)>;

}  // namespace poplink::host::api
