// The epochs of a log: which positions are in it, and what two logs have in common.
#include "hub/lineage.h"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

namespace lineage_test {

using namespace roomcast::hub;

namespace {

/// Epoch 1 up to 10, 2 up to 15, 3 since.
const Lineage forked_twice({{1, 10}, {2, 15}});
constexpr Position top{3, 20};

}  // namespace

TEST_CASE("lineage: a position is in the log up to where its epoch was left, and not after the top") {
  struct Row {
    Position position;
    bool is_in_log;
  };
  for (const Row& row : std::vector<Row>{
           {{3, 0}, true},
           {{3, 20}, true},
           {{3, 21}, false},
           {{2, 0}, true},
           {{2, 15}, true},
           {{2, 16}, false},
           {{1, 10}, true},
           {{1, 11}, false},
           {{4, 1}, false},
           {{0, 0}, false},
       }) {
    CAPTURE(row.position.epoch);
    CAPTURE(row.position.offset);
    CHECK(forked_twice.has(row.position, top) == row.is_in_log);
  }
}

TEST_CASE("lineage: each offset has the epoch in which it was given") {
  CHECK(forked_twice.epoch_at(0, 3) == 1);
  CHECK(forked_twice.epoch_at(10, 3) == 1);
  CHECK(forked_twice.epoch_at(11, 3) == 2);
  CHECK(forked_twice.epoch_at(15, 3) == 2);
  CHECK(forked_twice.epoch_at(16, 3) == 3);
  CHECK(Lineage().epoch_at(7, 3) == 3);
}

TEST_CASE("lineage: an epoch that was left at once has no offset of its own") {
  const Lineage lineage({{1, 10}, {2, 10}});
  CHECK(lineage.epoch_at(10, 3) == 1);
  CHECK(lineage.epoch_at(11, 3) == 3);
  CHECK(lineage.has({2, 10}, {3, 12}));
  CHECK_FALSE(lineage.has({2, 11}, {3, 12}));
}

TEST_CASE("lineage: the oldest epochs are forgotten") {
  std::vector<Ancestor> ancestors;
  for (std::uint64_t epoch = 1; epoch <= Lineage::ancestors_max; ++epoch)
    ancestors.push_back({epoch, 10 * epoch});
  const Position last{100, 200};
  CHECK(Lineage(ancestors).has({1, 10}, last));
  ancestors.push_back({50, 150});
  const Lineage lineage(ancestors);
  CHECK(lineage.ancestors().size() == Lineage::ancestors_max);
  CHECK_FALSE(lineage.has({1, 10}, last));
  CHECK(lineage.has({2, 20}, last));
}

TEST_CASE("lineage: what two logs have in common ends where the first of them left it") {
  const Lineage none;
  CHECK(none.last_common({1, 12}, none, {1, 9}) == 9);
  CHECK(none.last_common({1, 12}, none, {2, 9}) == std::nullopt);
  // The log that was known here goes on in another epoch, with and without its last messages.
  CHECK(forked_twice.last_common(top, Lineage({{1, 10}}), {2, 15}) == 15);
  CHECK(forked_twice.last_common(top, Lineage({{1, 10}}), {2, 17}) == 15);
  CHECK(forked_twice.last_common(top, none, {1, 8}) == 8);
  CHECK(forked_twice.last_common(top, none, {1, 13}) == 10);
  // Both have forked from the same one.
  CHECK(forked_twice.last_common(top, Lineage({{1, 7}}), {9, 30}) == 7);
}

}  // namespace lineage_test
