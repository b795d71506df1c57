// SPDX-License-Identifier: Apache-2.0
#include "capture_record.h"

#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/binary_from_base64.hpp>
#include <boost/archive/iterators/transform_width.hpp>

#include "../capture/capture_hub.h"

namespace poplink::host::api {

namespace {

namespace iterators = boost::archive::iterators;

// RFC 4648, section 4.
std::string base64(std::span<const std::uint8_t> bytes) {
  using Encoder = iterators::base64_from_binary<iterators::transform_width<const std::uint8_t*, 6, 8>>;
  std::string text(Encoder(bytes.data()), Encoder(bytes.data() + bytes.size()));
  return text + std::string((3 - bytes.size() % 3) % 3, '=');
}

/// Throws for other characters.
std::vector<std::uint8_t> fromBase64(std::string text) {
  using Decoder = iterators::transform_width<iterators::binary_from_base64<const char*>, 8, 6>;
  if (text.size() % 4 != 0) throw std::invalid_argument("no base64");
  text.resize(text.find_last_not_of('=') + 1);
  return {Decoder(text.data()), Decoder(text.data() + text.size())};
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
    frame.bytes = record.bytes;
    frame.frame_bytes = json.at("frame_bytes");
    frame.port = json.at("port");
    frame.reason = json.at("reason");
    frame.copy = json.at("copy");
    frame.learned = json.at("learned");
    if (!json.at("service").is_null()) frame.service = json["service"].get<unsigned>();
    frame.hash = json.at("hash");
    frame.egress_port = json.at("egress_port");
    frame.us = json.at("time_us");
    frame.lost = json.at("lost");
    return record;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace poplink::host::api
