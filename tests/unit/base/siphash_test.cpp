#include "base/string_hash.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace siphash_test {

using namespace roomcast::base;

namespace {

// The input of the published vectors: the key 00 01 … 0f, and texts 00 01 ….
constexpr SipKey key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};

std::string counting_up(std::size_t length) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i)
    text += static_cast<char>(i);
  return text;
}

struct Vector {
  std::size_t length;
  std::uint64_t hash;
};

}  // namespace

TEST_CASE("SipHash-2-4 gives the published vectors") {
  for (const Vector& expected : {Vector{0, 0x726fdb47dd0e0e31U},
                                 {1, 0x74f839c593dc67fdU},
                                 {7, 0xab0200f58b01d137U},
                                 {8, 0x93f5f5799a932462U},
                                 {15, 0xa129ca6149be45e5U},
                                 {16, 0x3f2acc7f57c29bdbU},
                                 {63, 0x958a324ceb064572U}}) {
    CAPTURE(expected.length);
    CHECK(siphash24(key, counting_up(expected.length)) == expected.hash);
  }
}

TEST_CASE("SipHash-1-3 gives what OpenSSL's SipHash gives with as many rounds") {
  for (const Vector& expected : {Vector{0, 0xabac0158050fc4dcU},
                                 {1, 0xc9f49bf37d57ca93U},
                                 {7, 0xd3927d989bb11140U},
                                 {8, 0x369095118d299a8eU},
                                 {15, 0xd320d86d2a519956U},
                                 {16, 0xcc4fdd1a7d908b66U},
                                 {20, 0xc0dc2f46a6cce040U},
                                 {63, 0x9d199062b7bbb3a8U}}) {
    CAPTURE(expected.length);
    CHECK(siphash13(key, counting_up(expected.length)) == expected.hash);
  }
}

TEST_CASE("SipHash depends on both halves of its key, and on every byte and the length of the text") {
  const std::uint64_t hash = siphash13(key, "chat/lobby");
  CHECK(siphash13({key.low ^ 1U, key.high}, "chat/lobby") != hash);
  CHECK(siphash13({key.low, key.high ^ 1U}, "chat/lobby") != hash);
  CHECK(siphash13(key, "chat/lobbz") != hash);
  CHECK(siphash13(key, "bhat/lobby") != hash);
  CHECK(siphash13(key, std::string("chat/lobby\0", 11)) != hash);
}

}  // namespace siphash_test
