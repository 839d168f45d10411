#include "app/allocator.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/allocation_count.h"
#include "unit/app/address_space.h"

namespace allocator_test {

using namespace roomcast;

// A sanitizer's allocator ends the process by itself, and has no use for a limited address space.
TEST_SUITE_BEGIN("allocator" * doctest::skip(!base::counts_allocations()));

TEST_CASE("allocator: the first failure is survived with the reserve, which can be restored") {
  const test::End end = test::run_with_address_space(test::space, [] {
    const app::EmergencyReserve reserve;
    if (app::EmergencyReserve::is_used_up()) return 10;
    auto taken = test::take_all();
    if (taken.size() < 100) return 11;
    taken.push_back(std::make_unique<std::string>(test::piece, 'x'));
    taken.clear();
    app::give_back_free_memory();
    if (!app::EmergencyReserve::restore() || app::EmergencyReserve::is_used_up()) return 12;
    return 0;
  });
  CHECK(end.code == 0);
  CHECK(end.said.empty());
}

TEST_CASE("allocator: the second failure ends the process with one line") {
  for (const bool by_malloc : {false, true}) {
    const test::End end = test::run_with_address_space(test::space, [by_malloc] {
      const app::EmergencyReserve reserve;
      auto taken = test::take_all();
      for (std::size_t i = 0; i < 1'000; ++i) {
        void* block = by_malloc ? std::malloc(test::piece) : ::operator new(test::piece);
        if (block == nullptr) return 20;
      }
      return 21;
    });
    CHECK(end.code == 1);
    CHECK(end.said.rfind("roomcast: out of memory: ", 0) == 0);
    CHECK(end.said.find("limits.memory_bytes") != std::string::npos);
    CHECK(end.said.find('\n') == end.said.size() - 1);
  }
}

TEST_CASE("allocator: where there is no reserve nothing is used up") {
  CHECK_FALSE(app::EmergencyReserve::is_used_up());
  CHECK(app::EmergencyReserve::restore());
}

TEST_SUITE_END();

}  // namespace allocator_test
