// SPDX-License-Identifier: Apache-2.0
// The client against a server of few words: what it makes of answers, of silence and of nobody.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "client.h"
#include "scratch.h"

namespace poplink::host::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr auto kShort = 50ms;

/// Listens, takes one connection, waits for each request's head and answers with the next of `answers`; then hangs up,
/// or keeps silent until the client does.
class Fake {
 public:
  explicit Fake(std::vector<std::string> answers, bool hang_up = false) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    thread_ = std::thread([this, all = std::move(answers), hang_up] { serve(all, hang_up); });
  }
  ~Fake() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  Fake(const Fake&) = delete;
  Fake& operator=(const Fake&) = delete;

 private:
  sim::Scratch scratch_;

 public:
  const std::string path = scratch_ / "api";

 private:
  void serve(const std::vector<std::string>& answers, bool hang_up) const {
    const int peer = ::accept(listener_, nullptr, nullptr);
    for (const std::string& answer : answers) {
      std::string request;
      char byte = 0;
      while (request.find("\r\n\r\n") == std::string::npos && ::read(peer, &byte, 1) == 1) request += byte;
      static_cast<void>(::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL));
    }
    char rest[4096];
    while (!hang_up && ::read(peer, rest, sizeof rest) > 0) {
    }
    ::close(peer);
  }

  int listener_ = -1;
  std::thread thread_;
};

std::string answer(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
const std::string kStream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
std::string chunk(const std::string& text) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  return size + text + "\r\n";
}

ClientError errorOf(const std::function<void()>& what) {
  try {
    what();
  } catch (const ClientError& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {Status::ok, ""};
}
ClientError streamError(const Fake& fake) {
  return errorOf([&] { Client::connect(fake.path)->stream("/v1", {}, [] {}, [](const Json&) { return true; }); });
}

// ---- nobody, or no way to somebody

TEST(ApiClient, NobodyThereIsNoError) {
  const sim::Scratch scratch;
  EXPECT_FALSE(Client::connect(scratch / "none"));
  EXPECT_FALSE(Client::connect(scratch / "none/api"));
  std::ofstream(scratch / "file") << "text";
  EXPECT_FALSE(Client::connect(scratch / "file/api"));
}

TEST(ApiClient, ADeadSocketIsNobody) {
  const Fake fake({});
  std::string dead;
  {
    const sim::Scratch scratch;
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (scratch / "dead").copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(socket);
    EXPECT_FALSE(Client::connect(scratch / "dead"));
  }
  EXPECT_TRUE(Client::connect(fake.path));
}

TEST(ApiClient, APathThatIsTooLongIsAnError) {
  EXPECT_THAT(errorOf([] { Client::connect("/" + std::string(200, 'a')); }).what(),
              HasSubstr("is too long for a socket"));
}

TEST(ApiClient, ASocketWithoutPermissionIsAnError) {
  const Fake fake({});
  ASSERT_EQ(::chmod(fake.path.c_str(), 0), 0);
  const uid_t user = ::geteuid();
  if (user == 0) {  // who may do everything
    ASSERT_EQ(::seteuid(65534), 0);
  }
  EXPECT_THAT(errorOf([&] { Client::connect(fake.path); }).what(), HasSubstr(fake.path + ": Permission denied"));
  ASSERT_EQ(::seteuid(user), 0);
  ASSERT_EQ(::chmod(fake.path.c_str(), 0600), 0);
  EXPECT_TRUE(Client::connect(fake.path));
}

// ---- requests

TEST(ApiClient, AnswersAreJsonInTheirOrder) {
  const Fake fake({answer("{\"z\": 1, \"a\": -2.5}\n"), answer("[]")});
  auto client = Client::connect(fake.path);
  EXPECT_EQ(client->get("/v1").dump(), R"({"z":1,"a":-2.5})");
  EXPECT_EQ(client->put("/v1", {{"a", 1}}).dump(), "[]");
}

TEST(ApiClient, ARefusalIsToldInItsWords) {
  const Fake fake({answer(R"({"error": {"message": "no such", "field": "x"}})", "404 Not Found"),
                   answer("{}", "404 Not Found"), answer(R"({"error": 3})", "500 Error"),
                   answer(R"({"error": {"message": 3}})", "500 Error"), answer("<html>", "503 Unavailable")});
  auto client = Client::connect(fake.path);
  const ClientError first = errorOf([&] { client->get("/v1"); });
  EXPECT_EQ(first.status, Status::not_found);
  EXPECT_STREQ(first.what(), "no such");
  for (const unsigned status : {404U, 500U, 500U, 503U}) {
    const ClientError next = errorOf([&] { client->get("/v1"); });
    EXPECT_EQ(static_cast<unsigned>(next.status), status);
    EXPECT_EQ(next.what(), "the answer was " + std::to_string(status));
  }
}

TEST(ApiClient, WhatIsNoJsonIsAnError) {
  const Fake fake({answer("{\"a\": ")});
  EXPECT_STREQ(errorOf([&] { Client::connect(fake.path)->get("/v1"); }).what(), "the answer is no JSON");
}

TEST(ApiClient, AHangUpIsAnErrorWhereverItComes) {
  const std::string whole = answer("{\"a\": 1}");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Fake fake({whole.substr(0, size)}, true);
    const ClientError error = errorOf([&] { Client::connect(fake.path)->get("/v1"); });
    EXPECT_EQ(error.status, Status::unavailable);
    EXPECT_EQ(error.what(), "poplinkd at " + fake.path + " has hung up") << size;
  }
  const Fake other({"SSH-2.0-OpenSSH\r\n"}, true);
  EXPECT_THAT(errorOf([&] { Client::connect(other.path)->get("/v1"); }).what(), HasSubstr("has hung up"));
}

