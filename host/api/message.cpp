// SPDX-License-Identifier: Apache-2.0
#include "message.h"

#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/src.hpp>
#include <boost/url/url_view.hpp>

namespace poplink::host::api {

namespace {

constexpr int kDepth = 16;  // of a body; values are copied by recursion

Json parseBody(const std::string& text) {
  const auto check = [](int depth, Json::parse_event_t, const Json&) {
    if (depth > kDepth)
      throw Refused(Status::bad_request, "the body is nested deeper than " + std::to_string(kDepth) + " levels");
    return true;
  };
  Json body = Json::parse(text, check, false);
  if (body.is_discarded()) throw Refused(Status::bad_request, "the body is no JSON");
  return body;
}

const Json& fieldOf(const Json& body, const std::string& field) {
  if (!body.is_object())
    throw Refused(Status::bad_request, "the body must be a JSON object with '" + field + "'", field);
  const auto found = body.find(field);
  if (found == body.end()) throw Refused(Status::bad_request, "'" + field + "' is missing", field);
  return *found;
}

}  // namespace

std::vector<std::string> Request::all(const std::string& name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : query) {
    if (key == name) values.push_back(value);
  }
  return values;
}

std::optional<std::string> Request::one(const std::string& name) const {
  const std::vector<std::string> values = all(name);
  if (values.size() > 1) throw Refused(Status::bad_request, "'" + name + "' is there more than once", name);
  return values.empty() ? std::nullopt : std::optional(values.front());
}

bool Request::flag(const std::string& name) const {
  const auto value = one(name);
  if (!value || *value == "0" || *value == "false") return false;
  if (value->empty() || *value == "1" || *value == "true") return true;
  throw Refused(Status::bad_request, "'" + name + "' is 0 or 1, not '" + *value + "'", name);
}

std::string Request::text(const std::string& field) const {
  const Json& value = fieldOf(body, field);
  if (!value.is_string() || value.get_ref<const std::string&>().empty())
    throw Refused(Status::bad_request, "'" + field + "' must be a text", field);
  return value;
}

std::vector<std::string> Request::texts(const std::string& field) const {
  const Json& value = fieldOf(body, field);
  const auto wrong = [&] { return Refused(Status::bad_request, "'" + field + "' must be a list of texts", field); };
  if (!value.is_array() || value.empty()) throw wrong();
  std::vector<std::string> list;
  for (const Json& one : value) {
    if (!one.is_string()) throw wrong();
    list.push_back(one);
  }
  return list;
}

bool Request::flag(const std::string& field, bool fallback) const {
  if (body.is_null() || (body.is_object() && !body.contains(field))) return fallback;
  const Json& value = fieldOf(body, field);
  if (!value.is_boolean()) throw Refused(Status::bad_request, "'" + field + "' must be true or false", field);
  return value;
}

Request parseRequest(std::string method, const std::string& target, const std::string& body) {
  const auto url = boost::urls::parse_origin_form(target);
  if (!url) throw Refused(Status::bad_request, "the request's target is no path");
  Request request{std::move(method), {}, {}};
  for (const auto segment : url->segments()) request.path.push_back(segment);
  if (!request.path.empty() && request.path.back().empty()) request.path.pop_back();  // "/v1/" is "/v1"
  for (const auto& parameter : url->params()) request.query.emplace_back(parameter.key, parameter.value);
  if (!body.empty()) request.body = parseBody(body);
  return request;
}

std::string encode(const std::string& text) {
  return boost::urls::encode(text, boost::urls::unreserved_chars);
}

}  // namespace poplink::host::api
