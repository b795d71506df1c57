// SPDX-License-Identifier: Apache-2.0
// The card as a vfio-user client has it, by a client of our own.
#include "vfio_user_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <future>
#include <random>

#include "card_function.h"
#include "fresh_kernel.h"
#include "poplink/card_map.h"
#include "scratch.h"
#include "unix_peer.h"
#include "vfio_user_protocol.h"

namespace poplink::sim {
namespace {

namespace proto = vfio_user;
namespace reg = card_map::reg;
using proto::Command;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

constexpr std::uint16_t kMsixControl = 0x52, kDeviceControl = 0x68;

struct Reply {
  proto::Header header{};
  Bytes payload;
  int error() const { return static_cast<int>(header.error); }
  template <class Structure>
  Structure as() const {
    Structure structure{};
    EXPECT_GE(payload.size(), sizeof structure);
    if (payload.size() >= sizeof structure) std::memcpy(&structure, payload.data(), sizeof structure);
    return structure;
  }
};

template <class Structure>
Bytes with(const Structure& structure, const Bytes& behind = {}) {
  Bytes bytes;
  append(bytes, structure);
  bytes.insert(bytes.end(), behind.begin(), behind.end());
  return bytes;
}

class Client : public UnixPeer {
 public:
  using UnixPeer::UnixPeer;

  void sendMessage(Command command, const Bytes& payload, std::span<const int> files = {}, std::uint32_t flags = 0,
                   std::uint16_t id = 7, std::uint32_t error = 0) const {
    send(with(proto::Header{id, static_cast<std::uint16_t>(command), static_cast<std::uint32_t>(16 + payload.size()),
                            flags, error},
              payload),
         files);
  }
  std::optional<Reply> receiveMessage() const {
    const auto header = receive<proto::Header>();
    if (!header) return std::nullopt;
    const auto payload = receive(header->bytes - sizeof *header);
    if (!payload) return std::nullopt;
    return Reply{*header, *payload};
  }
  Reply ask(Command command, const Bytes& payload, std::span<const int> files = {}) const {
    sendMessage(command, payload, files);
    const auto reply = receiveMessage();
    EXPECT_TRUE(reply);
    if (!reply) return {};
    EXPECT_EQ(reply->header.id, 7);
    EXPECT_EQ(reply->header.command, static_cast<std::uint16_t>(command));
    const bool failed = (reply->header.flags & proto::kError) != 0;
    EXPECT_EQ(reply->header.flags & ~proto::kError, proto::kReply);
    EXPECT_EQ(failed, reply->header.error != 0);
    if (failed) EXPECT_TRUE(reply->payload.empty());
    return *reply;
  }
  static Bytes versionOf(std::uint16_t major, std::uint16_t minor, const std::string& text) {
    Bytes json(text.begin(), text.end());
    if (!text.empty()) json.push_back(0);
    return with(proto::Version{major, minor}, json);
  }
  void agree(const std::string& text = "") const { EXPECT_EQ(ask(Command::version, versionOf(0, 1, text)).error(), 0); }

