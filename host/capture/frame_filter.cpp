// SPDX-License-Identifier: Apache-2.0
#include "frame_filter.h"

#include <pcap/pcap.h>

namespace poplink::host {

namespace {
constexpr int kSnapLength = 65535;
}

struct FrameFilter::Program {
  bpf_program code{};
  ~Program() { ::pcap_freecode(&code); }
};

FrameFilter::FrameFilter(const std::string& expression) {
  if (expression.empty()) return;
  const std::unique_ptr<pcap_t, decltype(&::pcap_close)> ethernet(::pcap_open_dead(DLT_EN10MB, kSnapLength),
                                                                  &::pcap_close);
  program_ = std::make_unique<Program>();
  if (::pcap_compile(ethernet.get(), &program_->code, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    throw FilterError("filter '" + expression + "': " + ::pcap_geterr(ethernet.get()));
}

FrameFilter::~FrameFilter() = default;

bool FrameFilter::matches(std::span<const std::uint8_t> bytes, std::size_t frame_bytes) const {
  if (!program_) return true;
  pcap_pkthdr header{};
  header.caplen = static_cast<bpf_u_int32>(bytes.size());
  header.len = static_cast<bpf_u_int32>(frame_bytes);
  return ::pcap_offline_filter(&program_->code, &header, bytes.data()) != 0;
}

}  // namespace poplink::host
