#include "base/memory.h"

#include <doctest/doctest.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace release_test {

using namespace roomcast;

TEST_CASE("release: strings, containers and structs of them are empty and keep nothing") {
  std::string text(10'000, 'x');
  base::release(text);
  CHECK(text.empty());
  CHECK(text.capacity() < 100);

  std::vector<int> numbers(10'000);
  base::release(numbers);
  CHECK(numbers.empty());
  CHECK(numbers.capacity() == 0);

  std::unordered_map<int, int> map;
  for (int i = 0; i < 10'000; ++i)
    map.emplace(i, i);
  base::release(map);
  CHECK(map.empty());
  CHECK(map.bucket_count() < 100);

  struct Both {
    std::string text;
    std::vector<int> numbers;
    int number = 7;
  };
  Both both{std::string(10'000, 'x'), std::vector<int>(10'000), 1};
  base::release(both);
  CHECK(both.text.capacity() < 100);
  CHECK(both.numbers.capacity() == 0);
  CHECK(both.number == 7);
}

TEST_CASE("release: what it is needed for: an assignment of nothing keeps the capacity") {
  std::vector<int> numbers(10'000);
  numbers = {};
  CHECK(numbers.capacity() == 10'000);
  base::release(numbers);
  CHECK(numbers.capacity() == 0);
}

}  // namespace release_test
