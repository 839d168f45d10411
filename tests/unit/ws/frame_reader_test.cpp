#include "ws/frame_reader.h"

#include <algorithm>
#include <initializer_list>

#include "unit/ws/client.h"

namespace roomcast::ws::test::frame_reader_test {

using Type = ReaderEvent::Type;
using Events = std::vector<Seen>;

namespace {

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values)
    bytes.push_back(static_cast<char>(value));
  return bytes;
}

}  // namespace

TEST_CASE("a masked text frame is read as in the example of RFC 6455 section 5.7") {
  const auto hello = bytes_of({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58});
  CHECK(read(hello) == Events{seen(Type::text, "Hello")});
}

TEST_CASE("messages of every length encoding are read, text and binary, with and without a mask of zeros") {
  const Setup setup{.limits = {.message_bytes = 70000, .fragments = 1024}};
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 128U, 65535U, 65536U, 70000U}) {
    CAPTURE(size);
    const std::string payload(size, '*');
    CHECK(read(frame(fin | text, payload), setup) == Events{seen(Type::text, payload)});
    CHECK(read(frame(fin | binary, payload, MaskKey{}), setup) == Events{seen(Type::binary, payload)});
  }
}

TEST_CASE("several frames in one input come out one by one, in order") {
  const auto input = frame(fin | text, "one") + frame(fin | ping, "two") + frame(fin | binary, "three") +
                     frame(fin | pong, "");
  CHECK(read(input) == Events{seen(Type::text, "one"), seen(Type::ping, "two"), seen(Type::binary, "three"),
                              seen(Type::pong, "")});
}

TEST_CASE("a fragmented message comes out whole, control frames in between at once") {
  const auto input = frame(text, "Hel") + frame(fin | ping, "?") + frame(continuation, "") +
                     frame(fin | pong, "!") + frame(fin | continuation, "lo") + frame(fin | text, "next");
  CHECK(read(input) == Events{seen(Type::ping, "?"), seen(Type::pong, "!"), seen(Type::text, "Hello"),
                              seen(Type::text, "next")});
}

TEST_CASE("a message whole in the input is not copied and allocates nothing") {
  const ReaderProfile profile{usual_limits};
  FrameReader reader(profile);
  auto bytes = frame(fin | text, "Hello") + frame(fin | ping, "x");
  std::span<char> input(bytes);
  const auto message = reader.next(input);
  CHECK(message.payload.data() == bytes.data() + 6);
  CHECK(message.payload == "Hello");
  const auto ping_event = reader.next(input);
  CHECK(ping_event.payload.data() == bytes.data() + 17);
  CHECK(reader.allocated_bytes() == 0);
}

TEST_CASE("an idle reader is small and has given back what a split message needed") {
  static_assert(sizeof(FrameReader) <= 24);
  const ReaderProfile profile{usual_limits};
  FrameReader reader(profile);
  Events events;
  const auto bytes = frame(fin | text, std::string(5000, 'x'));
  feed(reader, bytes.substr(0, 2500), events);
  CHECK(reader.allocated_bytes() > 2400);
  feed(reader, bytes.substr(2500), events);
  CHECK(events.size() == 1);
  CHECK(reader.allocated_bytes() == 0);
}

TEST_CASE("what is only announced is not allocated") {
  const ReaderLimits limits{.message_bytes = 16U << 20U, .fragments = 1024};
  const ReaderProfile profile{limits};
  FrameReader reader(profile);
  Events events;
  auto header = frame(fin | binary, std::string(70000, 'x')).substr(0, 14);
  header.replace(2, 8, std::string("\0\0\0\0\x01\0\0\0", 8));  // exactly 16 MiB
  feed(reader, header + "abc", events);
  CHECK(events.empty());
  CHECK(reader.allocated_bytes() < 1024);
}

TEST_CASE("the memory for a message never exceeds its limit or twice what has arrived") {
  const ReaderLimits limits{.message_bytes = 100000, .fragments = 1024};
  const ReaderProfile profile{limits};
  FrameReader reader(profile);
  Events events;
  const auto bytes = frame(fin | binary, std::string(100000, 'x'));
  std::size_t overhead = 0;
  for (std::size_t at = 0; at + 100 < bytes.size(); at += 100) {
    feed(reader, std::string_view(bytes).substr(at, 100), events);
    if (at == 0) overhead = reader.allocated_bytes();
    CHECK(reader.allocated_bytes() <= overhead + std::min<std::size_t>(100000, 2 * (at + 100)));
  }
}

TEST_CASE("a message at the limit passes and one byte more is refused before its payload is read") {
  const Setup setup{.limits = {.message_bytes = 1000, .fragments = 10}};
  const std::string at_limit(1000, 'a');
  CHECK(read(frame(fin | text, at_limit), setup) == Events{seen(Type::text, at_limit)});
  const auto past = frame(fin | text, at_limit + "a");
  CHECK(read(past, setup) == Events{failed(Fault::message_too_big)});
  CHECK(read(past.substr(0, 8), setup) == Events{failed(Fault::message_too_big)});
}

TEST_CASE(
    "a limit shorter than the shortest length encoding holds as well, also for a frame that is all there") {
  const Setup setup{.limits = {.message_bytes = 10, .fragments = 10}};
  CHECK(read(frame(fin | text, "1234567890"), setup) == Events{seen(Type::text, "1234567890")});
  CHECK(read(frame(fin | text, "12345678901"), setup) == Events{failed(Fault::message_too_big)});
  CHECK(read(frame(fin | ping, "12345678901"), setup) == Events{seen(Type::ping, "12345678901")});
}

