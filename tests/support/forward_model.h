// SPDX-License-Identifier: Apache-2.0
// forward() over tables in memory: the golden model of the card, frame in, frame out. There is no other model of
// forwarding.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "ecmp_model.h"
#include "forward.h"
#include "tables.h"

namespace poplink::tests {

using Frame = std::vector<std::uint8_t>;

struct Tables : EcmpTables {
  std::uint32_t hash_seed = 0x1234'5678;
  bool hash_symmetric = false;
};

struct Decision {
  kernels::ForwardOut out;
  Frame frame;  ///< as it leaves; empty when dropped
};

/// What the card must do with `frame` (60 bytes or more) received on `port`.
Decision decide(const Tables& tables, std::span<const std::uint8_t> frame, unsigned port);

/// All but what the card itself adds: the hash's seed and mode.
kernels::ForwardIn headerWindow(std::span<const std::uint8_t> frame, unsigned port);
Frame applyEdit(std::span<const std::uint8_t> frame, const kernels::Edit& edit);

/// Tables of a card with every kind of service on it: port p is attachment and link p, and ports 6 and 7 are backbone
/// links, each a group of its own.
///   port 0: S- or C-VID 100..103 -> services 0..3, untagged -> service 4       port 1: whole port -> service 5
///   port 2: whole port -> service 6, VID 300 -> service 7                      port 3: S-TPID 0x9100, VID 400 ->
///   service 8 port 4: not collecting                                                     port 5: no service at all
///   service n: S-VID 1000 + n on port 6 + n % 2; service 7 has MTU 1500; service 3 is not configured
Tables exampleTables();

/// Frames that meet every branch: tags of all kinds, link-local and unsupported protocols, random rest; `length` bytes.
template <class Random>
Frame randomFrame(Random& random, std::size_t length) {
  Frame frame(length);
  for (auto& byte : frame) byte = static_cast<std::uint8_t>(random());
  const auto put16 = [&](std::size_t at, unsigned value) {
    frame[at] = static_cast<std::uint8_t>(value >> 8);
    frame[at + 1] = static_cast<std::uint8_t>(value);
  };
  if (random() % 16 == 0) {
    constexpr std::uint8_t kLinkLocal[] = {0x01, 0x80, 0xC2, 0x00, 0x00};
    for (std::size_t i = 0; i < 5; ++i) frame[i] = kLinkLocal[i];
    frame[5] = static_cast<std::uint8_t>(random() % 24);
  }
  constexpr unsigned kTpids[] = {0x8100, 0x88A8, 0x9100};
  constexpr unsigned kVids[] = {0, 100, 101, 102, 103, 300, 400, 4095, 1000, 1001, 1002, 1004, 1005, 1006, 1007, 1008};
  constexpr unsigned kTypes[] = {0x0800, 0x86DD, 0x8906, 0x8914, 0x22F3, 0x22F4, 0x8809, 0x88CC, 0x8808, 0x0026};
  std::size_t at = 12;
  for (std::uint64_t tags = random() % 5; tags > 0; --tags, at += 4) {
    put16(at, kTpids[random() % 3]);
    put16(at + 2, static_cast<unsigned>(random() % 16) << 12 |
                      (random() % 8 == 0 ? static_cast<unsigned>(random() % 4096) : kVids[random() % 16]));
  }
  put16(at, kTypes[random() % 10]);
  return frame;
}

/// 0 to 3 tags, IPv4 or IPv6, now and then a field that makes it something else.
template <class Random>
Frame ipFrame(Random& random) {
  Frame frame = randomFrame(random, 60 + random() % 60);
  std::size_t at = 12;
  for (auto tags = random() % 4; tags > 0; --tags, at += 4) {
    frame[at] = random() % 2 ? 0x81 : 0x88;
    frame[at + 1] = frame[at] == 0x81 ? 0x00 : 0xA8;
  }
  const bool v6 = random() % 2 == 0;
  frame[at] = v6 ? 0x86 : 0x08;
  frame[at + 1] = v6 ? 0xDD : 0x00;
  frame[at + 2] = static_cast<std::uint8_t>(random() % 8 == 0 ? random() : v6 ? 0x60 | (random() & 15) : 0x45);
  constexpr std::uint8_t kProtocols[] = {6, 17, 1, 44, 132, 58, 33, 136};
  frame[at + 2 + (v6 ? 6 : 9)] = kProtocols[random() % 8];
  if (!v6 && random() % 2 == 0) frame[at + 8] = frame[at + 9] = 0;  // no fragment
  return frame;
}

}  // namespace poplink::tests
