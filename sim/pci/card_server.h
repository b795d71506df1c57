// SPDX-License-Identifier: Apache-2.0
// A PciFunction behind a unix socket (poplink/driver/sim_protocol.h): one owner at a time, everybody else is told who
// it is. The socket is the bus and its firmware in one: its owner finds the function enabled.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "ownership.h"

namespace poplink::sim {

class CardServer {
 public:
  /// Listens at `socket`; a dead socket left there is replaced; a live one, or any other file, is an error. Throws
  /// std::runtime_error.
  CardServer(boost::asio::io_context& context, const std::string& socket, Ownership& card);
  ~CardServer();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace poplink::sim
