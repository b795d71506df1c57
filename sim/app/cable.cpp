// SPDX-License-Identifier: Apache-2.0
// poplink-sim cable: asks a running lab about its cables, and does something to one.
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "modes.h"
#include "outlet.h"

namespace poplink::sim {

namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
using Json = nlohmann::ordered_json;

std::string ask(const std::string& path, const std::string& request) {
  asio::io_context context;
  Local::socket socket(context);
  boost::system::error_code error;
  socket.connect(Local::endpoint(path), error);
  if (error)
    throw std::runtime_error("no lab at " + path + ": " + error.message() + " (does its file name a control?)");
  std::string answer;
  asio::write(socket, asio::buffer(request + "\n"), error);
  if (!error) asio::read_until(socket, asio::dynamic_buffer(answer), '\n', error);
  if (error) throw std::runtime_error("lost the lab at " + path + ": " + error.message());
  return answer;
}

void print(const Json& cable) {
  std::cout << cable["cable"].get<std::string>() << "  link " << cable["link"].get<std::string>() << "  loss "
            << cable["loss_db"].get<double>() << " dB";
  for (const Json& end : cable["ends"]) {
    std::cout << "  towards " << end.value("card", kHostEnd) << (end["deaf"].get<bool>() ? " deaf," : "") << " lost "
              << end["lost"];
    if (end.value("refused", 0) != 0) std::cout << " refused " << end["refused"];
  }
  std::cout << "\n";
}

}  // namespace

int runCable(const CableOptions& options) {
  Json request = Json::object();
  if (!options.cable.empty()) request = {{"cable", options.cable}, {"action", options.action}};
  if (!options.end.empty()) request["end"] = options.end;
  if (options.loss_db) request["loss_db"] = *options.loss_db;
  const Json answer = Json::parse(ask(options.control, request.dump()));
  if (answer.contains("error")) throw std::runtime_error(answer["error"].get<std::string>());
  if (options.json)
    std::cout << answer.dump(2) << "\n";
  else
    for (const Json& cable : answer["cables"]) print(cable);
  return 0;
}

}  // namespace poplink::sim
