// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bgp_octets.h"
#include "route_refresh.h"

namespace poplink::host::bgp {
namespace {

const std::string kMarker = "ffffffffffffffffffffffffffffffff ";

Notification refused(const Bytes& stream) {
  const auto framed = nextMessage(stream);
  const Notification* notification = std::get_if<Notification>(&framed);
  return notification == nullptr ? Notification{} : *notification;
}

TEST(BgpMessage, a_keepalive_is_a_header) {
  const Bytes octets(kKeepalive.begin(), kKeepalive.end());
  EXPECT_EQ(octets, fromHex(kMarker + "0013 04"));
  EXPECT_TRUE(bodyOf(octets, MessageType::keepalive).empty());
  EXPECT_EQ(encodeMessage(MessageType::keepalive, {}), octets);
}

TEST(BgpMessage, types_have_words) {
  EXPECT_EQ(words(MessageType::open), "OPEN");
  EXPECT_EQ(words(MessageType::route_refresh), "ROUTE-REFRESH");
  EXPECT_EQ(words(static_cast<MessageType>(0)), "?");
  EXPECT_EQ(words(static_cast<MessageType>(6)), "?");
}

TEST(BgpMessage, messages_follow_each_other) {
  const Bytes notification = fromHex(kMarker + "0015 03 0602"), keepalive(kKeepalive.begin(), kKeepalive.end());
  const Bytes stream = notification + keepalive;
  const auto framed = nextMessage(stream);
  const Message& first = std::get<Message>(framed);
  EXPECT_EQ(first.type, MessageType::notification);
  EXPECT_THAT(first.body, testing::ElementsAre(6, 2));
  EXPECT_EQ(bodyOf({stream.begin() + static_cast<std::ptrdiff_t>(first.size()), stream.end()}, MessageType::keepalive),
            Bytes());
}

TEST(BgpMessage, the_beginning_of_a_message_is_waited_for) {
  const Bytes whole = encodeMessage(MessageType::update, Bytes(100, 0));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto framed = nextMessage(Octets(whole).first(size));
    ASSERT_TRUE(std::holds_alternative<Incomplete>(framed)) << size;
    EXPECT_EQ(std::get<Incomplete>(framed).missing, (size < kHeaderBytes ? kHeaderBytes : whole.size()) - size);
  }
}

/// RFC 4271 6.1: Connection Not Synchronized.
TEST(BgpMessage, every_octet_of_the_marker_is_ones) {
  for (std::size_t at = 0; at < kMarkerBytes; ++at) {
    Bytes octets(kKeepalive.begin(), kKeepalive.end());
    octets[at] = 0xfe;
    EXPECT_EQ(refused(octets), (Notification{ErrorCode::message_header, subcode::kConnectionNotSynchronized})) << at;
  }
}

/// RFC 4271 6.1: Bad Message Type, with the type.
TEST(BgpMessage, other_types_are_named_back) {
  for (unsigned type = 0; type < 256; ++type) {
    if (type >= 1 && type <= 5) continue;
    Bytes octets(kKeepalive.begin(), kKeepalive.end());
    octets[18] = static_cast<std::uint8_t>(type);
    EXPECT_EQ(refused(octets),
              (Notification{ErrorCode::message_header, subcode::kBadMessageType, {static_cast<std::uint8_t>(type)}}));
  }
}

/// RFC 4271 6.1: Bad Message Length, with the length. The header alone is enough to know.
TEST(BgpMessage, each_type_has_its_lengths) {
  const std::array<std::size_t, 6> least{0, 29, 23, 21, 19, 19}, most{0, 4096, 4096, 4096, 19, 4096};
  for (std::uint8_t type = 1; type <= 5; ++type)
    for (const std::size_t size : {0u, 18u, 19u, 20u, 21u, 22u, 23u, 28u, 29u, 4096u, 4097u, 65535u}) {
      Bytes octets(kKeepalive.begin(), kKeepalive.end());
      write16(octets, 16, static_cast<std::uint16_t>(size));
      octets[18] = type;
      const bool fits = size >= least[type] && size <= most[type];
      EXPECT_EQ(refused(octets), fits ? Notification{} : badMessageLength(size)) << unsigned(type) << " " << size;
    }
  EXPECT_EQ(badMessageLength(4097), (Notification{ErrorCode::message_header, subcode::kBadMessageLength, {0x10, 1}}));
}

TEST(BgpMessage, the_longest_is_4096_octets) {
  const Bytes body(kMaxBodyBytes, 7), message = encodeMessage(MessageType::update, body);
  EXPECT_EQ(message.size(), 4096u);
  EXPECT_EQ(bodyOf(message, MessageType::update), body);
}

TEST(BgpRouteRefresh, golden_bytes) {
  const RouteRefresh request{kIpv4Unicast}, begin{kIpv6Unicast, RefreshSubtype::begin},
      end{kIpv6Unicast, RefreshSubtype::end};
  const auto expectBoth = [](const RouteRefresh& refresh, const std::string& hex) {
    EXPECT_EQ(encode(refresh), fromHex(kMarker + hex));
    EXPECT_EQ(std::get<RouteRefresh>(decodeRouteRefresh(bodyOf(encode(refresh), MessageType::route_refresh))), refresh);
  };
  expectBoth(request, "0017 05 0001 00 01");
  expectBoth(begin, "0017 05 0002 01 01");
  expectBoth(end, "0017 05 0002 02 01");
  expectBoth({{static_cast<Afi>(25), static_cast<Safi>(70)}}, "0017 05 0019 00 46");
}

/// RFC 7313 section 5.
TEST(BgpRouteRefresh, a_mark_of_another_length_is_sent_back_whole) {
  for (const char* const hex : {"0001 01", "0001 02", "0001 01 01 00", "0001 02 01 0000"}) {
    const Bytes body = fromHex(hex);
    EXPECT_EQ(std::get<Notification>(decodeRouteRefresh(body)),
              (Notification{ErrorCode::route_refresh, subcode::kInvalidRouteRefreshLength,
                            encodeMessage(MessageType::route_refresh, body)}))
        << hex;
  }
}

TEST(BgpRouteRefresh, a_request_of_another_length_is_a_wrong_message) {
  for (const char* const hex : {"", "00", "0001", "0001 00", "0001 00 01 00", "0001 00 01 01 80 0000"}) {
    const Bytes body = fromHex(hex);
    EXPECT_EQ(std::get<Notification>(decodeRouteRefresh(body)), badMessageLength(19 + body.size())) << hex;
  }
}

/// RFC 7313 section 5, whatever else it has.
TEST(BgpRouteRefresh, other_subtypes_are_to_be_ignored) {
  for (const char* const hex : {"0001 03 01", "0001 ff", "0001 80 01 00000000"}) {
    const Bytes body = fromHex(hex);
    EXPECT_EQ(std::get<UnknownRefresh>(decodeRouteRefresh(body)), UnknownRefresh{body[2]}) << hex;
  }
}

TEST(BgpNotification, golden_bytes) {
  const Notification shutdown{ErrorCode::cease, subcode::kAdministrativeShutdown, shutdownData("maintenance")};
  const Bytes octets = fromHex(kMarker + "0021 03 06 02 0b 6d61696e74656e616e6365");
  EXPECT_EQ(encode(shutdown), octets);
  EXPECT_EQ(decodeNotification(bodyOf(octets, MessageType::notification)), shutdown);
  EXPECT_EQ(shutdownText(shutdown), "maintenance");
}

TEST(BgpNotification, is_two_octets_at_least) {
  EXPECT_EQ(decodeNotification({}), std::nullopt);
  EXPECT_EQ(decodeNotification(Bytes{6}), std::nullopt);
  EXPECT_EQ(decodeNotification(Bytes{6, 0}), (Notification{ErrorCode::cease, 0}));
}

TEST(BgpNotification, data_that_is_too_long_is_cut) {
  const Notification long_one{ErrorCode::update_message, subcode::kMalformedAttributeList, Bytes(5000, 9)};
  const Bytes message = encode(long_one);
  EXPECT_EQ(message.size(), kMaxMessageBytes);
  EXPECT_EQ(decodeNotification(bodyOf(message, MessageType::notification))->data, Bytes(4075, 9));
}

TEST(BgpNotification, codes_have_words) {
  const auto text = [](unsigned code, unsigned sub) {
    return words(Notification{static_cast<ErrorCode>(code), static_cast<std::uint8_t>(sub)});
  };
  EXPECT_EQ(text(1, 2), "message header error: bad message length");
  EXPECT_EQ(text(2, 0), "OPEN message error: unspecific");
  EXPECT_EQ(text(2, 5), "OPEN message error: subcode 5");
  EXPECT_EQ(text(2, 11), "OPEN message error: role mismatch");
  EXPECT_EQ(text(3, 11), "UPDATE message error: malformed AS_PATH");
  EXPECT_EQ(text(4, 0), "hold timer expired");
  EXPECT_EQ(text(4, 3), "hold timer expired: subcode 3");
  EXPECT_EQ(text(5, 3), "finite state machine error: unexpected message in Established");
  EXPECT_EQ(text(6, 10), "cease: BFD down");
  EXPECT_EQ(text(6, 11), "cease: subcode 11");
  EXPECT_EQ(text(7, 1), "ROUTE-REFRESH message error: invalid message length");
  EXPECT_EQ(text(8, 0), "send hold timer expired");
  EXPECT_EQ(text(0, 0), "code 0: subcode 0");
  EXPECT_EQ(text(9, 1), "code 9: subcode 1");
  EXPECT_EQ(text(255, 255), "code 255: subcode 255");
}

/// RFC 9003 section 2: at most 255 octets, and no half character at the end.
TEST(BgpNotification, a_long_text_is_cut_at_a_character) {
  EXPECT_EQ(shutdownData("").size(), 0u);
  EXPECT_EQ(shutdownData(std::string(255, 'x')).size(), 256u);
  EXPECT_EQ(shutdownData(std::string(256, 'x')).size(), 256u);
  const std::string euro = "\xe2\x82\xac", smile = "\xf0\x9f\x98\x80";
  EXPECT_EQ(shutdownData(std::string(252, 'x') + euro).size(), 256u);
  EXPECT_EQ(shutdownData(std::string(253, 'x') + euro)[0], 253u);
  EXPECT_EQ(shutdownData(std::string(254, 'x') + smile)[0], 254u);
}

TEST(BgpNotification, a_text_ends_where_it_is_no_utf8) {
  for (const char* const bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xe2\x28\xa1"}) {
    const std::string text = std::string("ok") + bad;
    EXPECT_EQ(shutdownData(text + "more")[0], 2u) << testing::PrintToString(text);
    Notification received{ErrorCode::cease, subcode::kAdministrativeReset};
    received.data.push_back(static_cast<std::uint8_t>(text.size()));
    received.data.insert(received.data.end(), text.begin(), text.end());
    EXPECT_EQ(shutdownText(received), "");
    EXPECT_EQ(words(received), "cease: administrative reset (its text is malformed)");
  }
}

/// RFC 3629: the first and last characters of each size, and those around the surrogates.
TEST(BgpNotification, every_size_of_character_is_text) {
  for (const std::string text : {"\x7e", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                 "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(shutdownText({ErrorCode::cease, 2, shutdownData(text)}), text) << testing::PrintToString(text);
    EXPECT_EQ(shutdownData(text).size(), text.size() + 1) << testing::PrintToString(text);
  }
}

TEST(BgpNotification, only_a_whole_text_of_a_shutdown_is_one) {
  const auto text = [](std::uint8_t sub, const Bytes& data) {
    return shutdownText(Notification{ErrorCode::cease, sub, data});
  };
  EXPECT_EQ(text(2, {2, 'h', 'i'}), "hi");
  EXPECT_EQ(text(4, {2, 'h', 'i'}), "hi");
  EXPECT_EQ(text(2, {0}), "");
  EXPECT_EQ(text(2, {3, 'h', 'i'}), "");
  EXPECT_EQ(text(2, {1, 'h', 'i'}), "");
  EXPECT_EQ(text(3, {2, 'h', 'i'}), "");
  EXPECT_EQ(words(Notification{ErrorCode::cease, 3, {9}}), "cease: peer de-configured");
  EXPECT_EQ(words(Notification{ErrorCode::cease, 2, {0}}), "cease: administrative shutdown");
}

TEST(BgpNotification, a_text_cannot_steer_a_terminal) {
  const std::string text =
      "a\x1b[2Jb\n\x7f\xc2\x9b"
      "c\xc2\xa0";
  EXPECT_EQ(shutdownText({ErrorCode::cease, 2, shutdownData(text)}), "a [2Jb   c\xc2\xa0");
}

TEST(BgpTypes, addresses_and_prefixes_print) {
  EXPECT_EQ(toString(Address{Ipv4{0xc0000201}}), "192.0.2.1");
  EXPECT_EQ(toString(Address{Ipv6{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}), "2001:db8::1");
  EXPECT_EQ(toString(Prefix4{0x0a000000, 8}), "10.0.0.0/8");
  EXPECT_EQ(toString(Prefix6{}), "::/0");
  EXPECT_EQ(toString(kIpv6Unicast), "IPv6 unicast");
  EXPECT_EQ(toString(Family{static_cast<Afi>(25), static_cast<Safi>(70)}), "AFI 25 SAFI 70");
}

}  // namespace
}  // namespace poplink::host::bgp
