// SPDX-License-Identifier: Apache-2.0
// The cables of a running lab: cut, mended, made deaf or dim by `poplink-sim cable`, over a unix socket.
//
// A request is a line of JSON, {} or {"cable": NAME, "action": "cut" | "mend" | "deafen" | "attenuate"}, of deafen with
// "end": NAME (that hears nothing any more: a card, or "host" for what is outside the cards), of attenuate with
// "loss_db": NUMBER. The answer is a line too: {"cables": [...], "cards": [...]}, or {"error": TEXT} and nothing has
// changed. An end's entry says what was lost on its way there, and one outside the cards how much it had no room for; a
// card's says how often its host has read and written its registers.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>

#include "../pci/pci_function.h"
#include "cable.h"
#include "outlet.h"

namespace poplink::sim {

struct LabCableEnd {
  std::string card;                ///< either a card's name,
  const Outlet* outlet = nullptr;  ///< or what is there instead
};

/// A cable that can be named.
struct LabCableEnds {
  Cable* cable = nullptr;
  std::array<LabCableEnd, 2> ends;
};

/// Cards by name.
using LabCardAccesses = std::map<std::string, const RegisterAccesses*>;

class CableControl {
 public:
  /// Listens at `socket`. Throws std::runtime_error.
  CableControl(boost::asio::io_context& context, const std::string& socket, std::map<std::string, LabCableEnds> cables,
               LabCardAccesses cards);
  ~CableControl();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// The answer to a request, both without the line's end.
std::string answerCableRequest(const std::map<std::string, LabCableEnds>& cables, const LabCardAccesses& cards,
                               const std::string& request);

}  // namespace poplink::sim
