// SPDX-License-Identifier: Apache-2.0
// Lab files: what they mean, and what is refused with which words. Each file in bad/ begins with the message it gets,
// all of it behind the file's name.
#include "lab_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "scratch.h"

namespace poplink::sim {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> badFiles() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(POPLINK_BAD_LABS)) names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

class BadLab : public ::testing::TestWithParam<std::string> {};

TEST_P(BadLab, is_refused_with_place_and_rule) {
  const std::string file = std::string(POPLINK_BAD_LABS) + "/" + GetParam() + ".yaml";
  std::ifstream in(file);
  std::string expected;
  for (std::string line; std::getline(in, line) && line.rfind("# expect ", 0) == 0;)
    expected += (expected.empty() ? "" : "\n") + file + line.substr(9);
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(refusal([&] { readLab(file); }), expected);
}

INSTANTIATE_TEST_SUITE_P(files, BadLab, ::testing::ValuesIn(badFiles()), [](const auto& info) { return info.param; });

TEST(Lab, there_are_bad_files) {
  EXPECT_GE(badFiles().size(), 20U);
}

TEST(Lab, that_is_not_there_or_no_yaml_is_refused) {
  const Scratch scratch;
  EXPECT_EQ(refusal([&] { readLab(scratch / "lab.yaml"); }), (scratch / "lab.yaml") + ": cannot be read");
  std::ofstream(scratch / "lab.yaml") << "cards:\n  - {name: a\n";
  EXPECT_EQ(refusal([&] { readLab(scratch / "lab.yaml"); }).rfind((scratch / "lab.yaml") + ":3: is not YAML: ", 0), 0U);
}

TEST(Lab, means_what_it_says) {
  const Scratch scratch;
  std::ofstream(scratch / "lab.yaml") << R"(
cards:
  - name: a
    socket: a.sock
    ports:
      0: {interface: e0, netns: /proc/1/ns/net, attach: packet, speed: 1G}
      1: {interface: e0, speed: 10G}
      2: {cable: customer, interface: e2}
      3: {stream: a3.sock}
      6: {cable: backbone, module: {vendor: ACME, part: X-10-LR, serial: Z 1}}
  - {name: b, socket: b.sock, serial: 504c000000000007, ports: {7: {cable: backbone, module: none}}}
  - {name: c, qemu: {socket: c.qemu, qtest: qtest.sock}}
  - {name: d, socket: d.sock, qemu: {socket: d.qemu, qtest: qtest.sock}}
  - {name: e, qemu: {socket: e.qemu}}
  - {name: f, vfio_user: f.vfio}
cables:
  - {name: backbone, pcap: x.pcap, delay_ns: 250000, loss_db: 4.5}
  - {name: customer}
control: lab.control
)";
  const Lab lab = readLab(scratch / "lab.yaml");
  ASSERT_EQ(lab.cards.size(), 6U);
  EXPECT_EQ(lab.cards[0].name, "a");
  EXPECT_EQ(lab.cards[0].socket, "a.sock");
  EXPECT_EQ(lab.cards[0].serial, 1U);
  EXPECT_EQ(lab.cards[1].serial, 0x504C'0000'0000'0007U);
  const LabPort& first = lab.cards[0].ports.at(0);
  EXPECT_EQ(first.interface, "e0");
  EXPECT_EQ(first.netns, "/proc/1/ns/net");
  EXPECT_EQ(first.attach, host::AttachBy::packet);
  EXPECT_EQ(first.speed, PortSpeed::gigabit);
  const LabPort& second = lab.cards[0].ports.at(1);
  EXPECT_EQ(second.netns, "") << "the same name in another namespace is another interface";
  EXPECT_EQ(second.attach, host::AttachBy::best);
  EXPECT_EQ(second.speed, PortSpeed::ten_gigabit);
  EXPECT_EQ(second.cable, "");
  EXPECT_EQ(lab.cards[0].ports.at(2).cable, "customer") << "both ends of it";
  EXPECT_EQ(lab.cards[0].ports.at(2).interface, "e2");
  EXPECT_EQ(lab.cards[0].ports.at(3).stream, "a3.sock");
  EXPECT_EQ(lab.cards[0].ports.at(3).interface, "");
  EXPECT_EQ(lab.cards[0].ports.at(6).cable, "backbone");
  EXPECT_EQ(lab.cards[0].ports.at(6).speed, PortSpeed::bus);
  EXPECT_EQ(lab.cards[1].ports.size(), 1U);
  EXPECT_TRUE(first.has_module && first.module_vendor.empty() && first.module_part.empty());
  EXPECT_TRUE(lab.cards[0].ports.at(6).has_module);
  EXPECT_EQ(lab.cards[0].ports.at(6).module_vendor, "ACME");
  EXPECT_EQ(lab.cards[0].ports.at(6).module_part, "X-10-LR");
  EXPECT_EQ(lab.cards[0].ports.at(6).module_serial, "Z 1");
  EXPECT_FALSE(lab.cards[1].ports.at(7).has_module);
  EXPECT_FALSE(lab.cards[1].qemu);
  EXPECT_EQ(lab.cards[2].socket, "") << "not needed with qemu";
  EXPECT_EQ(lab.cards[2].qemu->socket, "c.qemu");
  EXPECT_EQ(lab.cards[2].qemu->qtest, "qtest.sock");
  EXPECT_EQ(lab.cards[3].socket, "d.sock");
  EXPECT_EQ(lab.cards[3].qemu->qtest, "qtest.sock") << "two cards of one QEMU";
  EXPECT_EQ(lab.cards[4].qemu->qtest, "");
  EXPECT_EQ(lab.cards[4].vfio_user, "");
  EXPECT_EQ(lab.cards[5].vfio_user, "f.vfio");
  ASSERT_EQ(lab.cables.size(), 2U);
  EXPECT_EQ(lab.cables[0].pcap, "x.pcap");
  EXPECT_EQ(lab.cables[0].delay_ns, 250'000U);
  EXPECT_EQ(lab.cables[0].loss_db, 4.5);
  EXPECT_EQ(lab.control, "lab.control");
}

}  // namespace
}  // namespace poplink::sim
