// SPDX-License-Identifier: Apache-2.0
// Answers that take a walk over the speaker's tables, a few prefixes at a time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>

#include "../api/message.h"
#include "../bgp/report/routes.h"

namespace poplink::host {

bgp::ReportTime reportTime();

/// A record for each prefix that the filter lets through. With a prefix, and not `longer`: that one only.
struct RoutesAsked {
  std::optional<bgp::Family> family;  ///< nullopt: both
  std::optional<bgp::AnyPrefix> prefix;
  bool longer = false;
  bgp::RouteFilter filter;
};
api::Answer routesAnswer(boost::asio::io_context& context, const bgp::Speaker& speaker, const RoutesAsked& asked);

/// A record for each prefix that the peer was told; it ends when the peer is no more.
api::Answer advertisedAnswer(boost::asio::io_context& context, const bgp::Speaker& speaker, const std::string& peer,
                             std::optional<bgp::Family> family);

/// Writes the tables to an MRT file. One record, when it is there: `{file, prefixes, paths, left_out}`, or `error` as
/// in a refusal. Who hangs up before leaves no file. Throws Refused when the file cannot be made.
api::Answer dumpAnswer(boost::asio::io_context& context, const bgp::Speaker& speaker, const std::string& file);

}  // namespace poplink::host