  int map(std::uint64_t address, std::uint64_t bytes, std::uint64_t offset, std::optional<int> file = std::nullopt,
          std::uint32_t flags = 3) const {
    std::vector<int> files;
    if (file) files.push_back(*file);
    return ask(Command::dma_map, with(proto::DmaMap{32, flags, offset, address, bytes}), files).error();
  }
  int unmap(std::uint64_t address, std::uint64_t bytes, std::uint32_t flags = 0) const {
    return ask(Command::dma_unmap, with(proto::DmaUnmap{24, flags, address, bytes})).error();
  }
  Bytes read(std::uint32_t region, std::uint64_t offset, std::uint32_t count) const {
    const Reply reply = ask(Command::region_read, with(proto::RegionAccess{offset, region, count}));
    EXPECT_EQ(reply.error(), 0);
    EXPECT_EQ(reply.payload.size(), 16 + count);
    return {reply.payload.begin() + 16, reply.payload.end()};
  }
  std::uint32_t read32(std::uint32_t region, std::uint64_t offset) const {
    std::uint32_t value = 0;
    std::memcpy(&value, read(region, offset, 4).data(), 4);
    return value;
  }
  void write(std::uint32_t region, std::uint64_t offset, const Bytes& data) const {
    const auto count = static_cast<std::uint32_t>(data.size());
    EXPECT_EQ(ask(Command::region_write, with(proto::RegionAccess{offset, region, count}, data)).error(), 0);
  }
  void write32(std::uint32_t region, std::uint64_t offset, std::uint32_t value) const {
    write(region, offset, with(value));
  }
  void enable() const { write(proto::kConfigRegion, kPciCommand, {kPciMemorySpace | kPciBusMaster, 0}); }
  int setIrqs(std::uint32_t flags, std::uint32_t start, std::uint32_t count, std::span<const int> files = {},
              const Bytes& bools = {}, std::uint32_t index = proto::kMsixIrq) const {
    return ask(Command::set_irqs, with(proto::IrqSet{20, flags, index, start, count}, bools), files).error();
  }
  bool hungUp() const { return !receive(1); }
};

class Events {
 public:
  explicit Events(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      events_.emplace_back(::eventfd(0, EFD_CLOEXEC));
      fds.push_back(events_.back().get());
    }
  }
  /// How often since last asked.
  std::uint64_t fired(unsigned i) {
    pollfd event{fds[i], POLLIN, 0};
    std::uint64_t count = 0;
    if (::poll(&event, 1, 0) == 1) EXPECT_EQ(::read(fds[i], &count, sizeof count), 8);
    return count;
  }
  std::vector<int> fds;

