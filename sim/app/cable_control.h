// SPDX-License-Identifier: Apache-2.0
// The cables of a running lab: cut, mended, made deaf or dim by `poplink-sim cable`, over a unix socket.
//
// A request is a line of JSON, {} or {"cable": NAME, "action": "cut" | "mend" | "deafen" | "attenuate"}, of deafen with
// "card": NAME (that hears nothing any more), of attenuate with "loss_db": NUMBER. The answer is a line too: {"cables":
// [...]}, or {"error": TEXT} and nothing has changed.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>

#include "cable.h"

namespace poplink::sim {

/// A cable that can be named.
struct LabCableEnds {
  Cable* cable = nullptr;
  std::array<std::string, 2> cards;  ///< at its ends
};

class CableControl {
 public:
  /// Listens at `socket`. Throws std::runtime_error.
  CableControl(boost::asio::io_context& context, const std::string& socket, std::map<std::string, LabCableEnds> cables);
  ~CableControl();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// The answer to a request, both without the line's end.
std::string answerCableRequest(const std::map<std::string, LabCableEnds>& cables, const std::string& request);

}  // namespace poplink::sim
