// SPDX-License-Identifier: Apache-2.0
// The API's routes of a BGP speaker (docs/api.md).
#pragma once

#include <boost/asio/io_context.hpp>

#include "../api/router.h"
#include "../bgp/net/speaker_shell.h"
#include "loop_lag.h"

namespace poplink::host {

class BgpRoutes {
 public:
  /// All live longer; `tell` is told what the operator does.
  BgpRoutes(boost::asio::io_context& context, bgp::SpeakerShell& shell, const LoopLag& lag, bgp::TellNews tell)
      : context_(context), shell_(shell), lag_(lag), tell_(std::move(tell)) {}
  /// This object lives as long as the router.
  void addTo(api::Router& router);

 private:
  const bgp::Speaker& speaker() const { return shell_.speaker(); }
  const bgp::Peering& peerOf(const api::Request& request) const;
  api::Answer routes(const api::Request& request) const;
  api::Answer advertised(const api::Request& request) const;
  api::Answer explain(const api::Request& request) const;
  api::Answer metrics() const;
  api::Answer clear(const api::Request& request);
  api::Answer shutdown(const api::Request& request, bool down);
  api::Answer drain(const api::Request& request);
  api::Answer dump(const api::Request& request) const;
  void told(const std::string& peer, const std::string& what, const std::string& text);

  boost::asio::io_context& context_;
  bgp::SpeakerShell& shell_;
  const LoopLag& lag_;
  bgp::TellNews tell_;
};

}  // namespace poplink::host
