// SPDX-License-Identifier: Apache-2.0
// BGP's TCP connections when this program may open nothing more. In a program of its own: UBSan opens a pipe to see
// whether an object's memory can be read, so it cannot be here.
#include <sys/resource.h>

#include "bgp_net_lab.h"

namespace poplink::host::bgp {
namespace {

using testing::IsEmpty;

/// No descriptors beyond those that are open, as long as it lives.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);
    ::close(next);
    const rlimit now{static_cast<rlim_t>(next), before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &now), 0);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(BgpNet, without_descriptors_peers_wait_and_nothing_spins) {
  pool->setPeers({{loopback(2), {}}});
  const Endpoint here = listenAt(loopback(1));
  Plain peer(loopback(2));
  {
    const NoMoreDescriptors none;
    peer.connect(here);
    const auto start = std::chrono::steady_clock::now();
    std::size_t handlers = 0;
    while (pool->counters().shortages < 3) handlers += context->poll();
    const auto pauses = (std::chrono::steady_clock::now() - start) / std::chrono::milliseconds(100);
    EXPECT_GE(pauses, 2) << "there is a pause between two";
    EXPECT_LE(handlers, 6U) << "a wake-up and a pause each";
    pool->connect(1, here, {});
    EXPECT_TRUE(until([&] { return owner.failures.contains(1); }));
    EXPECT_EQ(owner.failures.at(1), "cannot open a socket: Too many open files");
    EXPECT_THAT(owner.connections, IsEmpty());
  }
  EXPECT_TRUE(until([&] { return owner.connections.size() == 1; }));
}

}  // namespace
}  // namespace poplink::host::bgp
