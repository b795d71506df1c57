// SPDX-License-Identifier: Apache-2.0
// The server against clients of every kind, over its socket.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/packaged_task.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <optional>
#include <thread>

#include "client.h"
#include "poplink/driver/error.h"
#include "pump.h"
#include "scratch.h"
#include "server.h"
#include "stream.h"

namespace poplink::host::api {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

/// A client that says anything.
class Raw {
 public:
  explicit Raw(const std::string& path, int receive_bytes = 0) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    if (receive_bytes != 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Raw() { hangUp(); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  void hangUp() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  bool say(const std::string& text) const {
    std::size_t said = 0;
    while (said < text.size()) {
      const ssize_t now = ::send(socket_, text.data() + said, text.size() - said, MSG_NOSIGNAL);
      if (now <= 0) return false;
      said += static_cast<std::size_t>(now);
    }
    return true;
  }
  /// Up to the first `end`, or all until the server hangs up.
  std::string hear(const std::string& end = "") {
    char part[4096];
    while (end.empty() || heard_.find(end) == std::string::npos) {
      const ssize_t now = ::recv(socket_, part, sizeof part, 0);
      if (now <= 0) return std::exchange(heard_, {});
      heard_.append(part, static_cast<std::size_t>(now));
    }
    const std::size_t size = heard_.find(end) + end.size();
    std::string text = heard_.substr(0, size);
    heard_.erase(0, size);
    return text;
  }

 private:
  int socket_;
  std::string heard_;
};

std::string request(const std::string& line, const std::string& more = "") {
  return line + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

class ApiServer : public testing::Test {
 protected:
  ~ApiServer() override {
    if (!thread_.joinable()) return;
    on([this] {
      server_.reset();
      streams_.clear();
      work_.reset();
    });
    thread_.join();
  }

  void start() {
    server_.emplace(context_, path_, [this](const Request& one) { return handle(one); }, options_);
    thread_ = std::thread([this] { context_.run(); });
  }
  /// In the server's thread.
  template <class What>
  auto on(What what) -> decltype(what()) {
    return boost::asio::post(context_, std::packaged_task<decltype(what())()>(what)).get();
  }
  void sessionsBecome(unsigned number) {
    while (on([this] { return server_->sessions(); }) != number) std::this_thread::sleep_for(1ms);
  }
  std::string tell(const std::string& text) const {
    Raw client(path_);
    EXPECT_TRUE(client.say(text));
    return client.hear();
  }
  /// The request's answer, on a connection that the client ends.
  std::string ask(const std::string& line) const { return tell(request(line, "Connection: close\r\n")); }
  void serves() const { EXPECT_THAT(ask("GET /echo"), EndsWith("\"/echo\"}\n")); }

  /// What streams get goes to all of them.
  void send(const Json& record) {
    on([&] {
      for (const auto& stream : streams_) stream->send(record);
    });
  }
  std::string openStream(Raw& client, const std::string& more = "") {
    EXPECT_TRUE(client.say(request("GET /stream", more)));
    return client.hear("\r\n\r\n");
  }

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  const sim::Scratch scratch_;
  std::string path_ = scratch_ / "api";
  ServerOptions options_;
  std::optional<Server> server_;
  std::thread thread_;
  std::vector<std::shared_ptr<Stream>> streams_;
  unsigned closed_ = 0;
  static constexpr int kPumped = 5000;  // more than a socket and two chunks have room for
  std::vector<int> made_;               ///< records of each that was pumped
  bool goes_away_ = false;              ///< what they are of

 private:
  Answer handle(const Request& one) {
    const std::string what = one.path.empty() ? "" : one.path.front();
    if (what == "refused") throw Refused(Status::bad_request, "not \xff this", "x");
    if (what == "card") throw driver::DriverError("the card is gone");
    if (what == "bug") throw std::logic_error("two");
    if (what == "stream") {
      Answer answer;
      answer.stream = [this](const std::shared_ptr<Stream>& stream) {
        stream->on_closed = [this] { ++closed_; };
        streams_.push_back(stream);
      };
      return answer;
    }
    if (what == "pumped") {
      Answer answer;
      answer.stream = [this](const std::shared_ptr<Stream>& stream) {
        stream->on_closed = [this] { ++closed_; };
        made_.push_back(0);
        pump(context_, stream, [this, which = made_.size() - 1](Stream& to) {
          if (goes_away_) return Pumped::cut;
          int& n = made_[which];
          to.put({{"n", n}, {"filling", std::string(1000, 'x')}});
          return ++n < kPumped ? Pumped::more : Pumped::all;
        });
      };
      return answer;
    }
    if (what == "plain") return {Status::ok, {}, {}, PlainText{"text/plain; version=0.0.4", "a 1\n"}};
    if (what == "broken-stream")
      return {
          Status::ok, {}, [](const std::shared_ptr<Stream>&) { throw driver::DriverError("the card is gone"); }, {}};
    if (!one.body.is_null()) return toAnswer({{"body", one.body}});
    return toAnswer({{"path", "/" + what}});
  }
};

// ---- requests

TEST_F(ApiServer, OneRequestAfterTheOtherOnAConnection) {
  start();
  auto client = Client::connect(path_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client->get("/echo")["path"], "/echo");
  EXPECT_EQ(client->put("/echo", {{"a", 1}})["body"]["a"], 1);
  EXPECT_EQ(on([this] { return server_->sessions(); }), 1U);
}

TEST_F(ApiServer, RequestsThatComeTogetherAreAnsweredInTheirOrder) {
  start();
  const std::string all =
      tell(request("GET /a") + request("GET /b") + request("GET /c", "Connection: close\r\n") + request("GET /d"));
  const std::size_t a = all.find("\"/a\""), b = all.find("\"/b\""), c = all.find("\"/c\"");
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
  EXPECT_NE(c, std::string::npos);
  EXPECT_EQ(all.find("\"/d\""), std::string::npos) << "it follows the last one";
}

TEST_F(ApiServer, ARequestMayComeByteByByte) {
  start();
  Raw client(path_);
  for (const char byte : request("PUT /echo", "Content-Length: 2\r\n") + "[]") ASSERT_TRUE(client.say({byte}));
  EXPECT_THAT(client.hear("}\n"), EndsWith("{\"body\":[]}\n"));
}

TEST_F(ApiServer, HeadHasTheHeadOfGet) {
  start();
  const std::string got = ask("GET /echo"), head = ask("HEAD /echo");
  EXPECT_EQ(head, got.substr(0, got.find("\r\n\r\n") + 4));
  EXPECT_THAT(head, HasSubstr("Content-Length: 17\r\n"));
  EXPECT_THAT(ask("HEAD /refused"), AllOf(StartsWith("HTTP/1.1 400"), EndsWith("\r\n\r\n")));
}

TEST_F(ApiServer, RefusalsAreJsonWithTheirStatus) {
  start();
  EXPECT_THAT(ask("GET /refused"), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("application/json"),
                                         EndsWith(R"({"error":{"message":"not � this","field":"x"}})"
                                                  "\n")));
  EXPECT_THAT(ask("GET /card"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("the card is gone")));
  EXPECT_THAT(ask("GET /bug"), AllOf(StartsWith("HTTP/1.1 500"), HasSubstr("this should not happen: two")));
  EXPECT_THAT(ask("BREW /echo"), AllOf(StartsWith("HTTP/1.1 501"), HasSubstr("there is no method BREW")));
  EXPECT_THAT(ask("GET echo"), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("the request's target is no path")));
  serves();
}

TEST_F(ApiServer, WhatIsNoRequestIsAnsweredAndEndsTheConnection) {
  start();
  const std::string wrong[] = {"garbage\r\n\r\n",
                               std::string("\0\x01\xff\xfe\r\n\r\n", 8),
                               "GET /echo HTTP/3.0\r\nHost: x\r\n\r\n",
                               "GET  /echo HTTP/1.1\r\nHost: x\r\n\r\n",
                               "GET /echo HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
                               request("PUT /echo", "Content-Length: -1\r\n"),
                               request("PUT /echo", "Content-Length: 1\r\nContent-Length: 2\r\n"),
                               request("PUT /echo", "Transfer-Encoding: chunked\r\n") + "zz\r\n",
                               "\x16\x03\x01\x02\x00\x01\r\n\r\n"};
  for (const std::string& text : wrong) {
    const std::string answer = tell(text);
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("Connection: close"),
                              HasSubstr("{\"error\":{\"message\":\"no request of HTTP/1.1: ")))
        << text;
  }
  serves();
}