TEST(ApiClient, SilenceEndsAtTheLimitAndTheConnectionWithIt) {
  const Fake fake({answer("{\"a\": 1}").substr(0, 20)});
  auto client = Client::connect(fake.path, kShort);
  EXPECT_EQ(errorOf([&] { client->get("/v1"); }).what(), "poplinkd at " + fake.path + " does not answer");
  EXPECT_EQ(errorOf([&] { client->get("/v1"); }).what(), "poplinkd at " + fake.path + " has hung up");
}

TEST(ApiClient, ARefusalThatCameBeforeTheRequestWasTakenIsTold) {
  // As the server turns one away that is too many: it says so and closes without reading.
  int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const sim::Scratch scratch;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (scratch / "api").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  auto client = Client::connect(scratch / "api");
  const int peer = ::accept(listener, nullptr, nullptr);
  const std::string text = answer(R"({"error": {"message": "too many"}})", "503 Unavailable");
  ASSERT_EQ(::write(peer, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(peer);
  EXPECT_STREQ(errorOf([&] { client->get("/v1"); }).what(), "too many");
  ::close(listener);
}

// ---- streams

TEST(ApiClient, RecordsComeHoweverTheyAreCut) {
  const std::string records = "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n";
  for (std::size_t size = 1; size <= records.size(); ++size) {
    std::string chunks;
    for (std::size_t at = 0; at < records.size(); at += size) chunks += chunk(records.substr(at, size));
    const Fake fake({kStream + chunks});
    std::vector<int> numbers;
    int started = 0;
    Client::connect(fake.path)->stream(
        "/v1", {}, [&] { ++started; },
        [&](const Json& record) {
          numbers.push_back(record["n"]);
          return numbers.size() < 3;
        });
    EXPECT_THAT(numbers, ElementsAre(1, 2, 3));
    EXPECT_EQ(started, 1);
  }
}

TEST(ApiClient, ARecordLargerThanAnyBufferComesWhole) {
  const std::string text(300'000, 'x');
  const Fake fake({kStream + chunk("{\"t\":\"" + text + "\"}\n")});
  Json got;
  Client::connect(fake.path)->stream(
      "/v1", {}, [] {},
      [&](const Json& record) {
        got = record;
        return false;
      });
  EXPECT_EQ(got["t"], text);
}

TEST(ApiClient, AStreamThatEndsByItselfIsAnErrorAfterItsRecords) {
  for (const std::string& end : {std::string("0\r\n\r\n"), std::string()}) {
    const Fake fake({kStream + chunk("{\"n\":1}\n") + end}, true);
    int records = 0;
    const ClientError error = errorOf(
        [&] { Client::connect(fake.path)->stream("/v1", {}, [] {}, [&](const Json&) { return ++records != 0; }); });
    EXPECT_EQ(error.what(), "poplinkd at " + fake.path + " has hung up");
    EXPECT_EQ(records, 1);
  }
}

TEST(ApiClient, ARecordThatIsNoObjectIsAnError) {
  for (const char* record : {"[1]\n", "7\n", "{\n", "\n", "data: {}\n"}) {
    const Fake fake({kStream + chunk(record)});
    EXPECT_STREQ(streamError(fake).what(), "a record of the stream is no JSON object") << record;
  }
}

TEST(ApiClient, ARefusedStreamIsToldInItsWords) {
  const Fake fake({answer(R"({"error": {"message": "no"}})", "400 Bad Request")});
  const ClientError error = streamError(fake);
  EXPECT_EQ(error.status, Status::bad_request);
  EXPECT_STREQ(error.what(), "no");
}

TEST(ApiClient, ARefusalThatNeverComesWholeEndsAtTheLimit) {
  const Fake fake({"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{"});
  const ClientError error =
      errorOf([&] { Client::connect(fake.path, kShort)->stream("/v1", {}, [] {}, [](const Json&) { return true; }); });
  EXPECT_EQ(error.status, Status::bad_request);
  EXPECT_STREQ(error.what(), "the answer was 400");
}

/// A pipe whose end is readable from the start.
class Stopped {
 public:
  Stopped() {
    EXPECT_EQ(::pipe(ends_), 0);
    EXPECT_EQ(::write(ends_[1], "x", 1), 1);
  }
  ~Stopped() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  int descriptor() const { return ends_[0]; }

 private:
  int ends_[2] = {-1, -1};
};

TEST(ApiClient, TheStopDescriptorEndsAStreamAlsoOneThatHasNotBegun) {
  const Stopped stop;
  for (const std::string& begin : {std::string(), kStream}) {
    const Fake fake({begin});
    Client::connect(fake.path)->stream("/v1", {stop.descriptor(), {}}, [] {}, [](const Json&) { return true; });
  }
  char byte = 0;
  EXPECT_EQ(::read(stop.descriptor(), &byte, 1), 1) << "it is the caller's";
}

TEST(ApiClient, TheTimeEndsAStream) {
  for (const std::string& begin : {std::string(), kStream}) {
    const Fake fake({begin});
    Client::connect(fake.path)->stream(
        "/v1", {-1, std::chrono::steady_clock::now() + kShort}, [] {}, [](const Json&) { return true; });
  }
}

}  // namespace
}  // namespace poplink::host::api
