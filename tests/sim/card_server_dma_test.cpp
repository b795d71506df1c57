// SPDX-License-Identifier: Apache-2.0
// What a client of the card's socket shares with the card: memory and interrupts, and nothing besides.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <numeric>

#include "card_server.h"
#include "poplink/driver/error.h"
#include "poplink/driver/sim_protocol.h"
#include "poplink/driver/sim_transport.h"
#include "recorded_function.h"
#include "scratch.h"
#include "unix_peer.h"

namespace poplink::sim {
namespace {

namespace proto = driver::sim_protocol;
using driver::DmaMemory;

constexpr std::uint32_t kVectors = 9;
constexpr std::uint64_t kMessages = 0xFEE0'0000;

/// With nine MSI-X vectors, their table in BAR2 at 0x100.
class Function : public RecordedFunction {
 public:
  Function() { reset(); }
  void reset() override {
    RecordedFunction::reset();
    configWrite(0x06, 2, 0x10);
    configWrite(0x34, 1, 0x50);
    configWrite(0x50, 4, 0x11 | (kVectors - 1) << 16);
    configWrite(0x54, 4, 0x100 | 2);
  }
};

class CardSocketDma : public ::testing::Test {
 protected:
  ~CardSocketDma() override {
    thread.stop();
    server_.reset();
  }
  std::unique_ptr<driver::Transport> open() const { return driver::openSimulatedCard(path, "me"); }
  bool write(std::uint64_t address, std::vector<std::uint8_t> bytes) {
    return thread.there([&] { return function.host != nullptr && function.host->writeMemory(address, bytes); });
  }
  std::optional<std::vector<std::uint8_t>> read(std::uint64_t address, std::size_t size) {
    return thread.there([&]() -> std::optional<std::vector<std::uint8_t>> {
      std::vector<std::uint8_t> bytes(size);
      if (function.host == nullptr || !function.host->readMemory(address, bytes)) return std::nullopt;
      return bytes;
    });
  }
  /// Until the card has noticed that its owner is gone. It tells nobody, so it is asked again and again, and not for
  /// ever.
  bool freed() {
    for (int i = 0; i < 2000; ++i) {
      if (thread.there([&] { return function.host == nullptr; })) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  static bool fired(int event) {
    pollfd one{event, POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
  }

  Scratch scratch;
  std::string path = scratch / "card.sock";
  Function function;
  ContextThread thread;

 private:
  Ownership card_{function};
  std::unique_ptr<CardServer> server_ = std::make_unique<CardServer>(thread.context, path, card_);
};

TEST_F(CardSocketDma, memory_is_the_same_on_both_sides) {
  const auto transport = open();
  EXPECT_TRUE(transport->capabilities().dma);
  const auto memory = transport->allocate(10'000);
  ASSERT_EQ(memory->bytes().size(), 12'288U);
  for (const std::uint8_t byte : memory->bytes()) ASSERT_EQ(byte, 0);
  EXPECT_EQ(memory->busAddress() % 4096, 0U);
  std::iota(memory->bytes().begin(), memory->bytes().end(), std::uint8_t{0});
  const auto seen = read(memory->busAddress(), memory->bytes().size());
  ASSERT_TRUE(seen);
  EXPECT_TRUE(std::equal(seen->begin(), seen->end(), memory->bytes().begin()));
  EXPECT_TRUE(write(memory->busAddress() + 4090, std::vector<std::uint8_t>(12, 0xAB)));
  EXPECT_EQ(memory->bytes()[4089], 4089 % 256);
  for (std::size_t i = 4090; i < 4102; ++i) EXPECT_EQ(memory->bytes()[i], 0xAB) << i;
  EXPECT_EQ(memory->bytes()[4102], 4102 % 256);
}

TEST_F(CardSocketDma, memory_outside_what_was_given_is_never_touched) {
  const auto transport = open();
  std::vector<std::unique_ptr<DmaMemory>> buffers;
  for (int i = 0; i < 4; ++i) buffers.push_back(transport->allocate(4096));
  for (const auto& buffer : buffers) {
    const std::uint64_t first = buffer->busAddress(), end = first + 4096;
    for (const auto& [address, size] : std::initializer_list<std::pair<std::uint64_t, std::size_t>>{{first - 1, 1},
                                                                                                    {first - 1, 2},
                                                                                                    {first - 64, 4224},
                                                                                                    {end, 1},
                                                                                                    {end - 1, 2},
                                                                                                    {end - 64, 128},
                                                                                                    {end + 4095, 2}}) {
      EXPECT_FALSE(write(address, std::vector<std::uint8_t>(size, 0xEE)));
      EXPECT_FALSE(read(address, size));
    }
    EXPECT_TRUE(write(end - 1, {0x11}));
  }
  for (const auto& buffer : buffers) {
    EXPECT_EQ(std::count(buffer->bytes().begin(), buffer->bytes().end(), 0), 4095) << "nothing of a refused write";
  }
  EXPECT_FALSE(write(0, {1}));
  EXPECT_FALSE(write(~std::uint64_t{0}, {1, 2}));
  EXPECT_FALSE(write(kMessages, {1, 2, 3, 4}));
}

TEST_F(CardSocketDma, memory_given_back_is_the_card_s_no_more) {
  const auto transport = open();
  auto memory = transport->allocate(4096);
  const std::uint64_t address = memory->busAddress();
  memory.reset();
  EXPECT_FALSE(write(address, {1}));
  EXPECT_EQ(transport->allocate(4096)->busAddress(), address);
  for (int i = 0; i < 3000; ++i) transport->allocate(4096);
}

TEST_F(CardSocketDma, memory_may_outlive_its_transport) {
  auto transport = open();
  const auto memory = transport->allocate(4096);
  const std::uint64_t address = memory->busAddress();
  transport.reset();
  EXPECT_TRUE(freed());
  memory->bytes()[0] = 7;
  EXPECT_FALSE(write(address, {1}));
  EXPECT_EQ(memory->bytes()[0], 7);
}

TEST_F(CardSocketDma, each_vector_has_its_event) {
  const auto transport = open();
  EXPECT_EQ(transport->capabilities().vectors, kVectors);
  const std::span<const int> vectors = transport->vectors();
  ASSERT_EQ(vectors.size(), kVectors);
  thread.there([&] {
    EXPECT_EQ(function.configRead(0x52, 2) & 0x8000, 0x8000U) << "MSI-X is enabled";
    for (std::uint32_t v = 0; v < kVectors; ++v) {
      const std::uint64_t entry = 0x100 + 16 * v;
      EXPECT_EQ((function.registers[{2, entry}]), kMessages);
      EXPECT_EQ((function.registers[{2, entry + 4}]), 0U);
      EXPECT_EQ((function.registers[{2, entry + 8}]), v);
      EXPECT_EQ((function.registers[{2, entry + 12}]), 0U) << "unmasked";
    }
    for (const std::uint32_t data : {5U, 5U, 8U, 9U, 0xFFFFU}) function.host->message(kMessages, data);
    function.host->message(kMessages + 4, 2);
    return 0;
  });
  for (std::uint32_t v = 0; v < kVectors; ++v) EXPECT_EQ(fired(vectors[v]), v == 5 || v == 8) << v;
  eventfd_t count = 0;
  EXPECT_EQ(::eventfd_read(vectors[5], &count), 0);
  EXPECT_EQ(count, 2U);
  EXPECT_FALSE(fired(vectors[5]));
}

TEST_F(CardSocketDma, event_that_is_full_does_not_stop_the_card) {
  const auto transport = open();
  const int event = transport->vectors()[0];
  ASSERT_EQ(::fcntl(event, F_SETFL, 0), 0);  // it would block
  ASSERT_EQ(::eventfd_write(event, ~std::uint64_t{0} - 1), 0);
  thread.there([&] {
    function.host->message(kMessages, 0);
    return 0;
  });
  EXPECT_TRUE(fired(event));
}

TEST_F(CardSocketDma, function_without_interrupts_has_no_vectors) {
  thread.there([&] {
    function.reset();
    return 0;
  });
  class Bare : public RecordedFunction {
  } bare;
  Ownership card(bare);
  ContextThread other;
  const CardServer server(other.context, scratch / "bare.sock", card);
  {
    const auto transport = driver::openSimulatedCard(scratch / "bare.sock", "me");
    EXPECT_EQ(transport->capabilities().vectors, 0U);
    EXPECT_TRUE(transport->vectors().empty());
  }
  other.stop();
}

TEST_F(CardSocketDma, reset_keeps_memory_and_vectors) {
  const auto transport = open();
  const auto memory = transport->allocate(4096);
  const int event = transport->vectors()[3];
  const int before = thread.there([&] {
    function.registers.clear();
    return function.resets;
  });
  transport->reset();
  thread.there([&] {
    EXPECT_EQ(function.resets, before + 1);
    EXPECT_EQ(function.configRead(kPciCommand, 2), kPciMemorySpace | kPciBusMaster);
    EXPECT_EQ((function.registers[{2, 0x138}]), 3U) << "the vector's message is set up again";
    EXPECT_EQ(function.configRead(0x52, 2) & 0x8000, 0x8000U);
    function.host->message(kMessages, 3);
    return 0;
  });
  EXPECT_TRUE(fired(event));
  EXPECT_TRUE(write(memory->busAddress(), {1}));
}

TEST_F(CardSocketDma, nothing_of_an_owner_that_is_gone_stays) {
  open().reset();
  EXPECT_TRUE(freed());
  const std::size_t before = descriptorsOpen();
  for (int i = 0; i < 20; ++i) {
    auto transport = open();
    const auto memory = transport->allocate(4096);
    const int count = thread.there([&] { return function.resets; });
    EXPECT_EQ(transport->vectors().size(), kVectors);
    EXPECT_TRUE(write(memory->busAddress(), {1}));
    transport.reset();
    ASSERT_TRUE(freed());
    EXPECT_GT(thread.there([&] { return function.resets; }), count);
    EXPECT_EQ(thread.there([&] { return function.configRead(kPciCommand, 2); }), 0U) << "no master of any bus";
  }
  EXPECT_EQ(descriptorsOpen(), before);
}

// ---- clients that do it wrong

class CardSocketGarbage : public CardSocketDma {
 protected:
  /// Sealed as it has to be.
  static driver::Descriptor file(std::size_t size, int seals = F_SEAL_SHRINK) {
    driver::Descriptor made(::memfd_create("poplink-test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    EXPECT_EQ(::ftruncate(made.get(), static_cast<off_t>(size)), 0);
    if (seals != 0) EXPECT_EQ(::fcntl(made.get(), F_ADD_SEALS, seals), 0);
    return made;
  }
  static std::string text(const UnixPeer& peer) {
    const auto head = peer.receive(proto::kHeaderBytes);
    const auto header = head ? proto::decodeHeader(*head) : std::nullopt;
    if (!header) return "hung up";
    const auto payload = peer.receive(header->payload_bytes);
    if (!payload) return "hung up";
    return header->type == proto::Type::refused ? std::string(payload->begin(), payload->end()) : "";
  }
  UnixPeer owner() const {
    UnixPeer peer(path);
    peer.send(proto::encodeHello("me"));
    EXPECT_EQ(text(peer), "");
    return peer;
  }
  /// What an owner is told for a message.
  std::string told(const Bytes& message, std::vector<int> files = {}) const {
    const UnixPeer peer = owner();
    peer.send(message, files);
    std::string said = text(peer);
    if (!said.empty()) EXPECT_FALSE(peer.receive(1)) << "hangs up";
    return said;
  }
  void expectServing() { EXPECT_NO_THROW(open()->allocate(4096)); }
};

constexpr const char* kMalformed = "was sent a malformed message";
const std::string kCannot = "cannot use the memory it was given: ";

TEST_F(CardSocketGarbage, memory_that_is_none_is_refused) {
  const auto good = file(8192), open_ended = file(8192, 0), growing = file(8192, F_SEAL_GROW);
  const Bytes map = proto::encodeMap({0x10'0000, 8192});
  EXPECT_EQ(told(map, {good.get()}), "");
  EXPECT_EQ(told(map), kMalformed) << "without a file";
  EXPECT_EQ(told(map, {good.get(), good.get()}), kMalformed);
  EXPECT_EQ(told(map, std::vector<int>(100, good.get())), kMalformed);
  EXPECT_EQ(told(map, {open_ended.get()}), kCannot + "its file may shrink");
  EXPECT_EQ(told(map, {growing.get()}), kCannot + "its file may shrink");
  const auto disk = driver::Descriptor(::open((scratch / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(told(map, {disk.get()}), kCannot + "its file may shrink");
  const auto event = driver::Descriptor(::eventfd(0, EFD_CLOEXEC));
  EXPECT_EQ(told(map, {event.get()}), kCannot + "its file may shrink");
  EXPECT_EQ(told(proto::encodeMap({0x10'0000, 12'288}), {good.get()}), kCannot + "its file is shorter");
  EXPECT_EQ(told(proto::encodeMap({0x10'0000, std::uint64_t{1} << 62}), {good.get()}), kCannot + "its file is shorter");
  const auto read_only =
      driver::Descriptor(::open(("/proc/self/fd/" + std::to_string(good.get())).c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(told(map, {read_only.get()}), kCannot + "its file cannot be mapped: Permission denied");
  for (const proto::Mapping& wrong :
       {proto::Mapping{0x10'0001, 8192}, {0x10'0000, 8191}, {0x10'0000, 0}, {~std::uint64_t{0} - 4095, 8192}})
    EXPECT_EQ(told(proto::encodeMap(wrong), {good.get()}), kMalformed);
  expectServing();
}

TEST_F(CardSocketGarbage, memory_over_memory_is_refused) {
  const auto memory = file(16'384);
  for (const auto& [address, size, fits] :
       std::initializer_list<std::tuple<std::uint64_t, std::uint64_t, bool>>{{0x10'0000, 8192, false},
                                                                             {0x10'1000, 4096, false},
                                                                             {0xF'F000, 8192, false},
                                                                             {0xF'F000, 16'384, false},
                                                                             {0xF'F000, 4096, true},
                                                                             {0x10'2000, 4096, true}}) {
    const UnixPeer peer = owner();
    const int fd[] = {memory.get()};
    peer.send(proto::encodeMap({0x10'0000, 8192}), fd);
    EXPECT_EQ(text(peer), "");
    peer.send(proto::encodeMap({address, size}), fd);
    EXPECT_EQ(text(peer), fits ? "" : kCannot + "it overlaps another") << address;
  }
  expectServing();
}

TEST_F(CardSocketGarbage, memory_without_end_is_refused) {
  const UnixPeer peer = owner();
  const auto memory = file(4096);
  const int fd[] = {memory.get()};
  for (std::uint64_t i = 0; i < proto::kMaxMappings; ++i) {
    peer.send(proto::encodeMap({i * 4096, 4096}), fd);
    ASSERT_EQ(text(peer), "") << i;
  }
  peer.send(proto::encodeMap({std::uint64_t{1} << 40, 4096}), fd);
  EXPECT_EQ(text(peer), kCannot + "there is too much of it");
}

TEST_F(CardSocketGarbage, giving_back_what_was_not_given_is_refused) {
  EXPECT_EQ(told(proto::encodeUnmap(0x10'0000)), "was never given memory at this address");
  const UnixPeer peer = owner();
  const auto memory = file(8192);
  const int fd[] = {memory.get()};
  peer.send(proto::encodeMap({0x10'0000, 8192}), fd);
  EXPECT_EQ(text(peer), "");
  peer.send(proto::encodeUnmap(0x10'1000));
  EXPECT_EQ(text(peer), "was never given memory at this address") << "half of it";
  expectServing();
}

TEST_F(CardSocketGarbage, event_that_is_none_is_refused) {
  const auto event = driver::Descriptor(::eventfd(0, EFD_CLOEXEC));
  EXPECT_EQ(told(proto::encodeVector(8), {event.get()}), "");
  EXPECT_EQ(told(proto::encodeVector(8)), kMalformed);
  EXPECT_EQ(told(proto::encodeVector(9), {event.get()}), "has no interrupt vector 9");
  EXPECT_EQ(told(proto::encodeVector(proto::kMaxVectors), {event.get()}), kMalformed);
  const auto memory = file(4096);
  EXPECT_EQ(told(proto::encodeVector(0), {memory.get()}), "was given something that is no eventfd");
  expectServing();
}

TEST_F(CardSocketGarbage, file_that_no_message_has_is_refused) {
  const auto memory = file(4096);
  const driver::Access one[] = {driver::Access::read(0)};
  for (const Bytes& message : {proto::encodeHello("me"), proto::encodeBatch(one), proto::encodeConfigRead({0, 4, 0}),
                               proto::encodeUnmap(0), proto::encodeReset()})
    EXPECT_EQ(told(message, {memory.get()}), kMalformed);
  UnixPeer stranger(path);
  const int fd[] = {memory.get()};
  stranger.send(proto::encodeMap({0, 4096}), fd);
  EXPECT_EQ(text(stranger), "wants a hello first");
  expectServing();
}

TEST_F(CardSocketGarbage, files_behind_the_first_byte_are_refused) {
  const UnixPeer peer = owner();
  const auto memory = file(4096);
  const int fd[] = {memory.get()};
  const Bytes map = proto::encodeMap({0x10'0000, 4096});
  peer.send({map.begin(), map.begin() + 8});
  peer.send({map.begin() + 8, map.end()}, fd);
  EXPECT_EQ(text(peer), kMalformed);
  expectServing();
}

}  // namespace
}  // namespace poplink::sim
