// SPDX-License-Identifier: Apache-2.0
// All peers of a scenario in one thread: their sessions, and its phases one after another.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heard_routes.h"
#include "peer_session.h"
#include "scenario.h"

namespace poplink::bench {

/// Of a phase; each may also be the sessions' beginning.
struct Outcome {
  double seconds = 0;              ///< until the last receiver had heard everything
  std::vector<std::string> wrong;  ///< empty: all is as it should be
  std::uint64_t updates = 0;       ///< that receivers got
  std::uint64_t octets = 0;        ///< that receivers got
  std::uint64_t refused = 0;       ///< connections that did not become sessions and were tried again
};

class PeerRun {
 public:
  /// `quiet`: a phase in which nothing has been heard for so long has failed.
  PeerRun(const Scenario& scenario, std::uint16_t port, Clock::duration quiet);
  ~PeerRun();
  PeerRun(const PeerRun&) = delete;
  PeerRun& operator=(const PeerRun&) = delete;

  /// All peers connect at once. The seconds are from the first connection to the last session.
  Outcome connect();
  Outcome run(const Phase& phase);

 private:
  struct Receiver {
    std::unique_ptr<PeerSession> session;
    HeardRoutes heard;
  };

  void hear(Receiver& receiver, host::bgp::Octets body);
  /// Handles what comes, for as long as `going_on()`, the sessions stand and it is not quiet; looks at least every
  /// `step`.
  template <class GoingOn>
  void loop(Clock::duration step, GoingOn going_on);
  bool done() const;
  std::uint64_t octets() const;
  std::vector<PeerSession*> sessions() const;

  const Scenario& scenario_;
  Clock::duration quiet_;
  int epoll_;
  PrefixIndex index_;
  std::vector<std::unique_ptr<PeerSession>> senders_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  host::bgp::DecodeSpace space_;
  std::string trouble_;  ///< what nobody should say; the first of it
  std::uint64_t updates_ = 0;
};

}  // namespace poplink::bench
