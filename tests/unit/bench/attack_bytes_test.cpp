#include "attack/attack_bytes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <span>

#include "serve/floor_deflate.h"
#include "serve/floor_frames.h"

namespace attack_bytes_test {

using namespace roomcast::bench;

namespace {

/// The one frame that `bytes` are, as a server reads it.
floor::ClientFrame frame_in(std::string& bytes) {
  std::span<char> input(bytes);
  floor::ClientFrame frame;
  REQUIRE(floor::take_frame(input, frame) == floor::FrameTaken::whole);
  CHECK(input.empty());
  return frame;
}

std::string_view body_of(std::string_view request) { return request.substr(request.find("\r\n\r\n") + 4); }

}  // namespace

TEST_CASE("a compressed frame of 65,536 zeros is short, and inflates to just these") {
  const std::string zeros(65'536, '\0');
  std::string bytes = compressed_frame(Opcode::binary, zeros);
  CHECK(bytes.size() < 120);
  const floor::ClientFrame frame = frame_in(bytes);
  CHECK(frame.compressed);
  CHECK(frame.opcode == 2);
  floor::FloorDeflate inflater;
  const auto message = inflater.decompress({frame.payload.data(), frame.payload.size()});
  REQUIRE(message);
  CHECK(*message == zeros);
}

TEST_CASE("an unfinished message is a compressed frame without the final bit") {
  const std::string bytes = compressed_frame(Opcode::text, "hello", false);
  CHECK(static_cast<unsigned char>(bytes.front()) == 0x41);
  CHECK(bytes.substr(1) == compressed_frame(Opcode::text, "hello").substr(1));
}

TEST_CASE("frames come as many times as asked for") {
  std::string one = frames(Opcode::ping, "", 1);
  CHECK(one.size() == 6);
  CHECK(frame_in(one).opcode == 9);
  CHECK(frames(Opcode::binary, "ab", 420'000).size() == 420'000 * 8);
}

TEST_CASE("a POST says how long its body is, half a one says twice what is there") {
  const std::string whole = post_request("/rooms/a", "text/plain", "hello", "Idempotency-Key: k\r\n");
  CHECK(whole.starts_with("POST /rooms/a HTTP/1.1\r\nHost: "));
  CHECK(whole.find("\r\nContent-Length: 5\r\nIdempotency-Key: k\r\n\r\nhello") != std::string::npos);
  const std::string half = half_a_post("/rooms/a", 1000);
  CHECK(half.find("\r\nContent-Length: 1000\r\n") != std::string::npos);
  CHECK(body_of(half).size() == 500);
}

TEST_CASE("header lines have just the size that was asked for, in lines that a server takes") {
  for (const std::size_t bytes : {100U, 999U, 1000U, 1001U, 2000U, 15'000U}) {
    const std::string lines = header_lines(bytes);
    CHECK(lines.size() == bytes);
    CHECK(lines.ends_with("f\r\n"));
    CHECK(std::count(lines.begin(), lines.end(), '\n') ==
          static_cast<std::ptrdiff_t>(std::max<std::size_t>(bytes / 1000, 1)));
  }
}

TEST_CASE("a batch names each of its rooms") {
  CHECK(batch_for(numbered("r/", 7, 2), R"("x")") == R"({"messages":[{"rooms":["r/7","r/8"],"data":"x"}]})");
}

TEST_CASE("colliding names are different, can stand in a JSON string, and have one hash") {
  CollidingNames names;
  std::set<std::string> all;
  std::set<std::size_t> hashes;
  for (int i = 0; i < 500; ++i) {
    const std::string name = names.next();
    all.insert(name);
    hashes.insert(std::hash<std::string_view>()(name));
    CHECK(std::all_of(name.begin(), name.end(),
                      [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '/'; }));
  }
  CHECK(all.size() == 500);
#if defined(__GLIBCXX__) && __SIZEOF_SIZE_T__ == 8
  CHECK(hashes.size() == 1);
#endif
}

}  // namespace attack_bytes_test
