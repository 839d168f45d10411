#include "base/dirty_list.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace roomcast::base::dirty_list_test {

namespace {

struct Item final : TurnTask {
  Item(DirtyList& owner, std::string& trace, char label) : list(owner), log(trace), name(label) {}
  ~Item() { list.forget(*this); }
  Item(const Item&) = delete;
  Item& operator=(const Item&) = delete;
  void run_at_turn_end() override {
    log += name;
    if (then) then();
  }
  DirtyList& list;
  std::string& log;
  char name;
  std::function<void()> then;
};

struct Items {
  DirtyList list;
  std::string log;  // the items whose flush was called
  Item a{list, log, 'a'};
  Item b{list, log, 'b'};
  Item c{list, log, 'c'};
  Item d{list, log, 'd'};
};

void flush_all(DirtyList& list) {
  for (int i = 0; i < 1'000 && list.run_next(); ++i) {
  }
}

}  // namespace

TEST_CASE_FIXTURE(Items, "dirty list: items are flushed once each, in the order in which they were marked") {
  list.mark(c);
  list.mark(a);
  list.mark(c);
  list.mark(b);
  CHECK(list.size() == 3);
  flush_all(list);
  CHECK(log == "cab");
  CHECK(list.empty());
  CHECK_FALSE(list.run_next());
}

TEST_CASE_FIXTURE(Items, "dirty list: a few are flushed at a time, and it says whether there are more") {
  for (Item* item : {&a, &b, &c})
    list.mark(*item);
  CHECK(list.run_some(2));
  CHECK(log == "ab");
  CHECK_FALSE(list.run_some(1));
  CHECK(log == "abc");
  CHECK_FALSE(list.run_some(1));
  list.mark(b);
  CHECK_FALSE(list.run_some(2));
  CHECK(log == "abcb");
}

TEST_CASE_FIXTURE(Items, "dirty list: of a few that are flushed together none is flushed twice") {
  int again = 1;
  a.then = [&] {
    if (again-- > 0) list.mark(a);
  };
  list.mark(a);
  list.mark(b);
  CHECK(list.run_some(16));
  CHECK(log == "ab");
  CHECK_FALSE(list.run_some(16));
  CHECK(log == "aba");
}

TEST_CASE_FIXTURE(Items, "dirty list: a forgotten item is not flushed, and may be marked again") {
  list.forget(a);
  list.mark(a);
  list.mark(b);
  list.forget(a);
  list.forget(a);
  CHECK(list.size() == 1);
  flush_all(list);
  CHECK(log == "b");
  list.mark(a);
  flush_all(list);
  CHECK(log == "ba");
}

TEST_CASE_FIXTURE(
    Items, "dirty list: while flushed, an item may mark itself and others, and they come after the rest") {
  int again = 2;
  a.then = [&] {
    if (again-- > 0) list.mark(a);
    list.mark(c);
  };
  list.mark(a);
  list.mark(b);
  flush_all(list);
  CHECK(log == "abacac");
}

TEST_CASE_FIXTURE(Items, "dirty list: while flushed, an item may forget any other, wherever it stands") {
  a.then = [&] {
    list.mark(d);    // the first place of the next round, as `a` had in this one
    list.forget(b);  // in this round
    list.forget(a);  // not on the list
  };
  c.then = [&] { list.forget(d); };
  list.mark(a);
  list.mark(b);
  list.mark(c);
  flush_all(list);
  CHECK(log == "ac");
  CHECK(list.empty());
}

TEST_CASE("dirty list: items destroyed while marked are not touched again") {
  DirtyList list;
  std::string log;
  auto a = std::make_unique<Item>(list, log, 'a');
  auto b = std::make_unique<Item>(list, log, 'b');
  auto c = std::make_unique<Item>(list, log, 'c');
  list.mark(*a);
  list.mark(*b);
  list.mark(*c);
  a->then = [&] {
    list.mark(*a);
    b.reset();
  };
  c->then = [&] { a.reset(); };
  flush_all(list);
  CHECK(log == "ac");
  CHECK(list.empty());
}

TEST_CASE_FIXTURE(Items, "dirty list: items that mark each other for ever do not make it grow") {
  a.then = [&] { list.mark(b); };
  b.then = [&] { list.mark(a); };
  list.mark(a);
  for (int i = 0; i < 1'000; ++i) {
    CHECK(list.run_next());
    CHECK(list.size() == 1);
  }
}

}  // namespace roomcast::base::dirty_list_test
