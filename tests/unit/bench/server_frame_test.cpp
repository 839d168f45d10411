#include "load/server_frame.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace roomcast::bench::server_frame_test {
namespace {

std::string header(unsigned first, std::uint64_t size) {
  std::string bytes(1, static_cast<char>(first));
  const int length_bytes = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
  bytes += static_cast<char>(length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127);
  for (int shift = (length_bytes - 1) * 8; shift >= 0; shift -= 8)
    bytes += static_cast<char>(size >> shift);
  return bytes;
}

std::string frame(unsigned first, std::string_view payload) {
  return header(first, payload.size()).append(payload);
}

constexpr unsigned fin_text = 0x81;

/// What a server makes of a client's frame.
std::string unmasked(std::string_view bytes, std::size_t header_bytes) {
  const std::string_view mask = bytes.substr(header_bytes - 4, 4);
  std::string text(bytes.substr(header_bytes));
  for (std::size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>(text[i] ^ mask[i % 4]);
  return text;
}

}  // namespace

TEST_CASE("a server's frame is taken with its payload, and what is behind it is left") {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 100000U}) {
    const std::string payload(size, 'x');
    const std::string bytes = frame(fin_text, payload) + "more";
    const ServerFrame taken = take_server_frame(bytes, false);
    REQUIRE(taken.front == Front::whole);
    CHECK(taken.opcode == Opcode::text);
    CHECK_FALSE(taken.compressed);
    CHECK(taken.payload == payload);
    CHECK(bytes.substr(taken.used) == "more");
  }
}

TEST_CASE("a server's frame that lacks its end is no frame yet, wherever it is cut") {
  for (const std::size_t size : {3U, 300U, 66000U}) {
    const std::string bytes = frame(fin_text, std::string(size, 'x'));
    for (std::size_t cut = 0; cut < bytes.size(); cut += cut < 20 ? 1 : 997) {
      const ServerFrame taken = take_server_frame(std::string_view(bytes).substr(0, cut), false);
      CHECK(taken.front == Front::part);
      CHECK(taken.used == 0);
    }
  }
}

TEST_CASE("control frames of a server are told apart") {
  CHECK(take_server_frame(frame(0x88, "\x03\xe8"), false).opcode == Opcode::close);
  CHECK(take_server_frame(frame(0x89, "?"), false).opcode == Opcode::ping);
  CHECK(take_server_frame(frame(0x8A, ""), false).opcode == Opcode::pong);
  CHECK(take_server_frame(frame(0x82, "\1"), false).opcode == Opcode::binary);
}

TEST_CASE("a compressed frame is good only where compression was agreed upon") {
  const std::string bytes = frame(0xC1, "abc");
  CHECK(take_server_frame(bytes, false).front == Front::bad);
  CHECK(take_server_frame(bytes, true).front == Front::whole);
  CHECK(take_server_frame(bytes, true).compressed);
  CHECK(take_server_frame(frame(0xC9, ""), true).front == Front::bad);
}

TEST_CASE("what a server must not send is bad as soon as its first two bytes are there") {
  const auto front = [](unsigned first, unsigned second) {
    const std::string bytes{static_cast<char>(first), static_cast<char>(second)};
    return take_server_frame(bytes, true).front;
  };
  CHECK(front(fin_text, 0x80) == Front::bad);  // masked
  CHECK(front(0x01, 1) == Front::bad);         // in fragments
  CHECK(front(0x80, 1) == Front::bad);         // a continuation of nothing
  CHECK(front(0x83, 1) == Front::bad);         // an opcode nobody knows
  CHECK(front(0x8B, 1) == Front::bad);
  CHECK(front(0xA1, 1) == Front::bad);  // reserved bits
  CHECK(front(0x91, 1) == Front::bad);
  CHECK(front(0x89, 126) == Front::bad);  // a long control frame
  CHECK(front(0x89, 125) == Front::part);
  CHECK(front(fin_text, 1) == Front::part);
}

TEST_CASE("a server's frame past 64 MiB is bad") {
  constexpr std::uint64_t most = std::uint64_t{64} << 20;
  CHECK(take_server_frame(header(fin_text, most), false).front == Front::part);
  CHECK(take_server_frame(header(fin_text, most + 1), false).front == Front::bad);
}

TEST_CASE("a client's frame is masked, and has its length in the shortest form") {
  struct Case {
    std::size_t size;
    std::size_t header_bytes;
  };
  for (const auto& [size, header_bytes] :
       {Case{0, 6}, Case{125, 6}, Case{126, 8}, Case{65535, 8}, Case{65536, 14}}) {
    const std::string payload(size, 'p');
    std::string out = "before";
    append_client_frame(out, Opcode::text, payload);
    const std::string_view bytes = std::string_view(out).substr(6);
    CHECK(bytes.size() == size + header_bytes);
    CHECK(static_cast<unsigned char>(bytes[0]) == fin_text);
    CHECK((static_cast<unsigned char>(bytes[1]) & 0x80) != 0);
    CHECK(unmasked(bytes, header_bytes) == payload);
    if (size > 0) CHECK(bytes.substr(header_bytes) != payload);
  }
}

TEST_CASE("a client's frame joins an envelope and what is in it") {
  std::string out;
  append_client_frame(out, Opcode::binary, "in", "<", ">");
  CHECK(unmasked(out, 6) == "<in>");
}

}  // namespace roomcast::bench::server_frame_test
