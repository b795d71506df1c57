// SPDX-License-Identifier: Apache-2.0
#include "capture_record.h"

#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/binary_from_base64.hpp>
#include <boost/archive/iterators/transform_width.hpp>

#include "../capture/capture_hub.h"

namespace poplink::host::api {

namespace {

constexpr std::size_t kHeader = 14;  // of Ethernet: addresses and type

namespace iterators = boost::archive::iterators;

// RFC 4648, section 4.
std::string base64(std::span<const std::uint8_t> bytes) {
  using Encoder = iterators::base64_from_binary<iterators::transform_width<const std::uint8_t*, 6, 8>>;
  std::string text(Encoder(bytes.data()), Encoder(bytes.data() + bytes.size()));
  return text + std::string((3 - bytes.size() % 3) % 3, '=');
}

/// Throws for anything else.
std::vector<std::uint8_t> fromBase64(std::string text) {
  using Decoder = iterators::transform_width<iterators::binary_from_base64<const char*>, 8, 6>;
  const std::size_t digits = text.find_last_not_of('=') + 1;
  // The decoder takes a padding in the middle for a digit.
  if (text.size() % 4 != 0 || text.size() - digits > 2 || text.find('=') < digits)
    throw std::invalid_argument("no base64");
  text.resize(digits);
  return {Decoder(text.data()), Decoder(text.data() + text.size())};
}

/// Throws for what is no whole number up to `last`.
std::uint64_t number(const Json& value, std::uint64_t last) {
  const bool whole = value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
  if (!whole || value.get<std::uint64_t>() > last) throw std::invalid_argument("no number of a frame");
  return value.get<std::uint64_t>();
}

}  // namespace

Json captureRecord(const driver::HostFrame& frame, std::uint64_t time_us) {
  return {{"port", frame.port},
          {"reason", frame.reason},
          {"reason_name", outcomeName(frame.reason)},
          {"copy", frame.copy},
          {"learned", frame.learned},
          {"service", frame.service ? Json(*frame.service) : Json()},
          {"hash", frame.hash},
          {"egress_port", frame.egress_port},
          {"time_us", time_us},
          {"lost", frame.lost},
          {"frame_bytes", frame.frame_bytes},
          {"bytes", base64(frame.bytes)}};
}

std::optional<CaptureRecord> captureRecordOf(const Json& json) {
  try {
    CaptureRecord record{{}, fromBase64(json.at("bytes"))};
    driver::HostFrame& frame = record.frame;
    if (record.bytes.size() < kHeader) return std::nullopt;
    const auto of = [&json](const char* name, std::uint64_t last) {
      return static_cast<std::uint32_t>(number(json.at(name), last));
    };
    frame.bytes = record.bytes;
    frame.frame_bytes = of("frame_bytes", UINT32_MAX);
    frame.port = of("port", driver::kFromHost);
    frame.reason = of("reason", driver::Capture{}.outcomes.size() - 1);
    frame.copy = json.at("copy");
    frame.learned = json.at("learned");
    if (!json.at("service").is_null()) frame.service = of("service", UINT32_MAX);
    frame.hash = of("hash", UINT32_MAX);
    frame.egress_port = of("egress_port", UINT32_MAX);
    frame.us = number(json.at("time_us"), UINT64_MAX);
    frame.lost = static_cast<std::uint32_t>(std::min<std::uint64_t>(number(json.at("lost"), UINT64_MAX), UINT32_MAX));
    return record;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace poplink::host::api
