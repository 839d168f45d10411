#include "base/string_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace string_hash_test {

using namespace roomcast;

namespace {

/// std::hash of libstdc++ for 16 bytes: MurmurHash64A with a fixed seed. Each of its steps can be inverted.
namespace murmur {

constexpr std::uint64_t factor = 0xc6a4a7935bd1e995U;
constexpr std::uint64_t seed = 0xc70f6907U;

constexpr std::uint64_t inverse_of(std::uint64_t odd) {
  std::uint64_t inverse = odd;
  for (int i = 0; i < 6; ++i)
    inverse *= 2 - odd * inverse;
  return inverse;
}

constexpr std::uint64_t mix(std::uint64_t word) {
  word *= factor;
  word ^= word >> 47U;
  return word * factor;
}

constexpr std::uint64_t unmix(std::uint64_t word) {
  word *= inverse_of(factor);
  word ^= word >> 47U;
  return word * inverse_of(factor);
}

/// The state after hashing `word`.
constexpr std::uint64_t after(std::uint64_t state, std::uint64_t word) {
  return (state ^ mix(word)) * factor;
}

/// The word that leads from one state to another.
constexpr std::uint64_t between(std::uint64_t state, std::uint64_t next) {
  return unmix((next * inverse_of(factor)) ^ state);
}

constexpr std::uint64_t first_state = seed ^ (16 * factor);

}  // namespace murmur

std::string bytes_of(std::uint64_t word) {
  std::array<char, sizeof word> bytes{};
  std::memcpy(bytes.data(), &word, sizeof word);
  return {bytes.begin(), bytes.end()};
}

std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), sizeof word);
  return word;
}

/// Names of 16 printable bytes with the same std::hash.
std::vector<std::string> falling_together(std::size_t number) {
  const std::string_view first = "aaaaaaaaaaaaaaaa";
  const std::uint64_t end =
      murmur::after(murmur::after(murmur::first_state, word_of(first)), word_of(first.substr(8)));
  std::vector<std::string> names;
  for (std::uint64_t i = 0; names.size() < number; ++i) {
    const std::string begin = std::to_string(10'000'000 + i);
    const std::string rest =
        bytes_of(murmur::between(murmur::after(murmur::first_state, word_of(begin)), end));
    if (std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c <= '~' && c != '/'; }))
      names.push_back(begin + rest);
  }
  return names;
}

}  // namespace

TEST_CASE("string hash: names made to fall together in the standard library's hash don't in ours") {
  const std::vector<std::string> names = falling_together(500);
  std::unordered_set<std::size_t> standard;
  std::unordered_set<std::size_t> ours;
  std::unordered_map<std::string, int, base::StringHash, std::equal_to<>> map;
  for (const std::string& name : names) {
    standard.insert(std::hash<std::string_view>{}(name));
    ours.insert(base::StringHash{}(name));
    map.emplace(name, 0);
  }
  CHECK(standard.size() == 1);  // they do collide
  CHECK(ours.size() == names.size());
  std::size_t fullest = 0;
  for (std::size_t bucket = 0; bucket < map.bucket_count(); ++bucket)
    fullest = std::max(fullest, map.bucket_size(bucket));
  CHECK(fullest < 20);
}

TEST_CASE("string hash: a text has one hash, as a string and as a view") {
  const std::string name = "chat/lobby";
  CHECK(base::StringHash{}(name) == base::StringHash{}("chat/lobby"));
  CHECK(base::StringHash{}(name) == base::StringHash{}(std::string_view("chat/lobby!").substr(0, 10)));
}

}  // namespace string_hash_test
