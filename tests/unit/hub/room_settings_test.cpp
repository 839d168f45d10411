#include "hub/room_settings.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

using namespace roomcast;
using hub::matches_pattern;

namespace {

hub::RoomSettings keeping(std::size_t messages) {
  hub::RoomSettings settings;
  settings.history.messages = messages;
  return settings;
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

}  // namespace

TEST_CASE("room settings: a pattern without a star is a room's name") {
  CHECK(matches_pattern("chat/lobby", "chat/lobby"));
  CHECK_FALSE(matches_pattern("chat/lobby", "chat/lobb"));
  CHECK_FALSE(matches_pattern("chat/lobby", "chat/lobby2"));
  CHECK_FALSE(matches_pattern("chat/lobby", "Chat/lobby"));
  CHECK_FALSE(matches_pattern("", "chat"));
}

TEST_CASE("room settings: one star stands for any bytes but a slash, none included") {
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

TEST_CASE("room settings: two stars stand for any bytes at all") {
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

TEST_CASE("room settings: every short pattern means to every short name what it says") {
  const auto word = [](unsigned number, std::string_view letters, std::size_t length) {
    std::string out;
    for (; length > 0; --length, number /= static_cast<unsigned>(letters.size()))
      out += letters[number % letters.size()];
    return out;
  };
  for (std::size_t length = 0; length <= 6; ++length) {
    for (unsigned p = 0; p < (1U << (2 * length)); ++p) {
      const std::string pattern = word(p, "a/*b", length);
      for (unsigned r = 0; r < 81; ++r) {
        const std::string room = word(r, "a/b", 4);
        if (matches_pattern(pattern, room) == plainly_matches(pattern, room)) continue;
        FAIL(pattern, " against ", room);
      }
    }
  }
}

TEST_CASE("room settings: no pattern and no name make matching slow") {
  std::string pattern;
  for (int i = 0; i < 100; ++i)
    pattern += i % 2 == 0 ? "**a" : "*a";
  const std::string room(200, 'a');
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(matches_pattern(pattern + "b", room));
    CHECK(matches_pattern(pattern, room));
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}

TEST_CASE("room settings: the first rule that matches counts, otherwise what is so in general") {
  const hub::RoomRules rules(keeping(1),
                             {{"chat/vip", keeping(2)}, {"chat/**", keeping(3)}, {"chat/**", keeping(4)}});
  CHECK(rules.find("chat/vip").history.messages == 2);
  CHECK(rules.find("chat/lobby").history.messages == 3);
  CHECK(rules.find("lobby").history.messages == 1);
  CHECK(hub::RoomRules().find("lobby") == hub::RoomSettings());
}