TEST_F(ApiServer, ARequestOfHttp11HasOneHost) {
  start();
  for (const char* hosts : {"", "Host: a\r\nHost: b\r\n"}) {
    EXPECT_THAT(tell(std::string("GET /echo HTTP/1.1\r\nConnection: close\r\n") + hosts + "\r\n"),
                AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("has one Host")));
  }
  EXPECT_THAT(tell("GET /echo HTTP/1.0\r\n\r\n"), HasSubstr("\"/echo\""));
}

TEST_F(ApiServer, HeadsAndBodiesHaveALimit) {
  options_.header_bytes = 1000;
  options_.body_bytes = 1000;
  start();
  const std::string digits(2000, '1');
  EXPECT_THAT(tell(request("GET /" + digits)),
              AllOf(StartsWith("HTTP/1.1 431"), HasSubstr("a request's head has at most 1000 bytes")));
  EXPECT_THAT(tell(request("GET /echo", "X: " + digits + "\r\n")), StartsWith("HTTP/1.1 431"));
  const auto sized = [&](std::size_t size) {
    return tell(request("PUT /echo", "Connection: close\r\nContent-Length: " + std::to_string(size) + "\r\n") + "\"" +
                digits.substr(0, size - 2) + "\"");
  };
  EXPECT_THAT(sized(1000), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(sized(1001), AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("a request's body has at most 1000 bytes")));
  EXPECT_THAT(tell(request("PUT /echo", "Transfer-Encoding: chunked\r\n") + "7d0\r\n" + digits + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  serves();
}

TEST_F(ApiServer, WhoSendsOnAfterARefusalStillGetsIt) {
  options_.body_bytes = 1000;
  start();
  Raw client(path_);
  const std::string much(4 << 20, ' ');
  client.say(request("PUT /echo", "Content-Length: " + std::to_string(much.size()) + "\r\n") + much);
  EXPECT_THAT(client.hear(), StartsWith("HTTP/1.1 413"));
}

TEST_F(ApiServer, AHalfRequestDisturbsNobody) {
  start();
  const std::string whole = request("PUT /echo", "Content-Length: 2\r\n") + "[]";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Raw client(path_);
    ASSERT_TRUE(client.say(whole.substr(0, size)));
    serves();
  }
  sessionsBecome(0);
}

TEST_F(ApiServer, WhoNeverEndsARequestIsHungUpOn) {
  options_.request_timeout = 50ms;
  start();
  for (const char* begin : {"", "GET /echo HT", "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n["}) {
    Raw client(path_);
    ASSERT_TRUE(client.say(begin));
    EXPECT_EQ(client.hear(), "");
  }
  sessionsBecome(0);
}

TEST_F(ApiServer, WhoDoesNotTakeAnAnswerIsHungUpOn) {
  options_.answer_timeout = 50ms;
  options_.body_bytes = 8 << 20;
  start();
  Raw client(path_);
  const std::string text(4 << 20, 'x');
  ASSERT_TRUE(client.say(request("PUT /echo", "Content-Length: " + std::to_string(text.size() + 2) + "\r\n") + "\"" +
                         text + "\""));
  sessionsBecome(0);
}

TEST_F(ApiServer, OneTooManyIsToldAndOthersAreNot) {
  options_.sessions = 3;
  start();
  std::vector<std::unique_ptr<Raw>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<Raw>(path_));
  sessionsBecome(3);
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(Raw(path_).hear(), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("there are 3 connections already")));
  auto one = Client::connect(path_);
  try {
    one->get("/echo");
    FAIL();
  } catch (const ClientError& error) {
    EXPECT_EQ(error.status, Status::unavailable);
    EXPECT_STREQ(error.what(), "there are 3 connections already");
  }
  for (const auto& client : clients) {
    ASSERT_TRUE(client->say(request("GET /echo")));
    EXPECT_THAT(client->hear("}\n"), HasSubstr("\"/echo\""));
  }
  clients.pop_back();
  sessionsBecome(2);
  serves();
}

