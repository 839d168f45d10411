#include "base/bytes.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace roomcast::base::frame_test {

TEST_CASE("frame: an empty frame has no block") {
  const Bytes frame = Bytes::copy_of("");
  CHECK(frame.empty());
  CHECK(frame.view().empty());
  CHECK(frame.use_count() == 0);
  CHECK(Bytes::joined({}).use_count() == 0);
  CHECK(Bytes::joined({"", ""}).empty());
}

TEST_CASE("frame: it holds a copy, so the source may change") {
  std::string source = "hello";
  const Bytes frame = Bytes::copy_of(source);
  source = "xxxxx";
  CHECK(frame.view() == "hello");
}

TEST_CASE("frame: pieces are laid end to end, empty ones and NUL bytes included") {
  using namespace std::string_view_literals;
  CHECK(Bytes::joined({"ab", "", "c\0d"sv}).view() == "abc\0d"sv);
}

TEST_CASE("frame: copies share the block and the last one frees it") {
  Bytes first = Bytes::copy_of("shared");
  CHECK(first.use_count() == 1);
  {
    const Bytes second = first;
    Bytes third;
    third = second;
    CHECK(first.use_count() == 3);
    CHECK(third.view().data() == first.view().data());
  }
  CHECK(first.use_count() == 1);
  const Bytes moved = std::move(first);
  CHECK(moved.use_count() == 1);
  CHECK(first.empty());  // NOLINT(bugprone-use-after-move): what is left is empty
}

TEST_CASE("frame: assigning a frame to itself keeps it") {
  Bytes frame = Bytes::copy_of("mine");
  const Bytes& same = frame;
  frame = same;
  CHECK(frame.view() == "mine");
  CHECK(frame.use_count() == 1);
}

TEST_CASE("frame: reset or assigned over, it lets go of its block") {
  const Bytes block = Bytes::copy_of("abc");
  Bytes one = block;
  Bytes other = block;
  CHECK(block.use_count() == 3);
  one.reset();
  CHECK(one.empty());
  CHECK(one.view().empty());
  one.reset();
  other = Bytes::copy_of("x");
  CHECK(block.use_count() == 1);
  const Bytes part = block.slice(1, 2);
  other = part;
  CHECK(other.view() == "bc");
  CHECK(block.use_count() == 3);
}

TEST_CASE("frame: a slice is a part of the same block and keeps it alive") {
  Bytes part;
  {
    const Bytes whole = Bytes::copy_of("0123456789");
    part = whole.slice(3, 4);
    CHECK(whole.use_count() == 2);
    CHECK(whole.slice(10, 0).empty());
    CHECK(whole.slice(0, 10).view() == "0123456789");
  }
  CHECK(part.view() == "3456");
  CHECK(part.use_count() == 1);
}

TEST_CASE("frame: dropping the front never goes past the end") {
  Bytes frame = Bytes::copy_of("0123456789");
  frame.drop_front(0);
  CHECK(frame.view() == "0123456789");
  frame.drop_front(9);
  CHECK(frame.view() == "9");
  frame.drop_front(100);
  CHECK(frame.empty());
}

TEST_CASE("frame: it grows over its neighbour in the same block and over nothing else") {
  const Bytes block = Bytes::copy_of("aabbcc");
  Bytes first = block.slice(0, 2);
  CHECK_FALSE(first.try_extend(block.slice(3, 1)));
  CHECK_FALSE(first.try_extend(Bytes::copy_of("bb")));
  CHECK_FALSE(block.slice(2, 2).try_extend(block.slice(0, 2)));
  CHECK(first.try_extend(block.slice(2, 2)));
  CHECK(first.view() == "aabb");
  CHECK(first.try_extend(block.slice(4, 2)));
  CHECK(first.view() == "aabbcc");
  Bytes nothing;
  CHECK_FALSE(nothing.try_extend(nothing));
}

}  // namespace roomcast::base::frame_test