TEST_CASE("the limit on a message holds for all its fragments together") {
  const Setup setup{.limits = {.message_bytes = 10, .fragments = 10}};
  CHECK(read(frame(text, "12345") + frame(fin | continuation, "67890"), setup) ==
        Events{seen(Type::text, "1234567890")});
  CHECK(read(frame(text, "12345") + frame(fin | continuation, "678901"), setup) ==
        Events{failed(Fault::message_too_big)});
}

TEST_CASE("a message of as many fragments as allowed passes and one more is refused") {
  const Setup setup{.limits = {.message_bytes = 100, .fragments = 3}};
  const auto three = frame(text, "a") + frame(continuation, "b");
  CHECK(read(three + frame(fin | continuation, "c"), setup) == Events{seen(Type::text, "abc")});
  CHECK(read(three + frame(continuation, "c") + frame(fin | continuation, "d"), setup) ==
        Events{failed(Fault::too_many_fragments)});
  // Complete messages do not add up.
  std::string many;
  for (int i = 0; i < 5; ++i)
    many += frame(fin | text, "m");
  CHECK(read(many, setup).size() == 5);
}

TEST_CASE(
    "a message of 65,537 fragments of a byte and 16 MiB in one frame are read when the limits allow it") {
  const ReaderLimits limits{.message_bytes = 16U << 20U, .fragments = 65537};
  const ReaderProfile profile{limits};
  FrameReader reader(profile);
  Events events;
  std::string many = frame(binary, "x");
  for (int i = 0; i < 65535; ++i)
    many += frame(continuation, "x");
  feed(reader, many + frame(fin | continuation, "x"), events);
  REQUIRE(events.size() == 1);
  CHECK(events[0].payload.size() == 65537);
  const auto large = frame(fin | binary, std::string(16U << 20U, 'y'));
  for (std::size_t at = 0; at < large.size(); at += 65536) {
    feed(reader, std::string_view(large).substr(at, 65536), events);
  }
  REQUIRE(events.size() == 2);
  CHECK(events[1].payload.size() == 16U << 20U);
}

TEST_CASE("what a frame may not be where it stands is refused at its first byte") {
  const auto first = [](int byte) { return bytes_of({byte}); };
  for (const int byte : {0x00, 0x80}) {
    CHECK(read(first(byte)) == Events{failed(Fault::unexpected_continuation)});
    CHECK(read(frame(text, "a") + frame(fin | continuation, "b") + first(byte)) ==
          Events{seen(Type::text, "ab"), failed(Fault::unexpected_continuation)});
  }
  for (const int byte : {0x01, 0x02, 0x81, 0x82})
    CHECK(read(frame(text, "a") + first(byte)) == Events{failed(Fault::expected_continuation)});
  for (const int byte : {0xC1, 0xC2, 0x41})
    CHECK(read(first(byte)) == Events{failed(Fault::reserved_bits)});
  CHECK(read(first(0xC1), {.deflate = true}).empty());
  const Setup two{.limits = {.message_bytes = 100, .fragments = 2}};
  const auto fragments = frame(text, "a") + frame(continuation, "b");
  CHECK(read(fragments + first(0x00), two) == Events{failed(Fault::too_many_fragments)});
  CHECK(read(fragments + first(0x89), two).empty());
}

TEST_CASE("a length past the limit is refused before the mask has come") {
  const Setup setup{.limits = {.message_bytes = 1000, .fragments = 10}};
  const auto past = frame(fin | text, std::string(1001, 'a')).substr(0, 4);
  CHECK(read(past, setup) == Events{failed(Fault::message_too_big)});
  const auto more = frame(fin | continuation, std::string(999, 'a')).substr(0, 4);
  CHECK(read(frame(text, "12") + more, setup) == Events{failed(Fault::message_too_big)});
}

TEST_CASE("where a frame has several faults the first byte that is wrong is named") {
  CHECK(read(bytes_of({0x80, 0x01})) == Events{failed(Fault::unexpected_continuation)});
  CHECK(read(bytes_of({0xC1, 0x01})) == Events{failed(Fault::reserved_bits)});
}

TEST_CASE("after an error there is only that error") {
  const ReaderProfile profile{usual_limits};
  FrameReader reader(profile);
  Events events;
  feed(reader, frame(fin | rsv1 | text, "x"), events);
  feed(reader, frame(fin | text, "fine"), events);
  feed(reader, "", events);
  const auto fault = failed(Fault::reserved_bits);
  CHECK(events == Events{fault, fault, fault});
}

TEST_CASE("what follows a close frame is swallowed") {
  const auto input = close_frame(1000, "bye") + frame(fin | text, "late") + bytes_of({0xFF, 0xFF});
  CHECK(read(input) == Events{{Type::close, CloseCode::normal, "bye"}});
}

TEST_CASE("a failed message gives its memory back at once") {
  const ReaderProfile profile{usual_limits};
  FrameReader reader(profile);
  Events events;
  feed(reader, frame(text, std::string(5000, 'x')) + frame(fin | text, ""), events);
  CHECK(events == Events{failed(Fault::expected_continuation)});
  CHECK(reader.allocated_bytes() == 0);
}

TEST_CASE("the payload of a split message lives until the next call") {
  const ReaderProfile profile{usual_limits};
  FrameReader reader(profile);
  auto first = frame(text, "Hello, ");
  auto second = frame(fin | continuation, "world") + frame(fin | ping, "");
  std::span<char> input(first);
  CHECK(reader.next(input).type == Type::need_more);
  input = second;
  CHECK(reader.next(input).payload == "Hello, world");
  CHECK(reader.next(input).type == Type::ping);
}

}  // namespace roomcast::ws::test::frame_reader_test
