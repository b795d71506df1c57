// SPDX-License-Identifier: Apache-2.0
#include "cable_control.h"

#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include "local_listener.h"

namespace poplink::sim {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t kLongestRequest = 4096;

struct BadRequest : std::runtime_error {
  using std::runtime_error::runtime_error;
};

unsigned endAt(const LabCableEnds& ends, const std::string& cable, const std::string& name) {
  for (unsigned end = 0; end < 2; ++end) {
    const LabCableEnd& one = ends.ends[end];
    if ((one.outlet != nullptr ? kHostEnd : one.card) == name) return end;
  }
  throw BadRequest("cable '" + cable + "' has no end '" + name + "'");
}

double lossOf(const Json& request) {
  const double loss_db = request.at("loss_db");
  if (loss_db >= kTransparent && loss_db <= kOpaque) return loss_db;
  throw BadRequest("a cable loses from 0 to 60 dB, not " + request.at("loss_db").dump());
}

void act(const std::map<std::string, LabCableEnds>& cables, const Json& request) {
  const std::string name = request.at("cable"), action = request.at("action");
  const auto found = cables.find(name);
  if (found == cables.end()) throw BadRequest("there is no cable '" + name + "'");
  Cable& cable = *found->second.cable;
  if (action == "cut")
    cable.cut();
  else if (action == "mend")
    cable.mend();
  else if (action == "deafen")
    cable.deafen(endAt(found->second, name, request.at("end")));
  else if (action == "attenuate")
    cable.attenuate(lossOf(request));
  else
    throw BadRequest("a cable can be cut, mended, deafened or attenuated, not '" + action + "'");
}

Json stateOf(const std::string& name, const LabCableEnds& ends) {
  Json sides = Json::array();
  for (unsigned end = 0; end < 2; ++end) {
    const Outlet* const outlet = ends.ends[end].outlet;
    Json side = Json::object();
    if (outlet != nullptr)
      side[kHostEnd] = outlet->name();
    else
      side["card"] = ends.ends[end].card;
    side["deaf"] = ends.cable->isDeaf(end);
    side["lost"] = ends.cable->lost(end);
    if (outlet != nullptr) side["refused"] = outlet->refused();
    sides.push_back(side);
  }
  return {{"cable", name},
          {"link", ends.cable->isUp() ? "up" : "down"},
          {"loss_db", ends.cable->lossDb()},
          {"ends", sides}};
}

}  // namespace

std::string answerCableRequest(const std::map<std::string, LabCableEnds>& cables, const LabCardAccesses& cards,
                               const std::string& request) {
  try {
    const Json json = Json::parse(request);
    if (!json.empty()) act(cables, json);
    Json states = Json::array();
    for (const auto& [name, ends] : cables) states.push_back(stateOf(name, ends));
    Json counts = Json::array();
    for (const auto& [name, accesses] : cards)
      counts.push_back({{"card", name}, {"register_reads", accesses->reads}, {"register_writes", accesses->writes}});
    return Json{{"cables", states}, {"cards", counts}}.dump();
  } catch (const BadRequest& error) {
    return Json{{"error", error.what()}}.dump();
  } catch (const nlohmann::json::exception&) {
    return Json{{"error", "a request is a line of JSON with cable and action"}}.dump();
  }
}

struct CableControl::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, const std::string& socket, std::map<std::string, LabCableEnds> named,
        LabCardAccesses counted)
      : acceptor(host::listenAt(context, socket)), path(socket), cables(std::move(named)), cards(std::move(counted)) {}

  struct Client : std::enable_shared_from_this<Client> {
    explicit Client(Local::socket connection) : socket(std::move(connection)) {}

    void read(const std::shared_ptr<State>& state) {
      asio::async_read_until(socket, asio::dynamic_buffer(text, kLongestRequest), '\n',
                             [self = shared_from_this(), state](boost::system::error_code error, std::size_t length) {
                               if (!error) self->answer(state, length);
                             });
    }
    void answer(const std::shared_ptr<State>& state, std::size_t length) {
      out = answerCableRequest(state->cables, state->cards, text.substr(0, length - 1)) + "\n";
      text.erase(0, length);
      asio::async_write(socket, asio::buffer(out),
                        [self = shared_from_this(), state](boost::system::error_code error, std::size_t) {
                          if (!error) self->read(state);
                        });
    }

    Local::socket socket;
    std::string text, out;
  };

  void accept() {
    acceptor.async_accept([self = shared_from_this()](boost::system::error_code error, Local::socket socket) {
      if (error) return;
      std::make_shared<Client>(std::move(socket))->read(self);
      self->accept();
    });
  }

  Local::acceptor acceptor;
  std::string path;
  std::map<std::string, LabCableEnds> cables;
  LabCardAccesses cards;
};

CableControl::CableControl(asio::io_context& context, const std::string& socket,
                           std::map<std::string, LabCableEnds> cables, LabCardAccesses cards)
    : state_(std::make_shared<State>(context, socket, std::move(cables), std::move(cards))) {
  state_->accept();
}

CableControl::~CableControl() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  ::unlink(state_->path.c_str());
}

}  // namespace poplink::sim
