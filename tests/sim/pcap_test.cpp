// SPDX-License-Identifier: Apache-2.0
// What a capture file must be, and what is said of one that is not.
#include "pcap.h"

#include <gtest/gtest.h>

#include "scratch.h"

namespace poplink::sim {
namespace {

constexpr std::uint32_t kMicrosecondMagic = 0xA1B2C3D4, kEthernet = 1, kRawIp = 101;

void put(std::string& file, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) file.push_back(static_cast<char>(value >> (8 * i)));
}

std::string header(std::uint32_t link_type = kEthernet) {
  std::string file;
  for (const std::uint32_t word : {kMicrosecondMagic, 0x0004'0002U, 0U, 0U, 65535U, link_type}) put(file, word);
  return file;
}

std::string record(std::uint32_t captured, std::uint32_t length, std::uint32_t seconds = 0, std::uint32_t us = 0) {
  std::string file;
  for (const std::uint32_t word : {seconds, us, captured, length}) put(file, word);
  return file + std::string(captured, 'x');
}

class Capture : public ::testing::Test {
 protected:
  /// What readPcap() says of this content, without the file's name.
  std::string saidOf(const std::string& content) {
    std::ofstream(file_, std::ios::binary) << content;
    const std::string text = refusal([&] { readPcap(file_); });
    if (text.empty()) return text;
    EXPECT_EQ(text.rfind(file_ + ": ", 0), 0U) << "names the file: " << text;
    return text.substr(std::min(text.size(), file_.size() + 2));
  }
  Scratch scratch_;
  std::string file_ = scratch_ / "a.pcap";
};

TEST_F(Capture, that_is_not_there_is_named) {
  EXPECT_EQ(refusal([&] { readPcap(file_); }), file_ + ": No such file or directory");
}

TEST_F(Capture, without_frames_is_one_all_the_same) {
  EXPECT_EQ(saidOf(header()), "");
  EXPECT_TRUE(readPcap(file_).empty());
}

TEST_F(Capture, that_is_something_else_is_refused) {
  EXPECT_EQ(saidOf("region: eu-west\nsites: []\nservices: []\n"), "unknown file format");
  EXPECT_NE(saidOf("").find("truncated"), std::string::npos);
  EXPECT_NE(saidOf(header().substr(0, 10)).find("truncated"), std::string::npos);
}

TEST_F(Capture, of_something_else_than_ethernet_is_refused) {
  EXPECT_EQ(saidOf(header(kRawIp) + record(60, 60)), "is not a capture of Ethernet frames");
}

TEST_F(Capture, that_is_cut_short_is_refused) {
  const std::string whole = header() + record(60, 60) + record(60, 60);
  EXPECT_EQ(saidOf(whole), "");
  for (const std::size_t missing : {1U, 59U, 60U, 70U})
    EXPECT_NE(saidOf(whole.substr(0, whole.size() - missing)).find("truncated"), std::string::npos) << missing;
}

TEST_F(Capture, of_parts_of_frames_is_refused_with_the_first_of_them) {
  EXPECT_EQ(saidOf(header() + record(60, 60) + record(96, 1500)),
            "frame 2 was captured in part only (96 of 1500 bytes)");
}

TEST_F(Capture, with_an_empty_frame_is_refused) {
  EXPECT_EQ(saidOf(header() + record(60, 60) + record(60, 60) + record(0, 0)), "frame 3 is empty");
}

TEST_F(Capture, in_microseconds_is_read_in_nanoseconds) {
  EXPECT_EQ(saidOf(header() + record(60, 60, 12, 345'678)), "");
  EXPECT_EQ(readPcap(file_).at(0).time_ns, 12'345'678'000U);
}

TEST_F(Capture, comes_back_as_written_to_the_nanosecond) {
  {
    PcapWriter writer(file_, [] { return 4; });
    writer.write(std::vector<std::uint8_t>(60, 7), 1'999'999'999'999'999'999);
    writer.write(std::vector<std::uint8_t>(9216, 8));
  }
  const std::vector<CapturedFrame> frames = readPcap(file_);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].time_ns, 1'999'999'999'999'999'999U);
  EXPECT_EQ(frames[0].bytes, std::vector<std::uint8_t>(60, 7));
  EXPECT_EQ(frames[1].time_ns, 4U);
  EXPECT_EQ(frames[1].bytes.size(), 9216U);
}

TEST_F(Capture, that_cannot_be_written_says_so) {
  const std::string nowhere = scratch_ / "not/there.pcap";
  EXPECT_EQ(refusal([&] { PcapWriter(nowhere, [] { return 0; }); }), nowhere + ": No such file or directory");
  EXPECT_EQ(refusal([] {
              PcapWriter full("/dev/full", [] { return 0; });
              full.write(std::vector<std::uint8_t>(60, 7));
              full.flush();
            }),
            "/dev/full: cannot be written");
}

}  // namespace
}  // namespace poplink::sim
