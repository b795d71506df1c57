// SPDX-License-Identifier: Apache-2.0
// Requests, routes and records of the API as values: no socket is needed.
#include <gmock/gmock.h>

#include "capture_record.h"
#include "message.h"
#include "router.h"

namespace poplink::host::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Refused refusalOf(const std::function<void()>& what) {
  try {
    what();
  } catch (const Refused& why) {
    return why;
  }
  ADD_FAILURE() << "was granted";
  return {Status::ok, ""};
}

Request get(const std::string& target) {
  return parseRequest("GET", target, "");
}
Request withBody(const std::string& body) {
  return parseRequest("PUT", "/v1", body);
}

TEST(ParseRequest, PathAndQueryAreDecoded) {
  const Request request = get("/v1/tables/a%2Fb%20c?name=port_control%5B2%5D&name=x&follow");
  EXPECT_THAT(request.path, ElementsAre("v1", "tables", "a/b c"));
  EXPECT_THAT(request.query, ElementsAre(Pair("name", "port_control[2]"), Pair("name", "x"), Pair("follow", "")));
  EXPECT_THAT(request.all("name"), ElementsAre("port_control[2]", "x"));
  EXPECT_TRUE(request.body.is_null());
}

TEST(ParseRequest, ASlashAtTheEndIsNoSegment) {
  EXPECT_THAT(get("/v1/").path, ElementsAre("v1"));
  EXPECT_TRUE(get("/").path.empty());
}

TEST(ParseRequest, WhatIsNoPathIsRefused) {
  for (const char* target : {"", "*", "v1", "http://host/v1", "/v1?x=%zz", "/v1/%", "/v1#part", "/a b", "/\n"}) {
    const Refused why = refusalOf([&] { get(target); });
    EXPECT_EQ(why.status, Status::bad_request) << target;
    EXPECT_STREQ(why.what(), "the request's target is no path") << target;
  }
}

TEST(ParseRequest, EncodedTextComesBack) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(get("/v1?x=" + encode(all)).one("x"), all);
}

