#include "load/http_body.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace roomcast::bench::http_body_test {
namespace {

struct Outcome {
  std::string content;
  bool over = false;
  bool bad = false;
  std::string behind;  ///< what was not used
};

/// Gives `body` the parts one by one.
Outcome feed(HttpBody body, const std::vector<std::string_view>& parts) {
  Outcome outcome;
  for (std::string_view part : parts) {
    while (!part.empty() && !outcome.over && !outcome.bad) {
      const HttpBody::Piece piece = body.take(part);
      outcome.content += piece.content;
      outcome.over = piece.over;
      outcome.bad = piece.bad;
      if (piece.bad) return outcome;
      REQUIRE(piece.used > 0);
      part.remove_prefix(piece.used);
    }
    outcome.behind += part;
  }
  return outcome;
}

std::vector<std::string_view> byte_by_byte(std::string_view bytes) {
  std::vector<std::string_view> parts;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    parts.push_back(bytes.substr(i, 1));
  return parts;
}

const HttpBody chunked(HttpBody::Length::chunked);
constexpr std::string_view body = "4\r\nroom\r\n0A;x=y\r\ncast, one \r\n4 \r\nroom\r\n0\r\n\r\n";

}  // namespace

TEST_CASE("a body without end is all content") {
  const Outcome outcome = feed(HttpBody(), {"abc", "def"});
  CHECK(outcome.content == "abcdef");
  CHECK_FALSE(outcome.over);
}

TEST_CASE("a counted body ends with its last byte") {
  for (const auto& parts : {std::vector<std::string_view>{"abcdef"}, byte_by_byte("abcdef")}) {
    const Outcome outcome = feed(HttpBody(HttpBody::Length::counted, 4), parts);
    CHECK(outcome.content == "abcd");
    CHECK(outcome.over);
    CHECK(outcome.behind == "ef");
  }
  CHECK_FALSE(feed(HttpBody(HttpBody::Length::counted, 4), {"abc"}).over);
}

TEST_CASE("a chunked body gives its content, whole, byte by byte and cut anywhere") {
  std::vector<std::vector<std::string_view>> ways{{body}, byte_by_byte(body)};
  for (std::size_t cut = 0; cut <= body.size(); ++cut)
    ways.push_back({body.substr(0, cut), body.substr(cut)});
  for (const auto& parts : ways) {
    const Outcome outcome = feed(chunked, parts);
    CHECK(outcome.content == "roomcast, one room");
    CHECK(outcome.over);
    CHECK_FALSE(outcome.bad);
    CHECK(outcome.behind.empty());
  }
}

TEST_CASE("a chunked body is not over before its last byte, and leaves what is behind it") {
  CHECK_FALSE(feed(chunked, {body.substr(0, body.size() - 1)}).over);
  const Outcome outcome = feed(chunked, {body, "HTTP/1.1"});
  CHECK(outcome.over);
  CHECK(outcome.behind == "HTTP/1.1");
}

TEST_CASE("what is no chunked body is bad") {
  for (const std::string_view bytes :
       {"\r\n", ";\r\n", "x\r\n", "-1\r\n", "4\rx", "4\nroom", "4\r\nroomx", "4\r\nroom\rx", "4;a\nroom",
        "0\r\nTrailer: x\r\n", "0\r\n\rx", "100000000\r\n"}) {
    CAPTURE(bytes);
    CHECK(feed(chunked, {bytes}).bad);
    CHECK(feed(chunked, byte_by_byte(bytes)).bad);
  }
  CHECK_FALSE(feed(chunked, {"ffffffff\r\n"}).bad);
}

}  // namespace roomcast::bench::http_body_test
