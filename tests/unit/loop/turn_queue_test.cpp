#include "loop/turn.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/fake_micro_clock.h"

namespace roomcast::loop::turn_queue_test {

namespace {

using test::FakeMicroClock;

struct Item final : base::TurnTask {
  std::function<void()> then;
  int flushed = 0;
  void run_at_turn_end() override {
    ++flushed;
    if (then) then();
  }
};

struct Work final : base::SlicedWork {
  int left = 0;
  int slices = 0;
  std::function<void()> then;
  bool do_slice() override {
    ++slices;
    if (then) then();
    if (left > 0) --left;
    return left > 0;
  }
};

struct Dying final : base::Disposable {
  explicit Dying(std::function<void()> f) : last_act(std::move(f)) {}
  ~Dying() override { last_act(); }
  Dying(const Dying&) = delete;
  Dying& operator=(const Dying&) = delete;
  std::function<void()> last_act;
};

}  // namespace

TEST_CASE("turn queue: an empty turn looks at the sliced work once and is quiet") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  Work work;
  queue.add_work(work);
  CHECK_FALSE(queue.run());
  CHECK(work.slices == 1);
}

TEST_CASE("turn queue: slices first, then flushes, then the dead, again until all is quiet") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  std::string log;
  Work work;
  Item item;
  work.left = 2;
  work.then = [&] {
    log += 's';
    if (work.left > 0) queue.mark_dirty(item);
  };
  item.then = [&] {
    log += 'f';
    queue.free_later(std::make_unique<Dying>([&] { log += 'd'; }));
  };
  queue.add_work(work);
  CHECK_FALSE(queue.run());
  CHECK(log == "sfdsfd");
}

TEST_CASE("turn queue: work that freed objects register is done in the same turn") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  Item item;
  Work work;
  int deaths = 0;
  queue.add_work(work);
  queue.free_later(std::make_unique<Dying>([&] {
    ++deaths;
    queue.mark_dirty(item);
    queue.free_later(std::make_unique<Dying>([&] {
      ++deaths;
      queue.wake();
    }));
  }));
  CHECK_FALSE(queue.run());
  CHECK(deaths == 2);
  CHECK(item.flushed == 1);
  CHECK(work.slices == 3);
}

TEST_CASE("turn queue: an item may free itself later while it is flushed") {
  struct Session final : base::Disposable, base::TurnTask {
    TurnQueue& queue;
    std::unique_ptr<Session>& owner;
    bool& destroyed;
    Session(TurnQueue& q, std::unique_ptr<Session>& o, bool& d) : queue(q), owner(o), destroyed(d) {}
    ~Session() override {
      queue.forget(*this);
      destroyed = true;
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    void run_at_turn_end() override {
      if (!owner) return;
      queue.free_later(std::move(owner));
      queue.mark_dirty(*this);
      CHECK_FALSE(destroyed);
    }
  };
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  std::unique_ptr<Session> owner;
  bool destroyed = false;
  owner = std::make_unique<Session>(queue, owner, destroyed);
  // Flushed a second time because it marked itself; there is nothing left to free then.
  queue.mark_dirty(*owner);
  CHECK_FALSE(queue.run());
  CHECK(destroyed);
}

TEST_CASE("turn queue: it stops at the time box, keeps the rest, and goes on where it stopped") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  std::vector<std::unique_ptr<Item>> items;
  for (int i = 0; i < 100; ++i) {
    items.push_back(std::make_unique<Item>());
    items.back()->then = [&] { clock.us += 50; };
    queue.mark_dirty(*items.back());
  }
  const auto flushed = [&] {
    int count = 0;
    for (const auto& item : items)
      count += item->flushed;
    return count;
  };
  CHECK(queue.run());
  CHECK(flushed() >= 20);
  CHECK(flushed() < 40);  // the clock is read every few flushes
  int turns = 1;
  while (queue.run())
    ++turns;
  CHECK(turns < 6);
  CHECK(flushed() == 100);
}

TEST_CASE("turn queue: long sliced work and endless flushing share the turns") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  Work work;
  work.left = 1'000'000;
  work.then = [&] { clock.us += 300; };
  Item restless;
  restless.then = [&] {
    clock.us += 10;
    queue.mark_dirty(restless);
  };
  queue.mark_dirty(restless);
  queue.add_work(work);
  for (int turn = 0; turn < 10; ++turn)
    CHECK(queue.run());
  CHECK(work.slices >= 10);
  CHECK(restless.flushed >= 10);
  queue.forget(restless);
}

TEST_CASE("turn queue: it makes progress even with no time at all") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 0);
  Item item;
  Work work;
  work.left = 5;
  queue.add_work(work);
  queue.mark_dirty(item);
  CHECK(queue.run());
  CHECK(item.flushed == 1);
  CHECK(work.slices == 1);
}

