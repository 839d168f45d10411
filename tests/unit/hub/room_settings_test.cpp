#include "hub/room_settings.h"

#include <doctest/doctest.h>

#include "part/settings.h"

namespace room_settings_test {

using namespace roomcast;

namespace {

hub::RoomSettings keeping(std::size_t messages) {
  hub::RoomSettings settings = part::room_settings({});
  settings.history.messages = messages;
  return settings;
}

}  // namespace

TEST_CASE("room settings: the first rule that matches counts, otherwise what is so in general") {
  const hub::RoomRules rules(keeping(1),
                             {{"chat/vip", keeping(2)}, {"chat/**", keeping(3)}, {"chat/**", keeping(4)}});
  CHECK(rules.find("chat/vip").history.messages == 2);
  CHECK(rules.find("chat/lobby").history.messages == 3);
  CHECK(rules.find("lobby").history.messages == 1);
  CHECK(hub::RoomRules(keeping(5)).find("lobby") == keeping(5));
}

TEST_CASE("room settings: rules are the same if their patterns and settings are") {
  CHECK(hub::RoomRules(keeping(0), {{"a*", keeping(1)}}) == hub::RoomRules(keeping(0), {{"a*", keeping(1)}}));
  CHECK_FALSE(hub::RoomRules(keeping(0), {{"a*", keeping(1)}}) ==
              hub::RoomRules(keeping(0), {{"b*", keeping(1)}}));
  CHECK_FALSE(hub::RoomRules(keeping(0), {{"a*", keeping(1)}}) ==
              hub::RoomRules(keeping(0), {{"a*", keeping(2)}}));
}

}  // namespace room_settings_test
