#include "ws/deflate.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::ws::deflate_test {

namespace {

struct Inflated {
  std::string bytes;
  bool valid = true;
};

/// Inflates a complete message with its tail, `chunk` bytes of output at a time.
Inflated inflate_message(Inflater& inflater, std::string_view payload, std::size_t chunk = 100) {
  Inflated result;
  std::string room(chunk, '\0');
  for (std::string_view input : {payload, deflate_tail}) {
    std::size_t written = room.size();
    while (!input.empty() || written == room.size()) {
      const auto step = inflater.inflate(input, room);
      written = step.written;
      result.bytes.append(room, 0, written);
      if (!step.valid) return {result.bytes, false};
    }
    if (inflater.is_at_stream_end()) break;
  }
  return result;
}

std::string inflated(std::string_view payload) {
  Inflater inflater;
  const auto result = inflate_message(inflater, payload);
  CHECK(result.valid);
  return result.bytes;
}

std::string compressed(std::string_view message, const DeflaterSettings& settings = {}) {
  Deflater deflater(settings);
  std::string out;
  deflater.compress(message, out);
  return out;
}

std::string noise(std::size_t size) {
  std::string bytes;
  std::uint32_t state = 12345;
  for (std::size_t i = 0; i < size; ++i) {
    state = state * 1664525U + 1013904223U;
    bytes.push_back(static_cast<char>(state >> 24U));
  }
  return bytes;
}

}  // namespace

TEST_CASE("the examples of RFC 7692 section 7.2.3 are read") {
  CHECK(inflated("\xf2\x48\xcd\xc9\xc9\x07" + std::string(1, '\0')) == "Hello");
  // 7.2.3.3: a block without compression.
  CHECK(inflated(std::string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11)) == "Hello");
  // 7.2.3.4: a final block.
  CHECK(inflated(std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8)) == "Hello");
  // 7.2.3.5: two blocks.
  CHECK(inflated(std::string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13)) == "Hello");
}

TEST_CASE("the example of RFC 7692 section 7.2.3.2 refers to the message before") {
  Inflater inflater;
  CHECK(inflate_message(inflater, std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)).bytes == "Hello");
  CHECK(inflate_message(inflater, std::string("\xf2\x00\x11\x00\x00", 5)).bytes == "Hello");
  inflater.reset();
  CHECK_FALSE(inflate_message(inflater, std::string("\xf2\x00\x11\x00\x00", 5)).valid);
}

TEST_CASE("a block after a final one may refer to what came before it") {
  Inflater inflater;
  const std::string final_block("\xf3\x48\xcd\xc9\xc9\x07\x00", 7);
  const std::string reference("\xf2\x00\x11\x00\x00", 5);
  CHECK(inflate_message(inflater, final_block + reference).bytes == "HelloHello");
  CHECK(inflate_message(inflater, reference).bytes == "Hello");
}

TEST_CASE("a message of a server is compressed as in the example and comes back") {
  CHECK(compressed("Hello") == std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7));
  CHECK(compressed("") == std::string(1, '\0'));
  for (const std::size_t size : {0U, 1U, 1000U, 16383U, 16384U, 16385U, 100000U}) {
    CAPTURE(size);
    const auto random = noise(size);
    CHECK(inflated(compressed(random)) == random);
    const std::string same(size, 'a');
    CHECK(inflated(compressed(same)) == same);
  }
}

TEST_CASE("nothing is remembered from one message to the next") {
  Deflater deflater({});
  std::string first;
  std::string second;
  deflater.compress("Hello", first);
  deflater.compress("Hello", second);
  CHECK(first == second);
  std::string appended = "head";
  deflater.compress("Hello", appended);
  CHECK(appended == "head" + first);
}

TEST_CASE("the compressor stays within its window") {
  for (int bits = 9; bits <= 15; ++bits) {
    CAPTURE(bits);
    const std::size_t window = std::size_t{1} << static_cast<unsigned>(bits);
    const std::string random = noise(window - 300);
    const auto near = compressed(random + random, {.window_bits = bits});
    CHECK(near.size() < random.size() * 3 / 2);
    // One window further away the repetition is out of reach.
    const auto far = compressed(random + noise(window) + random, {.window_bits = bits});
    CHECK(inflated(far) == random + noise(window) + random);
  }
}

TEST_CASE("settings out of range are refused") {
  CHECK_THROWS_AS(Deflater({.window_bits = 8}), std::invalid_argument);
  CHECK_THROWS_AS(Deflater({.window_bits = 16}), std::invalid_argument);
  CHECK_THROWS_AS(Deflater({.level = 0}), std::invalid_argument);
  CHECK_THROWS_AS(Deflater({.level = 10}), std::invalid_argument);
  CHECK_THROWS_AS(Deflater({.memory_level = 0}), std::invalid_argument);
  CHECK_THROWS_AS(Deflater({.memory_level = 10}), std::invalid_argument);
  for (int bits = 9; bits <= 15; ++bits)
    CHECK(inflated(compressed("x", {.window_bits = bits, .level = 1, .memory_level = 1})) == "x");
}

TEST_CASE("invalid data is distinguished from incomplete data") {
  Inflater inflater;
  CHECK_FALSE(inflate_message(inflater, "\xff\xff\xff").valid);
  inflater.reset();
  std::string_view half = "\xf2\x48\xcd";
  std::array<char, 64> room{};
  CHECK(inflater.inflate(half, room).valid);
  CHECK_FALSE(inflater.is_between_blocks());
}

TEST_CASE("a pool lends what was given back, forgotten, and keeps only so many") {
  InflaterPool pool(2);
  {
    const auto a = pool.borrow();
    const auto b = pool.borrow();
    const auto c = pool.borrow();
    CHECK(pool.spare() == 0);
    CHECK(inflate_message(*a, std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)).bytes == "Hello");
  }
  CHECK(pool.spare() == 2);
  const auto first = pool.borrow();
  const auto second = pool.borrow();
  CHECK(pool.spare() == 0);
  for (const auto* lease : {&first, &second}) {
    CHECK_FALSE(inflate_message(**lease, std::string("\xf2\x00\x11\x00\x00", 5)).valid);
  }
}

}  // namespace roomcast::ws::deflate_test
