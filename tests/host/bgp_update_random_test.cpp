// SPDX-License-Identifier: Apache-2.0
// Random UPDATEs: what is read, written and read again is the same; and whatever is broken in one, what comes out of it
// can be relied on.
#include <gmock/gmock.h>

#include <random>

#include "bgp_update_lab.h"
#include "update_builder.h"

namespace poplink::host::bgp {
namespace {

class RandomUpdate {
 public:
  explicit RandomUpdate(unsigned seed) : random_(seed) {}

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  Bytes octets(std::size_t size) {
    Bytes all(size);
    for (std::uint8_t& octet : all) octet = static_cast<std::uint8_t>(below(256));
    return all;
  }

  UpdateContext context() {
    UpdateContext context;
    context.external = below(2) == 0;
    context.four_octet_asn = below(2) == 0;
    context.ipv6_unicast = context.extended_next_hop = true;
    return context;
  }

  Asn asn() { return below(2) == 0 ? 1 + below(0xffff) : 0x10000 + below(0xfffffff0); }

  Bytes canonicalPath() {
    const std::size_t asns = below(4) == 0 ? below(600) : below(6);
    Bytes path;
    for (std::size_t i = 0; i < asns; ++i) {
      if (i % kMaxSegmentAsns == 0)
        path.insert(path.end(), {2, static_cast<std::uint8_t>(std::min(kMaxSegmentAsns, asns - i))});
      put32(path, asn());
    }
    return path;
  }

  /// As canonical octets are.
  Bytes canonical(const UpdateContext& context) {
    AttributeMap list;
    list[1] = attribute(0x40, 1, Bytes{static_cast<std::uint8_t>(below(3))});
    list[2] = sized(0x40, 2, canonicalPath());
    if (!context.external) list[5] = attribute(0x40, 5, octets(4));
    maybe(list, 0x80, 4, 4);
    if (below(3) == 0) list[6] = attribute(0x40, 6, Bytes());
    if (below(3) == 0) {
      Bytes value;
      put32(value, asn());
      list[7] = attribute(0xc0, 7, value + octets(4));
    }
    maybe(list, 0xc0, 8, std::size_t{4} * (1 + below(100)));
    if (!context.external) maybe(list, 0x80, 9, 4);
    if (!context.external) maybe(list, 0x80, 10, std::size_t{4} * (1 + below(4)));
    maybe(list, 0xe0, 16, std::size_t{8} * (1 + below(4)));
    maybe(list, 0xc0, 32, std::size_t{12} * (1 + below(4)));
    maybe(list, 0xc0, 35, 4);
    maybe(list, 0xe0, static_cast<std::uint8_t>(40 + below(200)), below(20));
    return joined(list);
  }

  Prefix4 prefix4() {
    const auto length = static_cast<std::uint8_t>(below(33));
    return {static_cast<Ipv4>(random_() & (~std::uint64_t{0} << (32 - length))), length};
  }

