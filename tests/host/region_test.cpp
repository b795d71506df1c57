// SPDX-License-Identifier: Apache-2.0
// Region and node files: what they mean, and what is refused with which words.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "read_region.h"

namespace poplink::host {
namespace {

namespace fs = std::filesystem;

std::string firstLine(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

std::vector<std::string> badFiles() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(POPLINK_BAD_REGIONS)) names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

class BadRegion : public ::testing::TestWithParam<std::string> {};

TEST_P(BadRegion, is_refused_with_place_and_rule) {
  const fs::path file = fs::path(POPLINK_BAD_REGIONS) / (GetParam() + ".yaml");
  const std::string line = firstLine(file);
  ASSERT_EQ(line.rfind("# expect ", 0), 0U);
  try {
    readRegion(file.string());
    FAIL() << "was accepted";
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find(line.substr(9)), std::string::npos) << text;
    EXPECT_EQ(text.rfind(file.string() + ":", 0), 0U) << "names the file: " << text;
  }
}

INSTANTIATE_TEST_SUITE_P(files, BadRegion, ::testing::ValuesIn(badFiles()),
                         [](const auto& info) { return info.param; });

TEST(Region, there_are_enough_bad_files) {
  EXPECT_GE(badFiles().size(), 20U);
}

TEST(Region, example_means_what_it_says) {
  const Region region = readRegion(POPLINK_EXAMPLES "/region.yaml");
  EXPECT_EQ(region.name, "eu-west");
  ASSERT_EQ(region.sites.size(), 2U);
  EXPECT_EQ(region.sites[0].role, Role::entrypoint);
  EXPECT_EQ(region.sites[1].role, Role::endpoint);
  ASSERT_EQ(region.services.size(), 2U);
  const Service& lan = region.services[0];
  EXPECT_EQ(lan.tunnel_id.value, 101);
  EXPECT_EQ(lan.mtu, 9000U);
  EXPECT_TRUE(lan.pop.wholePort());
  const Service& voice = region.services[1];
  EXPECT_EQ(voice.mtu, 1500U);
  EXPECT_EQ(voice.pop.vlan, VlanId{300});
  EXPECT_EQ(backboneLinks(region.sites[0], "rbx").at(0)->id, PortId{6});
  EXPECT_EQ(backboneLinks(region.sites[0], "rbx").at(1)->id, PortId{7});
  EXPECT_EQ(region.ecmp.buckets, 256U);
  EXPECT_FALSE(region.ecmp.symmetric);
}

TEST(Region, shares_of_backbone_links_can_be_set) {
  std::ifstream example(POPLINK_EXAMPLES "/region.yaml");
  std::string text{std::istreambuf_iterator<char>(example), {}};
  const auto replace = [&](const std::string& what, const std::string& by) {
    ASSERT_NE(text.find(what), std::string::npos);
    text.replace(text.find(what), what.size(), by);
  };
  replace("ecmp: {buckets: 256}", "ecmp: {buckets: 4096, symmetric: true}");
  replace("peer: {site: rbx, port: 7}", "weight: 30, peer: {site: rbx, port: 7}");
  const fs::path file = fs::temp_directory_path() / ("poplink-shares-test-" + std::to_string(::getpid()) + ".yaml");
  std::ofstream(file) << text;
  const Region region = readRegion(file.string());
  fs::remove(file);
  EXPECT_EQ(region.ecmp.buckets, 4096U);
  EXPECT_TRUE(region.ecmp.symmetric);
  const auto links = backboneLinks(region.sites[0], "rbx");
  EXPECT_EQ(links.at(0)->share(), 10U) << "by the speed";
  EXPECT_EQ(links.at(1)->share(), 30U);
}

TEST(Region, all_problems_are_shown_at_once_with_their_lines) {
  const fs::path file = fs::temp_directory_path() / ("poplink-region-test-" + std::to_string(::getpid()) + ".yaml");
  std::ofstream(file) << "region: x\nsites:\n  - {name: a, role: pop, ports: []}\nvracks: []\nservices: []\nwrong: 1\n";
  try {
    readRegion(file.string());
    FAIL();
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find(":3: sites[0].role: must be one of"), std::string::npos) << text;
    EXPECT_NE(text.find(":6: wrong: is not a key"), std::string::npos) << text;
  }
  fs::remove(file);
}

