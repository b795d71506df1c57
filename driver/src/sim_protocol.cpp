// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/sim_protocol.h"

#include <algorithm>

namespace poplink::driver::sim_protocol {

namespace {

class Writer {
 public:
  explicit Writer(Type type) {
    u32(static_cast<std::uint32_t>(type));
    u32(0);
  }
  Writer& u16(std::uint32_t value) { return little(value, 2); }
  Writer& u32(std::uint32_t value) { return little(value, 4); }
  Writer& u64(std::uint64_t value) { return little(value, 8); }
  Writer& text(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  Bytes message() {
    const auto length = static_cast<std::uint32_t>(bytes_.size() - kHeaderBytes);
    for (unsigned i = 0; i < 4; ++i) bytes_[4 + i] = static_cast<std::uint8_t>(length >> (8 * i));
    return std::move(bytes_);
  }

 private:
  Writer& little(std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  Bytes bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::size_t left() const { return bytes_.size(); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(little(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(little(4)); }
  std::uint64_t u64() { return little(8); }
  std::string text() { return {bytes_.begin(), bytes_.end()}; }

 private:
  std::uint64_t little(unsigned size) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) value |= static_cast<std::uint64_t>(bytes_[i]) << (8 * i);
    bytes_ = bytes_.subspan(size);
    return value;
  }
  std::span<const std::uint8_t> bytes_;
};

constexpr std::size_t kAccessBytes = 12;

bool isConfigSize(unsigned size) {
  return size == 1 || size == 2 || size == 4;
}

}  // namespace

Bytes encodeHello(std::string_view client) {
  return Writer(Type::hello).u32(kVersion).text(client.substr(0, kMaxClientName)).message();
}

Bytes encodeHelloAnswer(const HelloAnswer& answer) {
  return Writer(Type::hello).u32(answer.version).u16(answer.vendor).u16(answer.device).u32(answer.bar0_bytes).message();
}

Bytes encodeConfigRead(const ConfigAccess& access) {
  return Writer(Type::config_read).u16(access.offset).u16(access.size).message();
}

Bytes encodeConfigWrite(const ConfigAccess& access) {
  return Writer(Type::config_write).u16(access.offset).u16(access.size).u32(access.value).message();
}

Bytes encodeConfigReadAnswer(std::uint32_t value) {
  return Writer(Type::config_read).u32(value).message();
}

Bytes encodeBatch(std::span<const Access> accesses) {
  Writer writer(Type::batch);
  for (const Access& access : accesses)
    writer.u32(static_cast<std::uint32_t>(access.kind)).u32(access.address).u32(access.value);
  return writer.message();
}

Bytes encodeBatchAnswer(const BatchAnswer& answer) {
  Writer writer(Type::batch);
  writer.u32(answer.done);
  for (std::uint32_t value : answer.values) writer.u32(value);
  return writer.message();
}

Bytes encodeMap(const Mapping& mapping) {
  return Writer(Type::map).u64(mapping.bus_address).u64(mapping.bytes).message();
}

Bytes encodeUnmap(std::uint64_t bus_address) {
  return Writer(Type::unmap).u64(bus_address).message();
}

Bytes encodeVector(std::uint32_t vector) {
  return Writer(Type::vector).u32(vector).message();
}

Bytes encodeReset() {
  return Writer(Type::reset).message();
}

Bytes encodeDone(Type type) {
  return Writer(type).message();
}

Bytes encodeRefused(std::string_view text) {
  return Writer(Type::refused).text(text).message();
}

std::optional<Header> decodeHeader(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  Reader reader(bytes);
  const std::uint32_t type = reader.u32(), length = reader.u32();
  if (type < static_cast<std::uint32_t>(Type::hello) || type > static_cast<std::uint32_t>(Type::reset))
    return std::nullopt;
  if (length > kMaxPayloadBytes) return std::nullopt;
  return Header{static_cast<Type>(type), length};
}

std::optional<Hello> decodeHello(std::span<const std::uint8_t> payload) {
  if (payload.size() < 4) return std::nullopt;
  Reader reader(payload);
  Hello hello{reader.u32(), ""};
  if (hello.version != kVersion) return hello;  // what follows is its own business
  if (reader.left() > kMaxClientName) return std::nullopt;
  hello.client = reader.text();
  // The name is shown to others: nothing in it may play with their terminal.
  const bool printable = std::none_of(hello.client.begin(), hello.client.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
  });
  return printable ? std::optional(std::move(hello)) : std::nullopt;
}

std::optional<HelloAnswer> decodeHelloAnswer(std::span<const std::uint8_t> payload) {
  if (payload.size() != 12) return std::nullopt;
  Reader reader(payload);
  HelloAnswer answer{};
  answer.version = reader.u32();
  answer.vendor = reader.u16();
  answer.device = reader.u16();
  answer.bar0_bytes = reader.u32();
  return answer;
}

std::optional<ConfigAccess> decodeConfigRead(std::span<const std::uint8_t> payload) {
  if (payload.size() != 4) return std::nullopt;
  Reader reader(payload);
  const std::uint16_t offset = reader.u16(), size = reader.u16();
  if (!isConfigSize(size)) return std::nullopt;
  return ConfigAccess{offset, size, 0};
}

std::optional<ConfigAccess> decodeConfigWrite(std::span<const std::uint8_t> payload) {
  if (payload.size() != 8) return std::nullopt;
  Reader reader(payload);
  const std::uint16_t offset = reader.u16(), size = reader.u16();
  if (!isConfigSize(size)) return std::nullopt;
  return ConfigAccess{offset, size, reader.u32()};
}

std::optional<std::uint32_t> decodeConfigReadAnswer(std::span<const std::uint8_t> payload) {
  if (payload.size() != 4) return std::nullopt;
  return Reader(payload).u32();
}

std::optional<std::vector<Access>> decodeBatch(std::span<const std::uint8_t> payload) {
  if (payload.size() % kAccessBytes != 0) return std::nullopt;
  Reader reader(payload);
  std::vector<Access> accesses;
  accesses.reserve(payload.size() / kAccessBytes);
  while (reader.left() != 0) {
    const std::uint32_t kind = reader.u32(), address = reader.u32(), value = reader.u32();
    if (kind > 1) return std::nullopt;
    accesses.push_back({static_cast<Access::Kind>(kind), address, value});
  }
  return accesses;
}

std::optional<BatchAnswer> decodeBatchAnswer(std::span<const std::uint8_t> payload) {
  if (payload.size() < 4 || payload.size() % 4 != 0) return std::nullopt;
  Reader reader(payload);
  BatchAnswer answer;
  answer.done = reader.u32();
  while (reader.left() != 0) answer.values.push_back(reader.u32());
  return answer;
}

std::optional<Mapping> decodeMap(std::span<const std::uint8_t> payload) {
  if (payload.size() != 16) return std::nullopt;
  Reader reader(payload);
  const std::uint64_t address = reader.u64(), bytes = reader.u64();
  if (bytes == 0 || address % kMappingUnit != 0 || bytes % kMappingUnit != 0) return std::nullopt;
  if (address + (bytes - 1) < address) return std::nullopt;
  return Mapping{address, bytes};
}

std::optional<std::uint64_t> decodeUnmap(std::span<const std::uint8_t> payload) {
  if (payload.size() != 8) return std::nullopt;
  return Reader(payload).u64();
}

std::optional<std::uint32_t> decodeVector(std::span<const std::uint8_t> payload) {
  if (payload.size() != 4) return std::nullopt;
  const std::uint32_t vector = Reader(payload).u32();
  return vector < kMaxVectors ? std::optional(vector) : std::nullopt;
}

}  // namespace poplink::driver::sim_protocol
