// SPDX-License-Identifier: Apache-2.0
// The card as QEMU's proxy device sees it, by a proxy of our own; and how interrupts get to QEMU.
#include "mpqemu_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <random>

#include "card_server.h"
#include "mapped_memory.h"
#include "poplink/driver/sim_transport.h"
#include "qtest_client.h"
#include "recorded_function.h"
#include "scratch.h"
#include "unix_peer.h"

namespace poplink::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

enum Command : std::int32_t { kSync, kAnswer, kConfigWrite, kConfigRead, kBarWrite, kBarRead, kIrqfd, kReset };

constexpr std::uint64_t kBase0 = 0xFE00'0000, kBase2 = 0xFE20'0000;

struct Region {
  std::uint64_t address, bytes;
  std::int64_t offset;
  int file;
};

class Proxy : public UnixPeer {
 public:
  using UnixPeer::UnixPeer;

  static Bytes head(std::int32_t command, std::uint64_t bytes) {
    Bytes message;
    append(message, command);
    append(message, std::uint32_t{0xAAAA'AAAA});  // what lies between is nobody's
    append(message, bytes);
    return message;
  }
  static Bytes config(Command command, std::uint32_t address, std::uint32_t value, std::int32_t size) {
    Bytes message = head(command, 12);
    append(message, address);
    append(message, value);
    append(message, size);
    return message;
  }
  static Bytes bar(Command command, std::uint64_t address, std::uint64_t value, std::uint32_t size,
                   bool memory = true) {
    Bytes message = head(command, 24);
    append(message, address);
    append(message, value);
    append(message, size);
    append(message, std::uint32_t{memory});
    return message;
  }
  static Bytes sync(const std::vector<Region>& regions) {
    std::array<std::uint64_t, 24> list{};
    for (std::size_t i = 0; i < regions.size(); ++i) {
      list[i] = regions[i].address;
      list[8 + i] = regions[i].bytes;
      list[16 + i] = static_cast<std::uint64_t>(regions[i].offset);
    }
    Bytes message = head(kSync, sizeof list);
    append(message, list);
    return message;
  }

  std::optional<std::uint64_t> ask(const Bytes& message) const {
    send(message);
    struct Answer {
      std::int32_t command;
      std::uint32_t padding;
      std::uint64_t bytes, value;
    };
    const auto answer = receive<Answer>();
    if (!answer) return std::nullopt;
    EXPECT_EQ(answer->command, kAnswer);
    EXPECT_EQ(answer->bytes, 8U);
    return answer->value;
  }
  std::uint64_t configRead(std::uint32_t address, std::int32_t size) const {
    return ask(config(kConfigRead, address, 0, size)).value();
  }
  void configWrite(std::uint32_t address, std::int32_t size, std::uint32_t value) const {
    EXPECT_EQ(ask(config(kConfigWrite, address, value, size)), 0U);
  }
  std::uint64_t read(std::uint64_t address, std::uint32_t size) const {
    return ask(bar(kBarRead, address, 0, size)).value();
  }
  void write(std::uint64_t address, std::uint32_t size, std::uint64_t value) const {
    EXPECT_EQ(ask(bar(kBarWrite, address, value, size)), 0U);
  }
  /// Returns when the card has read it.
  void announce(const std::vector<Region>& regions) const {
    std::vector<int> files;
    for (const Region& region : regions) files.push_back(region.file);
    send(sync(regions), files);
    configRead(0, 4);
  }
  bool hungUp() const { return !receive(1); }
};

class Mpqemu : public ::testing::Test {
 protected:
  Mpqemu() {
    MpqemuServer::Hooks hooks;
    hooks.message = [this](std::uint64_t address, std::uint32_t data) { messages.emplace_back(address, data); };
    hooks.tell = [this](const std::string& text) { told.push_back(text); };
    server = std::make_unique<MpqemuServer>(thread.context, path, card, hooks);
  }
  ~Mpqemu() override {
    thread.stop();
    server.reset();
  }
  void place(const Proxy& proxy) {
    proxy.configWrite(0x10, 4, kBase0);
    proxy.configWrite(0x18, 4, kBase2);
  }
  bool dmaWrite(std::uint64_t address, const Bytes& bytes) {
    return thread.there([&] { return function.host->writeMemory(address, bytes); });
  }
  std::optional<Bytes> dmaRead(std::uint64_t address, std::size_t size) {
    return thread.there([&]() -> std::optional<Bytes> {
      Bytes bytes(size);
      return function.host->readMemory(address, bytes) ? std::optional(bytes) : std::nullopt;
    });
  }
  std::vector<std::string> toldSoFar() {
    return thread.there([&] { return std::exchange(told, {}); });
  }
  /// The card can be owned and used.
  void expectServing() {
    const Proxy proxy(path);
    EXPECT_EQ(proxy.configRead(0, 2), 0x10EEU);
  }

  Scratch scratch;
  std::string path = scratch / "card.qemu";
  RecordedFunction function;
  Ownership card{function};
  std::vector<std::pair<std::uint64_t, std::uint32_t>> messages;
  std::vector<std::string> told;
  std::unique_ptr<MpqemuServer> server;
  ContextThread thread;
};

TEST_F(Mpqemu, configuration_is_read_and_written) {
  const Proxy proxy(path);
  EXPECT_EQ(proxy.configRead(0, 4), 0x504C'10EEU);
  EXPECT_EQ(proxy.configRead(2, 2), 0x504CU);
  proxy.configWrite(0x3C, 1, 0xFFFF'FF0B);
  EXPECT_EQ(proxy.configRead(0x3C, 1), 0x0BU);
  EXPECT_EQ(proxy.configRead(0x3D, 1), 0U);
  proxy.configWrite(0x10, 4, 0xFFFF'FFFF);
  EXPECT_EQ(proxy.configRead(0x10, 4), 0xFFFF'FFFFU) << "not 64 ones, which QEMU takes for an error";
}

TEST_F(Mpqemu, bar_accesses_find_their_bar_by_the_bus_address) {
  const Proxy proxy(path);
  place(proxy);
  proxy.write(kBase0 + 0x20, 4, 0xCAFE);
  proxy.write(kBase2 + 0x20, 4, 0xBEEF);
  EXPECT_EQ(proxy.read(kBase0 + 0x20, 4), 0xCAFEU);
  EXPECT_EQ(proxy.read(kBase2 + 0x20, 4), 0xBEEFU);
  proxy.configWrite(0x10, 4, kBase0 + 0x40'0000);
  EXPECT_EQ(proxy.read(kBase0 + 0x40'0020, 4), 0xCAFEU) << "it has been moved";
  EXPECT_EQ(proxy.read(kBase0 + 0x20, 4), 0xFFFF'FFFFU) << "nobody is there any more";
}

TEST_F(Mpqemu, accesses_of_all_sizes_are_made_of_registers) {
  const Proxy proxy(path);
  place(proxy);
  proxy.write(kBase0 + 0x10, 8, 0x8877'6655'4433'2211);
  EXPECT_EQ(function.registers.at({0, 0x10}), 0x4433'2211U);
  EXPECT_EQ(function.registers.at({0, 0x14}), 0x8877'6655U);
  EXPECT_EQ(proxy.read(kBase0 + 0x10, 8), 0x8877'6655'4433'2211U);
  EXPECT_EQ(proxy.read(kBase0 + 0x12, 2), 0x4433U);
  EXPECT_EQ(proxy.read(kBase0 + 0x17, 1), 0x88U);
  proxy.write(kBase0 + 0x10, 2, 0xFFFF);
  proxy.write(kBase0 + 0x11, 1, 0xFF);
  EXPECT_EQ(proxy.read(kBase0 + 0x10, 4), 0x4433'2211U) << "a part of a register is not written";
}

TEST_F(Mpqemu, what_nobody_answers_reads_as_ones) {
  const Proxy proxy(path);
  place(proxy);
  EXPECT_EQ(proxy.read(kBase0 + RecordedFunction::kRefused, 1), 0xFFU);
  EXPECT_EQ(proxy.read(kBase0 + RecordedFunction::kRefused, 4), 0xFFFF'FFFFU);
  EXPECT_EQ(proxy.read(kBase0 + RecordedFunction::kRefused, 8), ~std::uint64_t{0});
  EXPECT_EQ(proxy.read(0x1'0000'0000, 2), 0xFFFFU);
  EXPECT_EQ(proxy.ask(Proxy::bar(kBarRead, kBase0, 0, 4, false)), 0xFFFF'FFFFU) << "an I/O port";
  proxy.write(kBase0 + RecordedFunction::kRefused, 4, 1);
  proxy.write(0x1'0000'0000, 8, 1);
  EXPECT_EQ(function.accesses, 0);
}

TEST_F(Mpqemu, device_reset_resets_the_function) {
  const Proxy proxy(path);
  proxy.configWrite(0x3C, 1, 5);
  const int before = function.resets;
  EXPECT_EQ(proxy.ask(Proxy::head(kReset, 0)), 0U);
  EXPECT_EQ(function.resets, before + 1);
  EXPECT_EQ(proxy.configRead(0x3C, 1), 0U);
}

TEST_F(Mpqemu, interrupt_s_files_are_taken_and_closed) {
  const Proxy proxy(path);
  proxy.configRead(0, 4);
  const std::size_t before = descriptorsOpen();
  const SharedMemory one(4096), two(4096);
  const int files[] = {one.fd(), two.fd()};
  proxy.send(Proxy::head(kIrqfd, 0), files);
  proxy.configRead(0, 4);
  EXPECT_EQ(descriptorsOpen(), before + 2);
}

TEST_F(Mpqemu, dma_reaches_the_guest_s_memory_and_nothing_else) {
  const Proxy proxy(path);
  SharedMemory ram(3 * 4096);
  proxy.announce(
      {{0x10'0000, 4096, 4096, ram.fd()}, {0x10'1000, 4096, 0, ram.fd()}, {0x8000'0000, 4096, 8192, ram.fd()}});
  EXPECT_TRUE(dmaWrite(0x10'0FFE, {1, 2, 3, 4})) << "over two regions that touch";
  EXPECT_EQ((Bytes{ram[8190], ram[8191], ram[0], ram[1]}), (Bytes{1, 2, 3, 4}));
  ram[8192] = 7;
  EXPECT_EQ(dmaRead(0x8000'0000, 2), (Bytes{7, 0}));
  EXPECT_EQ(dmaRead(0x8000'0000, 4096)->size(), 4096U);
  ram[8192 + 4095] = 9;
  EXPECT_FALSE(dmaWrite(0x8000'0FFF, {1, 1})) << "half of it is outside";
  EXPECT_EQ(ram[8192 + 4095], 9) << "so nothing is written";
  EXPECT_FALSE(dmaRead(0x0F'FFFF, 2));
  EXPECT_FALSE(dmaRead(0x10'1FFF, 2));
  EXPECT_FALSE(dmaRead(0, 1));
  EXPECT_FALSE(dmaRead(0xFFFF'FFFF'FFFF'FFFF, 2));
  EXPECT_TRUE(dmaWrite(0x10'0000, {}));
}

TEST_F(Mpqemu, memory_is_replaced_not_added_and_its_files_are_closed) {
  const Proxy proxy(path);
  proxy.configRead(0, 4);
  SharedMemory old(4096), fresh(4096);
  const std::size_t before = descriptorsOpen();
  proxy.announce({{0, 4096, 0, old.fd()}});
  EXPECT_TRUE(dmaWrite(0, {1}));
  for (int i = 0; i < 50; ++i) proxy.announce({{0x1000, 4096, 0, fresh.fd()}, {0x4000, 4096, 0, old.fd()}});
  EXPECT_FALSE(dmaWrite(0, {2}));
  EXPECT_TRUE(dmaWrite(0x1000, {3}));
  EXPECT_EQ(old[0], 1);
  EXPECT_EQ(fresh[0], 3);
  EXPECT_EQ(descriptorsOpen(), before);
  proxy.announce({});
  EXPECT_FALSE(dmaWrite(0x1000, {4}));
}

TEST_F(Mpqemu, memory_may_be_announced_while_an_answer_is_awaited) {
  const Proxy proxy(path);
  SharedMemory ram(4096);
  proxy.send(Proxy::config(kConfigRead, 0, 0, 4));
  const int files[] = {ram.fd()};
  proxy.send(Proxy::sync({{0, 4096, 0, ram.fd()}}), files);
  EXPECT_EQ(proxy.receive(24)->at(16), 0xEEU);
  EXPECT_EQ(proxy.configRead(0, 2), 0x10EEU);
  EXPECT_TRUE(dmaWrite(0, {1}));
}

TEST_F(Mpqemu, messages_go_out_by_the_hook) {
  const Proxy proxy(path);
  proxy.configRead(0, 4);
  thread.there([&] { function.host->message(0xFEE0'1000, 0x41); });
  EXPECT_THAT(messages, ElementsAre(std::pair(0xFEE0'1000ULL, 0x41U)));
}

TEST_F(Mpqemu, guest_that_ends_leaves_a_reset_card_without_host) {
  std::optional<Proxy> proxy(path);
  SharedMemory ram(4096);
  proxy->configWrite(0x3C, 1, 5);
  proxy->announce({{0, 4096, 0, ram.fd()}});
  const int before = function.resets;
  proxy.reset();
  while (thread.there([&] { return function.host != nullptr; })) std::this_thread::yield();
  EXPECT_GT(function.resets, before);
  EXPECT_EQ(function.configRead(0x3C, 1), 0U);
  EXPECT_THAT(toldSoFar(), IsEmpty()) << "an end is nothing to tell";
  expectServing();
}

TEST_F(Mpqemu, card_has_one_owner_whichever_way_it_came) {
  const auto driver_server =
      thread.there([&] { return std::make_unique<CardServer>(thread.context, scratch / "card.sock", card); });
  {
    const Proxy proxy(path);
    proxy.configRead(0, 4);
    EXPECT_THAT(refusal([&] { driver::openSimulatedCard(scratch / "card.sock", "me"); }),
                MatchesRegex(".*card.sock is held by QEMU \\(process [0-9]+\\)"));
    const Proxy second(path);
    EXPECT_TRUE(second.hungUp());
    EXPECT_THAT(
        toldSoFar(),
        ElementsAre(MatchesRegex(
            ".*card.qemu: QEMU \\(process [0-9]+\\) is turned away: the card is held by QEMU \\(process [0-9]+\\)")));
    EXPECT_EQ(proxy.configRead(0, 2), 0x10EEU) << "the first has not noticed";
  }
  const auto transport = driver::openSimulatedCard(scratch / "card.sock", "me");
  const Proxy late(path);
  EXPECT_TRUE(late.hungUp());
  EXPECT_THAT(toldSoFar(), ElementsAre(EndsWith("is turned away: the card is held by me")));
  thread.stop();
}

TEST_F(Mpqemu, malformed_messages_end_the_connection_with_a_reason_and_close_the_files) {
  SharedMemory ram(8192), loose(8192, false);
  const std::vector<int> nine(9, ram.fd()), three(3, ram.fd()), one(1, ram.fd());
  const std::string start = "announced 4096 bytes of memory at 0x1000: ";
  struct Case {
    Bytes message;
    std::vector<int> files;
    std::string why;
  };
  const Region good{0x1000, 4096, 0, ram.fd()};
  const std::vector<Case> cases = {
      {Proxy::head(8, 0), {}, "sent something that is no message of its protocol (command 8, 0 bytes)"},
      {Proxy::head(-1, 0), {}, "sent something that is no message of its protocol (command -1, 0 bytes)"},
      {Proxy::head(kAnswer, 8), {}, "sent something that is no message of its protocol (command 1, 8 bytes)"},
      {Proxy::head(kReset, 8), {}, "sent something that is no message of its protocol (command 7, 8 bytes)"},
      {Proxy::head(kBarRead, std::uint64_t{1} << 60),
       {},
       "sent something that is no message of its protocol (command 5, 1152921504606846976 bytes)"},
      {Proxy::config(kConfigRead, 0, 0, 3), {}, "asked for 3 bytes of configuration at 0"},
      {Proxy::config(kConfigRead, 0, 0, -4), {}, "asked for -4 bytes of configuration at 0"},
      {Proxy::config(kConfigWrite, 4093, 0, 4), {}, "asked for 4 bytes of configuration at 4093"},
      {Proxy::config(kConfigRead, 0xFFFF'FFFE, 0, 4), {}, "asked for 4 bytes of configuration at 4294967294"},
      {Proxy::bar(kBarRead, kBase0, 0, 16), {}, "asked for 16 bytes of a BAR at an address that does not suit"},
      {Proxy::bar(kBarRead, kBase0, 0, 0), {}, "asked for 0 bytes of a BAR at an address that does not suit"},
      {Proxy::bar(kBarWrite, kBase0 + 2, 0, 4), {}, "asked for 4 bytes of a BAR at an address that does not suit"},
      {Proxy::head(kReset, 0), nine, "sent more files than a message has"},
      {Proxy::head(kIrqfd, 0), three, "passed files with a message that has none"},
      {Proxy::config(kConfigRead, 0, 0, 4), one, "passed files with a message that has none"},
      {Proxy::sync({{0x1000, 4096, 8192, 0}}), one, start + "its file is shorter"},
      {Proxy::sync({{0x1000, 4096, 4097, 0}}), one, start + "its file is shorter"},
      {Proxy::sync({{0x1000, 4096, -1, 0}}), one, start + "it begins before its file"},
      {Proxy::sync({{0x1000, 4096, 0, 0}}),
       {loose.fd()},
       start + "its file may shrink (memory-backend-memfd's cannot)"},
      {Proxy::sync({{0x1000, 0, 0, 0}}), one, "announced 0 bytes of memory at 0x1000: it is empty"},
      {Proxy::sync({{0x1000, ~0ULL, 0, 0}}), one,
       "announced 18446744073709551615 bytes of memory at 0x1000: it wraps around"},
      {Proxy::sync({good, {0x1800, 4096, 0, 0}}),
       {ram.fd(), ram.fd()},
       "announced 4096 bytes of memory at 0x1800: it overlaps another"},
      {Proxy::sync({good, {0x0800, 4096, 0, 0}}),
       {ram.fd(), ram.fd()},
       "announced 4096 bytes of memory at 0x800: it overlaps another"},
  };
  const std::size_t before = descriptorsOpen();
  expectServing();
  for (const Case& one_case : cases) {
    const Proxy proxy(path);
    proxy.send(one_case.message, one_case.files);
    EXPECT_TRUE(proxy.hungUp()) << one_case.why;
    const auto texts = toldSoFar();
    EXPECT_THAT(texts, ElementsAre(EndsWith(") " + one_case.why)));
  }
  EXPECT_EQ(descriptorsOpenSoon(before), before);
  expectServing();
}

TEST_F(Mpqemu, files_in_the_middle_of_a_message_end_the_connection) {
  const SharedMemory ram(4096);
  const Proxy proxy(path);
  Bytes message = Proxy::config(kConfigRead, 0, 0, 4);
  proxy.send({message.begin(), message.begin() + 20});
  const int files[] = {ram.fd()};
  proxy.send({message.begin() + 20, message.end()}, files);
  EXPECT_TRUE(proxy.hungUp());
  expectServing();
}

TEST_F(Mpqemu, message_in_single_bytes_is_a_message) {
  const Proxy proxy(path);
  for (const std::uint8_t byte : Proxy::config(kConfigRead, 0, 0, 2)) proxy.send({byte});
  EXPECT_EQ(proxy.receive(24)->at(16), 0xEEU);
}

TEST_F(Mpqemu, garbage_of_any_kind_leaves_it_serving) {
  std::mt19937 random(12);
  for (int i = 0; i < 300; ++i) {
    const Proxy proxy(path);
    Bytes bytes = i % 2 == 0 ? Proxy::head(static_cast<std::int32_t>(random() % 9), i % 4 == 0 ? 24 : 12) : Bytes{};
    for (std::size_t n = random() % 64; n != 0; --n) bytes.push_back(static_cast<std::uint8_t>(random()));
    proxy.send(bytes);
  }
  expectServing();
}

// ---- qtest

/// What QEMU's side of the qtest socket gets, answered as it does.
class Qtest : public ::testing::Test {
 protected:
  std::unique_ptr<QtestClient> client() {
    return std::make_unique<QtestClient>(thread.context, path,
                                         [this](const std::string& text) { told.push_back(text); });
  }
  ~Qtest() override { thread.stop(); }

  static int listening(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd, 1), 0);
    return fd;
  }
  static std::string line(int fd) {
    std::string text;
    for (char c = 0; ::recv(fd, &c, 1, 0) == 1 && c != '\n';) text += c;
    return text;
  }
  static void answer(int fd, const std::string& text) {
    EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }

  Scratch scratch;
  std::string path = scratch / "qtest.sock";
  std::vector<std::string> told;
  ContextThread thread;
};

TEST_F(Qtest, write_is_a_command_and_order_is_kept) {
  const Descriptor listener(listening(path));
  auto qtest = client();
  thread.there([&] {
    for (unsigned i = 0; i < 100; ++i) qtest->write(0x1'FEE0'0000, i);
  });
  const Descriptor qemu(::accept(listener.get(), nullptr, nullptr));
  for (unsigned i = 0; i < 100; ++i) {
    char expected[64];
    std::snprintf(expected, sizeof expected, "writel 0x1fee00000 0x%x", i);
    EXPECT_EQ(line(qemu.get()), expected);
    answer(qemu.get(), "OK\n");
  }
  thread.there([&] { qtest.reset(); });
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(Qtest, nobody_listening_is_told_once) {
  auto qtest = client();
  thread.there([&] {
    for (int i = 0; i < 3; ++i) qtest->write(0xFEE0'0000, 1);
  });
  EXPECT_THAT(told, ElementsAre(path + ": No such file or directory; QEMU gets no interrupts"));
  const Descriptor listener(listening(path));
  thread.there([&] { qtest->write(0xFEE0'0000, 7); });
  const Descriptor qemu(::accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(line(qemu.get()), "writel 0xfee00000 0x7") << "and tried again with the next";
  thread.there([&] { qtest.reset(); });
}

TEST_F(Qtest, next_qemu_is_found_by_itself) {
  const Descriptor listener(listening(path));
  auto qtest = client();
  for (unsigned life = 1; life <= 3; ++life) {
    thread.there([&] { qtest->write(0xFEE0'0000, life); });
    const Descriptor qemu(::accept(listener.get(), nullptr, nullptr));
    EXPECT_EQ(line(qemu.get()), "writel 0xfee00000 0x" + std::to_string(life));
    ::shutdown(qemu.get(), SHUT_WR);
    EXPECT_EQ(line(qemu.get()), "") << "it has hung up too";
  }
  thread.there([&] { qtest.reset(); });
  EXPECT_THAT(told, IsEmpty()) << "a QEMU that ends is nothing to tell";
}

TEST_F(Qtest, answer_that_is_no_ok_is_told) {
  const Descriptor listener(listening(path));
  auto qtest = client();
  for (const std::string& text : {std::string("FAIL what is this\n"), std::string(5000, 'x')}) {
    thread.there([&] { qtest->write(0xFEE0'0000, 1); });
    const Descriptor qemu(::accept(listener.get(), nullptr, nullptr));
    line(qemu.get());
    answer(qemu.get(), text);
    EXPECT_EQ(line(qemu.get()), "") << "hung up";
  }
  thread.there([&] { qtest.reset(); });
  EXPECT_THAT(told, ElementsAre(path + ": QEMU answers 'FAIL what is this' to an interrupt",
                                path + ": QEMU answers without end"));
}

}  // namespace
}  // namespace poplink::sim
