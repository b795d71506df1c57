// SPDX-License-Identifier: Apache-2.0
#include "ready_handlers.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <string>

namespace poplink::sim {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

struct ReadyHandlers : testing::Test {
  asio::io_context context;
  asio::executor_work_guard<asio::io_context::executor_type> open = asio::make_work_guard(context);
};

TEST_F(ReadyHandlers, all_that_are_ready_run_and_none_is_no_reason_to_wait) {
  std::string ran;
  runReady(context);
  for (const char letter : {'a', 'b', 'c'}) asio::post(context, [&ran, letter] { ran += letter; });
  runReady(context);
  EXPECT_EQ(ran, "abc");
  runReady(context);
  EXPECT_EQ(ran, "abc");
}

TEST_F(ReadyHandlers, nothing_runs_in_a_context_that_has_ended) {
  bool ran = false;
  asio::post(context, [&ran] { ran = true; });
  context.stop();
  runReady(context);
  EXPECT_FALSE(ran);
}

TEST_F(ReadyHandlers, handler_that_comes_again_has_its_turn_once) {
  unsigned turns = 0;
  std::function<void()> again = [&] {
    ++turns;
    asio::post(context, again);
  };
  asio::post(context, again);
  for (unsigned i = 1; i <= 3; ++i) {
    runReady(context);
    EXPECT_EQ(turns, i);
  }
}

/// As a card's server has one that reads a whole card: its next request is there as soon as one is answered.
TEST_F(ReadyHandlers, client_that_never_pauses_is_answered_once_a_turn) {
  Local::socket client(context), server(context);
  asio::local::connect_pair(client, server);
  const std::string requests(10, '?');
  asio::write(client, asio::buffer(requests));
  std::size_t answered = 0;
  char request = 0;
  std::function<void()> serve = [&] {
    server.async_wait(Local::socket::wait_read, [&](boost::system::error_code error) {
      if (error) return;
      asio::read(server, asio::buffer(&request, 1));
      ++answered;
      serve();
    });
  };
  serve();
  for (std::size_t turn = 1; answered < requests.size(); ++turn) {
    ASSERT_LE(turn, 3 * requests.size()) << answered << " requests answered";
    const std::size_t before = answered;
    runReady(context);
    ASSERT_LE(answered, before + 1) << "turn " << turn;
  }
}

}  // namespace
}  // namespace poplink::sim
