#include "net/write_queue.h"

#include <doctest/doctest.h>

#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/memory_stream.h"

namespace roomcast::net::write_queue_test {

namespace {

using base::Bytes;

struct Fixture {
  test::MemoryWire wire;
  std::unique_ptr<ByteStream> stream = wire.make_stream();
  WriteQueue queue;
  void push(std::string_view bytes) { queue.push(Bytes::copy_of(bytes)); }
  void push_urgent(std::string_view bytes) { queue.push_urgent(Bytes::copy_of(bytes)); }
};

/// Takes everything and records where it was in memory.
struct Witness final : ByteStream {
  void set_events(Events& /*events*/) override {}
  void pause_reading() override {}
  void resume_reading() override {}
  std::size_t write(std::span<const std::string_view> pieces) override {
    for (const std::string_view piece : pieces)
      seen.push_back(piece);
    ++writes;
    return std::accumulate(pieces.begin(), pieces.end(), std::size_t{0},
                           [](std::size_t sum, std::string_view piece) { return sum + piece.size(); });
  }
  void shutdown() override {}
  [[nodiscard]] std::size_t buffered_bytes() const override { return 0; }
  [[nodiscard]] bool is_secure() const override { return false; }
  std::vector<std::string_view> seen;
  int writes = 0;
};

}  // namespace

TEST_CASE("write queue: it is small, for every connection has one") { CHECK(sizeof(WriteQueue) <= 24); }

TEST_CASE("write queue: an empty one is flushed without a write") {
  Fixture f;
  CHECK(f.queue.empty());
  CHECK(f.queue.flush(*f.stream));
  CHECK(f.wire.writes() == 0);
  f.push("");
  f.push_urgent("");
  CHECK(f.queue.empty());
}

TEST_CASE("write queue: frames leave in order in one write") {
  Fixture f;
  f.push("one ");
  f.push("two ");
  f.push("three");
  CHECK(f.queue.bytes() == 13);
  CHECK(f.queue.flush(*f.stream));
  CHECK(f.wire.received() == "one two three");
  CHECK(f.wire.writes() == 1);
  CHECK(f.queue.empty());
}

TEST_CASE("write queue: cut short at any byte, it goes on there") {
  const std::string whole = "aaabbbbbcddddddddeeee";
  for (std::size_t room = 0; room <= whole.size(); ++room) {
    Fixture f;
    for (const char* frame : {"aaa", "bbbbb", "c", "dddddddd", "eeee"})
      f.push(frame);
    f.wire.set_room(room);
    CHECK(f.queue.flush(*f.stream) == (room == whole.size()));
    CHECK(f.queue.bytes() == whole.size() - room);
    f.wire.set_room(test::MemoryWire::unlimited);
    CHECK(f.queue.flush(*f.stream));
    CHECK(f.wire.received() == whole);
  }
}

TEST_CASE("write queue: one byte at a time works too") {
  Fixture f;
  f.push("abc");
  f.push("def");
  f.push_urgent("!");
  for (int i = 0; i < 7; ++i) {
    f.wire.set_room(1);
    CHECK(f.queue.flush(*f.stream) == (i == 6));
  }
  CHECK(f.wire.received() == "!abcdef");
}

TEST_CASE("write queue: neighbours in memory become one reference, up to 16 KiB") {
  Fixture f;
  const Bytes block = Bytes::copy_of(std::string(20'000, 'x'));
  f.queue.push(block.slice(0, 8'192));
  f.queue.push(block.slice(8'192, 8'192));
  CHECK(block.use_count() == 2);
  f.queue.push(block.slice(16'384, 1));
  CHECK(block.use_count() == 3);
  CHECK(f.queue.bytes() == 16'385);
  CHECK(f.queue.flush(*f.stream));
  CHECK(block.use_count() == 1);
  CHECK(f.wire.received().size() == 16'385);
}

TEST_CASE("write queue: what lies side by side in memory leaves from there, in one write and uncopied") {
  const Bytes block = Bytes::copy_of("onetwothree");
  WriteQueue one_by_one;
  one_by_one.push(block.slice(0, 3));
  one_by_one.push(block.slice(3, 3));
  one_by_one.push(block.slice(6, 5));
  WriteQueue at_once;
  at_once.push(block);
  for (WriteQueue* queue : {&one_by_one, &at_once}) {
    Witness stream;
    CHECK(queue->flush(stream));
    CHECK(stream.writes == 1);
    REQUIRE(stream.seen.size() == 1);
    CHECK(stream.seen[0].data() == block.view().data());
    CHECK(stream.seen[0] == "onetwothree");
  }
  CHECK(block.use_count() == 1);
}

TEST_CASE("write queue: urgent frames go first, among themselves in order") {
  Fixture f;
  f.push("data ");
  f.push("more ");
  f.push_urgent("pong ");
  f.push_urgent("close ");
  f.push("last");
  CHECK(f.queue.flush(*f.stream));
  CHECK(f.wire.received() == "pong close data more last");
}

TEST_CASE("write queue: an urgent frame never cuts through one partly sent, nor overtakes an urgent one") {
  Fixture f;
  f.push("data ");
  f.push("more ");
  f.wire.set_room(2);
  CHECK_FALSE(f.queue.flush(*f.stream));
  f.push_urgent("ping ");
  f.wire.set_room(5);  // "ta " and "pi"
  CHECK_FALSE(f.queue.flush(*f.stream));
  f.push_urgent("pong ");
  f.push_urgent("close ");
  f.wire.set_room(test::MemoryWire::unlimited);
  CHECK(f.queue.flush(*f.stream));
  CHECK(f.wire.received() == "data ping pong close more ");
}

TEST_CASE("write queue: urgent frames pushed to an empty queue keep their order") {
  Fixture f;
  f.push_urgent("pong ");
  f.push_urgent("close ");
  f.push("data");
  CHECK(f.queue.flush(*f.stream));
  CHECK(f.wire.received() == "pong close data");
}

TEST_CASE("write queue: dropping keeps the rest of a frame partly sent, and only that") {
  Fixture f;
  f.push("first ");
  f.push("second ");
  f.push_urgent("ping ");
  SUBCASE("nothing was sent") {
    f.queue.drop_unsent();
    CHECK(f.queue.empty());
    CHECK(f.queue.flush(*f.stream));
    CHECK(f.wire.received().empty());
  }
  SUBCASE("an urgent frame was begun") {
    f.wire.set_room(2);
    CHECK_FALSE(f.queue.flush(*f.stream));
    f.queue.drop_unsent();
    CHECK(f.queue.bytes() == 3);
    f.push_urgent("close");
    f.wire.set_room(100);
    CHECK(f.queue.flush(*f.stream));
    CHECK(f.wire.received() == "ping close");
  }
  SUBCASE("an ordinary frame was begun, and a neighbour came after") {
    f.wire.set_room(6);
    CHECK_FALSE(f.queue.flush(*f.stream));
    const Bytes block = Bytes::copy_of("abcd");
    f.queue.drop_unsent();
    f.queue.push(block.slice(0, 2));
    f.queue.push(block.slice(2, 2));
    f.wire.set_room(100);
    CHECK(f.queue.flush(*f.stream));
    CHECK(f.wire.received() == "ping first abcd");
  }
  SUBCASE("what joins a frame partly sent is dropped too") {
    const Bytes block = Bytes::copy_of("abcd");
    f.queue.drop_unsent();
    f.queue.push(block.slice(0, 2));
    f.wire.set_room(1);
    CHECK_FALSE(f.queue.flush(*f.stream));
    f.queue.push(block.slice(2, 2));
    f.queue.drop_unsent();
    CHECK(f.queue.bytes() == 1);
  }
}

TEST_CASE("write queue: a long queue drained in small steps is not quadratic and keeps its order") {
  Fixture f;
  std::string expected;
  for (int i = 0; i < 50'000; ++i) {
    const std::string frame = std::to_string(i) + ",";
    expected += frame;
    f.push(frame);
  }
  bool done = false;
  std::size_t steps = 0;
  while (!done && steps < 100'000) {
    f.wire.set_room(37);
    done = f.queue.flush(*f.stream);
    ++steps;
  }
  CHECK(done);
  CHECK((f.wire.received() == expected));
}

TEST_CASE("write queue: of more urgent frames than can wait the latest takes the place of the last") {
  Fixture f;
  f.push("data ");
  for (std::size_t i = 1; i <= WriteQueue::urgent_max; ++i)
    f.push_urgent("p");
  f.push_urgent("q");
  CHECK(f.queue.bytes() == 5 + WriteQueue::urgent_max);
  f.push_urgent("last ");
  CHECK(f.queue.flush(*f.stream));
  CHECK(f.wire.received() == std::string(WriteQueue::urgent_max - 1, 'p') + "last data ");
}

TEST_CASE("write queue: what it holds of memory is in proportion to its bytes, however small the frames") {
  Fixture f;
  f.wire.set_room(0);
  f.push("first");
  CHECK_FALSE(f.queue.flush(*f.stream));
  for (const std::size_t size : {std::size_t{2}, std::size_t{64}, std::size_t{65}, std::size_t{1'000}}) {
    WriteQueue queue;
    while (queue.bytes() < 1'048'576)
      queue.push(Bytes::copy_of(std::string(size, 'x')));
    CHECK(queue.held_bytes() >= queue.bytes());
    CHECK(queue.held_bytes() < queue.bytes() * 2);
    if (size <= 64) CHECK(queue.held_bytes() < queue.bytes() + queue.bytes() / 8);
  }
}

TEST_CASE("write queue: a small part of a large block does not keep the block") {
  WriteQueue queue;
  for (int i = 0; i < 100; ++i) {
    const Bytes page = Bytes::copy_of(std::string(100'000, 'x'));
    queue.push(page.slice(0, 100));
  }
  CHECK(queue.held_bytes() < 500'000);
}

TEST_CASE("write queue: what waits is too much past the limit, in bytes or in what they take of memory") {
  Fixture f;
  f.push(std::string(1'000, 'x'));
  CHECK_FALSE(f.queue.exceeds(1'000));
  f.push("x");
  CHECK(f.queue.exceeds(1'000));
  WriteQueue shared;
  std::vector<Bytes> blocks;
  while (shared.bytes() < 900'000) {
    blocks.push_back(Bytes::copy_of(std::string(70, 'x')));
    shared.push(blocks.back());
  }
  CHECK(shared.exceeds(900'070));
}

TEST_CASE("write queue: a long one leaves a part at a time, so that others have their turn") {
  Fixture f;
  f.push(std::string(WriteQueue::some_bytes, 'a'));
  CHECK(f.queue.flush_some(*f.stream) == WriteQueue::Flushed::all);
  f.push(std::string(WriteQueue::some_bytes, 'a'));
  f.push("b");
  CHECK(f.queue.flush_some(*f.stream) == WriteQueue::Flushed::more);
  CHECK(f.queue.bytes() == 1);
  CHECK(f.queue.flush_some(*f.stream) == WriteQueue::Flushed::all);
  f.push(std::string(3 * WriteQueue::some_bytes, 'c'));
  CHECK(f.queue.flush_some(*f.stream) == WriteQueue::Flushed::more);
  f.wire.set_room(10);
  CHECK(f.queue.flush_some(*f.stream) == WriteQueue::Flushed::blocked);
  CHECK(f.queue.bytes() == 2 * WriteQueue::some_bytes - 10);
}

}  // namespace roomcast::net::write_queue_test
