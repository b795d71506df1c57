// SPDX-License-Identifier: Apache-2.0
// punt() against token buckets with fractions of tokens, as a textbook has them.
#include "punt.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "hls_table.h"

namespace poplink {

namespace kernels {
namespace {
struct Buckets {
  hls::UpdateTable<BucketTime, 14> service;
  hls::UpdateTable<BucketTime, 7> port;
};
Buckets* in_use = nullptr;
}  // namespace

Conforms update_service_bucket(bits<14> index, const BucketArgs& args) {
  return in_use->service.update(index, args, service_bucket_update);
}
Conforms update_port_bucket(bits<7> index, const BucketArgs& args) {
  return in_use->port.update(index, args, port_bucket_update);
}
}  // namespace kernels

namespace tests {
namespace {

using kernels::PuntFate;

/// A bucket that fills by one token per interval up to its burst; times in 1/256 us.
struct TokenBucket {
  double tokens;
  std::uint64_t at = 0;
  bool take(std::uint64_t now, double interval, double burst) {
    tokens = std::min(burst, tokens + static_cast<double>(now - at) / interval);
    at = now;
    if (tokens < 1 - 1e-9) return false;
    tokens -= 1;
    return true;
  }
};

class Punt : public ::testing::Test {
 protected:
  Punt() { kernels::in_use = &buckets; }
  ~Punt() override { kernels::in_use = nullptr; }

  PuntFate fate(unsigned host_class, unsigned port, int service, std::uint64_t now_us) {
    in.host_class = static_cast<hls::bits<2>>(host_class);
    in.port = static_cast<hls::bits<5>>(port);
    in.service_valid = service >= 0;
    in.service = static_cast<hls::bits<12>>(service);
    in.now_us = static_cast<hls::bits<36>>(now_us);
    kernels::PuntOut out{};
    kernels::punt(in, out);
    return static_cast<PuntFate>(static_cast<unsigned>(out.fate));
  }

  kernels::Buckets buckets;
  kernels::PuntIn in{};
};

TEST_F(Punt, without_limits_everything_passes) {
  for (unsigned i = 0; i < 1000; ++i) EXPECT_EQ(fate(i % 4, i % 17, static_cast<int>(i % 4096), 5), PuntFate::queued);
}

TEST_F(Punt, equals_token_buckets_over_random_times) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 20; ++round) {
    buckets = {};
    double interval[2][4], burst[2][4];
    for (unsigned c = 0; c < 4; ++c) {
      for (unsigned kind = 0; kind < 2; ++kind) {
        // Whole microseconds, so that the burst is a whole number of frames.
        const std::uint32_t us = 1 + static_cast<std::uint32_t>(random() % 2000);
        const std::uint32_t frames = 1 + static_cast<std::uint32_t>(random() % 64);
        (kind == 0 ? in.service_interval : in.port_interval)[c] = us << 8;
        (kind == 0 ? in.service_tolerance : in.port_tolerance)[c] = us * (frames - 1);
        interval[kind][c] = us * 256.0;
        burst[kind][c] = frames;
      }
    }
    std::map<std::pair<unsigned, unsigned>, TokenBucket> services, ports;
    std::uint64_t now = random() % (1ULL << 35);
    for (int i = 0; i < 20000; ++i) {
      now += random() % 4 == 0 ? random() % 300 : random() % 4096 == 0 ? random() % 1'000'000'000 : 0;
      const unsigned c = static_cast<unsigned>(random() % 4), port = static_cast<unsigned>(random() % 17);
      const int service = random() % 3 == 0 ? -1 : static_cast<int>(random() % 5 * 1000);
      PuntFate want = PuntFate::queued;
      if (service >= 0) {
        auto& bucket = services.try_emplace({c, service}, TokenBucket{burst[0][c], now << 8}).first->second;
        if (!bucket.take(now << 8, interval[0][c], burst[0][c])) want = PuntFate::service_policed;
      }
      if (want == PuntFate::queued) {
        auto& bucket = ports.try_emplace({c, port}, TokenBucket{burst[1][c], now << 8}).first->second;
        if (!bucket.take(now << 8, interval[1][c], burst[1][c])) want = PuntFate::port_policed;
      }
      ASSERT_EQ(fate(c, port, service, now), want) << "round " << round << " frame " << i;
    }
  }
}

TEST_F(Punt, flood_of_one_service_takes_nothing_from_its_port) {
  in.service_interval[1] = 1000 << 8;
  in.port_interval[1] = 100 << 8;
  in.port_tolerance[1] = 900;  // 10 frames
  for (int i = 0; i < 1000; ++i) fate(1, 3, 7, 0);
  for (int service = 8; service < 17; ++service) EXPECT_EQ(fate(1, 3, service, 0), PuntFate::queued);
  EXPECT_EQ(fate(1, 3, 17, 0), PuntFate::port_policed);
}

TEST_F(Punt, bucket_that_slept_is_full_whatever_the_time) {
  in.port_interval[0] = 1000 << 8;
  in.port_tolerance[0] = 9000;
  constexpr std::uint64_t kCircle = 1ULL << 36;
  for (std::uint64_t slept = 1'000'000; slept < kCircle - 1'000'000; slept += kCircle / 997) {
    buckets = {};
    const std::uint64_t start = kCircle - 50'000;  // the rest is over the end of the circle
    unsigned passed = 0;
    for (int i = 0; i < 20; ++i) passed += fate(0, 1, -1, start) == PuntFate::queued;
    for (int i = 0; i < 20; ++i) passed += fate(0, 1, -1, start + slept) == PuntFate::queued;
    ASSERT_EQ(passed, 20U) << slept;
  }
}

}  // namespace
}  // namespace tests
}  // namespace poplink
