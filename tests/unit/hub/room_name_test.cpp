#include "hub/room_name.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace room_name_test {

using roomcast::hub::check_room_name;

namespace {
std::string error_of(std::string_view name) {
  const auto result = check_room_name(name);
  return result.ok() ? std::string() : result.error().message;
}
}  // namespace

TEST_CASE("ordinary names, groups and other scripts are room names") {
  for (const std::string_view name : std::initializer_list<std::string_view>{
           "a", "lobby", "chat/lobby", "a/b/c", "a.b/..c", "with space", "100%", "...",
           "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC2\xA0", "a/.b"}) {
    CAPTURE(name);
    CHECK(check_room_name(name).ok());
  }
}

TEST_CASE("a room name has 1 to 200 bytes") {
  CHECK(error_of("") == "the room name is empty");
  CHECK(check_room_name(std::string(200, 'a')).ok());
  CHECK(error_of(std::string(201, 'a')) == "the room name has 201 bytes, at most 200 are allowed");
  std::string wide;
  for (int i = 0; i < 100; ++i)
    wide += "\xC3\xA4";
  CHECK(check_room_name(wide).ok());
  CHECK_FALSE(check_room_name(wide + "a").ok());
}

TEST_CASE("a room name is UTF-8") {
  CHECK(error_of("a\xFF") == "the room name is not valid UTF-8");
  CHECK(error_of("\xC3") == "the room name is not valid UTF-8");
  CHECK(error_of("\xED\xA0\x80") == "the room name is not valid UTF-8");
}

TEST_CASE("a room name has no control characters: C0, DEL, C1") {
  for (int c = 0; c < 0x20; ++c) {
    CHECK(error_of("a" + std::string(1, static_cast<char>(c)) + "b") ==
          "the room name contains a control character");
  }
  CHECK(error_of("a\x7F") == "the room name contains a control character");
  for (int c = 0x80; c < 0xA0; ++c) {
    CHECK(error_of("\xC2" + std::string(1, static_cast<char>(c))) ==
          "the room name contains a control character");
  }
  // The same second byte after another first one is an ordinary letter.
  CHECK(check_room_name("\xC3\x80").ok());
}

TEST_CASE("a room name neither begins nor ends with a slash") {
  CHECK(error_of("/") == "the room name begins or ends with '/'");
  CHECK(error_of("/a") == "the room name begins or ends with '/'");
  CHECK(error_of("a/") == "the room name begins or ends with '/'");
}

TEST_CASE("a room name has no part that a proxy would take out of a path") {
  for (const char* name : {"a//b", "a/./b", "a/../b", ".", "..", "./a", "../a", "a/.", "a/..", "a///b"}) {
    CAPTURE(name);
    CHECK(error_of(name) == "the room name has an empty part, '.' or '..' between slashes");
  }
}

TEST_CASE("a client's name has at most 100 bytes of UTF-8 without control characters, or none at all") {
  CHECK(roomcast::hub::check_client_name("").ok());
  CHECK(roomcast::hub::check_client_name("Zo\u00eb / ops").ok());
  CHECK(roomcast::hub::check_client_name(std::string(100, 'n')).ok());
  CHECK_FALSE(roomcast::hub::check_client_name(std::string(101, 'n')).ok());
  CHECK_FALSE(roomcast::hub::check_client_name("\xff").ok());
  CHECK_FALSE(roomcast::hub::check_client_name(std::string_view("a\0b", 3)).ok());
  CHECK_FALSE(roomcast::hub::check_client_name("a\nb").ok());
}

}  // namespace room_name_test
