// SPDX-License-Identifier: Apache-2.0
// One turn of a program that does other things between the handlers of an io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>

namespace poplink::sim {

/// Runs the handlers that are ready, and none that becomes ready meanwhile, as poll() would: a client that asks again
/// as soon as it is answered has one answer a turn, however long it goes on. What a look at the descriptors finds is
/// run in the next turn. Of a stopped context, nothing. Not within a handler; one thread runs the context.
inline void runReady(boost::asio::io_context& context) {
  const auto over = std::make_shared<bool>(false);
  boost::asio::post(context, [over] { *over = true; });
  while (!*over && !context.stopped()) context.poll_one();
}

}  // namespace poplink::sim
