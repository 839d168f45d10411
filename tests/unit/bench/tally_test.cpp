#include "load/tally.h"

#include <doctest/doctest.h>

namespace roomcast::bench::tally_test {
namespace {

void note(Tally& tally, Faults& faults, std::uint16_t publisher, std::uint32_t number) {
  tally.note(Stamp{publisher, number, 0}, faults);
}

}  // namespace

TEST_CASE("a subscriber who gets every number in order has no fault") {
  Tally tally(0, 1);
  Faults faults;
  for (std::uint32_t number = 0; number < 100; ++number)
    note(tally, faults, 0, number);
  tally.finish(100, faults);
  CHECK(faults.none());
}

TEST_CASE("publishers are counted each for itself") {
  Tally tally(10, 2);
  Faults faults;
  note(tally, faults, 11, 0);
  note(tally, faults, 10, 0);
  note(tally, faults, 11, 1);
  note(tally, faults, 10, 1);
  tally.finish(2, faults);
  CHECK(faults.none());
}

TEST_CASE("numbers that are jumped over are lost at once, and only once") {
  Tally tally(0, 1);
  Faults faults;
  note(tally, faults, 0, 0);
  note(tally, faults, 0, 4);
  CHECK(faults.lost == 3);
  tally.finish(5, faults);
  CHECK(faults.lost == 3);
  CHECK(faults.repeated == 0);
}

TEST_CASE("numbers that never came are lost at the end, of each publisher") {
  Tally tally(0, 3);
  Faults faults;
  note(tally, faults, 1, 0);
  tally.finish(2, faults);
  CHECK(faults.lost == 2 + 1 + 2);
}

TEST_CASE("a number that comes again, or after a later one, is repeated") {
  Tally tally(0, 1);
  Faults faults;
  note(tally, faults, 0, 0);
  note(tally, faults, 0, 0);
  CHECK(faults.repeated == 1);
  note(tally, faults, 0, 2);
  note(tally, faults, 0, 1);
  CHECK(faults.repeated == 2);
  CHECK(faults.lost == 1);
}

TEST_CASE("a publisher of another room is no delivery of this load") {
  Tally tally(10, 2);
  Faults faults;
  note(tally, faults, 9, 0);
  note(tally, faults, 12, 0);
  CHECK(faults.unstamped == 2);
  note(tally, faults, 10, 0);
  note(tally, faults, 11, 0);
  CHECK(faults.unstamped == 2);
  CHECK_FALSE(faults.none());
}

}  // namespace roomcast::bench::tally_test
