// SPDX-License-Identifier: Apache-2.0
// Messages between a simulated card and the one client that owns it: a unix stream socket, everything little-endian.
//
// Each message is a header (type, length of the payload in bytes) and its payload. The client speaks first, with hello;
// the card answers every message with one of its own type, or with `refused`, whose payload is a text for the user.
//
//   hello         -> u32 protocol version, rest: who the client is (printable text of at most kMaxClientName bytes)
//                 <- u32 version, u16 vendor, u16 device, u32 bytes of BAR0
//
//   config_read   -> u16 offset, u16 size (1, 2, 4)
//                 <- u32 value
//
//   config_write  -> u16 offset, u16 size, u32 value
//                 <- nothing
//
//   batch         -> n * (u32 kind, u32 BAR0 offset, u32 value)
//                 <- u32 accesses done, u32 value of each read done
//
//   map           -> u64 bus address, u64 bytes, both multiples of 4096; with it the descriptor of a memfd of at least
//   so
//                    many bytes, sealed against shrinking: from now on the card finds its start at this address
//                 <- nothing
//
//   unmap         -> u64 bus address of something mapped
//                 <- nothing
//
//   vector        -> u32 vector; with it the descriptor of an eventfd that counts the vector's interrupts
//                 <- nothing
//
//   reset         -> nothing. A function-level reset; mappings stay, the function is enabled and vectors set up again
//                 <- nothing
//
// A descriptor comes as SCM_RIGHTS with the first byte of its message, one with a map and a vector, none with others.
// The socket is the bus, its firmware and its kernel in one: an owner finds Memory Space and Bus Master enabled, and a
// vector's message set up and unmasked when it asks for the vector.
//
// A card has one owner at a time. A second client's hello is refused with the name of the first. The card is free again
// when the owner's connection ends, however it ends: mappings and vectors are dropped and the function is reset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "poplink/driver/transport.h"

namespace poplink::driver::sim_protocol {

inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::size_t kHeaderBytes = 8;
inline constexpr std::uint32_t kMaxPayloadBytes = 1U << 20;  ///< a longer one is an error of the peer
inline constexpr std::size_t kMaxClientName = 128;
inline constexpr std::size_t kMaxBatch = kMaxPayloadBytes / 12;
inline constexpr std::size_t kMaxMappings = 4096;    ///< of an owner at a time
inline constexpr std::uint64_t kMappingUnit = 4096;  ///< of addresses and sizes
inline constexpr std::uint32_t kMaxVectors = 2048;   ///< PCI Local Bus 3.0, 6.8.2.3

enum class Type : std::uint32_t {
  hello = 1,
  config_read = 2,
  config_write = 3,
  batch = 4,
  refused = 5,
  map = 6,
  unmap = 7,
  vector = 8,
  reset = 9
};

struct Header {
  Type type;
  std::uint32_t payload_bytes;
};

struct HelloAnswer {
  std::uint32_t version;
  std::uint16_t vendor;
  std::uint16_t device;
  std::uint32_t bar0_bytes;
};

struct ConfigAccess {
  std::uint16_t offset;
  std::uint16_t size;       ///< bytes: 1, 2 or 4
  std::uint32_t value = 0;  ///< of a write
};

struct BatchAnswer {
  std::uint32_t done = 0;  ///< fewer than asked: the next access was refused by the card
  std::vector<std::uint32_t> values;
};

struct Mapping {
  std::uint64_t bus_address;
  std::uint64_t bytes;
};

using Bytes = std::vector<std::uint8_t>;

// Encoders give whole messages, header included.
Bytes encodeHello(std::string_view client);
Bytes encodeHelloAnswer(const HelloAnswer& answer);
Bytes encodeConfigRead(const ConfigAccess& access);
Bytes encodeConfigWrite(const ConfigAccess& access);
Bytes encodeConfigReadAnswer(std::uint32_t value);
Bytes encodeBatch(std::span<const Access> accesses);
Bytes encodeBatchAnswer(const BatchAnswer& answer);
Bytes encodeMap(const Mapping& mapping);
Bytes encodeUnmap(std::uint64_t bus_address);
Bytes encodeVector(std::uint32_t vector);
Bytes encodeReset();
/// The answer that says nothing but that it is done.
Bytes encodeDone(Type type);
Bytes encodeRefused(std::string_view text);

// Decoders give nothing for a payload that is not what it should be.
std::optional<Header> decodeHeader(std::span<const std::uint8_t> bytes);
struct Hello {
  std::uint32_t version;
  std::string client;
};
std::optional<Hello> decodeHello(std::span<const std::uint8_t> payload);
std::optional<HelloAnswer> decodeHelloAnswer(std::span<const std::uint8_t> payload);
std::optional<ConfigAccess> decodeConfigRead(std::span<const std::uint8_t> payload);
std::optional<ConfigAccess> decodeConfigWrite(std::span<const std::uint8_t> payload);
std::optional<std::uint32_t> decodeConfigReadAnswer(std::span<const std::uint8_t> payload);
std::optional<std::vector<Access>> decodeBatch(std::span<const std::uint8_t> payload);
std::optional<BatchAnswer> decodeBatchAnswer(std::span<const std::uint8_t> payload);
/// Also nothing for a mapping that is empty, not of whole units, or goes round the end of the address space.
std::optional<Mapping> decodeMap(std::span<const std::uint8_t> payload);
std::optional<std::uint64_t> decodeUnmap(std::span<const std::uint8_t> payload);
std::optional<std::uint32_t> decodeVector(std::span<const std::uint8_t> payload);

}  // namespace poplink::driver::sim_protocol
