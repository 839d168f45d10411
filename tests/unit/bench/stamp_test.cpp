#include "load/stamp.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdint>
#include <limits>
#include <string>

namespace roomcast::bench::stamp_test {
namespace {

/// What a JSON text must have in pairs, outside of strings; none of the messages has an escape.
bool well_formed(const std::string& text) {
  int depth = 0;
  bool in_string = false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '\\') return false;
    if (c == '"') in_string = !in_string;
    if (in_string) continue;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth < 0) return false;
  }
  return depth == 0 && !in_string && text.front() == '{' && text.back() == '}';
}

std::string stamped(std::size_t bytes, const Stamp& stamp) {
  std::string message = make_message(bytes);
  write_stamp(message, stamp);
  return message;
}

void check_same(const std::optional<Stamp>& read, const Stamp& written) {
  REQUIRE(read.has_value());
  CHECK(read->publisher == written.publisher);
  CHECK(read->number == written.number);
  CHECK(read->sent_ns == written.sent_ns);
}

const Stamp example{7, 123'456, 987'654'321'012'345};

}  // namespace

TEST_CASE("a message has exactly the size asked for and is JSON, whatever the size") {
  for (std::size_t bytes = min_message_bytes; bytes < 2000; ++bytes) {
    const std::string message = make_message(bytes);
    REQUIRE(message.size() == bytes);
    REQUIRE(well_formed(message));
  }
  CHECK(make_message(65'536).size() == 65'536);
}

TEST_CASE("a stamp is read as it was written, at the smallest and the largest values") {
  for (const Stamp& stamp :
       {Stamp{}, example,
        Stamp{std::numeric_limits<std::uint16_t>::max(), std::numeric_limits<std::uint32_t>::max(),
              std::numeric_limits<std::int64_t>::max()}}) {
    check_same(read_stamp(stamped(min_message_bytes, stamp)), stamp);
    check_same(read_stamp(stamped(1024, stamp)), stamp);
  }
}

TEST_CASE("writing a stamp leaves the size and the JSON as they are") {
  const std::string message = stamped(300, example);
  CHECK(message.size() == 300);
  CHECK(well_formed(message));
}

TEST_CASE("a new message carries the stamp zero") { check_same(read_stamp(make_message(64)), Stamp{}); }

TEST_CASE("a stamp is found inside an envelope") {
  const std::string message = stamped(64, example);
  SUBCASE("that has the object in it") {
    check_same(read_stamp(R"({"type":"message","room":"a","cursor":"1-1","data":)" + message + "}"), example);
  }
  SUBCASE("that has it as a string, with its quotes escaped") {
    std::string escaped;
    for (const char c : message) {
      if (c == '"') escaped += '\\';
      escaped += c;
    }
    check_same(read_stamp(R"({"type":"message","room":"a","data":")" + escaped + "\"}"), example);
  }
}

TEST_CASE("a stamp is found where the last one stood, and as well where it did not") {
  std::size_t place = 0;
  for (const std::string_view front : {"", "some words: ", "some words: ", "more: ", ""}) {
    const std::string text = std::string(front) + stamped(64, example);
    const auto stamp = read_stamp(text, place);
    REQUIRE(stamp.has_value());
    check_same(stamp, example);
    CHECK(place == front.size() + 6);
  }
  CHECK_FALSE(read_stamp("", place).has_value());
  CHECK_FALSE(read_stamp(std::string(200, 'x'), place).has_value());
}

TEST_CASE("what has no whole stamp gives none") {
  CHECK_FALSE(read_stamp("").has_value());
  CHECK_FALSE(read_stamp("hello").has_value());
  CHECK_FALSE(read_stamp(std::string(200, 'x')).has_value());
  const std::string message = stamped(64, example);
  constexpr std::size_t stamp_end = 6 + 4 + 32;
  for (std::size_t size = 0; size < stamp_end; ++size) {
    REQUIRE_FALSE(read_stamp(std::string_view(message).substr(0, size)).has_value());
    REQUIRE_FALSE(read_stamp("some words in front " + message.substr(0, size)).has_value());
  }
  CHECK(read_stamp(std::string_view(message).substr(0, stamp_end)).has_value());
}

TEST_CASE("a stamp with a letter that cannot be in it is none") {
  const std::string message = stamped(64, example);
  for (std::size_t at = 6; at < 6 + 4 + 32; ++at) {
    std::string broken = message;
    broken[at] = 'p';
    REQUIRE_FALSE(read_stamp(broken).has_value());
  }
}

TEST_CASE("a message of one KiB compresses about as well as ordinary JSON does") {
  const std::string message = stamped(1024, example);
  uLongf packed = compressBound(1024);
  std::string out(packed, '\0');
  REQUIRE(compress(reinterpret_cast<Bytef*>(out.data()), &packed,
                   reinterpret_cast<const Bytef*>(message.data()), 1024) == Z_OK);
  CHECK(packed > 256);
  CHECK(packed < 600);
}

}  // namespace roomcast::bench::stamp_test
