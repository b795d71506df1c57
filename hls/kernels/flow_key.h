// SPDX-License-Identifier: Apache-2.0
// What makes frames one flow: the 5-tuple where a frame has one, else less. Frames of one flow always give equal keys,
// so what some of them lack is left out for all: ports in fragments, everything behind IPv4 options or IPv6 extension
// headers.
#pragma once

#include "parse.h"

namespace poplink::kernels {

/// One side of a flow.
struct Endpoint {
  bits<32> address[4];  ///< IPv6, or IPv4 in [3], or the MAC address in [2] (high 16 bits) and [3]
  bits<16> port;        ///< 0 where the flow has none
};

struct FlowKey {
  Endpoint source;
  Endpoint destination;
  bits<32> rest;  ///< IP: protocol and IPv6 flow label (RFC 6437); else the two outer VIDs and a mark
};

inline bits<32> longAt(const bits<8> (&header)[kHeaderBytes], unsigned offset) {
  return static_cast<bits<32>>((static_cast<bits<32>>(wordAt(header, offset)) << 16) | wordAt(header, offset + 2));
}

/// TCP, UDP, DCCP, SCTP and UDP-Lite begin with source and destination port.
inline bool hasPorts(bits<8> protocol) {
  return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 || protocol == 136;
}

inline FlowKey macKey(const bits<8> (&header)[kHeaderBytes], const Parsed& parsed) {
  FlowKey key{};
  key.destination.address[2] = wordAt(header, 0);
  key.destination.address[3] = longAt(header, 2);
  key.source.address[2] = wordAt(header, 6);
  key.source.address[3] = longAt(header, 8);
  const auto vid = [&](unsigned i) { return static_cast<bits<32>>(parsed.tags > i ? parsed.tag[i].vid : bits<12>(0)); };
  key.rest = static_cast<bits<32>>(0x8000'0000U | (vid(1) << 12) | vid(0));
  return key;
}

/// RFC 791. Fields behind the header's 20 bytes count only without options. The shortest frame (60 bytes) holds them
/// and the ports behind three tags, so no length is needed here.
inline FlowKey ipv4Key(const bits<8> (&ip)[44]) {
  const auto word = [&](unsigned i) { return static_cast<bits<16>>((static_cast<bits<16>>(ip[i]) << 8) | ip[i + 1]); };
  const auto whole = [&](unsigned i) {
    return static_cast<bits<32>>((static_cast<bits<32>>(word(i)) << 16) | word(i + 2));
  };
  FlowKey key{};
  key.source.address[3] = whole(12);
  key.destination.address[3] = whole(16);
  const bool fragment = static_cast<bits<14>>(word(6)) != 0;  // more fragments, or an offset
  const bool options = static_cast<bits<4>>(ip[0]) != 5;
  if (hasPorts(ip[9]) && !fragment && !options) {
    key.source.port = word(20);
    key.destination.port = word(22);
  }
  key.rest = ip[9];
  return key;
}

/// RFC 8200. `ports_there`: the frame is long enough to hold them.
inline FlowKey ipv6Key(const bits<8> (&ip)[44], bool ports_there, bool symmetric) {
  const auto word = [&](unsigned i) { return static_cast<bits<16>>((static_cast<bits<16>>(ip[i]) << 8) | ip[i + 1]); };
  const auto whole = [&](unsigned i) {
    return static_cast<bits<32>>((static_cast<bits<32>>(word(i)) << 16) | word(i + 2));
  };
  FlowKey key{};
  for (unsigned i = 0; i < 4; ++i) {
    key.source.address[i] = whole(8 + 4 * i);
    key.destination.address[i] = whole(24 + 4 * i);
  }
  const bool fragment = ip[6] == 44;
  if (hasPorts(ip[6]) && ports_there) {
    key.source.port = word(40);
    key.destination.port = word(42);
  }
  // The two directions of a conversation have labels of their own.
  const bits<20> label = fragment || symmetric ? bits<20>(0) : static_cast<bits<20>>(whole(0));
  key.rest = static_cast<bits<32>>((static_cast<bits<32>>(label) << 8) | ip[6]);
  return key;
}

/// The flow of a frame, whatever its payload says: what is no IP, or no IP that holds together, is told apart by MAC
/// addresses and VLAN.
inline FlowKey flowKey(const bits<8> (&header)[kHeaderBytes], const Parsed& parsed, bits<14> length, bool symmetric) {
  bits<8> ip[44];  // behind 0 to 3 tags
  for (unsigned i = 0; i < 44; ++i) {
    ip[i] = header[14 + i];
    for (unsigned tags = 1; tags <= kMaxTags; ++tags) {
      if (parsed.tags == tags) ip[i] = header[14 + 4 * tags + i];
    }
  }
  const bits<14> behind =
      static_cast<bits<14>>(length - 14 - (static_cast<bits<14>>(parsed.tags) << 2));  // bytes from there on
  const bits<4> version = static_cast<bits<4>>(ip[0] >> 4);
  const bool ipv4 = parsed.ethertype == 0x0800 && version == 4 && static_cast<bits<4>>(ip[0]) >= 5;
  const bool ipv6 = parsed.ethertype == 0x86DD && version == 6 && behind >= 40;
  if (ipv4) return ipv4Key(ip);
  if (ipv6) return ipv6Key(ip, behind >= 44, symmetric);
  return macKey(header, parsed);
}

}  // namespace poplink::kernels
