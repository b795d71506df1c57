// SPDX-License-Identifier: Apache-2.0
#include "pcap.h"

#include <pcap/pcap.h>

namespace poplink::sim {

namespace {

constexpr int kSnapLength = 65535;
constexpr std::uint64_t kNanoseconds = 1'000'000'000;

}  // namespace

std::vector<CapturedFrame> readPcap(const std::string& file) {
  char problem[PCAP_ERRBUF_SIZE];
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> capture(
      pcap_open_offline_with_tstamp_precision(file.c_str(), PCAP_TSTAMP_PRECISION_NANO, problem), &pcap_close);
  if (!capture) {
    const std::string text = problem;  // libpcap names the file in some of its texts only
    throw PcapError(text.starts_with(file) ? text : file + ": " + text);
  }
  if (pcap_datalink(capture.get()) != DLT_EN10MB) throw PcapError(file + ": is not a capture of Ethernet frames");
  std::vector<CapturedFrame> frames;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  int result = 0;
  while ((result = pcap_next_ex(capture.get(), &header, &data)) == 1) {
    const std::string frame = file + ": frame " + std::to_string(frames.size() + 1);
    if (header->caplen != header->len) {
      throw PcapError(frame + " was captured in part only (" + std::to_string(header->caplen) + " of " +
                      std::to_string(header->len) + " bytes)");
    }
    if (header->len == 0) throw PcapError(frame + " is empty");
    const auto seconds = static_cast<std::uint64_t>(header->ts.tv_sec),
               rest = static_cast<std::uint64_t>(header->ts.tv_usec);
    frames.push_back({{data, data + header->caplen}, seconds * kNanoseconds + rest});
  }
  if (result == PCAP_ERROR) throw PcapError(file + ": " + pcap_geterr(capture.get()));
  return frames;
}

struct PcapWriter::State {
  std::string file;
  pcap_t* handle = nullptr;
  pcap_dumper_t* dumper = nullptr;
};

PcapWriter::PcapWriter(const std::string& file, std::function<std::uint64_t()> now_ns)
    : state_(std::make_unique<State>()), now_ns_(std::move(now_ns)) {
  state_->file = file;
  state_->handle = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, kSnapLength, PCAP_TSTAMP_PRECISION_NANO);
  state_->dumper = pcap_dump_open(state_->handle, file.c_str());
  if (state_->dumper != nullptr) return;
  const std::string problem = pcap_geterr(state_->handle);
  pcap_close(state_->handle);
  throw PcapError(problem);
}

PcapWriter::~PcapWriter() {
  pcap_dump_close(state_->dumper);
  pcap_close(state_->handle);
}

void PcapWriter::write(std::span<const std::uint8_t> frame, std::uint64_t time_ns) {
  pcap_pkthdr header{};
  header.ts.tv_sec = static_cast<time_t>(time_ns / kNanoseconds);
  header.ts.tv_usec = static_cast<suseconds_t>(time_ns % kNanoseconds);
  header.caplen = header.len = static_cast<bpf_u_int32>(frame.size());
  pcap_dump(reinterpret_cast<u_char*>(state_->dumper), &header, frame.data());
}

void PcapWriter::flush() {
  if (pcap_dump_flush(state_->dumper) != 0) throw PcapError(state_->file + ": cannot be written");
}

}  // namespace poplink::sim
