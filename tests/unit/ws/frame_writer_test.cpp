#include "ws/frame_writer.h"

#include <doctest/doctest.h>

#include <string>

namespace roomcast::ws::frame_writer_test {

namespace {

std::string header(Opcode opcode, std::uint64_t size, bool rsv1 = false) {
  std::string out;
  append_header(out, opcode, size, rsv1);
  return out;
}

std::string close_of(CloseCode code, std::string_view reason) {
  std::string out;
  append_close(out, code, reason);
  return out;
}

}  // namespace

TEST_CASE("frames are written as in the examples of RFC 6455 section 5.7") {
  std::string out;
  append_frame(out, Opcode::text, "Hello");
  CHECK(out == "\x81\x05Hello");
  append_frame(out, Opcode::ping, "Hello");
  CHECK(out == "\x81\x05Hello\x89\x05Hello");
  CHECK(header(Opcode::binary, 256) == std::string("\x82\x7E\x01\x00", 4));
  CHECK(header(Opcode::binary, 65536) == std::string("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

TEST_CASE("lengths take the fewest bytes") {
  CHECK(header(Opcode::text, 0) == std::string("\x81\x00", 2));
  CHECK(header(Opcode::text, 125) == "\x81\x7D");
  CHECK(header(Opcode::text, 126) == std::string("\x81\x7E\x00\x7E", 4));
  CHECK(header(Opcode::text, 65535) == "\x81\x7E\xFF\xFF");
  CHECK(header(Opcode::text, 0x0102030405060708) == "\x81\x7F\x01\x02\x03\x04\x05\x06\x07\x08");
}

TEST_CASE("a compressed message has RSV1 set") {
  CHECK(header(Opcode::text, 7, true) == "\xC1\x07");
  CHECK(header(Opcode::binary, 7, true) == "\xC2\x07");
}

TEST_CASE("a close frame carries code and reason, or nothing at all") {
  CHECK(close_of(CloseCode::normal, "") == "\x88\x02\x03\xE8");
  CHECK(close_of(CloseCode::message_too_big, "too big") == "\x88\x09\x03\xF1too big");
  CHECK(close_of(CloseCode::no_status, "ignored") == std::string("\x88\x00", 2));
}

TEST_CASE("a close reason is cut to 123 bytes between characters") {
  const std::string fits(123, 'x');
  CHECK(close_of(CloseCode::normal, fits) == "\x88\x7D\x03\xE8" + fits);
  CHECK(close_of(CloseCode::normal, fits + "y") == "\x88\x7D\x03\xE8" + fits);
  // The euro sign would end after byte 123.
  CHECK(close_of(CloseCode::normal, std::string(121, 'x') + "€") ==
        "\x88\x7B\x03\xE8" + std::string(121, 'x'));
  CHECK(close_of(CloseCode::normal, std::string(120, 'x') + "€€") ==
        "\x88\x7D\x03\xE8" + std::string(120, 'x') + "€");
}

}  // namespace roomcast::ws::frame_writer_test
