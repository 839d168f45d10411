#include "load/compressed_stamps.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <string>

namespace roomcast::bench::compressed_stamps_test {
namespace {

/// As a server compresses a message without context takeover (RFC 7692 section 7.2.1).
std::string compressed(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_SYNC_FLUSH) == Z_OK);
  out.resize(stream.total_out - 4);
  deflateEnd(&stream);
  return out;
}

std::string message(std::uint32_t number, std::size_t bytes = 1024) {
  std::string text = make_message(bytes);
  write_stamp(text, {7, number, 42});
  return text;
}

}  // namespace

TEST_CASE("the same compressed bytes are inflated once, however often their stamp is read") {
  CompressedStamps stamps;
  for (std::uint32_t number = 0; number < 100; ++number) {
    const std::string payload = compressed(message(number));
    for (int subscriber = 0; subscriber < 5; ++subscriber) {
      const auto stamp = stamps.read(payload);
      REQUIRE(stamp);
      CHECK(stamp->number == number);
      CHECK(stamp->publisher == 7);
      CHECK(stamp->sent_ns == 42);
    }
  }
  CHECK(stamps.inflated() == 100);
}

TEST_CASE("a message much longer than it is compressed is inflated whole") {
  CompressedStamps stamps;
  const auto stamp = stamps.read(compressed(message(3, 1 << 20)));
  REQUIRE(stamp);
  CHECK(stamp->number == 3);
}

TEST_CASE("bytes that differ in one bit are looked at on their own") {
  CompressedStamps stamps;
  const std::string good = compressed(message(5));
  REQUIRE(stamps.read(good));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const std::uint64_t before = stamps.inflated();
    static_cast<void>(stamps.read(changed));
    CHECK(stamps.inflated() == before + 1);
  }
}

TEST_CASE("what can't be inflated, or has no stamp, has none, and does no harm to what comes next") {
  CompressedStamps stamps;
  CHECK_FALSE(stamps.read(""));
  CHECK_FALSE(stamps.read("\xff\xff\xff\xff"));
  CHECK_FALSE(stamps.read(compressed("no stamp in here")));
  CHECK(stamps.read(compressed(message(1))));
}

}  // namespace roomcast::bench::compressed_stamps_test
