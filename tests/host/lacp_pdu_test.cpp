// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pdu.h"

namespace poplink::host::lacp {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes fromHex(std::string_view text) {
  Bytes bytes;
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string digits;
  for (const char c : text)
    if (c != ' ' && c != '\n') digits += c;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(digit(digits[i]) << 4 | digit(digits[i + 1])));
  return bytes;
}

/// What Linux's bonding driver fills into its first LACPDU (lacp_rate slow, 1 Gbit/s): it knows nobody yet.
const char* const kLinuxFirst =
    "0180c2000002 525400123456 8809 01 01 "
    "01 14 ffff 525400123456 0009 00ff 0001 4d 000000 "
    "02 14 ffff 000000000000 0001 00ff 0001 01 000000 "
    "03 10 0000 000000000000000000000000 "
    "00 00 "
    "00000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000";

const MacAddress kLinux{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

Lacpdu linuxFirst() {
  Lacpdu pdu;
  pdu.actor = {0xffff, kLinux, 9, 255, 1, portState(0x4d)};
  pdu.partner = {0xffff, {}, 1, 255, 1, portState(0x01)};
  return pdu;
}

TEST(LacpPdu, golden_bytes_of_a_linux_bond) {
  const Bytes frame = fromHex(kLinuxFirst);
  ASSERT_EQ(frame.size(), kFrameBytes);
  const Decoded decoded = decodeFrame(frame);
  ASSERT_TRUE(std::holds_alternative<Lacpdu>(decoded));
  EXPECT_EQ(std::get<Lacpdu>(decoded), linuxFirst());
  EXPECT_EQ(encodeFrame(linuxFirst(), kLinux), frame);
}

TEST(LacpPdu, golden_bytes_of_a_marker_and_its_response) {
  const std::string rest = " 10 0007 525400123456 deadbeef 0000 0000" + std::string(180, '0');
  const Bytes marker = fromHex("02 01 01" + rest), response = fromHex("02 01 02" + rest);
  ASSERT_EQ(marker.size(), kPduBytes);
  const MarkerPdu expected{1, false, 7, kLinux, 0xdeadbeef};
  EXPECT_EQ(std::get<MarkerPdu>(decode(marker)), expected);
  EXPECT_EQ(encode(expected), marker);
  MarkerPdu answer = expected;
  answer.response = true;
  EXPECT_EQ(std::get<MarkerPdu>(decode(response)), answer);
  EXPECT_EQ(encode(answer), response);
}

TEST(LacpPdu, every_state_byte_survives) {
  for (unsigned byte = 0; byte < 256; ++byte) EXPECT_EQ(toByte(portState(static_cast<std::uint8_t>(byte))), byte);
  EXPECT_EQ(words(portState(0x3f)), "active fast aggregatable in-sync collecting distributing");
  EXPECT_EQ(words(portState(0xc0)), "passive slow individual out-of-sync defaulted expired");
}

TEST(LacpPdu, each_field_has_its_place) {
  Lacpdu pdu = linuxFirst();
  const Bytes before = encode(pdu);
  const auto changed = [&before](const Lacpdu& other) {
    const Bytes after = encode(other);
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < kPduBytes; ++i)
      if (before[i] != after[i]) places.push_back(i);
    return places;
  };
  using Places = std::vector<std::size_t>;
  Lacpdu a = pdu, b = pdu, c = pdu, d = pdu;
  a.actor.key = 0x1122;
  b.partner.port = 0x3344;
  c.collector_max_delay = 0x5566;
  d.partner.state = portState(0xfe);
  EXPECT_EQ(changed(a), (Places{12, 13}));
  EXPECT_EQ(changed(b), (Places{36, 37}));
  EXPECT_EQ(changed(c), (Places{44, 45}));
  EXPECT_EQ(changed(d), (Places{38}));
}

/// 6.4.12: version, TLV types and reserved octets shall not be validated.
TEST(LacpPdu, what_later_versions_may_change_is_not_checked) {
  for (const std::size_t place : {2u, 22u, 42u, 58u, 19u, 41u, 50u, 60u, 109u}) {
    Bytes bytes = encode(linuxFirst());
    bytes[place] = 0x77;
    const Decoded decoded = decode(bytes);
    ASSERT_TRUE(std::holds_alternative<Lacpdu>(decoded)) << place;
    EXPECT_EQ(std::get<Lacpdu>(decoded), linuxFirst()) << place;
  }
  Bytes second = encode(linuxFirst());
  second[1] = 2;
  second[58] = 4;  // Port Algorithm TLV of version 2 instead of the terminator
  second[59] = 6;
  Lacpdu expected = linuxFirst();
  expected.version = 2;
  EXPECT_EQ(std::get<Lacpdu>(decode(second)), expected);
  second.resize(400, 0x55);
  EXPECT_EQ(std::get<Lacpdu>(decode(second)), expected);
}

TEST(LacpPdu, wrong_lengths_are_refused) {
  for (const std::size_t place : {3u, 23u, 43u, 59u})
    for (const unsigned length : {0u, 1u, 15u, 19u, 21u, 255u}) {
      if (place == 59 && length == 0) continue;
      Bytes bytes = encode(linuxFirst());
      bytes[place] = static_cast<std::uint8_t>(length);
      EXPECT_EQ(std::get<DecodeError>(decode(bytes)), DecodeError::tlv_length) << place << " " << length;
    }
  Bytes marker = encode(MarkerPdu{});
  marker[3] = 15;
  EXPECT_EQ(std::get<DecodeError>(decode(marker)), DecodeError::tlv_length);
  marker[3] = 16;
  marker[2] = 3;
  EXPECT_EQ(std::get<DecodeError>(decode(marker)), DecodeError::marker_type);
}

TEST(LacpPdu, short_input_is_truncated_at_every_length) {
  const Bytes lacpdu = encode(linuxFirst()), marker = encode(MarkerPdu{});
  for (std::size_t size = 0; size < kPduBytes; ++size)
    for (const Bytes& whole : {lacpdu, marker}) {
      const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(std::get<DecodeError>(decode(part)), DecodeError::truncated) << size;
    }
  const Bytes frame = encodeFrame(linuxFirst(), kLinux);
  for (std::size_t size = 0; size < kFrameBytes; ++size)
    EXPECT_EQ(std::get<DecodeError>(decodeFrame(std::span(frame).first(size))), DecodeError::truncated) << size;
}

TEST(LacpPdu, other_frames_are_named) {
  Bytes frame = encodeFrame(linuxFirst(), kLinux);
  frame[14] = 3;  // OAM
  EXPECT_EQ(std::get<DecodeError>(decodeFrame(frame)), DecodeError::other_protocol);
  frame = encodeFrame(linuxFirst(), kLinux);
  frame[13] = 0x08;
  EXPECT_EQ(std::get<DecodeError>(decodeFrame(frame)), DecodeError::not_slow);
  frame = encodeFrame(linuxFirst(), kLinux);
  frame[5] = 0x03;
  EXPECT_EQ(std::get<DecodeError>(decodeFrame(frame)), DecodeError::not_slow);
}

}  // namespace
}  // namespace poplink::host::lacp
