// SPDX-License-Identifier: Apache-2.0
// The card's socket: one owner at a time, and nothing that a client does disturbs the card or another client.
#include "card_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <csignal>
#include <future>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "poplink/driver/error.h"
#include "poplink/driver/sim_protocol.h"
#include "poplink/driver/sim_transport.h"
#include "scratch.h"

namespace poplink::sim {
namespace {

namespace proto = driver::sim_protocol;
using driver::Access;
using proto::Bytes;
using proto::Type;

/// Registers that remember; those from kRefused on refuse.
class Memory : public PciFunction {
 public:
  static constexpr std::uint64_t kRefused = 0x1000;

  std::uint32_t configRead(std::uint16_t offset, unsigned) override { return offset == 0 ? 0x10EE : config_[offset]; }
  void configWrite(std::uint16_t offset, unsigned, std::uint32_t value) override { config_[offset] = value; }
  std::vector<PciBar> bars() const override { return {{0, 1U << 20}}; }
  bool barRead(unsigned, std::uint64_t offset, std::uint32_t& value) override {
    if (offset < kRefused) value = registers_[offset];
    return offset < kRefused;
  }
  bool barWrite(unsigned, std::uint64_t offset, std::uint32_t value) override {
    if (offset < kRefused) registers_[offset] = value;
    return offset < kRefused;
  }
  void reset() override {
    ++resets;
    config_.clear();
  }
  void attach(PciHost*) override {}
  std::atomic<int> resets{0};

 private:
  std::map<std::uint64_t, std::uint32_t> registers_;
  std::map<std::uint16_t, std::uint32_t> config_;
};

/// A peer that sends what it likes. Waits for answers, but not for ever.
class RawClient {
 public:
  explicit RawClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  RawClient& operator=(RawClient&&) = delete;

  bool connected() const { return connected_; }
  void send(const Bytes& bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// The next message: its type and payload; nothing when the card has hung up.
  std::optional<std::pair<Type, Bytes>> receive() {
    const auto head = read(proto::kHeaderBytes);
    if (!head) return std::nullopt;
    const auto header = proto::decodeHeader(*head);
    EXPECT_TRUE(header);
    auto payload = header ? read(header->payload_bytes) : std::nullopt;
    EXPECT_TRUE(payload);
    return std::pair{header->type, *payload};
  }
  /// The text of a refusal, behind which the card hangs up.
  std::string refused() {
    const auto message = receive();
    if (!message || message->first != Type::refused) return "not refused";
    EXPECT_FALSE(receive()) << "hangs up";
    return {message->second.begin(), message->second.end()};
  }
  std::string hello(const std::string& name) {
    send(proto::encodeHello(name));
    const auto answer = receive();
    if (!answer) return "hung up";
    return answer->first == Type::hello ? "" : std::string(answer->second.begin(), answer->second.end());
  }

 private:
  std::optional<Bytes> read(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t at = 0; at < size;) {
      const ssize_t got = ::recv(fd_, bytes.data() + at, size - at, 0);
      EXPECT_FALSE(got < 0 && errno == EAGAIN) << "no answer";
      if (got <= 0) return std::nullopt;
      at += static_cast<std::size_t>(got);
    }
    return bytes;
  }
  int fd_;
  bool connected_ = false;
};

class CardSocket : public ::testing::Test {
 protected:
  ~CardSocket() override { close(); }

  void close() {
    if (!context_) return;
    context_->stop();
    thread_.join();
    server_.reset();
    context_.reset();  // and with it every connection
  }
  /// The card's process does nothing else until `action` is done.
  template <class Action>
  void whileStanding(Action action) {
    struct Steps {
      std::promise<void> standing, go_on;
    };
    const auto steps = std::make_shared<Steps>();  // whoever is last with it ends it
    boost::asio::post(*context_, [steps] {
      steps->standing.set_value();
      steps->go_on.get_future().wait();
    });
    steps->standing.get_future().wait();
    action();
    steps->go_on.set_value();
  }
  /// The card can be owned and used.
  void expectServing() {
    const auto transport = driver::openSimulatedCard(path, "the last one");
    const Access accesses[] = {Access::write(0x20, 0xCAFE), Access::read(0x20)};
    EXPECT_EQ(transport->run(accesses), std::vector<std::uint32_t>{0xCAFE});
  }

