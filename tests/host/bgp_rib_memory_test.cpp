// SPDX-License-Identifier: Apache-2.0
// What a full table costs: a program of its own, for it counts what operator new gives. Not under the
// sanitizers, where arrays come from elsewhere.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "adj_rib_out.h"
#include "bgp_hash_lab.h"
#include "octets.h"

namespace {

std::size_t allocations = 0, bytes_in_use = 0;

}  // namespace

void* operator new(std::size_t size) {
  void* room = std::malloc(size);
  if (room == nullptr) throw std::bad_alloc();
  ++allocations;
  bytes_in_use += malloc_usable_size(room);
  return room;
}
void operator delete(void* room) noexcept {
  bytes_in_use -= malloc_usable_size(room);
  std::free(room);
}
void operator delete(void* room, std::size_t) noexcept {
  operator delete(room);
}

namespace poplink::host::bgp {
namespace {

using Bytes = std::vector<std::uint8_t>;

// The Internet's table, about: 6 prefixes have the same attributes, of 55 octets.
constexpr std::size_t kPrefixes = 1'000'000, kPrefixesPerSet = 6;
constexpr PeerIndex kFrom = 1, kOther = 2, kTo = 3;

/// Of an UPDATE: a path of four ASes and four communities, by number.
const Bytes& setOctets(std::uint32_t number) {
  static Bytes octets;
  octets.assign({0x40, 1, 1, 0, 0x40, 2, 18, 2, 4});
  for (const Asn asn : {Asn{64512}, Asn{64513} + number % 50, Asn{100'000} + number / 50 % 1000, Asn{200'000} + number})
    put32(octets, asn);
  octets.insert(octets.end(), {0x80, 4, 4, 0, 0, 0, 0, 0xC0, 8, 16});
  for (std::uint32_t community = 0; community < 4; ++community) put32(octets, 64512U << 16 | community);
  return octets;
}

Prefix4 prefixOf(std::size_t number) {
  return {static_cast<Ipv4>(0x0100'0000 + (number << 8)), 24};
}

/// All goes out as it came.
class Plain : public Exporter<Prefix4> {
 public:
  explicit Plain(const AttributeStore& store) : store_(store) {}
  bool byPrefix() const override { return false; }
  std::optional<std::uint64_t> judge(const Best&, const Prefix4&) override { return 0; }
  Exported make(const Best& best, std::uint64_t) override {
    return {UpdateForm::ipv4, store_.nextHop(best.attributes), wireAttributes(store_.canonical(best.attributes), true)};
  }
  UpdateForm form() const override { return UpdateForm::ipv4; }

 private:
  const AttributeStore& store_;
};

class Counted : public UpdateSink {
 public:
  void update(const Audience&, std::vector<std::uint8_t>) override { ++messages; }
  void tooLong(const Best&) override { ADD_FAILURE(); }
  std::size_t messages = 0;
};

class RibMemory : public testing::Test {
 protected:
  RibMemory() { out_.join(kTo); }

  /// The prefixes [from, to) by UPDATEs: the sets' numbers from `set` on.
  void announce(PeerIndex peer, std::size_t from, std::size_t to, std::size_t set) {
    for (std::size_t at = from; at < to; ++at) {
      const AttributesId id =
          store_.intern({Ipv4{0xC000'0201}, {}}, setOctets(static_cast<std::uint32_t>(set + at / kPrefixesPerSet)));
      store_.hold(id);
      table_.put(table_.locate(peer, prefixOf(at)), peer, {id, id, Ineligible::none}, 0);
    }
  }
  void flushAll() {
    while (!out_.atRest()) out_.flush(1000, exporter_, sink_);
  }

  AttributeStore store_{kLabHashKey};
  std::vector<PathSource> sources_ = {{}, {true, 0, 1, Ipv4{1}}, {true, 0, 2, Ipv4{2}}, {true, 0, 3, Ipv4{3}}};
  RouteTable<Prefix4> table_{store_, sources_, kLabHashKey};
  AdjRibOut<Prefix4> out_{table_};
  Plain exporter_{store_};
  Counted sink_;
};

TEST(RibMemoryCounter, counts_objects_and_arrays) {
  const std::size_t before = bytes_in_use, count = allocations;
  void* object = ::operator new(8);
  void* array = ::operator new[](800);
  const std::size_t taken = bytes_in_use - before, times = allocations - count;
  ::operator delete(object);
  ::operator delete[](array);
  const std::size_t left = bytes_in_use - before;
  EXPECT_GE(taken, 808U);
  EXPECT_EQ(times, 2U);
  EXPECT_EQ(left, 0U);
}

TEST_F(RibMemory, a_full_table_takes_at_most_90_bytes_a_prefix) {
  const std::size_t before = bytes_in_use;
  for (std::size_t at = 0; at < kPrefixes; at += 10'000) {
    announce(kFrom, at, at + 10'000, 0);
    flushAll();
  }
  const double each = static_cast<double>(bytes_in_use - before) / kPrefixes;
  RecordProperty("bytes_per_prefix", std::to_string(each));
  std::printf("%zu prefixes, %zu sets of attributes, told to one peer: %.1f bytes a prefix\n", table_.prefixes(),
              store_.size(), each);
  EXPECT_EQ(table_.prefixes(), kPrefixes);
  EXPECT_EQ(out_.advertised(kTo), kPrefixes);
  EXPECT_LE(each, 90);
  // Another peer with the same attributes costs its routes only.
  const std::size_t one = bytes_in_use;
  announce(kOther, 0, kPrefixes, 0);
  flushAll();
  EXPECT_LE(static_cast<double>(bytes_in_use - one) / kPrefixes, 20.5);
}

/// Where attributes change, a set of 6 prefixes takes one allocation in the store, and about a dozen in the builder of
/// its message; prefixes take none of their own.
TEST_F(RibMemory, changes_of_a_table_at_rest_take_few_allocations) {
  constexpr std::size_t kSome = 60'000;
  std::size_t first_set = kSome;
  for (const PeerIndex peer : {kFrom, kOther}) announce(peer, 0, kSome, 0);
  flushAll();
  for (const DecisionSettings& settings : {DecisionSettings{}, DecisionSettings{.compare_med = true}}) {
    table_.configure(settings);
    std::size_t in_table = 0, in_flush = 0;
    for (std::size_t round = 1; round <= 3; ++round) {
      // What is measured comes after the first round, when all has its size.
      in_table = in_flush = 0;
      for (std::size_t at = 0; at < kSome; at += 600) {
        std::size_t before = allocations;
        announce(kFrom, at, at + 600, first_set += kSome);
        in_table += allocations - before;
        before = allocations;
        flushAll();
        in_flush += allocations - before;
      }
    }
    const double table = static_cast<double>(in_table) / kSome, flush = static_cast<double>(in_flush) / kSome;
    std::printf("allocations a prefix: %.2f in the table, %.2f on the way out\n", table, flush);
    EXPECT_LE(table, 0.25);
    EXPECT_LE(flush, 2);
  }
}

TEST_F(RibMemory, flapping_routes_of_known_attributes_take_no_allocations) {
  announce(kFrom, 0, 6000, 0);
  announce(kOther, 0, 6000, 2000);
  const auto flap = [&] {
    for (std::size_t at = 0; at < 6000; ++at) table_.withdraw(kOther, prefixOf(at));
    announce(kOther, 0, 6000, 0);
    flushAll();
  };
  flap();
  const std::size_t before = allocations;
  for (int round = 0; round < 10; ++round) flap();
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace poplink::host::bgp
