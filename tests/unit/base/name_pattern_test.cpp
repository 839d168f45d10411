#include "base/name_pattern.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace name_pattern_test {

using namespace roomcast;
using base::NamePattern;

namespace {

bool matches_pattern(std::string_view pattern, std::string_view room) {
  return NamePattern(std::string(pattern)).matches(room);
}

/// The meaning of a pattern as plainly as it can be said, at any cost.
bool plainly_matches(std::string_view pattern, std::string_view room) {
  if (pattern.empty()) return room.empty();
  if (pattern[0] != '*') {
    return !room.empty() && room[0] == pattern[0] && plainly_matches(pattern.substr(1), room.substr(1));
  }
  const bool any_depth = pattern.starts_with("**");
  const std::string_view rest = pattern.substr(any_depth ? 2 : 1);
  for (std::size_t taken = 0;; ++taken) {
    if (plainly_matches(rest, room.substr(taken))) return true;
    if (taken == room.size() || (room[taken] == '/' && !any_depth)) return false;
  }
}

/// The same within the product of the two lengths, for long ones.
bool matches_in_a_table(std::string_view pattern, std::string_view room) {
  // reached[i]: what has been read of the pattern can stand for the first i bytes of the room.
  std::vector<bool> reached(room.size() + 1, false);
  reached[0] = true;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    const bool star = pattern[p] == '*';
    const bool any_depth = star && pattern.substr(p, 2) == "**";
    bool before = false;  // reached[i - 1] before this round
    for (std::size_t i = 0; i <= room.size(); ++i) {
      const bool here = reached[i];
      if (star) {
        reached[i] = here || (i > 0 && reached[i - 1] && (any_depth || room[i - 1] != '/'));
      } else {
        reached[i] = before && room[i - 1] == pattern[p];
      }
      before = here;
    }
    if (any_depth) ++p;
  }
  return reached[room.size()];
}

/// Of `letters`, anywhere.
std::string random_word(std::mt19937_64& random, std::string_view letters, std::size_t length_max) {
  std::string word(random() % (length_max + 1), ' ');
  for (char& c : word)
    c = letters[random() % letters.size()];
  return word;
}

}  // namespace

TEST_CASE("room pattern: a pattern without a star is a room's name") {
  CHECK(matches_pattern("chat/lobby", "chat/lobby"));
  CHECK_FALSE(matches_pattern("chat/lobby", "chat/lobb"));
  CHECK_FALSE(matches_pattern("chat/lobby", "chat/lobby2"));
  CHECK_FALSE(matches_pattern("chat/lobby", "Chat/lobby"));
  CHECK_FALSE(matches_pattern("", "chat"));
}

TEST_CASE("room pattern: one star stands for any bytes but a slash, none included") {
  CHECK(matches_pattern("*", "lobby"));
  CHECK_FALSE(matches_pattern("*", "chat/lobby"));
  CHECK(matches_pattern("chat/*", "chat/lobby"));
  CHECK_FALSE(matches_pattern("chat/*", "chat/a/b"));
  CHECK_FALSE(matches_pattern("chat/*", "chat"));
  CHECK(matches_pattern("chat/*/log", "chat/lobby/log"));
  CHECK_FALSE(matches_pattern("chat/*/log", "chat/a/b/log"));
  CHECK(matches_pattern("room-*", "room-"));
  CHECK(matches_pattern("*-*", "a-b-c"));
  CHECK(matches_pattern("*ab", "aab"));
}

TEST_CASE("room pattern: two stars stand for any bytes at all") {
  CHECK(matches_pattern("**", "a/b/c"));
  CHECK(matches_pattern("chat/**", "chat/a/b"));
  CHECK_FALSE(matches_pattern("chat/**", "chat"));
  CHECK_FALSE(matches_pattern("chat/**", "chats/a"));
  CHECK(matches_pattern("**/log", "a/b/log"));
  CHECK(matches_pattern("a/**/z", "a/b/c/z"));
  CHECK_FALSE(matches_pattern("a/**/z", "a/z"));
  CHECK(matches_pattern("***", "a/b"));
  CHECK(matches_pattern("a**b*c", "a/x/b1c"));
  CHECK_FALSE(matches_pattern("a**b*c", "a/x/b1/c"));
  CHECK(matches_pattern("a**b*c", "a/b/x/b1c"));  // the first b is not the one
}

TEST_CASE("room pattern: every short pattern means to every short name what it says") {
  const auto word = [](unsigned number, std::string_view letters, std::size_t length) {
    std::string out;
    for (; length > 0; --length, number /= static_cast<unsigned>(letters.size()))
      out += letters[number % letters.size()];
    return out;
  };
  for (std::size_t length = 0; length <= 6; ++length) {
    for (unsigned p = 0; p < (1U << (2 * length)); ++p) {
      const std::string text = word(p, "a/*b", length);
      const NamePattern pattern(text);
      for (unsigned r = 0; r < 81; ++r) {
        const std::string room = word(r, "a/b", 4);
        if (pattern.matches(room) == plainly_matches(text, room)) continue;
        FAIL(text, " against ", room);
      }
    }
  }
}

TEST_CASE("room pattern: long patterns mean to long names what they say") {
  std::mt19937_64 random(7);
  int matched = 0;
  for (int i = 0; i < 4'000; ++i) {
    // Names made of the pattern, with something for its stars, so that many match.
    const std::string text = random_word(random, i % 2 == 0 ? "aab/*" : "a**", 200);
    const NamePattern pattern(text);
    for (std::size_t j = 0; j < 5; ++j) {
      std::string room;
      for (const char c : text)
        room += c == '*' ? random_word(random, "ab/", j) : std::string(1, c);
      if (j == 4 && !room.empty()) room[random() % room.size()] = 'b';
      const bool expected = matches_in_a_table(text, room);
      matched += expected ? 1 : 0;
      if (pattern.matches(room) != expected) FAIL(text, " against ", room);
    }
  }
  CHECK(matched > 4'000);
  CHECK(matched < 16'000);
}

TEST_CASE("room pattern: every byte is a byte like any other") {
  for (unsigned byte = 1; byte < 256; ++byte) {
    if (byte == '*') continue;
    const std::string one(1, static_cast<char>(byte));
    const char other = byte == 'x' ? 'y' : 'x';
    std::string name(3, other);
    const std::string pattern = "*" + one + "*";
    CHECK_FALSE(matches_pattern(pattern, name));
    name[1] = one[0];
    CHECK(matches_pattern(pattern, name));
    CHECK(matches_pattern("**", one));
    CHECK(matches_pattern("*", one) == (byte != '/'));
  }
}

TEST_CASE("room pattern: at its length limit it works, past it it stands for nothing") {
  const std::string name(199, 'a');
  CHECK(matches_pattern(name + "*", name));
  CHECK(matches_pattern("*" + std::string(198, 'a') + "*", std::string(198, 'a')));
  CHECK_FALSE(matches_pattern("*" + std::string(198, 'a') + "*", std::string(197, 'a')));
  CHECK_FALSE(matches_pattern(name + "**", name));
  CHECK_FALSE(matches_pattern(std::string(201, 'a'), std::string(201, 'a')));
}

}  // namespace name_pattern_test