TEST_CASE("turn queue: pending objects are freed with it, and any they enqueue") {
  FakeMicroClock clock;
  int deaths = 0;
  {
    TurnQueue queue(clock, 1'000);
    queue.free_later(std::make_unique<Dying>([&] {
      ++deaths;
      queue.free_later(std::make_unique<Dying>([&] { ++deaths; }));
    }));
  }
  CHECK(deaths == 2);
}

TEST_CASE(
    "turn queue: the outbox is emptied after the flushes and before the dead go, also when the box is used "
    "up") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  std::string story;
  struct DeferredWrites final : base::DeferredWrites {
    explicit DeferredWrites(std::string& text) : story(text) {}
    void send_all() override { story += "s"; }
    std::string& story;
  } outbox(story);
  queue.set_deferred_writes(outbox);
  Item item;
  item.then = [&] {
    story += "f";
    clock.us += 2'000;
    queue.free_later(std::make_unique<Dying>([&] { story += "d"; }));
  };
  queue.mark_dirty(item);
  (void)queue.run();
  CHECK(story.substr(0, 3) == "fsd");
}

TEST_CASE("turn queue: what was deferred comes behind all that is dirty, also what is marked meanwhile") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  std::string story;
  Item greedy;
  Item modest;
  Item late;
  greedy.then = [&] {
    story += 'g';
    queue.mark_dirty(late);
    if (greedy.flushed < 3) queue.mark_deferred(greedy);
  };
  modest.then = [&] { story += 'm'; };
  late.then = [&] { story += 'l'; };
  queue.mark_deferred(greedy);
  queue.mark_dirty(modest);
  CHECK_FALSE(queue.run());
  CHECK(story == "mglglgl");
}

TEST_CASE("turn queue: of many that were deferred as many have their turn as there is time for, in order") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  std::vector<std::unique_ptr<Item>> items;
  std::string story;
  for (char name = 'a'; name <= 'e'; ++name) {
    items.push_back(std::make_unique<Item>());
    Item& item = *items.back();
    item.then = [&, name] {
      story += name;
      clock.us += 400;
      queue.mark_deferred(item);
    };
    queue.mark_deferred(item);
  }
  CHECK(queue.run());
  CHECK(story == "abc");
  Item dirty;
  dirty.then = [&] {
    story += '!';
    clock.us += 5'000;
  };
  queue.mark_dirty(dirty);
  CHECK(queue.run());
  CHECK(story == "abc!d");  // at least one, however little time there is
  CHECK(queue.run());
  CHECK(story == "abc!deab");
  for (const auto& item : items)
    queue.forget(*item);
  CHECK_FALSE(queue.run());
}

TEST_CASE("turn queue: while others wait to be called for the first time one of the deferred has its turn") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  std::vector<std::unique_ptr<Item>> items;
  for (int i = 0; i < 3; ++i) {
    items.push_back(std::make_unique<Item>());
    queue.mark_deferred(*items.back());
  }
  CHECK(queue.run(true));
  CHECK(items[0]->flushed == 1);
  CHECK(items[1]->flushed == 0);
  CHECK(queue.run(true));
  CHECK(items[1]->flushed == 1);
  CHECK_FALSE(queue.run(false));
  CHECK(items[2]->flushed == 1);
}

TEST_CASE("turn queue: the allowance of each is the smaller the more are deferred") {
  using base::WorkAllowance;
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  CHECK(queue.first_allowance().left() == WorkAllowance::of_first_read);
  (void)queue.run(true);
  CHECK(queue.first_allowance().left() == WorkAllowance::of_crowded_read);
  (void)queue.run(false);
  CHECK(queue.first_allowance().left() == WorkAllowance::of_first_read);

  std::vector<std::unique_ptr<Item>> items;
  const auto defer = [&](std::size_t count) {
    while (items.size() < count) {
      items.push_back(std::make_unique<Item>());
      queue.mark_deferred(*items.back());
    }
  };
  CHECK(queue.later_allowance().left() == WorkAllowance::of_later_read);
  defer(15);
  CHECK(queue.later_allowance().left() == WorkAllowance::of_later_read);
  defer(63);
  CHECK(queue.later_allowance().left() == WorkAllowance::of_all_later_reads / 64);
  defer(1'000);
  CHECK(queue.later_allowance().left() == WorkAllowance::least_later_read);
  for (const auto& item : items)
    queue.forget(*item);
}

TEST_CASE("turn queue: an item is on one list only, and forgotten on either") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  Item item;
  queue.mark_deferred(item);
  queue.mark_dirty(item);
  CHECK_FALSE(queue.run());
  CHECK(item.flushed == 1);
  queue.mark_deferred(item);
  queue.forget(item);
  queue.mark_dirty(item);
  queue.forget(item);
  CHECK_FALSE(queue.run());
  CHECK(item.flushed == 1);
}

TEST_CASE("turn queue: when thousands die at once the turn ends in time, and the next goes on") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  int deaths = 0;
  for (int i = 0; i < 1'000; ++i) {
    queue.free_later(std::make_unique<Dying>([&] {
      ++deaths;
      clock.us += 10;
    }));
  }
  CHECK(queue.run());
  CHECK(deaths >= 100);
  CHECK(deaths < 200);
  while (queue.run()) {
  }
  CHECK(deaths == 1'000);
}

TEST_CASE("turn queue: reap_all frees all pending objects, whatever the time") {
  FakeMicroClock clock;
  TurnQueue queue(clock, 1'000);
  int deaths = 0;
  for (int i = 0; i < 1'000; ++i) {
    queue.free_later(std::make_unique<Dying>([&] {
      clock.us += 10;
      queue.free_later(std::make_unique<Dying>([&] { ++deaths; }));
    }));
  }
  CHECK(queue.run());
  queue.reap_all();
  CHECK(deaths == 1'000);
}

}  // namespace roomcast::loop::turn_queue_test
