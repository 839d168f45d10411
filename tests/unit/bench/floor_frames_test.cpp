#include "serve/floor_frames.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace roomcast::bench::floor::floor_frames_test {

namespace {

constexpr std::string_view mask{"\x11\x92\xF3\x44", 4};

std::string length_of(std::size_t size) {
  const auto low = [size](unsigned shift) { return static_cast<char>(size >> shift); };
  if (size < 126) return {static_cast<char>(0x80U | size)};
  if (size <= 0xFFFF) return {'\xFE', low(8), low(0)};
  return {'\xFF', 0, 0, 0, 0, low(24), low(16), low(8), low(0)};
}

/// As a client sends it: with its first byte, the length, the mask, and the payload under it.
std::string masked(unsigned first, std::string_view payload) {
  std::string frame{static_cast<char>(first)};
  frame += length_of(payload.size());
  frame += mask;
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame += static_cast<char>(payload[i] ^ mask[i % mask.size()]);
  return frame;
}

std::string letters(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + i % 26);
  return text;
}

/// What a connection that gets these pieces, one after the other, makes of them: "opcode:payload", with a z
/// where it was compressed, and "refused".
struct Reader {
  Leftover leftover;
  std::vector<std::string> heard;

  void feed(std::string piece) {
    std::span<char> bytes = leftover.with(piece);
    ClientFrame frame;
    for (;;) {
      const FrameTaken taken = take_frame(bytes, frame);
      if (taken == FrameTaken::refused) return heard.emplace_back("refused"), void();
      if (taken == FrameTaken::not_yet) break;
      heard.push_back(std::to_string(frame.opcode) + (frame.compressed ? "z:" : ":") +
                      std::string(frame.payload.data(), frame.payload.size()));
    }
    leftover.keep(bytes);
  }
};

std::vector<std::string> heard_of(const std::string& bytes) {
  Reader reader;
  reader.feed(bytes);
  return reader.heard;
}

const std::string three = masked(0x81, "hello") + masked(0x82, letters(300)) + masked(0x89, "");
const std::vector<std::string> three_heard{"1:hello", "2:" + letters(300), "9:"};

}  // namespace

TEST_CASE("frames are taken whole") { CHECK(heard_of(three) == three_heard); }

TEST_CASE("frames are taken in pieces of every size, from single bytes on") {
  for (std::size_t size = 1; size <= three.size(); ++size) {
    CAPTURE(size);
    Reader reader;
    for (std::size_t at = 0; at < three.size(); at += size)
      reader.feed(three.substr(at, size));
    REQUIRE(reader.heard == three_heard);
  }
}

TEST_CASE("frames are taken however the bytes are split in two") {
  for (std::size_t at = 0; at <= three.size(); ++at) {
    CAPTURE(at);
    Reader reader;
    reader.feed(three.substr(0, at));
    reader.feed(three.substr(at));
    REQUIRE(reader.heard == three_heard);
  }
}

TEST_CASE("payloads of every length up to the limit keep their bytes, one past it is refused") {
  for (const std::size_t size : {0, 1, 7, 8, 9, 125, 126, 127, 1000, 65535, 65536}) {
    CAPTURE(size);
    CHECK(heard_of(masked(0x81, letters(size))) == std::vector<std::string>{"1:" + letters(size)});
  }
  CHECK(heard_of(masked(0x81, letters(max_frame_bytes + 1))) == std::vector<std::string>{"refused"});
}

TEST_CASE("a length that no memory holds is refused before it is added up") {
  const std::string head = "\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
  CHECK(heard_of(head + std::string(mask)) == std::vector<std::string>{"refused"});
}

TEST_CASE("a compressed frame is told from others") {
  CHECK(heard_of(masked(0xC1, "x")) == std::vector<std::string>{"1z:x"});
}

TEST_CASE("what a floor can do without is refused") {
  const std::vector<std::string> refused{"refused"};
  CHECK(heard_of(masked(0x01, "a beginning")) == refused);
  CHECK(heard_of(masked(0x80, "the rest")) == refused);
  CHECK(heard_of(masked(0xA1, "reserved")) == refused);
  CHECK(heard_of(std::string("\x81\x02") + "no mask") == refused);
}

TEST_CASE("frames are laid down with the shortest length") {
  for (const std::size_t size : {0, 125, 126, 65535, 65536}) {
    CAPTURE(size);
    std::string out = "before";
    append_frame(out, 1, false, letters(size));
    std::string length = length_of(size);
    length[0] = static_cast<char>(length[0] & 0x7F);
    CHECK(out == "before\x81" + length + letters(size));
  }
  std::string out;
  append_frame(out, 2, true, "z");
  CHECK(out == "\xC2\x01z");
}

}  // namespace roomcast::bench::floor::floor_frames_test
