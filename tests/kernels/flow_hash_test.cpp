// SPDX-License-Identifier: Apache-2.0
// Which fields of a frame make its flow, and whether the hash of a flow is one: avalanche, even buckets, independence.
#include "flow_hash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <random>

#include "ecmp.h"
#include "forward_model.h"

namespace poplink::tests {
namespace {

using namespace kernels;

constexpr std::uint32_t kSeed = 0x5EED'1234, kOtherSeed = 0x0BAD'CAFE;

// ---- which fields

Frame frameOf(const std::string& hex, std::size_t length = 80) {
  Frame frame;
  std::string digits;
  for (char c : hex) {
    if (c != ' ') digits += c;
  }
  for (std::size_t i = 0; i < digits.size(); i += 2)
    frame.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  frame.resize(std::max(frame.size(), length), 0xEE);
  return frame;
}

FlowKey keyOf(const Frame& frame, bool symmetric = false) {
  const ForwardIn in = headerWindow(frame, 0);
  return flowKey(in.header, parse(in.header, kSTpid), in.length, symmetric);
}
FlowKey keyOf(const std::string& hex, std::size_t length = 80) {
  return keyOf(frameOf(hex, length));
}

void expectKey(const FlowKey& key, const std::vector<std::uint32_t>& source,
               const std::vector<std::uint32_t>& destination, unsigned source_port, unsigned destination_port,
               std::uint32_t rest) {
  for (unsigned i = 0; i < 4; ++i) {
    EXPECT_EQ(static_cast<std::uint32_t>(key.source.address[i]), source[i]) << i;
    EXPECT_EQ(static_cast<std::uint32_t>(key.destination.address[i]), destination[i]) << i;
  }
  EXPECT_EQ(static_cast<unsigned>(key.source.port), source_port);
  EXPECT_EQ(static_cast<unsigned>(key.destination.port), destination_port);
  EXPECT_EQ(static_cast<std::uint32_t>(key.rest), rest);
}

const std::string kMacs = "02 00 00 00 00 0b 06 00 00 00 00 0a ";
const std::string kAddresses4 = "0a 01 02 03 c0 a8 07 09 ";
const std::string kV4Tcp = "45 00 00 28 00 01 40 00 40 06 00 00 " + kAddresses4 + "30 39 01 bb ";
const std::string kSource6 = "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 ";
const std::string kDestination6 = "20 01 0d b8 00 01 00 02 00 03 00 04 00 05 00 06 ";
const std::vector<std::uint32_t> kSourceWords6 = {0x2001'0DB8, 0, 0, 1},
                                 kDestinationWords6 = {0x2001'0DB8, 0x0001'0002, 0x0003'0004, 0x0005'0006};

TEST(FlowKey, ipv4_is_the_5_tuple_behind_any_number_of_tags) {
  for (const std::string tags :
       {"", "81 00 00 05 ", "88 a8 00 65 81 00 00 05 ", "88 a8 00 65 88 a8 00 07 81 00 00 05 "}) {
    for (const std::size_t length : {60U, 80U}) {  // the shortest frame holds it all
      expectKey(keyOf(kMacs + tags + "08 00 " + kV4Tcp, length), {0, 0, 0, 0x0A01'0203}, {0, 0, 0, 0xC0A8'0709}, 12345,
                443, 6);
    }
  }
}

TEST(FlowKey, ports_count_only_where_every_packet_of_the_flow_has_them) {
  const auto key = [&](const std::string& first, const std::string& fragment, const std::string& protocol) {
    return keyOf(kMacs + "08 00 " + first + " 00 00 28 00 01 " + fragment + " 40 " + protocol + " 00 00 " +
                 kAddresses4 + "30 39 01 bb");
  };
  for (const std::string protocol : {"06", "11", "21", "84", "88"})
    EXPECT_NE(static_cast<unsigned>(key("45", "40 00", protocol).source.port), 0U);
  EXPECT_EQ(static_cast<unsigned>(key("45", "40 00", "01").source.port), 0U) << "ICMP";
  EXPECT_EQ(static_cast<unsigned>(key("45", "20 00", "06").source.port), 0U) << "first fragment";
  EXPECT_EQ(static_cast<unsigned>(key("45", "00 b9", "06").source.port), 0U) << "a later fragment";
  EXPECT_EQ(static_cast<unsigned>(key("46", "40 00", "06").source.port), 0U) << "options";
  EXPECT_EQ(static_cast<std::uint32_t>(key("45", "20 00", "06").source.address[3]), 0x0A01'0203U);
}

TEST(FlowKey, ipv6_is_the_5_tuple_and_the_flow_label) {
  const std::string v6 = "6a bb cc dd 00 14 11 40 " + kSource6 + kDestination6 + "30 39 00 35";
  expectKey(keyOf(kMacs + "86 dd " + v6), kSourceWords6, kDestinationWords6, 12345, 53, 0x0BCCDD << 8 | 17);
  // Extension headers: addresses and label; fragments: addresses; ports beyond the frame's end do not exist.
  expectKey(keyOf(kMacs + "86 dd 60 00 00 01 00 14 00 40 " + kSource6 + kDestination6 + "30 39 00 35"), kSourceWords6,
            kDestinationWords6, 0, 0, 1 << 8 | 0);
  expectKey(keyOf(kMacs + "86 dd 60 00 00 01 00 14 2c 40 " + kSource6 + kDestination6 + "30 39 00 35"), kSourceWords6,
            kDestinationWords6, 0, 0, 44);
  expectKey(keyOf(frameOf(kMacs + "81 00 00 05 86 dd " + v6, 62)), kSourceWords6, kDestinationWords6, 12345, 53,
            0x0BCCDD << 8 | 17);
  Frame cut = frameOf(kMacs + "81 00 00 05 86 dd " + v6, 62);
  cut.resize(60);
  expectKey(keyOf(cut), kSourceWords6, kDestinationWords6, 0, 0, 0x0BCCDD << 8 | 17);
  cut = frameOf(kMacs + "88 a8 00 05 81 00 00 05 86 dd " + v6, 62);
  cut.resize(60);
  EXPECT_EQ(static_cast<std::uint32_t>(keyOf(cut).rest) >> 31, 1U) << "no whole IPv6 header: by MAC";
  // With a byte less than the header by MAC too, with all of its 40 bytes and nothing behind it by the header.
  Frame whole = frameOf(kMacs + "88 a8 00 05 81 00 00 05 86 dd " + v6, 62);
  whole.resize(61);
  EXPECT_EQ(static_cast<std::uint32_t>(keyOf(whole).rest) >> 31, 1U);
  whole = frameOf(kMacs + "88 a8 00 05 81 00 00 05 86 dd " + v6, 62);
  whole.resize(62);
  expectKey(keyOf(whole), kSourceWords6, kDestinationWords6, 0, 0, 0x0BCCDD << 8 | 17);
}

TEST(FlowKey, everything_else_goes_by_mac_addresses_and_vlan) {
  const std::vector<std::uint32_t> source = {0, 0, 0x0600, 0x0000'000A}, destination = {0, 0, 0x0200, 0x0000'000B};
  expectKey(keyOf(kMacs + "08 06 00 01"), source, destination, 0, 0, 0x8000'0000);
  expectKey(keyOf(kMacs + "81 00 b0 65 08 06 00 01"), source, destination, 0, 0, 0x8000'0065);
  expectKey(keyOf(kMacs + "08 00 55 00"), source, destination, 0, 0, 0x8000'0000);
  expectKey(keyOf(kMacs + "08 00 44 00"), source, destination, 0, 0, 0x8000'0000);
  expectKey(keyOf(kMacs + "86 dd 45 00"), source, destination, 0, 0, 0x8000'0000);
}

// ---- the hash

// Computed apart from this code. A card whose hash changes moves every flow of every group, so a change is a decision.
TEST(FlowHash, keeps_its_values) {
  const FlowKey v4 = {{{0, 0, 0, 0x0A01'0203}, 12345}, {{0, 0, 0, 0xC0A8'0709}, 443}, 6};
  const FlowKey v6 = {
      {{0x2001'0DB8, 0, 0, 1}, 12345}, {{0x2001'0DB8, 0x0001'0002, 0x0003'0004, 0x0005'0006}, 53}, 0x0BCCDD << 8 | 17};
  struct Value {
    const FlowKey& key;
    std::uint32_t seed;
    bool symmetric;
    std::uint32_t path, port;
  };
  for (const Value& want :
       {Value{v4, 0, false, 0x246D'DD35, 0x2879'B52E}, Value{v4, kSeed, false, 0xD4A7'700F, 0x8B02'3729},
        Value{v4, kSeed, true, 0x1575'FFD0, 0x3B5B'40C1}, Value{v6, 0, false, 0xC102'1864, 0x8C36'D84F},
        Value{v6, kSeed, false, 0x5232'A623, 0xCF25'391E}, Value{v6, kSeed, true, 0x0949'A886, 0xEE02'2F46}}) {
    const FlowHash hash = flowHash(want.key, want.seed, want.symmetric);
    EXPECT_EQ(static_cast<std::uint32_t>(hash.path), want.path);
    EXPECT_EQ(static_cast<std::uint32_t>(hash.port), want.port);
  }
}

FlowKey randomKey(std::mt19937_64& random) {
  FlowKey key{};
  for (Endpoint* side : {&key.source, &key.destination}) {
    for (auto& word : side->address) word = static_cast<bits<32>>(random());
    side->port = static_cast<bits<16>>(random());
  }
  key.rest = static_cast<bits<32>>(random());
  return key;
}

/// A flow of a data centre: TCP between two /16.
FlowKey usualKey(std::uint32_t source, std::uint32_t destination, unsigned source_port, unsigned destination_port) {
  FlowKey key{};
  key.source = {{0, 0, 0, static_cast<bits<32>>(0x0A00'0000 | source)}, static_cast<bits<16>>(source_port)};
  key.destination = {{0, 0, 0, static_cast<bits<32>>(0x0A01'0000 | destination)},
                     static_cast<bits<16>>(destination_port)};
  key.rest = 6;
  return key;
}

/// Every bit that a flow can differ in, as a function that flips it.
std::vector<std::function<void(FlowKey&, std::uint32_t&)>> flips(bool usual) {
  std::vector<std::function<void(FlowKey&, std::uint32_t&)>> all;
  for (unsigned side = 0; side < 2; ++side) {
    const auto of = [side](FlowKey& key) -> Endpoint& { return side == 0 ? key.source : key.destination; };
    for (unsigned word = usual ? 3 : 0; word < 4; ++word) {
      for (unsigned bit = 0; bit < 32; ++bit)
        all.emplace_back(
            [=](FlowKey& key, std::uint32_t&) { of(key).address[word] ^= static_cast<bits<32>>(1U << bit); });
    }
    for (unsigned bit = 0; bit < 16; ++bit)
      all.emplace_back([=](FlowKey& key, std::uint32_t&) { of(key).port ^= static_cast<bits<16>>(1U << bit); });
  }
  for (unsigned bit = 0; bit < 32; ++bit) {
    all.emplace_back([=](FlowKey& key, std::uint32_t&) { key.rest ^= static_cast<bits<32>>(1U << bit); });
    all.emplace_back([=](FlowKey&, std::uint32_t& seed) { seed ^= 1U << bit; });
  }
  return all;
}

/// For each input bit and each output bit: in how many of `rounds` flows the one moves the other, against a half.
double worstBias(bool usual, bool symmetric, int rounds) {
  std::mt19937_64 random(usual ? 1 : 2);
  const auto inputs = flips(usual);
  std::vector<int> moved(inputs.size() * 64);
  for (int round = 0; round < rounds; ++round) {
    const FlowKey key =
        usual ? usualKey(random() & 0xFFFF, random() & 0xFFFF, random() & 0xFFFF, 443) : randomKey(random);
    const FlowHash hash = flowHash(key, kSeed, symmetric);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      FlowKey other = key;
      std::uint32_t seed = kSeed;
      inputs[i](other, seed);
      const FlowHash changed = flowHash(other, static_cast<bits<32>>(seed), symmetric);
      const std::uint64_t difference = static_cast<std::uint64_t>(static_cast<std::uint32_t>(hash.path ^ changed.path))
                                           << 32 |
                                       static_cast<std::uint32_t>(hash.port ^ changed.port);
      for (unsigned out = 0; out < 64; ++out) moved[i * 64 + out] += static_cast<int>(difference >> out & 1);
    }
  }
  double worst = 0;
  for (const int count : moved) worst = std::max(worst, std::abs(count / static_cast<double>(rounds) - 0.5));
  return worst;
}

TEST(FlowHash, every_input_bit_moves_every_output_bit_half_the_time) {
  constexpr int kRounds = 4000;  // 0.5 +- 0.0079; 24,000 pairs of bits: 5 sigma
  for (const bool usual : {false, true}) {
    for (const bool symmetric : {false, true}) {
      EXPECT_LT(worstBias(usual, symmetric, kRounds), 5 * 0.5 / std::sqrt(kRounds)) << usual << symmetric;
    }
  }
}

using Flows = std::vector<FlowKey>;

std::map<std::string, Flows> realisticFlows() {
  std::map<std::string, Flows> sets;
  for (unsigned i = 0; i < 65536; ++i) {
    sets["sequential source addresses"].push_back(usualKey(i, 7, 40000, 443));
    sets["sequential destination addresses"].push_back(usualKey(7, i, 40000, 443));
    sets["sequential source ports"].push_back(usualKey(7, 9, i, 443));
    sets["both ports equal and sequential"].push_back(usualKey(7, 9, i, i));
    sets["256 clients to 256 servers"].push_back(usualKey(i >> 8, i & 255, 40000, 443));
    sets["ports in steps of 16"].push_back(usualKey(i >> 12, 9, i << 4 & 0xFFFF, 53));
    sets["one high bit and a few low ones"].push_back(
        usualKey((i & 1) << 15 | (i >> 1 & 7), i >> 4 & 15, i >> 8 << 8, 80));
    FlowKey mac{};
    mac.source.address[3] = static_cast<bits<32>>(i << 8);
    mac.rest = 0x8000'0000U;
    sets["MAC addresses in steps"].push_back(mac);
  }
  return sets;
}

/// Chi-square of counts against equal shares, as a normal deviate (Wilson and Hilferty).
double deviate(const std::vector<std::size_t>& counts) {
  double total = 0, chi2 = 0;
  for (const std::size_t count : counts) total += static_cast<double>(count);
  const double mean = total / static_cast<double>(counts.size()), freedom = static_cast<double>(counts.size()) - 1;
  for (const std::size_t count : counts)
    chi2 += (static_cast<double>(count) - mean) * (static_cast<double>(count) - mean) / mean;
  const double spread = 2 / (9 * freedom);
  return (std::cbrt(chi2 / freedom) - (1 - spread)) / std::sqrt(spread);
}

constexpr double kLimit = 4.5;  // of a normal deviate; the sets are fixed, so this is no matter of luck

TEST(FlowHash, fills_buckets_evenly_whatever_the_flows_have_in_common) {
  for (const auto& [name, flows] : realisticFlows()) {
    for (const unsigned shift : {0U, 8U, 20U}) {
      std::vector<std::size_t> path(256), port(256);
      for (const FlowKey& key : flows) {
        const FlowHash hash = flowHash(key, kSeed, false);
        ++path[static_cast<std::uint32_t>(hash.path) >> shift & 255];
        ++port[static_cast<std::uint32_t>(hash.port) >> shift & 255];
      }
      EXPECT_LT(std::abs(deviate(path)), kLimit) << name << ", path, bits from " << shift;
      EXPECT_LT(std::abs(deviate(port)), kLimit) << name << ", port, bits from " << shift;
    }
  }
}

TEST(FlowHash, cards_in_series_and_ecmp_and_lag_choose_independently) {
  for (const auto& [name, flows] : realisticFlows()) {
    // Of the flows that one choice puts together, the other fills all its buckets evenly: a joint table of 16 x 16.
    std::vector<std::size_t> series(256), stages(256), crossed(256);
    for (const FlowKey& key : flows) {
      const FlowHash here = flowHash(key, kSeed, false), there = flowHash(key, kOtherSeed, false);
      ++series[(static_cast<std::uint32_t>(here.path) & 15) << 4 | (static_cast<std::uint32_t>(there.path) & 15)];
      ++stages[(static_cast<std::uint32_t>(here.path) & 15) << 4 | (static_cast<std::uint32_t>(here.port) & 15)];
      ++crossed[(static_cast<std::uint32_t>(here.port) & 15) << 4 | (static_cast<std::uint32_t>(there.path) & 15)];
    }
    EXPECT_LT(std::abs(deviate(series)), kLimit) << name;
    EXPECT_LT(std::abs(deviate(stages)), kLimit) << name;
    EXPECT_LT(std::abs(deviate(crossed)), kLimit) << name;
  }
}

TEST(FlowHash, flows_of_a_bucket_fall_evenly_on_the_slots_that_count_them) {
  for (const auto& [name, flows] : realisticFlows()) {
    std::vector<std::size_t> slots(256), path(256), port(256), start(256);
    for (const FlowKey& key : flows) {
      const FlowHash hash = flowHash(key, kSeed, false);
      const auto slot = static_cast<unsigned>(flowSlot(hash));
      ++slots[slot >> 4];
      ++path[(static_cast<std::uint32_t>(hash.path) & 15) << 4 | (slot & 15)];
      ++port[(static_cast<std::uint32_t>(hash.port) & 15) << 4 | (slot & 15)];
      ++start[static_cast<std::uint32_t>(hash.port) >> 28 << 4 | (slot >> 8 & 15)];
    }
    for (const auto* counts : {&slots, &path, &port, &start}) EXPECT_LT(std::abs(deviate(*counts)), kLimit) << name;
  }
}

TEST(FlowHash, seeds_that_differ_in_one_bit_are_independent_too) {
  for (unsigned bit = 0; bit < 32; ++bit) {
    std::vector<std::size_t> joint(256);
    for (unsigned i = 0; i < 20000; ++i) {
      const FlowKey key = usualKey(i, 7, 40000, 443);
      const std::uint32_t a = static_cast<std::uint32_t>(flowHash(key, kSeed, false).path),
                          b = static_cast<std::uint32_t>(flowHash(key, kSeed ^ 1U << bit, false).path);
      ++joint[(a & 15) << 4 | (b & 15)];
    }
    EXPECT_LT(std::abs(deviate(joint)), kLimit) << bit;
  }
}

TEST(FlowHash, symmetric_hash_is_the_same_in_both_directions_and_only_then) {
  std::mt19937_64 random(3);
  unsigned equal = 0;
  for (int round = 0; round < 1000; ++round) {
    const FlowKey there = randomKey(random);
    FlowKey back = there;
    std::swap(back.source, back.destination);
    EXPECT_EQ(static_cast<std::uint32_t>(flowHash(there, kSeed, true).path),
              static_cast<std::uint32_t>(flowHash(back, kSeed, true).path));
    EXPECT_EQ(static_cast<std::uint32_t>(flowHash(there, kSeed, true).port),
              static_cast<std::uint32_t>(flowHash(back, kSeed, true).port));
    equal += flowHash(there, kSeed, false).path == flowHash(back, kSeed, false).path;
  }
  EXPECT_EQ(equal, 0U);
}

TEST(FlowHash, symmetric_hash_fills_buckets_evenly_too) {
  for (const auto& [name, flows] : realisticFlows()) {
    std::vector<std::size_t> counts(256);
    for (const FlowKey& key : flows) ++counts[static_cast<std::uint32_t>(flowHash(key, kSeed, true).path) & 255];
    EXPECT_LT(std::abs(deviate(counts)), kLimit) << name;
  }
}

}  // namespace
}  // namespace poplink::tests