  Prefix6 prefix6() {
    Prefix6 prefix{{}, static_cast<std::uint8_t>(below(129))};
    for (unsigned bit = 0; bit < prefix.length; ++bit)
      if (below(2) == 0) prefix.address[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
    return prefix;
  }

 private:
  void maybe(AttributeMap& list, std::uint8_t flags, std::uint8_t type, std::size_t size) {
    if (below(3) == 0) list[type] = sized(flags, type, octets(size));
  }
  static Bytes sized(std::uint8_t flags, std::uint8_t type, const Bytes& value) {
    return attribute(value.size() > 255 ? flags | kExtendedLength : flags, type, value);
  }

  std::mt19937 random_;
};

template <class Prefix>
std::vector<Prefix> prefixes(Octets nlri) {
  std::vector<Prefix> all;
  forEachPrefix<Prefix>(nlri, [&all](const Prefix& prefix) { all.push_back(prefix); });
  return all;
}

/// A message of random attributes and routes with what must be read in it.
struct Sent {
  UpdateContext context;
  UpdateForm form{};
  NextHop next_hop;
  Bytes canonical;
  std::vector<Prefix4> four;
  std::vector<Prefix6> six;
  Bytes message;
};

Sent randomSent(RandomUpdate& random) {
  Sent sent;
  sent.context = random.context();
  sent.form = static_cast<UpdateForm>(random.below(3));
  sent.canonical = random.canonical(sent.context);
  const Ipv6 six_hop{0x20, 1, 0xd, 0xb8, 9};
  const bool four_hop =
      sent.form == UpdateForm::ipv4 || (sent.form == UpdateForm::ipv4_multiprotocol && random.below(2) == 0);
  sent.next_hop = four_hop ? NextHop{Ipv4{0xc0000201}} : NextHop{six_hop};
  if (!four_hop && random.below(2) == 0) sent.next_hop.link_local = Ipv6{0xfe, 0x80, 1};
  UpdateBuilder builder =
      UpdateBuilder::announce(sent.form, sent.next_hop, wireAttributes(sent.canonical, sent.context.four_octet_asn));
  const std::size_t routes = 1 + random.below(30);
  for (std::size_t i = 0; i < routes && builder.hasRoom(); ++i) {
    if (sent.form == UpdateForm::ipv6_multiprotocol) {
      const Prefix6 prefix = random.prefix6();
      if (builder.add(prefix)) sent.six.push_back(prefix);
    } else {
      const Prefix4 prefix = random.prefix4();
      if (builder.add(prefix)) sent.four.push_back(prefix);
    }
  }
  if (!builder.empty()) sent.message = builder.take();
  return sent;
}

TEST(BgpUpdateRandom, what_is_written_is_read) {
  RandomUpdate random(1);
  for (unsigned round = 0; round < 4000; ++round) {
    const Sent sent = randomSent(random);
    if (sent.message.empty()) continue;
    const Decoded decoded(bodyOf(sent.message, MessageType::update), sent.context);
    const Update& update = decoded.update;
    ASSERT_EQ(update.findings.count(), 0u) << round << " " << words(update.findings.kept()[0]);
    ASSERT_EQ(decoded.canonical(), sent.canonical) << round;
    const bool classic = sent.form == UpdateForm::ipv4;
    const AnnouncedRoutes& routes = classic ? update.announced : update.mp_announced;
    EXPECT_EQ(routes.next_hop, sent.next_hop);
    if (sent.form == UpdateForm::ipv6_multiprotocol)
      EXPECT_EQ(prefixes<Prefix6>(routes.nlri), sent.six);
    else
      EXPECT_EQ(prefixes<Prefix4>(routes.nlri), sent.four);
    EXPECT_EQ((classic ? update.mp_announced : update.announced).prefixes, 0u);
  }
}

/// What holds whatever was received.
void expectSound(const Decoded& decoded, const UpdateContext& context) {
  const Update& update = decoded.update;
  const ErrorAction action = update.findings.action();
  EXPECT_EQ(action == ErrorAction::none, update.findings.count() == 0);
  EXPECT_FALSE(action >= ErrorAction::treat_as_withdraw && !update.canonical.empty());
  for (const Routes* const routes :
       {&update.withdrawn, &update.mp_withdrawn, static_cast<const Routes*>(&update.announced),
        static_cast<const Routes*>(&update.mp_announced)}) {
    const NlriScan scan = scanNlri(routes->nlri, maxPrefixBits(routes->family.afi));
    EXPECT_EQ(scan.wrong_at, std::nullopt);
    EXPECT_EQ(scan.prefixes, routes->prefixes);
  }
  if (update.canonical.empty()) return;
  // Sent on to a new speaker, nothing is wrong any more and the octets stay; but those of an external peer have no
  // LOCAL_PREF.
  UpdateContext next = context;
  next.four_octet_asn = true;
  const Bytes body = updateBody({}, decoded.canonical() + attribute(0x40, 3, "c0000201"), oneRoute());
  if (body.size() > kMaxBodyBytes) return;
  const Decoded again(body, next);
  EXPECT_EQ(again.update.findings.count(), 0u);
  EXPECT_EQ(again.canonical(), decoded.canonical());
}

TEST(BgpUpdateRandom, broken_messages_do_no_harm) {
  RandomUpdate random(2);
  std::array<unsigned, 4> actions{};
  for (unsigned round = 0; round < 20000; ++round) {
    const Sent sent = randomSent(random);
    if (sent.message.empty()) continue;
    Bytes body = bodyOf(sent.message, MessageType::update);
    for (unsigned change = random.below(4); change > 0 && !body.empty(); --change) {
      const std::size_t at = random.below(static_cast<unsigned>(std::min<std::size_t>(body.size(), 80)));
      if (random.below(3) == 0)
        body.erase(body.begin() + static_cast<std::ptrdiff_t>(at));
      else
        body[at] = static_cast<std::uint8_t>(random.below(3) == 0 ? 0 : random.below(256));
    }
    const Decoded decoded(body, sent.context);
    ++actions[static_cast<std::size_t>(decoded.update.findings.action())];
    expectSound(decoded, sent.context);
    if (HasFailure()) FAIL() << round;
  }
  EXPECT_THAT(actions, testing::Each(testing::Gt(100u))) << "the changes reach every action";
}

TEST(BgpUpdateRandom, truncated_messages_never_announce) {
  RandomUpdate random(3);
  for (unsigned round = 0; round < 60; ++round) {
    const Sent sent = randomSent(random);
    if (sent.form == UpdateForm::ipv4 || sent.message.empty()) continue;
    const Bytes body = bodyOf(sent.message, MessageType::update);
    for (std::size_t size = 0; size < body.size(); ++size) {
      const Decoded decoded({body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size)}, sent.context);
      EXPECT_EQ(decoded.update.findings.action(), ErrorAction::session_reset);
    }
  }
}

}  // namespace
}  // namespace poplink::host::bgp
