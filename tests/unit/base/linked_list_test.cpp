#include "base/linked_list.h"

#include <doctest/doctest.h>

#include <optional>

namespace linked_list_test {

using namespace roomcast;

namespace {

struct A;
struct B;
struct Item : base::Linked<A>, base::Linked<B> {
  explicit Item(int n) : number(n) {}
  int number;
};

}  // namespace

TEST_CASE("linked list: first in, first out, and in two lists at a time") {
  base::LinkedList<Item, A> first;
  base::LinkedList<Item, B> second;
  CHECK(first.empty());
  CHECK(first.front() == nullptr);
  Item one(1);
  Item two(2);
  first.push_back(one);
  first.push_back(two);
  second.push_back(two);
  second.push_back(one);
  CHECK(first.front()->number == 1);
  CHECK(second.front()->number == 2);
  one.base::Linked<A>::unlink();
  CHECK(first.front()->number == 2);
  CHECK(one.base::Linked<B>::is_linked());
  CHECK_FALSE(one.base::Linked<A>::is_linked());
  one.base::Linked<A>::unlink();
  CHECK(first.front()->number == 2);
}

TEST_CASE("linked list: adding again moves to the end, from another list too") {
  base::LinkedList<Item, A> list;
  base::LinkedList<Item, A> other;
  Item one(1);
  Item two(2);
  list.push_back(one);
  list.push_back(two);
  list.push_back(one);
  CHECK(list.front() == &two);
  other.push_back(two);
  CHECK(list.front() == &one);
  CHECK(other.front() == &two);
}

TEST_CASE("linked list: a destroyed item leaves it") {
  base::LinkedList<Item, A> list;
  std::optional<Item> one(1);
  list.push_back(*one);
  one.reset();
  CHECK(list.empty());
}

TEST_CASE("linked list: all items of another are taken in their order, and it goes on") {
  base::LinkedList<Item, A> list;
  base::LinkedList<Item, A> other;
  Item one(1);
  Item two(2);
  Item three(3);
  list.take_all(other);
  CHECK(list.empty());
  list.push_back(one);
  other.push_back(two);
  other.push_back(three);
  list.take_all(other);
  CHECK(other.empty());
  CHECK(list.front() == &one);
  CHECK(list.after(one) == &two);
  CHECK(list.after(two) == &three);
  CHECK(list.after(three) == nullptr);
  CHECK(list.back() == &three);
  other.push_back(two);
  CHECK(list.after(one) == &three);
  CHECK(other.back() == &two);
}

}  // namespace linked_list_test
