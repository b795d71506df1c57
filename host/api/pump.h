// SPDX-License-Identifier: Apache-2.0
// A stream of what is there, however much that is: some of it is made, and more when the client has taken that.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "stream.h"

namespace poplink::host::api {

/// As long as less than that waits for the client, more is made.
inline constexpr std::size_t kPumpBytes = std::size_t{64} << 10;

/// What a slice says of what follows it.
enum class Pumped {
  more,  ///< and it can be made now
  all,   ///< nothing: the client has everything
  cut    ///< more would, but what it is of goes away: the client is not told that this was all, and is hung up on
         ///< with the server
};

/// Calls `slice` from the loop, with everything else in between, as long as the client takes what comes, and ends the
/// stream when `slice` says that this was all. `slice` puts some records, and takes a millisecond or so; it is
/// destroyed when the client has gone. It does not throw.
void pump(boost::asio::io_context& context, const std::shared_ptr<Stream>& stream,
          std::function<Pumped(Stream&)> slice);

}  // namespace poplink::host::api