// ---- streams

TEST_F(ApiServer, AStreamIsARecordALine) {
  start();
  Raw client(path_);
  EXPECT_THAT(openStream(client), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("application/x-ndjson"),
                                        HasSubstr("Transfer-Encoding: chunked")));
  send({{"n", 1}});
  EXPECT_EQ(client.hear("\n\r\n"), "8\r\n{\"n\":1}\n\r\n");
  on([this] { streams_.front()->end(); });
  EXPECT_EQ(client.hear(), "0\r\n\r\n");
  sessionsBecome(0);
  EXPECT_EQ(on([this] { return closed_; }), 1U);
}

TEST_F(ApiServer, AStreamOfServerSentEventsForWhoWantsIt) {
  start();
  Raw client(path_);
  EXPECT_THAT(openStream(client, "Accept: text/event-stream\r\n"), HasSubstr("text/event-stream"));
  send({{"n", 1}});
  EXPECT_THAT(client.hear("\n\n"), EndsWith("data: {\"n\":1}\n\n"));
}

TEST_F(ApiServer, AStreamHasAHeadAndNeedsHttp11) {
  start();
  EXPECT_THAT(ask("HEAD /stream"), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("application/x-ndjson"),
                                         testing::Not(HasSubstr("Content-Length"))));
  EXPECT_THAT(tell("GET /stream HTTP/1.0\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("a stream needs HTTP/1.1")));
  EXPECT_THAT(ask("GET /broken-stream"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("the card is gone")));
  EXPECT_TRUE(streams_.empty());
  serves();
}

TEST_F(ApiServer, OneStreamTooManyIsToldAndThereIsRoomAgainAfterwards) {
  options_.streams = 2;
  start();
  std::optional<Raw> first(std::in_place, path_);
  Raw second(path_);
  openStream(*first);
  openStream(second);
  EXPECT_THAT(ask("GET /stream"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("there are 2 streams already")));
  serves();
  first.reset();
  sessionsBecome(1);
  Raw third(path_);
  EXPECT_THAT(openStream(third), StartsWith("HTTP/1.1 200"));
}

/// Numbers in their order and what was told as lost: none is missing unsaid.
std::uint64_t accounted(Raw& client, std::uint64_t last) {
  std::uint64_t next = 0, lost_in_all = 0;
  while (next <= last) {
    std::string line = client.hear("\n");
    if (line.empty()) return 0;
    if (line.front() != '{') continue;  // a chunk's size or end
    const Json record = Json::parse(line);
    const auto lost = record.value("lost", std::uint64_t{0});
    next += lost;
    lost_in_all += lost;
    if (!record.contains("n")) continue;
    EXPECT_EQ(record["n"], next);
    ++next;
  }
  return lost_in_all;
}

TEST_F(ApiServer, ASlowReaderLosesRecordsIsToldHowManyAndHoldsUpNobody) {
  options_.stream_bytes = 64 << 10;
  start();
  Raw slow(path_), fast(path_);
  openStream(slow);
  openStream(fast);
  constexpr std::uint64_t kRecords = 3000;
  const std::string filling(1000, 'x');
  std::uint64_t fast_lost = 0;
  auto reader = std::async(std::launch::async, [&] { fast_lost = accounted(fast, kRecords); });
  for (std::uint64_t n = 0; n < kRecords; ++n) {
    send({{"n", n}, {"filling", filling}});
    if (n % 16 == 0) serves();  // the fast one has its turn
  }
  auto slow_reader = std::async(std::launch::async, [&] { return accounted(slow, kRecords); });
  send({{"n", kRecords}});
  on([this] {
    for (const auto& stream : streams_) stream->end();  // tells what is lost at the end
  });
  EXPECT_GT(slow_reader.get(), 1000U);
  reader.get();
  EXPECT_LT(fast_lost, kRecords / 2);
}

TEST_F(ApiServer, WhatIsPumpedWaitsForAClientThatDoesNotReadAndNothingIsLost) {
  start();
  Raw slow(path_);
  EXPECT_TRUE(slow.say(request("GET /pumped")));
  const auto another = [this] {
    int next = 0;
    auto client = Client::connect(path_);
    EXPECT_TRUE(client->records("GET", "/pumped", {}, {}, [&](const Json& record) { return record["n"] == next++; }));
    EXPECT_EQ(next, kPumped) << "another one is not held up, and gets all to the end";
    return on([this] { return made_.front(); });
  };
  const int made = another();  // the slow one had a turn with each record of it
  EXPECT_GT(made, 0);
  EXPECT_LT(made, kPumped);
  EXPECT_EQ(another(), made) << "nothing more is made for who does not read";
}

TEST_F(ApiServer, WhoHangsUpEndsWhatIsPumped) {
  start();
  {
    auto client = Client::connect(path_);
    EXPECT_FALSE(client->records("POST", "/pumped", {{"a", 1}}, {}, [](const Json&) { return false; }));
  }
  while (on([this] { return closed_; }) == 0) serves();
  const int made = on([this] { return made_.front(); });
  serves();
  EXPECT_EQ(on([this] { return made_.front(); }), made);
  EXPECT_LT(made, kPumped);
}

TEST_F(ApiServer, WhatIsCutInTheMiddleHasNoEnd) {
  start();
  std::promise<void> cut;
  const auto reader = std::async(std::launch::async, [&] {
    auto client = Client::connect(path_);
    const auto take = [&](const Json& record) {
      if (record["n"] != 0) return true;
      on([this] { goes_away_ = true; });
      cut.set_value();
      return true;
    };
    EXPECT_THROW(client->records("GET", "/pumped", {}, {}, take), ClientError);
  });
  cut.get_future().wait();
  serves();
  on([this] { server_.reset(); });
  reader.wait();
  EXPECT_LT(made_.front(), kPumped);
}

TEST_F(ApiServer, AnAnswerMayBeAText) {
  start();
  EXPECT_THAT(ask("GET /plain"),
              AllOf(HasSubstr("Content-Type: text/plain; version=0.0.4\r\n"), EndsWith("\r\n\r\na 1\n")));
}

TEST_F(ApiServer, WhoHangsUpInTheMiddleOfAStreamIsForgotten) {
  start();
  Raw stays(path_), goes(path_), talks(path_);
  for (Raw* one : {&stays, &goes, &talks}) openStream(*one);
  goes.hangUp();
  ASSERT_TRUE(talks.say("x"));
  EXPECT_EQ(talks.hear(), "") << "nothing is to be said behind a stream's request";
  sessionsBecome(1);
  EXPECT_EQ(on([this] { return closed_; }), 2U);
  send({{"n", 1}});
  EXPECT_THAT(stays.hear("\n\r\n"), HasSubstr("{\"n\":1}"));
}

TEST_F(ApiServer, ItsEndHangsUpOnAllAndClosesTheirStreams) {
  start();
  Raw stream(path_), idle(path_);
  openStream(stream);
  sessionsBecome(2);
  on([this] { server_.reset(); });
  EXPECT_EQ(stream.hear(), "");
  EXPECT_EQ(idle.hear(), "");
  EXPECT_EQ(on([this] { return closed_; }), 1U);
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
  send({{"n", 1}});
}

// ---- the socket

TEST_F(ApiServer, TheSocketIsForOwnerAndGroupWhateverTheUmask) {
  path_ = scratch_ / "folder/api";
  for (const mode_t mask : {mode_t{0}, mode_t{0077}}) {
    const mode_t before = ::umask(mask);
    const Server server(context_, path_, {});
    ::umask(before);
    struct stat status{};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0660U);
    ASSERT_EQ(::stat((scratch_ / "folder").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0755U);
  }
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
}

std::string whyNot(boost::asio::io_context& context, const std::string& path) {
  try {
    const Server server(context, path, {});
    ADD_FAILURE() << "it listens";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST_F(ApiServer, AFileOfSomebodyElseStays) {
  for (const char* name : {"file", "folder", "link"}) {
    const std::string path = scratch_ / name;
    if (name == std::string("file"))
      std::ofstream(path) << "text";
    else if (name == std::string("folder"))
      std::filesystem::create_directory(path);
    else
      std::filesystem::create_symlink("nowhere", path);
    EXPECT_EQ(whyNot(context_, path), path + ": is there and is no socket");
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::symlink_status(path)));
  }
  EXPECT_EQ(sim::contentsOf(scratch_ / "file"), "text");
}

TEST_F(ApiServer, AnotherListenerIsNamedAndStays) {
  start();
  const std::string why = whyNot(context_, path_);
  EXPECT_THAT(why, HasSubstr(path_ + ": another program listens there ("));
  EXPECT_THAT(why, HasSubstr("process " + std::to_string(::getpid())));
  serves();
}

TEST_F(ApiServer, ADeadSocketIsReplacedAndASuccessorsIsNotRemoved) {
  const std::string aside = scratch_ / "aside";
  {
    const Server first(context_, path_, {});
    std::filesystem::rename(path_, aside);
    const Server second(context_, path_, {});
    std::filesystem::rename(path_, scratch_ / "second");
    std::filesystem::rename(aside, path_);
  }
  // Each has found another's file at its place; now that one is dead.
  EXPECT_EQ(::access((scratch_ / "second").c_str(), F_OK), 0);
  std::filesystem::rename(scratch_ / "second", path_);
  start();
  serves();
}

TEST_F(ApiServer, WithoutItsFolderOrWithALongPathItSaysWhich) {
  EXPECT_THAT(whyNot(context_, scratch_ / "a/b/api"), HasSubstr("a/b: cannot be made: No such file"));
  EXPECT_THAT(whyNot(context_, scratch_ / std::string(120, 'a')), HasSubstr("is too long for the path of a socket"));
}

}  // namespace
}  // namespace poplink::host::api
