#include "serve/floor_deflate.h"

#include <doctest/doctest.h>

#include <string>

#include "serve/floor_frames.h"

namespace roomcast::bench::floor::floor_deflate_test {

TEST_CASE("what was compressed comes back, each message by itself") {
  FloorDeflate deflate;
  for (const std::size_t size : {0, 1, 64, 1024, 65535, 65536}) {
    CAPTURE(size);
    std::string message;
    for (std::size_t i = 0; message.size() < size; ++i)
      message += std::to_string(i * i);
    message.resize(size);
    const std::string first(deflate.compress(message));
    CHECK(std::string(deflate.compress(message)) == first);
    const auto back = deflate.decompress(first);
    REQUIRE(back);
    CHECK(*back == message);
  }
}

TEST_CASE("the standard's example is read and written") {
  FloorDeflate deflate;
  const std::string hello{"\xF2\x48\xCD\xC9\xC9\x07\x00", 7};  // RFC 7692 section 7.2.3.1
  CHECK(deflate.compress("Hello") == hello);
  CHECK(deflate.decompress(hello) == "Hello");
}

TEST_CASE("broken bytes and messages past the limit are refused, and the next one is read") {
  FloorDeflate deflate;
  CHECK_FALSE(deflate.decompress("\xFF\xFF\xFF"));
  const std::string bomb(deflate.compress(std::string(max_frame_bytes + 1, 'x')));
  CHECK_FALSE(deflate.decompress(bomb));
  const std::string full(deflate.compress(std::string(max_frame_bytes, 'x')));
  CHECK(deflate.decompress(full).has_value());
}

}  // namespace roomcast::bench::floor::floor_deflate_test