TEST(ParseRequest, ABodyIsJsonOfFewLevels) {
  EXPECT_EQ(withBody("{\"a\": 1}").body["a"], 1);
  for (const char* body : {"{", "nothing", "{} {}", "\xff"})
    EXPECT_STREQ(refusalOf([&] { withBody(body); }).what(), "the body is no JSON") << body;
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_NO_THROW(withBody(nested(16)));
  EXPECT_THAT(refusalOf([&] { withBody(nested(500'000)); }).what(), HasSubstr("nested deeper than 16 levels"));
}

TEST(RequestValues, AParameterThatIsThereTwiceIsRefusedByName) {
  const Request request = get("/v1?service=1&service=2");
  const Refused why = refusalOf([&] { static_cast<void>(request.one("service")); });
  EXPECT_EQ(why.field, "service");
  EXPECT_EQ(request.one("port"), std::nullopt);
}

TEST(RequestValues, FlagsOfTheQuery) {
  for (const char* yes : {"/?follow", "/?follow=", "/?follow=1", "/?follow=true"})
    EXPECT_TRUE(get(yes).flag("follow")) << yes;
  for (const char* no : {"/", "/?follow=0", "/?follow=false", "/?other"}) EXPECT_FALSE(get(no).flag("follow")) << no;
  const Refused why = refusalOf([] { static_cast<void>(get("/?follow=yes").flag("follow")); });
  EXPECT_STREQ(why.what(), "'follow' is 0 or 1, not 'yes'");
  EXPECT_EQ(why.field, "follow");
}

TEST(RequestValues, FieldsOfTheBody) {
  const Request request = withBody(R"({"file": "/a", "dry_run": true, "registers": ["a", "b=1"]})");
  EXPECT_EQ(request.text("file"), "/a");
  EXPECT_TRUE(request.flag("dry_run", false));
  EXPECT_TRUE(request.flag("missing", true));
  EXPECT_FALSE(get("/").flag("dry_run", false));
  EXPECT_THAT(request.texts("registers"), ElementsAre("a", "b=1"));
}

TEST(RequestValues, WrongFieldsAreRefusedByName) {
  const auto why = [](const std::string& body, auto read) {
    const Refused refused = refusalOf([&] { read(withBody(body)); });
    EXPECT_EQ(refused.status, Status::bad_request);
    EXPECT_EQ(refused.field, "x");
    return std::string(refused.what());
  };
  const auto text = [](const Request& one) { static_cast<void>(one.text("x")); };
  const auto texts = [](const Request& one) { static_cast<void>(one.texts("x")); };
  const auto flag = [](const Request& one) { static_cast<void>(one.flag("x", true)); };
  EXPECT_EQ(why("", text), "the body must be a JSON object with 'x'");
  EXPECT_EQ(why("[1]", texts), "the body must be a JSON object with 'x'");
  EXPECT_EQ(why("[1]", flag), "the body must be a JSON object with 'x'");
  EXPECT_EQ(why("{}", text), "'x' is missing");
  for (const char* body : {R"({"x": 1})", R"({"x": ""})", R"({"x": null})"})
    EXPECT_EQ(why(body, text), "'x' must be a text");
  for (const char* body : {R"({"x": "a"})", R"({"x": []})", R"({"x": ["a", 1]})"})
    EXPECT_EQ(why(body, texts), "'x' must be a list of texts");
  EXPECT_EQ(why(R"({"x": 1})", flag), "'x' must be true or false");
}

// ---- routes

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    router_.add({"GET", "/v1/tables", "all", {}, [](const Request&) { return toAnswer("tables"); }});
    router_.add({"GET", "/v1/tables/{name}", "one", {"depth"}, [](const Request& request) {
                   return toAnswer(request.parameters.at("name"));
                 }});
    router_.add({"PUT", "/v1/tables/{name}", "write", {}, [](const Request&) { return toAnswer("written"); }});
  }
  Json answer(const std::string& method, const std::string& target) const {
    return router_.answer(parseRequest(method, target, "")).body;
  }
  Refused refused(const std::string& method, const std::string& target) const {
    return refusalOf([&] { answer(method, target); });
  }

  Router router_;
};

TEST_F(RouterTest, AnswersByMethodAndPath) {
  EXPECT_EQ(answer("GET", "/v1/tables"), "tables");
  EXPECT_EQ(answer("GET", "/v1/tables/"), "tables");
  EXPECT_EQ(answer("GET", "/v1/tables/link?depth=2"), "link");
  EXPECT_EQ(answer("HEAD", "/v1/tables/a%2Fb"), "a/b");
  EXPECT_EQ(answer("PUT", "/v1/tables/link"), "written");
}

TEST_F(RouterTest, ShowsWhatItHas) {
  const Json routes = answer("GET", "/v1")["routes"];
  ASSERT_EQ(routes.size(), 4U);
  EXPECT_EQ(routes[0]["path"], "/v1");
  EXPECT_EQ(routes[2].dump(), R"({"method":"GET","path":"/v1/tables/{name}","query":["depth"],"text":"one"})");
}

TEST_F(RouterTest, AnUnknownPathIsNotFound) {
  for (const char* target : {"/", "/v2", "/v1/table", "/v1/tables/a/b", "/v1//tables", "/v1/tables//"}) {
    const Refused why = refused("GET", target);
    EXPECT_EQ(why.status, Status::not_found) << target;
    EXPECT_THAT(why.what(), HasSubstr("GET /v1 shows what there is")) << target;
  }
}

TEST_F(RouterTest, AnotherMethodIsToldWhichThereAre) {
  const Refused why = refused("DELETE", "/v1/tables/link");
  EXPECT_EQ(why.status, Status::method_not_allowed);
  EXPECT_EQ(why.allow, "GET, HEAD, PUT");
  EXPECT_STREQ(why.what(), "/v1/tables/link knows GET, HEAD, PUT, not DELETE");
  EXPECT_EQ(refused("POST", "/v1").allow, "GET, HEAD");
}

TEST_F(RouterTest, APathOfTwoPatternsIsAnsweredByTheFirstAndNamesAMethodOnce) {
  router_.add({"GET", "/v1/{any}", "another", {}, [](const Request&) { return toAnswer("any"); }});
  EXPECT_EQ(answer("GET", "/v1/tables"), "tables");
  EXPECT_EQ(answer("GET", "/v1/ports"), "any");
  EXPECT_EQ(refused("PUT", "/v1/tables").allow, "GET, HEAD");
}

TEST_F(RouterTest, AParameterThatTheRouteDoesNotKnowIsRefused) {
  const Refused why = refused("GET", "/v1/tables/link?dept=2");
  EXPECT_EQ(why.status, Status::bad_request);
  EXPECT_EQ(why.field, "dept");
  EXPECT_EQ(refused("PUT", "/v1/tables/link?depth=2").field, "depth");
}

TEST_F(RouterTest, TheSameRouteTwiceIsAnError) {
  EXPECT_THROW(router_.add({"GET", "/v1/tables", "", {}, {}}), std::logic_error);
  EXPECT_THROW(router_.add({"GET", "/v1/tables/{other}", "", {}, {}}), std::logic_error);
}

// ---- records of captured frames

driver::HostFrame frameOf(const std::vector<std::uint8_t>& bytes) {
  driver::HostFrame frame;
  frame.bytes = bytes;
  frame.frame_bytes = 9216;
  frame.port = driver::kFromHost;
  frame.reason = 7;
  frame.copy = true;
  frame.learned = true;
  frame.service = 4095;
  frame.hash = 0xFEDC'BA98;
  frame.egress_port = 5;
  frame.lost = 0xFFFF'FFFF;
  return frame;
}

TEST(CaptureRecords, ComeBackAsTheyWere) {
  for (std::size_t size = 14; size < 80; ++size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(251 * i + size);
    driver::HostFrame frame = frameOf(bytes);
    if (size % 2 == 0) frame.service.reset();
    const Json json = captureRecord(frame, 1'764'000'000'123'456);
    const auto back = captureRecordOf(Json::parse(json.dump()));
    ASSERT_TRUE(back) << json;
    EXPECT_EQ(back->bytes, bytes);
    EXPECT_EQ(back->frame.bytes.data(), back->bytes.data());
    EXPECT_EQ(back->frame.us, 1'764'000'000'123'456U);
    EXPECT_EQ(back->frame.service, frame.service);
    EXPECT_EQ(captureRecord(back->frame, back->frame.us), json);
  }
}

TEST(CaptureRecords, BytesAreBase64OfRfc4648) {
  const std::string text = "fourteen bytesfoobar";
  const auto encoded = [&](std::size_t size) {
    return captureRecord(frameOf({text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size)}), 0)["bytes"];
  };
  EXPECT_EQ(encoded(18), "Zm91cnRlZW4gYnl0ZXNmb29i");
  EXPECT_EQ(encoded(17), "Zm91cnRlZW4gYnl0ZXNmb28=");
  EXPECT_EQ(encoded(16), "Zm91cnRlZW4gYnl0ZXNmbw==");
}

TEST(CaptureRecords, WhatIsNoneIsNone) {
  const Json good = captureRecord(frameOf(std::vector<std::uint8_t>(16, 0x55)), 1);
  ASSERT_TRUE(captureRecordOf(good));
  const auto with = [&](const char* field, const Json& value) {
    Json json = good;
    json[field] = value;
    return captureRecordOf(json).has_value();
  };
  for (const char* bytes :
       {"VVVVVVVVVVVVVVVVVVVVVQ=", "VVVVVVVVVVVVVVVVVVVVV===", "VVVVVVVVVVVVVVVVVVVV====", "====",
        "VVVV=VVVVVVVVVVVVVVVVQ==", "VVVVVVVV VVVVVVVVVVVVQ==", "VVVVVVVV-_VVVVVVVVVVVQ==", "", "VVVVVVVVVVVVVVVVVQ=="})
    EXPECT_FALSE(with("bytes", bytes)) << bytes;
  EXPECT_FALSE(with("bytes", 7));
  for (const auto& [field, value] : good.items()) {
    if (field == "reason_name") continue;  // for people
    Json json = good;
    json.erase(field);
    EXPECT_FALSE(captureRecordOf(json)) << field;
    EXPECT_FALSE(with(field.c_str(), Json::array())) << field;
  }
  EXPECT_FALSE(with("port", 17));
  EXPECT_FALSE(with("reason", 64));
  EXPECT_FALSE(with("hash", -1));
  EXPECT_FALSE(with("time_us", 1.5));
  for (const char* other : {"{\"lost\": 3}", "[]", "null", "3"}) EXPECT_FALSE(captureRecordOf(Json::parse(other)));
}

}  // namespace
}  // namespace poplink::host::api