  Scratch scratch;
  std::string path = scratch / "card.sock";
  Memory memory_;

 private:
  std::unique_ptr<boost::asio::io_context> context_ = std::make_unique<boost::asio::io_context>();
  Ownership card_{memory_};
  std::unique_ptr<CardServer> server_ = std::make_unique<CardServer>(*context_, path, card_);
  std::thread thread_ = std::thread([this] { context_->run(); });
};

Bytes raw(std::uint32_t type, std::uint32_t length, const Bytes& payload = {}) {
  Bytes bytes;
  for (const std::uint32_t word : {type, length}) {
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(word >> (8 * i)));
  }
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

TEST_F(CardSocket, answers_hello_with_what_the_card_is) {
  RawClient client(path);
  client.send(proto::encodeHello("me"));
  const auto answer = client.receive();
  ASSERT_TRUE(answer && answer->first == Type::hello);
  const auto card = proto::decodeHelloAnswer(answer->second);
  ASSERT_TRUE(card);
  EXPECT_EQ(card->version, proto::kVersion);
  EXPECT_EQ(card->vendor, 0x10EE);
  EXPECT_EQ(card->bar0_bytes, 1U << 20);
}

TEST_F(CardSocket, second_client_is_told_who_holds_the_card) {
  RawClient owner(path), second(path);
  EXPECT_EQ(owner.hello("poplink apply (process 7)"), "");
  second.send(proto::encodeHello("me"));
  EXPECT_EQ(second.refused(), "is held by poplink apply (process 7)");
  EXPECT_EQ(refusal([&] { driver::openSimulatedCard(path, "me"); }),
            "the card at " + path + " is held by poplink apply (process 7)");
  EXPECT_EQ(owner.hello("the same under another name"), "") << "the owner may introduce itself again";
  RawClient third(path);
  third.send(proto::encodeHello("me"));
  EXPECT_EQ(third.refused(), "is held by the same under another name");
}

TEST_F(CardSocket, is_free_as_soon_as_its_owner_is_gone) {
  for (int i = 0; i < 200; ++i) {
    RawClient owner(path);
    ASSERT_EQ(owner.hello("client " + std::to_string(i)), "");
  }
}

TEST_F(CardSocket, is_free_before_all_that_its_dead_owner_sent_is_read) {
  std::optional<RawClient> owner(path);
  ASSERT_EQ(owner->hello("dies in the middle of a message"), "");
  RawClient second(path);
  whileStanding([&] {  // so that the card sees at once what follows
    owner->send(raw(4, 1'000'000, Bytes(150'000)));
    owner.reset();
    second.send(proto::encodeHello("me"));
  });
  const auto answer = second.receive();
  EXPECT_TRUE(answer && answer->first == Type::hello);
  second.send(proto::encodeBatch(std::vector{Access::read(0x20)}));
  const auto batch = second.receive();
  EXPECT_TRUE(batch && batch->first == Type::batch) << "and stays with its new owner when the old one's end is read";
}

TEST_F(CardSocket, function_is_enabled_for_its_owner_and_reset_when_it_goes) {
  const auto configuration = [](RawClient& client) {
    client.send(proto::encodeConfigRead({kPciCommand, 2}));
    const auto answer = client.receive();
    return answer ? proto::decodeConfigReadAnswer(answer->second) : std::nullopt;
  };
  std::optional<RawClient> owner(path);
  ASSERT_EQ(owner->hello("me"), "");
  EXPECT_EQ(configuration(*owner), kPciMemorySpace | kPciBusMaster);
  owner->send(proto::encodeConfigWrite({0x3C, 1, 5}));
  ASSERT_TRUE(owner->receive());
  const int resets = memory_.resets;
  ASSERT_EQ(owner->hello("still me"), "");
  EXPECT_EQ(memory_.resets, resets) << "it has the function already";
  owner.reset();
  RawClient second(path);
  ASSERT_EQ(second.hello("me"), "");
  EXPECT_GT(memory_.resets, resets);
  second.send(proto::encodeConfigRead({0x3C, 1}));
  const auto answer = second.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(proto::decodeConfigReadAnswer(answer->second), 0U);
}

TEST_F(CardSocket, owner_that_sends_nonsense_loses_the_card) {
  RawClient owner(path);
  ASSERT_EQ(owner.hello("me"), "");
  owner.send(raw(4, 11, Bytes(11)));
  EXPECT_EQ(owner.refused(), "was sent a malformed message");
  expectServing();
}

TEST_F(CardSocket, other_version_is_refused_with_both) {
  RawClient client(path);
  Bytes newer = proto::encodeHello("");
  newer[proto::kHeaderBytes] = proto::kVersion + 1;
  newer[4] = 8;
  newer.insert(newer.end(), {0, 1, 2, 3});  // whatever it has behind its version
  client.send(newer);
  EXPECT_EQ(client.refused(), "speaks protocol version 2, not 3");
  expectServing();
}

TEST_F(CardSocket, malformed_messages_are_refused_and_change_nothing) {
  const std::pair<Bytes, const char*> messages[] = {
      {raw(0, 0), "was sent something that is no message of its protocol"},
      {raw(10, 0), "was sent something that is no message of its protocol"},
      {raw(1, proto::kMaxPayloadBytes + 1), "was sent something that is no message of its protocol"},
      {raw(0xFFFF'FFFF, 0xFFFF'FFFF), "was sent something that is no message of its protocol"},
      {raw(1, 0), "was sent a malformed message"},
      {raw(1, 3, Bytes(3)), "was sent a malformed message"},
      {raw(2, 4, {0, 0, 4, 0}), "wants a hello first"},
      {raw(3, 8, {4, 0, 4, 0, 0, 0, 0, 0}), "wants a hello first"},
      {raw(4, 12, Bytes(12)), "wants a hello first"},
      {raw(5, 2, {'h', 'i'}), "wants a hello first"},
      {raw(6, 16, Bytes(16)), "wants a hello first"},
      {raw(7, 8, Bytes(8)), "wants a hello first"},
      {raw(8, 4, Bytes(4)), "wants a hello first"},
      {raw(9, 0), "wants a hello first"},
  };
  for (const auto& [message, text] : messages) {
    RawClient client(path);
    client.send(message);
    EXPECT_EQ(client.refused(), text);
  }
  const std::pair<Bytes, const char*> of_owner[] = {
      {raw(2, 3, Bytes(3)), "was sent a malformed message"},
      {raw(2, 4, {0, 0, 3, 0}), "was sent a malformed message"},
      {raw(2, 4, {0, 0, 64, 0}), "was sent a malformed message"},
      {raw(3, 8, {0, 0, 0, 0, 1, 1, 1, 1}), "was sent a malformed message"},
      {raw(3, 4, {0, 0, 4, 0}), "was sent a malformed message"},
      {raw(4, 12, {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), "was sent a malformed message"},
      {raw(5, 2, {'h', 'i'}), "was sent something that only a card says"},
  };
  for (const auto& [message, text] : of_owner) {
    RawClient client(path);
    ASSERT_EQ(client.hello("me"), "");
    client.send(message);
    EXPECT_EQ(client.refused(), text);
  }
  expectServing();
}

TEST_F(CardSocket, name_that_would_disturb_others_is_refused) {
  for (const std::string& name :
       {std::string(proto::kMaxClientName + 1, 'x'), std::string("a\nb"), std::string("\x1b[2J")}) {
    RawClient client(path);
    client.send(raw(1, static_cast<std::uint32_t>(4 + name.size()), [&] {
      Bytes payload = {static_cast<std::uint8_t>(proto::kVersion), 0, 0, 0};
      payload.insert(payload.end(), name.begin(), name.end());
      return payload;
    }()));
    EXPECT_EQ(client.refused(), "was sent a malformed message");
  }
  RawClient silent(path), second(path);
  EXPECT_EQ(silent.hello(""), "");
  EXPECT_EQ(second.hello("me"), "is held by a client without a name");
  EXPECT_EQ(RawClient(path).hello(std::string(1000, 'x')), "is held by a client without a name") << "encoding cuts it";
}

TEST_F(CardSocket, garbage_of_any_kind_leaves_it_serving) {
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    RawClient client(path);
    if (i % 2 == 0) ASSERT_EQ(client.hello("me"), "");
    Bytes bytes(random() % 64);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() % (i % 3 == 0 ? 256 : 10));
    client.send(bytes);
  }
  expectServing();
}

TEST_F(CardSocket, message_in_single_bytes_is_a_message) {
  RawClient client(path);
  for (const std::uint8_t byte : proto::encodeHello("slow")) client.send({byte});
  const auto answer = client.receive();
  EXPECT_TRUE(answer && answer->first == Type::hello);
}

TEST_F(CardSocket, many_clients_at_once_are_each_answered) {
  RawClient owner(path);
  ASSERT_EQ(owner.hello("the first"), "");
  std::vector<RawClient> others;
  for (int i = 0; i < 200; ++i) others.emplace_back(path);
  for (RawClient& other : others) other.send(proto::encodeHello("me"));
  for (RawClient& other : others) EXPECT_EQ(other.refused(), "is held by the first");
  EXPECT_EQ(owner.hello("still here"), "");
}

TEST_F(CardSocket, batch_is_done_in_order_and_ends_at_the_first_refusal) {
  RawClient client(path);
  ASSERT_EQ(client.hello("me"), "");
  const auto batch = [&](std::vector<Access> accesses) {
    client.send(proto::encodeBatch(accesses));
    const auto message = client.receive();
    EXPECT_TRUE(message && message->first == Type::batch);
    return *proto::decodeBatchAnswer(message->second);
  };
  auto answer = batch({Access::write(4, 1), Access::read(4), Access::write(4, 2), Access::read(4)});
  EXPECT_EQ(answer.done, 4U);
  EXPECT_EQ(answer.values, (std::vector<std::uint32_t>{1, 2}));
  answer = batch({Access::write(4, 3), Access::read(Memory::kRefused), Access::write(4, 4)});
  EXPECT_EQ(answer.done, 1U);
  EXPECT_TRUE(answer.values.empty());
  EXPECT_EQ(batch({Access::read(4)}).values, std::vector<std::uint32_t>{3}) << "what is behind the refusal is not done";
  EXPECT_EQ(batch({}).done, 0U);
  EXPECT_EQ(batch(std::vector<Access>(proto::kMaxBatch, Access::read(4))).values.size(), proto::kMaxBatch);
}

TEST_F(CardSocket, configuration_is_read_and_written) {
  RawClient client(path);
  ASSERT_EQ(client.hello("me"), "");
  client.send(proto::encodeConfigWrite({0x3C, 4, 0x1234}));
  auto answer = client.receive();
  ASSERT_TRUE(answer && answer->first == Type::config_write && answer->second.empty());
  client.send(proto::encodeConfigRead({0x3C, 4}));
  answer = client.receive();
  ASSERT_TRUE(answer && answer->first == Type::config_read);
  EXPECT_EQ(proto::decodeConfigReadAnswer(answer->second), 0x1234U);
}

TEST_F(CardSocket, refused_access_is_named_by_the_transport) {
  const auto transport = driver::openSimulatedCard(path, "me");
  const Access accesses[] = {Access::read(0x20), Access::write(Memory::kRefused, 1)};
  EXPECT_EQ(refusal([&] { transport->run(accesses); }), "the card refused a write at BAR0 + 0x01000");
  const Access next[] = {Access::read(0x20)};
  EXPECT_EQ(transport->run(next).size(), 1U) << "the connection lives on";
}

/// A daemon's signals come whenever they like, also while the card is asked.
TEST_F(CardSocket, signals_do_not_cost_the_card) {
  struct sigaction before{}, nothing{};
  nothing.sa_handler = [](int) {};  // and no SA_RESTART
  ASSERT_EQ(sigaction(SIGUSR1, &nothing, &before), 0);
  const auto transport = driver::openSimulatedCard(path, "me");
  std::atomic<bool> over = false;
  std::thread disturber([&over, whom = pthread_self()] {
    while (!over) {
      pthread_kill(whom, SIGUSR1);
      std::this_thread::yield();
    }
  });
  const std::vector<Access> accesses(100, Access::read(0x20));
  std::string said;
  for (int i = 0; i < 500 && said.empty(); ++i) {
    try {
      transport->run(accesses);
    } catch (const driver::DriverError& error) {
      said = error.what();
    }
  }
  over = true;
  disturber.join();
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(said, "");
}

TEST_F(CardSocket, card_that_ends_is_said_to_be_lost) {
  const auto transport = driver::openSimulatedCard(path, "me");
  close();
  const Access one[] = {Access::read(0x20)};
  EXPECT_EQ(refusal([&] { transport->run(one); }).rfind("lost the card at " + path + ": ", 0), 0U);
  EXPECT_FALSE(std::filesystem::exists(path));
}

class SocketPath : public CardSocket {
 protected:
  std::string another(const std::string& at) {
    return refusal([&] { CardServer(other_context_, at, other_); });
  }

 private:
  boost::asio::io_context other_context_;
  Memory other_memory_;
  Ownership other_{other_memory_};
};

TEST_F(SocketPath, live_one_is_not_stolen) {
  RawClient owner(path);
  ASSERT_EQ(owner.hello("me"), "");
  EXPECT_EQ(another(path),
            path + ": another program listens there (sim_test, process " + std::to_string(::getpid()) + ")");
  EXPECT_EQ(owner.hello("still served"), "");
  EXPECT_EQ(RawClient(path).hello("second"), "is held by still served") << "the socket is still the first card's";
}

TEST_F(SocketPath, dead_one_is_replaced) {
  const std::string dead = scratch / "dead.sock";
  {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    dead.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
  }
  ASSERT_TRUE(std::filesystem::exists(dead));
  EXPECT_EQ(another(dead), "");
  EXPECT_FALSE(std::filesystem::exists(dead)) << "and gone with its card";
}

TEST_F(SocketPath, file_of_another_kind_is_left_alone) {
  const std::string file = scratch / "region.yaml";
  std::ofstream(file) << "precious";
  EXPECT_EQ(another(file), file + ": is there and is no socket");
  EXPECT_EQ(contentsOf(file), "precious");
  const std::string link = scratch / "link";
  std::filesystem::create_symlink(file, link);
  EXPECT_EQ(another(link), link + ": is there and is no socket");
}

TEST_F(SocketPath, that_cannot_be_is_named) {
  const std::string nowhere = scratch / "not/there.sock", endless = scratch / std::string(120, 'x');
  EXPECT_EQ(another(nowhere), nowhere + ": No such file or directory");
  EXPECT_EQ(another(endless), endless + ": is too long for the path of a socket");
  EXPECT_NE(refusal([&] { driver::openSimulatedCard(endless, "me"); }).find("no simulated card at " + endless),
            std::string::npos);
}

}  // namespace
}  // namespace poplink::sim
