// SPDX-License-Identifier: Apache-2.0
// Decoding of modules' memories: images in modules/, made by hand from SFF-8472 and of no real module, with what they
// mean.
#include "poplink/driver/sff8472.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>

namespace poplink::driver {
namespace {

using Page = std::array<std::uint8_t, kModulePageBytes>;
using State = Reading::State;

struct Image {
  Page a0{}, a2{};
};

Image load(const std::string& name) {
  std::ifstream in(std::string(POPLINK_MODULES) + "/" + name + ".hex");
  Image image;
  in >> std::hex;
  for (Page* page : {&image.a0, &image.a2}) {
    for (std::uint8_t& byte : *page) {
      unsigned value = 0;
      EXPECT_TRUE(in >> value) << name;
      byte = static_cast<std::uint8_t>(value);
    }
  }
  return image;
}

/// Reads the checksum anew after a change.
void sum(Page& page, std::size_t from, std::size_t to) {
  unsigned total = 0;
  for (std::size_t i = from; i < to; ++i) total += page[i];
  page[to] = static_cast<std::uint8_t>(total);
}

TEST(Module, says_who_it_is) {
  const ModuleIdentity lr = decodeIdentity(load("sfp_10g_lr").a0);
  EXPECT_EQ(lr.type, "10GBASE-LR");
  EXPECT_EQ(lr.connector, "LC");
  EXPECT_EQ(lr.vendor, "FINISAR CORP.");
  EXPECT_EQ(lr.oui, (std::array<std::uint8_t, 3>{0x00, 0x90, 0x65}));
  EXPECT_EQ(lr.part, "FTLX1475D3BCL");
  EXPECT_EQ(lr.revision, "A");
  EXPECT_EQ(lr.serial, "ANA0SG3");
  EXPECT_EQ(lr.date, "161021");
  EXPECT_EQ(lr.bitrate_mbd, 10'300U);
  EXPECT_EQ(lr.wavelength_nm, 1310U);
  EXPECT_TRUE(lr.checksums_good);
  EXPECT_TRUE(lr.has_diagnostics);
}

TEST(Module, of_copper_has_neither_wavelength_nor_diagnostics) {
  const ModuleIdentity dac = decodeIdentity(load("sfp_dac").a0);
  EXPECT_EQ(dac.type, "passive cable");
  EXPECT_EQ(dac.connector, "copper pigtail");
  EXPECT_EQ(dac.serial, "APF12345678901AB") << "all 16 characters";
  EXPECT_EQ(dac.wavelength_nm, 0U) << "these bytes are something else there";
  EXPECT_TRUE(dac.checksums_good);
  EXPECT_FALSE(dac.has_diagnostics);
}

TEST(Module, whose_bytes_are_odd_is_shown_without_them) {
  const ModuleIdentity odd = decodeIdentity(load("sfp_odd_bytes").a0);
  EXPECT_EQ(odd.vendor, "?[31mX ??Y") << "nothing that a terminal obeys";
  EXPECT_EQ(odd.connector, "0x99");
  EXPECT_EQ(odd.type, "");
  EXPECT_EQ(odd.bitrate_mbd, 25'750U) << "too fast for byte 12";
  EXPECT_FALSE(odd.checksums_good);
}

TEST(Module, checksums_cover_every_byte_they_should) {
  const Image good = load("sfp_10g_lr");
  for (std::size_t at = 0; at < kModulePageBytes; ++at) {
    Image image = good;
    image.a0[at] ^= 0x01;
    EXPECT_EQ(decodeIdentity(image.a0).checksums_good, at >= 96) << at;
    image = good;
    image.a2[at] ^= 0x01;
    EXPECT_EQ(decodeDiagnostics(image.a0, image.a2).checksum_good, at >= 96) << at;
  }
}

TEST(Module, that_needs_its_address_changed_has_no_diagnostics_for_us) {
  Image image = load("sfp_10g_lr");
  image.a0[92] |= 0x04;
  sum(image.a0, 64, 95);
  EXPECT_TRUE(decodeIdentity(image.a0).checksums_good);
  EXPECT_FALSE(decodeIdentity(image.a0).has_diagnostics);
}

TEST(Module, values_have_their_units_and_limits) {
  const Image image = load("sfp_10g_lr");
  const ModuleDiagnostics got = decodeDiagnostics(image.a0, image.a2);
  EXPECT_DOUBLE_EQ(got.temperature_c.value, -2.5) << "signed";
  EXPECT_DOUBLE_EQ(got.temperature_c.high_alarm, 90);
  EXPECT_DOUBLE_EQ(got.temperature_c.low_alarm, -10);
  EXPECT_DOUBLE_EQ(got.temperature_c.high_warning, 85);
  EXPECT_DOUBLE_EQ(got.temperature_c.low_warning, -5);
  EXPECT_DOUBLE_EQ(got.supply_v.value, 3.2874);
  EXPECT_DOUBLE_EQ(got.supply_v.high_warning, 3.6);
  EXPECT_DOUBLE_EQ(got.bias_ma.value, 37.0);
  EXPECT_DOUBLE_EQ(got.bias_ma.low_alarm, 2.0);
  EXPECT_DOUBLE_EQ(got.transmit_uw.value, 588.8);
  EXPECT_NEAR(*dbmOf(got.transmit_uw.value), -2.3, 0.001);
  EXPECT_DOUBLE_EQ(got.receive_uw.value, 457.1);
  EXPECT_NEAR(*dbmOf(got.receive_uw.value), -3.4, 0.001);
  EXPECT_NEAR(*dbmOf(got.receive_uw.low_alarm), -17.4, 0.01);
  EXPECT_FALSE(got.fault || got.los);
  EXPECT_TRUE(got.ready && got.checksum_good);
}

TEST(Module, calibrated_outside_is_calibrated_here) {
  const Image image = load("sfp_1g_sx_external");
  EXPECT_EQ(decodeIdentity(image.a0).type, "1000BASE-SX");
  const ModuleDiagnostics got = decodeDiagnostics(image.a0, image.a2);
  EXPECT_DOUBLE_EQ(got.temperature_c.value, (1.125 * (32 * 256 + 64) - 256) / 256);
  EXPECT_DOUBLE_EQ(got.temperature_c.low_alarm, (1.125 * -8 * 256 - 256) / 256);
  EXPECT_DOUBLE_EQ(got.supply_v.value, (2.0 * 16'520 - 40) / 10'000);
  EXPECT_DOUBLE_EQ(got.bias_ma.value, (1.5 * 4'000 + 20) / 500);
  EXPECT_DOUBLE_EQ(got.transmit_uw.value, (0.5 * 6'000 + 100) / 10);
  EXPECT_NEAR(got.receive_uw.value, (1e-5 * 2'000 * 2'000 + 0.25 * 2'000 - 3) / 10, 1e-4);
  EXPECT_TRUE(got.fault && got.los);
  EXPECT_TRUE(got.checksum_good);
}

TEST(Module, limits_say_in_what_state_a_value_is) {
  const auto state = [](double value) { return Reading{value, 10, 0, 8, 2}.state(); };
  EXPECT_EQ(state(10.1), State::high_alarm);
  EXPECT_EQ(state(10), State::high_warning);
  EXPECT_EQ(state(8), State::good);
  EXPECT_EQ(state(2), State::good);
  EXPECT_EQ(state(1.9), State::low_warning);
  EXPECT_EQ(state(-0.1), State::low_alarm);
}

TEST(Module, no_light_has_no_dbm) {
  EXPECT_EQ(dbmOf(0), std::nullopt);
  EXPECT_EQ(dbmOf(-1), std::nullopt);
  EXPECT_EQ(dbmOf(1'000), 0.0);
  EXPECT_EQ(dbmOf(0.1), -40.0);
}

TEST(Module, of_any_bytes_is_printable_and_finite) {
  std::mt19937 random(1);
  for (unsigned round = 0; round < 2'000; ++round) {
    Image image;
    for (Page* page : {&image.a0, &image.a2})
      std::generate(page->begin(), page->end(), [&] { return static_cast<std::uint8_t>(random() % 256); });
    const ModuleIdentity who = decodeIdentity(image.a0);
    for (const std::string& text :
         {who.vendor, who.part, who.revision, who.serial, who.date, who.type, who.connector}) {
      EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
      EXPECT_TRUE(text.empty() || text.back() != ' ');
    }
    const ModuleDiagnostics got = decodeDiagnostics(image.a0, image.a2);
    for (const Reading* one : {&got.temperature_c, &got.supply_v, &got.bias_ma, &got.transmit_uw, &got.receive_uw})
      EXPECT_TRUE(std::isfinite(one->value) && std::isfinite(one->low_alarm));
  }
}

}  // namespace
}  // namespace poplink::driver
