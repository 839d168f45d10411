#include "store/load_queue.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace load_queue_test {

using namespace roomcast;
using store::LoadQueue;

namespace {

struct Fixture {
  LoadQueue queue;

  std::string add(const std::string& room, hub::Source source) {
    return queue.add({room, source}).value_or("");
  }
  std::string take() {
    const std::optional<LoadQueue::Request> next = queue.take();
    return next ? next->room : "";
  }
  std::vector<std::string> take_all() {
    std::vector<std::string> rooms;
    while (queue.size() != 0)
      rooms.push_back(take());
    return rooms;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "load queue: sources take turns, each in the order of its rooms") {
  CHECK(take().empty());
  for (const char* room : {"a1", "a2", "a3"})
    CHECK(add(room, 1).empty());
  CHECK(add("c1", 7).empty());
  CHECK(add("b1", 3).empty());
  CHECK(add("b2", 3).empty());
  CHECK(take_all() == std::vector<std::string>{"a1", "b1", "c1", "a2", "b2", "a3"});
  CHECK(take().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "load queue: a room that another source asks for as well is not held up by the first") {
  for (int i = 0; i < 50; ++i)
    CHECK(add("a" + std::to_string(i), 1).empty());
  CHECK(add("shared", 1).empty());
  CHECK(add("a50", 1).empty());
  CHECK(add("shared", 1).empty());  // again: nothing changes
  CHECK(add("shared", 2).empty());
  CHECK(queue.size() == 52);
  CHECK(take() == "a0");
  CHECK(take() == "shared");
  CHECK(take() == "a1");
  // Where it would be later it stays.
  for (int i = 0; i < 10; ++i)
    CHECK(add("b" + std::to_string(i), 2).empty());
  CHECK(add("a2", 2).empty());
  CHECK(take() == "b0");
  CHECK(take() == "a2");
  CHECK(take_all().size() == 48 + 9);
}

TEST_CASE_FIXTURE(Fixture, "load queue: with too many, those of the source that has the most are refused") {
  for (std::size_t i = 0; i < LoadQueue::waiting_max - 1; ++i)
    CHECK(add("a" + std::to_string(i), 1).empty());
  CHECK(add("b0", 2).empty());
  CHECK(add("more", 1) == "more");
  const std::string last = "a" + std::to_string(LoadQueue::waiting_max - 2);
  CHECK(add("c0", 3) == last);
  CHECK(queue.size() == LoadQueue::waiting_max);
  // One that was refused can be asked for again.
  CHECK(add(last, 3) == "a" + std::to_string(LoadQueue::waiting_max - 3));
  CHECK(queue.size() == LoadQueue::waiting_max);
  CHECK(take() == "a0");
  CHECK(take() == "b0");
  CHECK(take() == "c0");
  CHECK(take() == "a1");
  CHECK(take() == last);
}

TEST_CASE_FIXTURE(Fixture, "load queue: with as many sources as places, a further one is refused") {
  for (std::size_t i = 0; i < LoadQueue::waiting_max; ++i)
    CHECK(add("r" + std::to_string(i), static_cast<hub::Source>(i)).empty());
  CHECK(add("more", 4'000) == "more");
  CHECK(add("more", 0) == "more");
  CHECK(take_all().size() == LoadQueue::waiting_max);
}

}  // namespace load_queue_test
