// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <string>

namespace poplink::sim {

/// Listens at `path`; a dead socket left there is replaced; a live one, or any other file, is an error. The caller
/// removes the file. Throws std::runtime_error.
boost::asio::local::stream_protocol::acceptor listenAt(boost::asio::io_context& context, const std::string& path);

}  // namespace poplink::sim
