// SPDX-License-Identifier: Apache-2.0
// The driver over a Verilated card, and over cards that are wrong in ways no real one can be made to be.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "poplink/driver/card.h"
#include "poplink/driver/sim_protocol.h"
#include "poplink/driver/sim_transport.h"
#include "verilated_transport.h"

namespace poplink::driver {
namespace {

class CardOverModel : public ::testing::Test {
 protected:
  CardOverModel() {
    auto transport = std::make_unique<VerilatedTransport>();
    transport_ = transport.get();
    card = std::make_unique<Card>(std::move(transport));
  }
  VerilatedTransport* transport_;
  std::unique_ptr<Card> card;
};

TEST_F(CardOverModel, entries_come_back_as_written) {
  const Entry service = {{"valid", 1},       {"attachment", 3}, {"group", 1023}, {"s_vid", 4094},
                         {"s_tpid", 0x9100}, {"pcp", 7},        {"mtu", 9000}};
  card->writeEntry("service", 4095, service);
  EXPECT_EQ(card->readEntry("service", 4095), service);
  EXPECT_EQ(card->used("service"), 1U);
  card->writeEntry("service", 4095, {});
  EXPECT_EQ(card->used("service"), 0U);
}

TEST_F(CardOverModel, valid_entries_are_found_wherever_they_are) {
  for (std::uint32_t index : {0U, 511U, 512U, 513U, 40'000U, 65'535U})
    card->writeEntry("vid", index, {{"valid", 1}, {"service", index & 4095}});
  card->writeEntry("vid", 7, {{"valid", 0}, {"service", 9}});
  const auto entries = card->validEntries("vid");
  ASSERT_EQ(entries.size(), 6U);
  for (const auto& [index, entry] : entries) EXPECT_EQ(entry.at("service"), index & 4095);
  EXPECT_TRUE(card->validEntries("attachment").empty());
}

TEST_F(CardOverModel, many_entries_go_and_come_in_order) {
  std::vector<std::pair<std::uint32_t, Entry>> entries;
  for (std::uint32_t i = 0; i < 1300; ++i)
    entries.push_back({1000 + i, {{"valid", 1}, {"link", i % 16}, {"second", (i + 1) % 16}, {"third", i / 100}}});
  card->writeEntries("bucket", entries);
  EXPECT_EQ(card->used("bucket"), 1300U);
  const std::vector<Entry> back = card->readEntries("bucket", 999, 1302);
  ASSERT_EQ(back.size(), 1302U);
  EXPECT_FALSE(isValid(back.front()));
  EXPECT_FALSE(isValid(back.back()));
  for (std::uint32_t i = 0; i < 1300; ++i) ASSERT_EQ(back[i + 1], entries[i].second) << i;
  entries.resize(3);
  entries[2].first = 1000;  // the last of two writes of an entry stays
  card->writeEntries("bucket", entries);
  EXPECT_EQ(card->readEntry("bucket", 1000), entries[2].second);
  EXPECT_TRUE(card->readEntries("bucket", 0, 0).empty());
  EXPECT_THROW(card->readEntries("port", 15, 2), DriverError);
}

TEST_F(CardOverModel, load_of_a_table_takes_few_writes_and_cycles) {
  constexpr std::uint32_t kEntries = 20'000;
  constexpr double kCyclesPerSecond = 250e6, kGoal = 500'000;  // entries a second
  std::mt19937_64 random(1);
  const auto load = [&](const char* name, std::string_view table,
                        const std::vector<std::pair<std::uint32_t, Entry>>& entries) {
    const std::uint64_t cycles = transport_->model.cycle(), writes = transport_->writes, reads = transport_->reads;
    card->writeEntries(table, entries);
    const auto each = [&](std::uint64_t all) { return static_cast<double>(all) / static_cast<double>(entries.size()); };
    const double cycles_each = each(transport_->model.cycle() - cycles);
    std::printf("%s: %.2f bus writes, %.3f reads, %.1f card cycles an entry: %.1f million entries a second\n", name,
                each(transport_->writes - writes), each(transport_->reads - reads), cycles_each,
                kCyclesPerSecond / cycles_each / 1e6);
    EXPECT_GT(kCyclesPerSecond / cycles_each, kGoal);
    EXPECT_LT(each(transport_->reads - reads), 0.01) << "an entry waits for no answer";
  };
  std::vector<std::pair<std::uint32_t, Entry>> in_order, scattered;
  for (std::uint32_t i = 0; i < kEntries; ++i) {
    in_order.push_back({i, {{"valid", 1}, {"service", i % 4096}}});
    scattered.push_back({static_cast<std::uint32_t>(random() % 65536), {{"valid", 1}, {"service", i % 4096}}});
  }
  load("vid, in order", "vid", in_order);
  load("vid, scattered", "vid", scattered);
  std::vector<std::pair<std::uint32_t, Entry>> services;
  for (std::uint32_t i = 0; i < 4096; ++i) services.push_back({i, {{"valid", 1}, {"s_vid", i}, {"mtu", 9000}}});
  load("service, in order", "service", services);
  for (const std::uint32_t i : {0U, 1U, 4095U}) EXPECT_EQ(card->readEntry("service", i).at("s_vid"), i);
}

TEST_F(CardOverModel, refused_entry_among_many_is_named) {
  const std::vector<std::pair<std::uint32_t, Entry>> entries = {
      {0, {{"valid", 1}}}, {16, {{"valid", 1}}}, {1, {{"valid", 1}}}};
  try {
    card->writeEntries("port", entries);
    FAIL();
  } catch (const DriverError& error) {
    EXPECT_STREQ(error.what(), "the card refused entry 16 of table port");
  }
}

TEST_F(CardOverModel, hash_mode_is_kept) {
  EXPECT_EQ(card->hash(), HashMode{});
  card->setHash({0xDEAD'BEEF, true});
  EXPECT_EQ(card->hash(), (HashMode{0xDEAD'BEEF, true}));
  card->setHash({1, false});
  EXPECT_EQ(card->hash(), (HashMode{1, false}));
  EXPECT_EQ(card->member(1023, 15), Count{});
}

TEST_F(CardOverModel, flows_of_a_link_are_estimated) {
  card->writeEntry("link", 6, {{"valid", 1}, {"ports", 1U << 6}});
  card->writeEntry("group", 9, {{"valid", 1}, {"links", 1U << 6}, {"log_buckets", 6}});
  card->writeEntry("service", 5, {{"valid", 1}, {"attachment", 1}, {"group", 9}, {"s_tpid", 0x88A8}, {"mtu", 9000}});
  card->writeEntry("attachment", 1, {{"valid", 1}, {"whole_valid", 1}, {"whole_service", 5}});
  card->writeEntry("port", 1, {{"valid", 1}, {"collecting", 1}, {"attachment", 1}, {"s_tpid", 0x88A8}});
  constexpr std::uint64_t kSecond = 1U << 20;
  transport_->model.setNow(9 * kSecond);
  constexpr unsigned kFlows = 500;
  for (unsigned frame = 0; frame < 2 * kFlows; ++frame) {
    std::vector<std::uint8_t> bytes(60, 2);
    bytes[10] = static_cast<std::uint8_t>(frame % kFlows >> 8);
    bytes[11] = static_cast<std::uint8_t>(frame % kFlows);
    transport_->model.receive(1, bytes);
    if (frame % 64 == 63) ASSERT_TRUE(transport_->model.drain(10'000));
  }
  ASSERT_TRUE(transport_->model.drain(10'000));
  EXPECT_EQ(card->member(9, 6).frames, 2 * kFlows);
  transport_->model.setNow(10 * kSecond);
  const Flows flows = card->flows(6);
  EXPECT_NEAR(flows.estimate, kFlows, 4 * 5.7);  // sqrt(4096 (e^t - t - 1)), t = 500 / 4096
  EXPECT_FALSE(flows.saturated);
  EXPECT_EQ(card->flows(7), Flows{});
  EXPECT_THROW(card->flows(16), DriverError);
  transport_->model.setNow(11 * kSecond);
  EXPECT_EQ(card->flows(6), Flows{});
}

TEST(Flows, are_what_untouched_slots_tell) {
  EXPECT_EQ(flowsOf(0, 4096), Flows{});
  EXPECT_EQ(flowsOf(1, 4096), (Flows{1, false}));
  EXPECT_EQ(flowsOf(100, 4096), (Flows{101, false}));
  EXPECT_EQ(flowsOf(2048, 4096), (Flows{2839, false}));
  EXPECT_EQ(flowsOf(4095, 4096), (Flows{34070, false}));
  EXPECT_EQ(flowsOf(4096, 4096), (Flows{34070, true}));
  EXPECT_EQ(flowsOf(9999, 4096), (Flows{34070, true}));
  EXPECT_EQ(flowsOf(0, 0), (Flows{0, true})) << "a card without slots knows nothing";
}

TEST_F(CardOverModel, impossible_entries_are_refused_before_the_card) {
  EXPECT_THROW(card->writeEntry("service", 0, {{"colour", 1}}), DriverError);
  EXPECT_THROW(card->writeEntry("service", 0, {{"s_vid", 4096}}), DriverError);
  EXPECT_THROW(card->writeEntry("nothing", 0, {}), DriverError);
  EXPECT_THROW(card->writeEntry("service", 4096, {{"valid", 1}}), DriverError);
  EXPECT_EQ(card->used("service"), 0U);
}

TEST_F(CardOverModel, ports_and_drops_are_counted) {
  const std::vector<std::uint8_t> frame(60, 2);
  transport_->model.receive(2, frame);
  transport_->model.receive(2, frame, true);
  ASSERT_TRUE(transport_->model.drain(1000));
  EXPECT_EQ(card->port(2).received, (Count{1, 60}));
  EXPECT_TRUE(card->port(2).up);
  EXPECT_EQ(card->drops(2), (std::map<unsigned, Count>{{6, {1, 60}}, {32, {1, 60}}}));
  card->enablePort(2, false);
  EXPECT_FALSE(card->port(2).enabled);
  EXPECT_THROW(card->port(8), DriverError);
  EXPECT_THROW(card->enablePort(8, true), DriverError);
}

TEST_F(CardOverModel, port_shows_speed_and_light) {
  sim::CardModel& model = transport_->model;
  model.setSpeed(1, sim::PortSpeed::gigabit);
  model.setReceivedLight(1, -7.5);
  PortState port = card->port(1);
  EXPECT_EQ(port.speed_mbit, 1'000U);
  EXPECT_TRUE(port.module);
  EXPECT_FALSE(port.fault || port.los);
  EXPECT_NEAR(port.transmit_dbm.value(), -2.0, 0.01);
  EXPECT_NEAR(port.receive_dbm.value(), -7.5, 0.01);
  sim::Module failed;
  failed.fault = true;
  model.setModule(1, failed);
  model.setReceivedLight(1, std::nullopt);
  port = card->port(1);
  EXPECT_TRUE(port.fault && port.los);
  EXPECT_EQ(port.transmit_dbm, std::nullopt);
  EXPECT_EQ(port.receive_dbm, std::nullopt);
  model.setModule(1, std::nullopt);
  port = card->port(1);
  EXPECT_FALSE(port.module || port.fault || port.los);
}

TEST_F(CardOverModel, module_says_who_it_is_and_how_it_fares) {
  sim::CardModel& model = transport_->model;
  sim::Module plugged;
  plugged.vendor = "Sixteen letters!";
  plugged.serial = "S7";
  model.setModule(7, plugged);
  model.setReceivedLight(7, -16.0);
  const auto module = card->module(7);
  ASSERT_TRUE(module && module->identity && module->diagnostics);
  EXPECT_EQ(module->identity->type, "10GBASE-LR");
  EXPECT_EQ(module->identity->connector, "LC");
  EXPECT_EQ(module->identity->vendor, "Sixteen letters!");
  EXPECT_EQ(module->identity->part, "SFP-10G-LR");
  EXPECT_EQ(module->identity->revision, "A");
  EXPECT_EQ(module->identity->serial, "S7");
  EXPECT_EQ(module->identity->oui, plugged.oui);
  EXPECT_EQ(module->identity->bitrate_mbd, 10'300U);
  EXPECT_EQ(module->identity->wavelength_nm, 1310U);
  EXPECT_TRUE(module->identity->checksums_good);
  EXPECT_TRUE(module->diagnostics->checksum_good);
  EXPECT_TRUE(module->diagnostics->ready && module->diagnostics->los);
  EXPECT_EQ(module->diagnostics->temperature_c.value, 36.5);
  EXPECT_EQ(module->diagnostics->supply_v.value, 3.3);
  EXPECT_EQ(module->diagnostics->bias_ma.value, 32.0);
  EXPECT_NEAR(dbmOf(module->diagnostics->transmit_uw.value).value(), -2.0, 0.01);
  EXPECT_EQ(module->diagnostics->transmit_uw.state(), Reading::State::good);
  EXPECT_NEAR(dbmOf(module->diagnostics->receive_uw.value).value(), -16.0, 0.05);
  EXPECT_EQ(module->diagnostics->receive_uw.state(), Reading::State::low_warning);
  model.setModule(7, sim::usualModule(true, "S8"));
  EXPECT_EQ(card->module(7)->identity->type, "1000BASE-LX");
  model.setModule(7, std::nullopt);
  EXPECT_FALSE(card->module(7));
  EXPECT_THROW(card->module(8), DriverError);
}

TEST_F(CardOverModel, module_that_does_not_let_itself_be_read_is_there_all_the_same) {
  transport_->model.modules.answers = false;
  const auto module = card->module(2);
  ASSERT_TRUE(module);
  EXPECT_FALSE(module->identity || module->diagnostics);
}

/// A card of register map 2.2: it has nothing where a later one shows light and modules.
class OlderCard : public VerilatedTransport {
 public:
  std::vector<std::uint32_t> run(std::span<const Access> accesses) override {
    for (const Access& access : accesses) {
      const bool light = access.address >= card_map::reg::kPortLight &&
                         access.address < card_map::reg::kPortLight + 4 * card_map::reg::kPortLightCount;
      if (light || (access.address & ~0x1FFFU) == card_map::window::kModuleMemory) throw DriverError("nothing there");
    }
    std::vector<std::uint32_t> values = VerilatedTransport::run(accesses);
    std::size_t read = 0;
    for (const Access& access : accesses) {
      if (access.kind != Access::Kind::read) continue;
      if (access.address == card_map::reg::kVersion) values[read] = card_map::kVersionMajor << 16 | 2;
      ++read;
    }
    return values;
  }
};

TEST(CardOfAnOlderMap, shows_links_and_neither_light_nor_modules) {
  Card card(std::make_unique<OlderCard>());
  EXPECT_FALSE(card.showsModules());
  const PortState port = card.port(1);
  EXPECT_TRUE(port.up && port.enabled);
  EXPECT_FALSE(port.module || port.speed_mbit != 0 || port.transmit_dbm || port.receive_dbm);
  EXPECT_FALSE(card.module(1));
}

/// Answers every read from a list of registers, as a card that is broken or of another kind would.
class WrongCard : public Transport {
 public:
  explicit WrongCard(std::map<std::uint32_t, std::uint32_t> registers, std::uint32_t otherwise = 0)
      : registers_(std::move(registers)), otherwise_(otherwise) {}
  std::vector<std::uint32_t> run(std::span<const Access> accesses) override {
    std::vector<std::uint32_t> values;
    for (const Access& access : accesses) {
      if (access.kind == Access::Kind::write) continue;
      const auto found = registers_.find(access.address);
      values.push_back(found == registers_.end() ? otherwise_ : found->second);
    }
    return values;
  }
  std::string name() const override { return "a wrong card"; }

 private:
  std::map<std::uint32_t, std::uint32_t> registers_;
  std::uint32_t otherwise_;
};

std::string refusal(std::map<std::uint32_t, std::uint32_t> registers, std::uint32_t otherwise = 0) {
  try {
    const Card card(std::make_unique<WrongCard>(std::move(registers), otherwise));
    return "";
  } catch (const DriverError& error) {
    return error.what();
  }
}

TEST(Card, that_is_not_ours_is_refused_with_the_reason) {
  namespace map = card_map;
  EXPECT_NE(refusal({}, 0xFFFF'FFFF).find("all ones"), std::string::npos);
  EXPECT_NE(refusal({{map::reg::kMagic, 0x1234}}).find("is not a poplink card"), std::string::npos);
  EXPECT_NE(
      refusal({{map::reg::kMagic, map::kMagicValue}, {map::reg::kVersion, 9U << 16}}).find("register map version 9"),
      std::string::npos);
  const std::map<std::uint32_t, std::uint32_t> good = {
      {map::reg::kMagic, map::kMagicValue}, {map::reg::kVersion, map::kVersionMajor << 16}, {map::reg::kGeometry, 8}};
  EXPECT_NE(refusal(good).find("is not ready"), std::string::npos);
  auto ready = good;
  ready[map::reg::kStatus] = 1;
  EXPECT_NE(refusal(ready).find("has 0 tables"), std::string::npos);
  ready[map::reg::kTables] = static_cast<std::uint32_t>(map::kTables.size());
  EXPECT_NE(refusal(ready).find("has a table"), std::string::npos);
}

TEST(SimTransport, nobody_at_the_socket_is_said_so) {
  try {
    openSimulatedCard("/nowhere/card.sock", "a test");
    FAIL();
  } catch (const DriverError& error) {
    EXPECT_NE(std::string(error.what()).find("is poplink-sim running?"), std::string::npos);
  }
}

TEST(SimProtocol, messages_survive_the_way_there_and_back) {
  namespace proto = sim_protocol;
  const auto payload = [](const proto::Bytes& message) { return std::span(message).subspan(proto::kHeaderBytes); };
  const proto::Bytes hello = proto::encodeHello("me");
  EXPECT_EQ(proto::decodeHeader(hello)->payload_bytes, 6U);
  EXPECT_EQ(proto::decodeHello(payload(hello))->client, "me");
  const std::vector<Access> accesses = {Access::read(0x1234), Access::write(0xFFFFC, 0xDEADBEEF)};
  const proto::Bytes batch = proto::encodeBatch(accesses);
  const auto back = proto::decodeBatch(payload(batch));
  ASSERT_TRUE(back && back->size() == 2);
  EXPECT_EQ((*back)[1].address, 0xFFFFCU);
  EXPECT_EQ((*back)[1].value, 0xDEADBEEFU);
  const proto::Bytes answer = proto::encodeBatchAnswer({2, {7, 8}});
  EXPECT_EQ(proto::decodeBatchAnswer(payload(answer))->values, (std::vector<std::uint32_t>{7, 8}));
  const proto::Bytes config = proto::encodeConfigWrite({4, 2, 6});
  EXPECT_EQ(proto::decodeConfigWrite(payload(config))->value, 6U);
  const proto::Bytes map = proto::encodeMap({0xFEDC'BA98'7654'3000, 0x1'0000'1000});
  EXPECT_EQ(proto::decodeMap(payload(map))->bus_address, 0xFEDC'BA98'7654'3000U);
  EXPECT_EQ(proto::decodeMap(payload(map))->bytes, 0x1'0000'1000U);
  EXPECT_EQ(proto::decodeUnmap(payload(proto::encodeUnmap(0x8000'0000'0000'1000))), 0x8000'0000'0000'1000U);
  EXPECT_EQ(proto::decodeVector(payload(proto::encodeVector(2047))), 2047U);
  EXPECT_EQ(proto::decodeHeader(proto::encodeReset())->type, proto::Type::reset);
  EXPECT_EQ(proto::decodeHeader(proto::encodeDone(proto::Type::unmap))->payload_bytes, 0U);
  const proto::Bytes ids = proto::encodeHelloAnswer({1, 0x10EE, 0x504C, 1 << 20});
  EXPECT_EQ(proto::decodeHelloAnswer(payload(ids))->device, 0x504C);
}

TEST(SimProtocol, malformed_messages_decode_to_nothing) {
  namespace proto = sim_protocol;
  std::vector<std::uint8_t> bytes = {1, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_TRUE(proto::decodeHeader(bytes));
  EXPECT_FALSE(proto::decodeHeader(std::span(bytes).first(7)));
  bytes[0] = 9;
  EXPECT_TRUE(proto::decodeHeader(bytes));
  bytes[0] = 10;
  EXPECT_FALSE(proto::decodeHeader(bytes));
  bytes = {1, 0, 0, 0, 0, 0, 0, 0x7F};
  EXPECT_FALSE(proto::decodeHeader(bytes)) << "two gigabytes";
  for (std::size_t size : {0U, 1U, 3U, 5U, 11U, 13U, 25U}) {
    const std::vector<std::uint8_t> wrong(size, 0xFF);
    if (size % 12 != 0) {
      EXPECT_FALSE(proto::decodeBatch(wrong)) << size;
    }
    EXPECT_FALSE(proto::decodeHelloAnswer(wrong));
    EXPECT_FALSE(proto::decodeConfigWrite(wrong));
    EXPECT_FALSE(proto::decodeConfigRead(wrong));
    EXPECT_FALSE(proto::decodeConfigReadAnswer(wrong));
    EXPECT_FALSE(proto::decodeBatchAnswer(wrong));
    EXPECT_FALSE(proto::decodeMap(wrong));
    EXPECT_FALSE(proto::decodeUnmap(wrong));
    EXPECT_FALSE(proto::decodeVector(wrong));
  }
  EXPECT_FALSE(proto::decodeBatch(std::vector<std::uint8_t>(12, 0xFF))) << "an access that is neither read nor write";
  EXPECT_FALSE(proto::decodeHello(std::vector<std::uint8_t>(3)));
  const auto mapped = [](std::uint64_t address, std::uint64_t size) {
    const proto::Bytes message = proto::encodeMap({address, size});
    return proto::decodeMap(std::span(message).subspan(proto::kHeaderBytes)).has_value();
  };
  EXPECT_TRUE(mapped(0, 4096));
  EXPECT_TRUE(mapped(~std::uint64_t{0} - 4095, 4096)) << "the last page of all";
  EXPECT_FALSE(mapped(~std::uint64_t{0} - 4095, 8192)) << "around the end";
  EXPECT_FALSE(mapped(4096, 0));
  EXPECT_FALSE(mapped(4095, 4096));
  EXPECT_FALSE(mapped(4096, 4097));
  const proto::Bytes vector = proto::encodeVector(2048);
  EXPECT_FALSE(proto::decodeVector(std::span(vector).subspan(proto::kHeaderBytes)));
}

TEST(NoCard, refuses_everything_in_words) {
  const auto none = openNoCard();
  const auto refusal = [](auto action) -> std::string {
    try {
      action();
    } catch (const DriverError& error) {
      return error.what();
    }
    return "";
  };
  const Access one[] = {Access::read(0)};
  const std::string said = "there is no card here (transport none)";
  EXPECT_EQ(refusal([&] { none->run(one); }), said);
  EXPECT_EQ(refusal([&] { none->allocate(64); }), said);
  EXPECT_EQ(refusal([&] { none->reset(); }), said);
  EXPECT_EQ(refusal([&] { const Card card(openNoCard()); }), said);
  EXPECT_FALSE(none->capabilities().dma);
  EXPECT_TRUE(none->vectors().empty());
}

TEST(RegistersOnly, has_no_memory_and_says_so) {
  WrongCard card({});
  try {
    card.allocate(64);
    FAIL();
  } catch (const DriverError& error) {
    EXPECT_STREQ(error.what(), "the card at a wrong card is reached by its registers only: it cannot share memory");
  }
  EXPECT_THROW(card.reset(), DriverError);
}

}  // namespace
}  // namespace poplink::driver