 private:
  std::vector<Descriptor> events_;
};

constexpr std::uint32_t kSetEvents = proto::kDataEventfd | proto::kActionTrigger;

class VfioUser : public ::testing::Test {
 protected:
  VfioUser() {
    sc_core::sc_start(kCycle);
    server = std::make_unique<VfioUserServer>(thread.context, path, owned,
                                              [this](const std::string& text) { told.push_back(text); });
  }
  ~VfioUser() override {
    thread.stop();
    server.reset();
  }
  std::vector<std::string> toldSoFar() {
    return thread.there([&] { return std::exchange(told, {}); });
  }
  void raise(unsigned vector) {
    thread.there([&] { function.raise(vector); });
  }
  /// Done by the card while this thread is the client.
  std::future<bool> dmaWrite(std::uint64_t address, Bytes bytes) {
    return std::async(std::launch::async, [this, address, bytes = std::move(bytes)] {
      return thread.there([&] { return function.writeHost(address, bytes); });
    });
  }
  std::future<std::optional<Bytes>> dmaRead(std::uint64_t address, std::size_t size) {
    return std::async(std::launch::async, [this, address, size] {
      return thread.there([&]() -> std::optional<Bytes> {
        Bytes bytes(size);
        return function.readHost(address, bytes) ? std::optional(bytes) : std::nullopt;
      });
    });
  }
  void expectServing() {
    const Client client(path);
    client.agree();
    EXPECT_EQ(client.read32(proto::kConfigRegion, 0), 0x504C'10EEU);
  }

  FreshKernel kernel;  // before the modules
  Scratch scratch;
  std::string path = scratch / "card.vfio-user";
  CardModule card{"card", [](std::uint64_t cycle) { return cycle; }};
  CardFunction function{"function", card};
  Ownership owned{function};
  std::vector<std::string> told;
  std::unique_ptr<VfioUserServer> server;
  ContextThread thread;
};

TEST_F(VfioUser, version_is_agreed_at_the_lower_minor) {
  for (const auto& [asked, agreed] : {std::pair<std::uint16_t, std::uint16_t>{0, 0}, {1, 1}, {7, 1}}) {
    const Client client(path);
    const Reply reply =
        client.ask(Command::version, Client::versionOf(0, asked, R"({"capabilities": {"max_msg_fds": 8}})"));
    EXPECT_EQ(reply.as<proto::Version>().major, 0);
    EXPECT_EQ(reply.as<proto::Version>().minor, agreed);
    const std::string text(reply.payload.begin() + 4, reply.payload.end());
    EXPECT_EQ(text,
              std::string(R"({"capabilities":{"max_data_xfer_size":1048576,"max_msg_fds":16,"pgsizes":4096}})") + '\0');
  }
}

TEST_F(VfioUser, other_version_or_capabilities_that_are_none_end_the_connection) {
  for (const auto& [major, text] :
       std::vector<std::pair<std::uint16_t, std::string>>{{1, ""},
                                                          {0, "{"},
                                                          {0, "[]"},
                                                          {0, R"({"capabilities": {"max_data_xfer_size": 0}})"},
                                                          {0, R"({"capabilities": {"max_data_xfer_size": "much"}})"}}) {
    const Client client(path);
    EXPECT_EQ(client.ask(Command::version, Client::versionOf(major, 0, text)).error(), EINVAL) << text;
    EXPECT_TRUE(client.hungUp());
    EXPECT_THAT(toldSoFar(), ElementsAre(EndsWith(") asked for a version that is not spoken here")));
  }
  const Client strange(path);
  strange.agree(R"({"capabilities": [1], "more": {}})");
}

TEST_F(VfioUser, device_is_a_pci_function_that_can_be_reset) {
  const Client client(path);
  client.agree();
  const auto info = client.ask(Command::device_info, with(proto::DeviceInfo{16, 0, 0, 0})).as<proto::DeviceInfo>();
  EXPECT_EQ(info.flags, proto::kResets | proto::kIsPci);
  EXPECT_EQ(info.regions, 9U);
  EXPECT_EQ(info.irqs, 5U);
  std::vector<std::uint64_t> sizes;
  for (std::uint32_t i = 0; i < info.regions; ++i) {
    const auto region =
        client.ask(Command::region_info, with(proto::RegionInfo{32, 0, i, 0, 0, 0})).as<proto::RegionInfo>();
    EXPECT_EQ(region.index, i);
    EXPECT_EQ(region.flags, region.bytes == 0 ? 0U : 3U) << "read and write, no mapping";
    sizes.push_back(region.bytes);
  }
  EXPECT_THAT(sizes, ElementsAre(kBar0Bytes, 0, 4096, 0, 0, 0, 0, 4096, 0));
  std::vector<std::uint32_t> counts;
  for (std::uint32_t i = 0; i < info.irqs; ++i)
    counts.push_back(client.ask(Command::irq_info, with(proto::IrqInfo{16, 0, i, 0})).as<proto::IrqInfo>().count);
  EXPECT_THAT(counts, ElementsAre(0, 0, 9, 0, 0)) << "MSI-X only";
}

TEST_F(VfioUser, regions_are_read_and_written) {
  const Client client(path);
  client.agree();
  EXPECT_EQ(client.read(proto::kConfigRegion, 0, 4096).size(), 4096U);
  EXPECT_EQ(client.read(proto::kConfigRegion, 1, 4), (Bytes{0x10, 0x4C, 0x50, 0})) << "not aligned";
  EXPECT_EQ(client.read32(0, reg::kMagic), 0xFFFF'FFFFU) << "no memory space yet";
  client.enable();
  EXPECT_EQ(client.read32(0, reg::kMagic), card_map::kMagicValue);
  client.write(0, reg::kScratch, {1, 2, 3, 4});
  EXPECT_EQ(client.read(0, reg::kScratch, 4), (Bytes{1, 2, 3, 4}));
  EXPECT_EQ(client.read(0, reg::kScratch + 1, 2), (Bytes{2, 3}));
  client.write(0, reg::kScratch, {9, 9});
  EXPECT_EQ(client.read(0, reg::kScratch, 4), (Bytes{1, 2, 3, 4})) << "a part of a register is not written";
  EXPECT_EQ(client.read32(0, 0x60000), 0xFFFF'FFFFU);
  EXPECT_EQ(client.read(2, 0, 16), Bytes(16, 0xFF)) << "the vectors' table is the server's";
  client.write32(2, 8, 5);
  EXPECT_EQ(client.read32(2, 0x800), 0U) << "pending bits can be seen";
  EXPECT_EQ(client.read(0, kBar0Bytes, 0), Bytes{});
}

TEST_F(VfioUser, dma_goes_to_mapped_files) {
  const Client client(path);
  client.agree();
  client.enable();
  SharedMemory ram(8192), constant(4096);
  EXPECT_EQ(client.map(0x10'0000, 4096, 4096, ram.fd()), 0);
  EXPECT_EQ(client.map(0x20'0000, 4096, 0, constant.fd(), proto::kReadable), 0);
  EXPECT_TRUE(dmaWrite(0x10'0010, {5, 6}).get());
  EXPECT_EQ(ram[4096 + 0x11], 6);
  EXPECT_FALSE(dmaWrite(0x10'0FFF, {5, 6}).get()) << "half outside";
  EXPECT_FALSE(dmaWrite(0x20'0000, {5}).get()) << "read only";
  constant[3] = 9;
  EXPECT_EQ(dmaRead(0x20'0003, 1).get(), Bytes{9});
  EXPECT_FALSE(dmaRead(0x30'0000, 1).get());
  client.write(proto::kConfigRegion, kPciCommand, {kPciMemorySpace, 0});
  EXPECT_FALSE(dmaWrite(0x10'0010, {5, 6}).get()) << "no bus master";
}

TEST_F(VfioUser, mappings_are_exact_and_do_not_overlap) {
  const Client client(path);
  client.agree();
  client.enable();
  const SharedMemory ram(8192);
  EXPECT_EQ(client.map(0x1000, 0x1000, 0, ram.fd()), 0);
  EXPECT_EQ(client.map(0x4000, 0x2000, 0), 0);
  for (const auto& [address, bytes] : {std::pair<std::uint64_t, std::uint64_t>{0x1000, 0x1000},
                                       {0x1FFF, 1},
                                       {0, 0x1001},
                                       {0x5FFF, 1},
                                       {0x3000, 0x1001}}) {
    EXPECT_EQ(client.map(address, bytes, 0, ram.fd()), EEXIST) << address;
    EXPECT_EQ(client.map(address, bytes, 0), EEXIST) << address;
  }
  EXPECT_EQ(client.map(0x8000, 0, 0), EINVAL);
  EXPECT_EQ(client.map(~0ULL, 2, 0), EINVAL);
  EXPECT_EQ(client.map(0x8000, 0x1000, 0x2000, ram.fd()), EINVAL) << "the file is shorter";
  EXPECT_EQ(client.map(0x8000, 0x1000, 0, ram.fd(), 8), EINVAL);
  EXPECT_EQ(client.unmap(0x1000, 0x800), ENOENT);
  EXPECT_EQ(client.unmap(0x4000, 0x1000), ENOENT);
  EXPECT_EQ(client.unmap(0x1000, 0x1000, 1), ENOTSUP) << "dirty pages";
  EXPECT_EQ(client.unmap(0x1000, 0x1000), 0);
  EXPECT_EQ(client.unmap(0x1000, 0x1000), ENOENT);
  EXPECT_FALSE(dmaWrite(0x1000, {1}).get());
  EXPECT_EQ(client.unmap(0x4000, 0x2000), 0);
  EXPECT_EQ(client.map(0x1000, 0x1000, 0, ram.fd()), 0);
  EXPECT_EQ(client.unmap(0, 0, proto::kUnmapAll), 0);
  EXPECT_FALSE(dmaWrite(0x1000, {1}).get());
}

TEST_F(VfioUser, memory_without_a_file_is_reached_by_messages_no_longer_than_the_client_takes) {
  const Client client(path);
  client.agree(R"({"capabilities": {"max_data_xfer_size": 4}})");
  client.enable();
  ASSERT_EQ(client.map(0x1000, 0x1000, 0), 0);
  auto written = dmaWrite(0x1FFA, {1, 2, 3, 4, 5, 6});
  for (const auto& [address, data] : {std::pair<std::uint64_t, Bytes>{0x1FFA, {1, 2, 3, 4}}, {0x1FFE, {5, 6}}}) {
    const auto asked = client.receiveMessage();
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->header.command, static_cast<std::uint16_t>(Command::dma_write));
    EXPECT_EQ(asked->header.flags, 0U);
    EXPECT_EQ(asked->payload, with(proto::DmaAccess{address, data.size()}, data));
    client.sendMessage(Command::dma_write, with(proto::DmaAccess{address, data.size()}), {}, proto::kReply,
                       asked->header.id);
  }
  EXPECT_TRUE(written.get());
  auto read = dmaRead(0x1000, 2);
  const auto asked = client.receiveMessage();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->header.command, static_cast<std::uint16_t>(Command::dma_read));
  // A command that comes meanwhile waits.
  client.sendMessage(Command::region_read, with(proto::RegionAccess{0, proto::kConfigRegion, 2}), {}, 0, 99);
  client.sendMessage(Command::dma_read, with(proto::DmaAccess{0x1000, 2}, {8, 9}), {}, proto::kReply, asked->header.id);
  EXPECT_EQ(read.get(), (Bytes{8, 9}));
  const auto late = client.receiveMessage();
  ASSERT_TRUE(late);
  EXPECT_EQ(late->header.id, 99);
  EXPECT_EQ(late->payload.at(16), 0xEE);
  EXPECT_FALSE(dmaWrite(0x1FFF, {1, 2}).get()) << "half outside: not even asked";
}

TEST_F(VfioUser, client_that_refuses_dma_or_answers_nonsense_is_no_memory) {
  const Client client(path);
  client.agree();
  client.enable();
  ASSERT_EQ(client.map(0x1000, 0x1000, 0), 0);
  auto refused = dmaRead(0x1000, 2);
  client.sendMessage(Command::dma_read, {}, {}, proto::kReply | proto::kError, client.receiveMessage()->header.id,
                     EFAULT);
  EXPECT_FALSE(refused.get());
  auto shorter = dmaRead(0x1000, 2);
  client.sendMessage(Command::dma_read, with(proto::DmaAccess{0x1000, 2}, {8}), {}, proto::kReply,
                     client.receiveMessage()->header.id);
  EXPECT_FALSE(shorter.get());
  auto other = dmaRead(0x1000, 2);
  EXPECT_TRUE(client.receiveMessage());
  client.sendMessage(Command::dma_read, with(proto::DmaAccess{0x1000, 2}, {8, 9}), {}, proto::kReply, 12345);
  EXPECT_FALSE(other.get());
  EXPECT_TRUE(client.hungUp());
  EXPECT_THAT(toldSoFar(), ElementsAre(EndsWith("answered something that it was not asked")));
  expectServing();
}

TEST_F(VfioUser, client_that_ends_during_dma_is_no_memory) {
  std::optional<Client> client(path);
  client->agree();
  client->enable();
  ASSERT_EQ(client->map(0x1000, 0x1000, 0), 0);
  auto read = dmaRead(0x1000, 2);
  EXPECT_TRUE(client->receiveMessage());
  client.reset();
  EXPECT_FALSE(read.get());
  expectServing();
}

TEST_F(VfioUser, vectors_fire_their_eventfds) {
  const Client client(path);
  client.agree();
  client.enable();
  Events events(9);
  EXPECT_EQ(client.setIrqs(kSetEvents, 0, 9, events.fds), 0);
  EXPECT_EQ(client.read(proto::kConfigRegion, kMsixControl, 2), (Bytes{0x08, 0x80})) << "enabled";
  raise(8);
  raise(0);
  raise(0);
  EXPECT_EQ(events.fired(8), 1U);
  EXPECT_EQ(events.fired(0), 2U);
  EXPECT_EQ(events.fired(1), 0U);

  EXPECT_EQ(client.setIrqs(kSetEvents, 3, 2), 0) << "without files: taken away";
  raise(3);
  raise(5);
  EXPECT_EQ(events.fired(3), 0U);
  EXPECT_EQ(events.fired(5), 1U);
  EXPECT_EQ(client.read32(2, 0x800), 1U << 3) << "pending";
  const int back[] = {events.fds[3]};
  EXPECT_EQ(client.setIrqs(kSetEvents, 3, 1, back), 0);
  EXPECT_EQ(events.fired(3), 1U) << "and not lost";

  EXPECT_EQ(client.setIrqs(proto::kDataNone | proto::kActionTrigger, 1, 2), 0);
  EXPECT_EQ(client.setIrqs(proto::kDataBool | proto::kActionTrigger, 5, 3, {}, {0, 1, 0}), 0);
  EXPECT_EQ(events.fired(1) + events.fired(2) + events.fired(6), 3U) << "by the client itself";
  EXPECT_EQ(events.fired(5) + events.fired(7), 0U);

  EXPECT_EQ(client.setIrqs(proto::kDataNone | proto::kActionTrigger, 0, 0), 0);
  EXPECT_EQ(client.read(proto::kConfigRegion, kMsixControl, 2), (Bytes{0x08, 0x00}));
  raise(0);
  EXPECT_EQ(events.fired(0), 0U);
}

TEST_F(VfioUser, vectors_survive_a_reset_and_obey_the_function_s_mask) {
  const Client client(path);
  client.agree();
  Events events(9);
  EXPECT_EQ(client.setIrqs(kSetEvents, 0, 9, events.fds), 0) << "memory space is not enabled yet";
  EXPECT_EQ(client.read32(proto::kConfigRegion, kPciCommand) & 0xFFFF, 0U) << "and is not afterwards";
  client.enable();
  raise(1);
  EXPECT_EQ(events.fired(1), 1U);
  EXPECT_EQ(client.ask(Command::device_reset, {}).error(), 0);
  EXPECT_EQ(client.read32(proto::kConfigRegion, kPciCommand) & 0xFFFF, 0U);
  client.enable();
  raise(2);
  EXPECT_EQ(events.fired(2), 1U);
  client.write(proto::kConfigRegion, kDeviceControl, {0x10, 0xA8});  // function-level reset
  EXPECT_EQ(client.read32(proto::kConfigRegion, kPciCommand) & 0xFFFF, 0U);
  client.enable();
  raise(3);
  EXPECT_EQ(events.fired(3), 1U);
  client.write(proto::kConfigRegion, kMsixControl, {0x08, 0xC0});
  raise(4);
  EXPECT_EQ(events.fired(4), 0U);
  client.write(proto::kConfigRegion, kMsixControl, {0x08, 0x80});
  EXPECT_EQ(events.fired(4), 1U);
}

TEST_F(VfioUser, interrupts_that_do_not_exist_and_files_that_are_no_eventfds_are_refused) {
  const Client client(path);
  client.agree();
  Events events(10);
  const SharedMemory ram(4096);
  const int file[] = {ram.fd()};
  EXPECT_EQ(client.setIrqs(kSetEvents, 0, 10, events.fds), EINVAL);
  EXPECT_EQ(client.setIrqs(kSetEvents, 9, 1, std::span(events.fds).first(1)), EINVAL);
  EXPECT_EQ(client.setIrqs(kSetEvents, 0xFFFF'FFFF, 2, std::span(events.fds).first(2)), EINVAL);
  EXPECT_EQ(client.setIrqs(kSetEvents, 0, 2, std::span(events.fds).first(1)), EINVAL) << "two vectors, one file";
  EXPECT_EQ(client.setIrqs(kSetEvents, 0, 1, file), EINVAL);
  EXPECT_EQ(client.setIrqs(kSetEvents, 0, 1, std::span(events.fds).first(1), {}, 0), EINVAL) << "INTx";
  EXPECT_EQ(client.setIrqs(kSetEvents, 0, 0, {}, {}, 5), EINVAL);
  EXPECT_EQ(client.setIrqs(proto::kDataBool | proto::kActionTrigger, 0, 2, {}, {1}), EINVAL);
  EXPECT_EQ(client.setIrqs(0, 0, 1), EINVAL);
  EXPECT_EQ(client.setIrqs(proto::kDataNone | proto::kActionTrigger, 0, 0, {}, {}, 0), 0) << "nothing to disable";
}

TEST_F(VfioUser, commands_that_are_wrong_are_refused_and_the_connection_lives) {
  const Client client(path);
  client.agree();
  EXPECT_EQ(client.ask(static_cast<Command>(14), {}).error(), ENOTSUP);
  EXPECT_EQ(client.ask(Command::region_io_files, Bytes(16)).error(), ENOTSUP);
  EXPECT_EQ(client.ask(Command::dma_read, Bytes(16)).error(), ENOTSUP) << "only the server asks that";
  EXPECT_EQ(client.ask(Command::version, Client::versionOf(0, 0, "")).error(), EINVAL) << "a second time";
  EXPECT_EQ(client.ask(Command::device_info, Bytes(15)).error(), EINVAL);
  EXPECT_EQ(client.ask(Command::device_info, with(proto::DeviceInfo{15, 0, 0, 0})).error(), EINVAL);
  EXPECT_EQ(client.ask(Command::region_info, with(proto::RegionInfo{32, 0, 9, 0, 0, 0})).error(), EINVAL);
  EXPECT_EQ(client.ask(Command::irq_info, with(proto::IrqInfo{16, 0, 5, 0})).error(), EINVAL);
  const auto access = [&](Command command, std::uint64_t offset, std::uint32_t region, std::uint32_t count,
                          const Bytes& data = {}) {
    return client.ask(command, with(proto::RegionAccess{offset, region, count}, data)).error();
  };
  EXPECT_EQ(access(Command::region_read, 4093, proto::kConfigRegion, 4), EINVAL);
  EXPECT_EQ(access(Command::region_read, ~0ULL, 0, 4), EINVAL);
  EXPECT_EQ(access(Command::region_read, 0, 1, 4), EINVAL);
  EXPECT_EQ(access(Command::region_read, 0, 0xFFFF'FFFF, 4), EINVAL);
  EXPECT_EQ(access(Command::region_read, 0, 0, 0xFFFF'FFFF), EINVAL);
  EXPECT_EQ(access(Command::region_write, 0, 0, 4, {1, 2, 3}), EINVAL);
  EXPECT_EQ(access(Command::region_write, 0, 0, 4, {1, 2, 3, 4, 5}), EINVAL);
  client.sendMessage(Command::device_reset, {}, {}, proto::kNoReply);
  EXPECT_EQ(client.read32(proto::kConfigRegion, 0), 0x504C'10EEU) << "the next answer is the next command's";
}

TEST_F(VfioUser, what_is_no_message_ends_the_connection_with_a_reason) {
  const SharedMemory ram(4096);
  const std::vector<int> many(17, ram.fd());
  struct Case {
    Bytes message;
    std::vector<int> files;
    std::string why;
  };
  const auto header = [](std::uint16_t command, std::uint32_t bytes, std::uint32_t flags) {
    return with(proto::Header{1, command, bytes, flags, 0});
  };
  const std::size_t before = descriptorsOpen();
  expectServing();
  for (const Case& one :
       std::vector<Case>{{header(4, 15, 0), {}, "sent something that is no message of its protocol"},
                         {header(4, 0xFFFF'FFFF, 0), {}, "sent something that is no message of its protocol"},
                         {header(4, 16, 2), {}, "sent something that is no message of its protocol"},
                         {header(4, 32, 0), many, "sent something that is no message of its protocol"},
                         {header(4, 16, 0), {}, "speaks before the version is agreed"},
                         {header(4, 16, 1), {}, "answered something that it was not asked"}}) {
    const Client client(path);
    client.send(one.message, one.files);
    EXPECT_TRUE(client.hungUp());
    EXPECT_THAT(toldSoFar(), ElementsAre(EndsWith(") " + one.why)));
  }
  EXPECT_EQ(descriptorsOpenSoon(before), before);
  expectServing();
}

TEST_F(VfioUser, second_client_is_turned_away_and_the_card_is_reset_when_the_first_ends) {
  {
    const Client client(path);
    client.agree();
    client.enable();
    Events events(1);
    EXPECT_EQ(client.setIrqs(kSetEvents, 0, 1, events.fds), 0);
    EXPECT_TRUE(Client(path).hungUp());
    EXPECT_THAT(toldSoFar(), ElementsAre(::testing::HasSubstr("the card is held by a vfio-user client (process ")));
  }
  const Client next(path);
  next.agree();
  EXPECT_EQ(next.read32(proto::kConfigRegion, kPciCommand) & 0xFFFF, 0U);
  EXPECT_EQ(next.read(proto::kConfigRegion, kMsixControl, 2), (Bytes{0x08, 0x00}));
  EXPECT_THAT(toldSoFar(), IsEmpty());
}

TEST_F(VfioUser, garbage_of_any_kind_leaves_it_serving) {
  std::mt19937 random(13);
  for (int i = 0; i < 300; ++i) {
    const Client client(path);
    if (i % 2 == 0) client.agree();
    const std::size_t size = random() % 64;
    Bytes bytes =
        with(proto::Header{1, static_cast<std::uint16_t>(random() % 16), static_cast<std::uint32_t>(16 + size),
                           static_cast<std::uint32_t>(random() % 2 * proto::kNoReply), 0});
    for (std::size_t n = 0; n < size; ++n)
      bytes.push_back(static_cast<std::uint8_t>(random() % (i % 3 == 0 ? 256 : 9)));
    client.send(bytes);
  }
  expectServing();
}

}  // namespace
}  // namespace poplink::sim
