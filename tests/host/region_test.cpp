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
  for (const auto& file : fs::directory_iterator(POPLINK_BAD_REGIONS))
    if (file.path().extension() == ".yaml") names.push_back(file.path().stem().string());
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

/// An example with some of its words replaced.
Region changed(const std::string& example, const std::vector<std::pair<std::string, std::string>>& words) {
  std::ifstream in(POPLINK_EXAMPLES "/" + example);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const auto& [what, by] : words) {
    if (text.find(what) == std::string::npos) throw std::logic_error("the example does not say " + what);
    text.replace(text.find(what), what.size(), by);
  }
  const fs::path file = fs::temp_directory_path() / ("poplink-changed-test-" + std::to_string(::getpid()) + ".yaml");
  std::ofstream(file) << text;
  Region region = readRegion(file.string());
  fs::remove(file);
  return region;
}

TEST(Region, shares_of_backbone_links_can_be_set) {
  const Region region =
      changed("region.yaml", {{"ecmp: {buckets: 256}", "ecmp: {buckets: 4096, symmetric: true}"},
                              {"peer: {site: rbx, port: 7}", "weight: 30, peer: {site: rbx, port: 7}"}});
  EXPECT_EQ(region.ecmp.buckets, 4096U);
  EXPECT_TRUE(region.ecmp.symmetric);
  const auto links = backboneLinks(region.sites[0], "rbx");
  EXPECT_EQ(links.at(0)->share(), 10U) << "by the speed";
  EXPECT_EQ(links.at(1)->share(), 30U);
}

TEST(Region, several_ports_of_a_service_are_a_lag) {
  const Region region =
      changed("region.yaml", {{"pop: {site: par-th2, port: 0}", "pop: {site: par-th2, ports: [2, 0]}"},
                              {"{id: 1,", "{id: 2, speed: 10G, use: cross_connect}\n      - {id: 1,"}});
  EXPECT_EQ(region.services[0].pop.link(), PortId{0});
  EXPECT_EQ(region.services[0].pop.ports, (std::vector{PortId{0}, PortId{2}}));
  const std::vector<Lag> lags = lagsOf(region, region.sites[0]);
  ASSERT_EQ(lags.size(), 1U);
  EXPECT_EQ(lags[0].link, PortId{0});
  EXPECT_EQ(lags[0].place.path, "services[0].pop.ports");
  EXPECT_TRUE(lags[0].lacp.active);
  EXPECT_FALSE(lags[0].lacp.fast);
  EXPECT_TRUE(lags[0].lacp.independent_control);
  EXPECT_EQ(lags[0].lacp.aggregate_wait, std::chrono::seconds(2));
  EXPECT_TRUE(lagsOf(region, region.sites[1]).empty());
}

TEST(Region, lag_has_the_defaults_but_for_what_its_entry_says) {
  const Region region = changed(
      "lag.yaml",
      {{"lacp: {mode: active, rate: slow, min_links: 1}",
        "lacp: {mode: passive, min_links_up: 2, control: coupled, aggregate_wait_ms: 0, system_priority: 9}"},
       {"rate: fast}",
        "rate: fast, control: independent, max_active: 2, min_links_hold_ms: 5}\n"
        "    lacp_system: '02:00:5E:00:00:aB'"},
       {"{id: 1, speed: 10G, use: cross_connect}", "{id: 1, speed: 10G, use: cross_connect, lacp_priority: 0}"}});
  const Site& site = region.sites[0];
  const std::vector<Lag> lags = lagsOf(region, site);
  ASSERT_EQ(lags.size(), 1U) << "one in lags and in a service";
  EXPECT_EQ(lags[0].place.path, "sites[0].lags[0].ports");
  const LacpSettings& lacp = lags[0].lacp;
  EXPECT_FALSE(lacp.active);
  EXPECT_TRUE(lacp.fast);
  EXPECT_TRUE(lacp.independent_control);
  EXPECT_EQ(lacp.min_links, 1U);
  EXPECT_EQ(lacp.min_links_up, 2U);
  EXPECT_EQ(lacp.max_active, 2U);
  EXPECT_EQ(lacp.min_links_hold, std::chrono::milliseconds(5));
  EXPECT_EQ(lacp.aggregate_wait, std::chrono::milliseconds(0));
  EXPECT_EQ(lacp.system_priority, 9);
  EXPECT_EQ(site.lacp_system, (MacAddress{0x02, 0x00, 0x5E, 0x00, 0x00, 0xAB}));
  EXPECT_EQ(site.port(PortId{1})->lacp_priority, 0);
  EXPECT_FALSE(site.port(PortId{0})->lacp_priority);
}

TEST(Region, lag_is_shared_by_vlan_and_may_have_one_port_or_no_service) {
  const Region region =
      changed("region.yaml", {{"pop: {site: par-th2, port: 0}", "pop: {site: par-th2, port: 1, untagged: true}"},
                              {"  - name: rbx", "    lags: [{ports: [1]}, {ports: [0], rate: fast}]\n  - name: rbx"}});
  const std::vector<Lag> lags = lagsOf(region, region.sites[0]);
  ASSERT_EQ(lags.size(), 2U);
  EXPECT_EQ(lags[0].link, PortId{0}) << "by link, not by place";
  EXPECT_TRUE(lags[0].lacp.fast);
  EXPECT_EQ(lags[1].ports, std::vector{PortId{1}});
  EXPECT_EQ(toString(lags[1].ports), "port 1");
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

TEST_F(NodeFile, needs_no_card) {
  EXPECT_EQ(refusal("{site: lab, transport: none}\n"), "");
  EXPECT_EQ(readNode(file_.string()).api, "/run/poplink/lab-0.api");
  EXPECT_EQ(refusal("{site: lab, transport: none, api: /run/a.api, state: /run/a.json}\n"), "");
  const Node node = readNode(file_.string());
  EXPECT_EQ(node.transport, "none");
  EXPECT_EQ(node.card, 0U);
  EXPECT_EQ(node.api, "/run/a.api");
  EXPECT_EQ(node.state, "/run/a.json");
  EXPECT_NE(refusal("{site: lab, card: 256, transport: none}\n").find("card: must be a number from 0 to 255"),
            std::string::npos);
  EXPECT_NE(refusal("{site: lab, transport: none, socket: s}\n").find("socket: is not a key"), std::string::npos);
  EXPECT_NE(refusal("{site: lab, transport: sim, socket: s}\n").find("card: is missing"), std::string::npos);
  EXPECT_NE(refusal("{site: lab, transport: pci, serial: 7}\n").find("card: is missing"), std::string::npos);
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