TEST(Region, file_that_is_not_there_is_named) {
  try {
    readRegion("/nowhere/region.yaml");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "/nowhere/region.yaml: cannot be read");
  }
}

class NodeFile : public ::testing::Test {
 protected:
  NodeFile() : file_(fs::temp_directory_path() / ("poplink-node-test-" + std::to_string(::getpid()) + ".yaml")) {}
  ~NodeFile() override { fs::remove(file_); }
  std::string refusal(const std::string& text) {
    std::ofstream(file_) << text;
    try {
      readNode(file_.string());
      return "";
    } catch (const ConfigError& error) {
      return error.what();
    }
  }
  fs::path file_;
};

TEST_F(NodeFile, says_which_card_this_is) {
  EXPECT_EQ(refusal("{site: par-th2, card: 1, transport: sim, socket: /run/x.sock}\n"), "");
  const Node node = readNode(file_.string());
  EXPECT_EQ(node.site, "par-th2");
  EXPECT_EQ(node.card, 1U);
  EXPECT_EQ(node.socket, "/run/x.sock");
}

TEST_F(NodeFile, says_where_a_card_is_on_its_bus) {
  EXPECT_EQ(refusal("{site: a, card: 0, transport: pci, address: 82:00.1}\n"), "");
  EXPECT_EQ(readNode(file_.string()).address, "0000:82:00.1");
  EXPECT_FALSE(readNode(file_.string()).physical_addresses);
  EXPECT_EQ(refusal("{site: a, card: 0, transport: pci, serial: 504C0000000000ff, iova: physical}\n"), "");
  EXPECT_EQ(readNode(file_.string()).serial, 0x504C'0000'0000'00FFU);
  EXPECT_TRUE(readNode(file_.string()).physical_addresses);
  EXPECT_EQ(refusal("{site: a, card: 0, transport: none}\n"), "");
}

TEST_F(NodeFile, is_refused_when_it_is_wrong) {
  EXPECT_NE(refusal("{card: 0, transport: sim, socket: s}\n").find("site: is missing"), std::string::npos);
  EXPECT_NE(refusal("{site: a, card: 0, transport: usb, socket: s}\n").find("transport: must be one of sim, pci"),
            std::string::npos);
  EXPECT_NE(refusal("{site: a, card: 0, transport: pci, address: '03:00.0', socket: s}\n").find("socket: is not a key"),
            std::string::npos);
  for (const char* which : {"", ", address: '03:00.0', serial: 7"}) {
    EXPECT_NE(refusal("{site: a, card: 0, transport: pci" + std::string(which) + "}\n")
                  .find(":1: transport: a card on a PCI bus has either an address or a serial number"),
              std::string::npos);
  }
  EXPECT_NE(refusal("{site: a, card: 0, transport: pci, address: eth0}\n")
                .find("address: must be a PCI address as 0000:03:00.0, not 'eth0'"),
            std::string::npos);
  EXPECT_NE(refusal("{site: a, card: 0, transport: pci, serial: 0}\n").find("serial: must be a serial number"),
            std::string::npos);
  EXPECT_NE(refusal("{site: a, card: 0, transport: pci, serial: 7, iova: mine}\n").find("iova: must be one of own"),
            std::string::npos);
  EXPECT_NE(refusal("{site: a, card: 0, transport: sim, socket: s, speed: 3}\n").find("speed: is not a key"),
            std::string::npos);
  EXPECT_NE(refusal("{site: a, card: 0, transport: sim}\n").find("socket: is missing"), std::string::npos);
}

}  // namespace
}  // namespace poplink::host
