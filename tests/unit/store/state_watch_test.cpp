#include "store/state_watch.h"

#include <doctest/doctest.h>

namespace state_watch_test {

using namespace roomcast;
using store::State;
using Code = store::Fault::Code;

TEST_CASE("state of the store: it takes three failures in a row, and one success ends them") {
  store::StateWatch watch;
  watch.note_commit_failed({Code::io, ""});
  watch.note_commit_failed({Code::io, ""});
  CHECK(watch.state() == State::ok);
  watch.note_committed();
  watch.note_commit_failed({Code::io, ""});
  watch.note_commit_failed({Code::io, ""});
  CHECK(watch.state() == State::ok);
  watch.note_commit_failed({Code::readonly, ""});
  CHECK(watch.state() == State::failed);
  watch.note_folded();
  CHECK(watch.state() == State::failed);
  watch.note_committed();
  CHECK(watch.state() == State::ok);
}

TEST_CASE("state of the store: full is said at once, and stays while the reserve is missing") {
  store::StateWatch watch;
  watch.note_commit_failed({Code::full, ""});
  CHECK(watch.state() == State::full);
  for (int i = 0; i < 5; ++i)
    watch.note_commit_failed({Code::full, ""});
  CHECK(watch.state() == State::full);
  watch.note_reserve(false);
  watch.note_committed();
  CHECK(watch.state() == State::full);
  watch.note_reserve(true);
  CHECK(watch.state() == State::ok);
}

TEST_CASE("state of the store: folds count by themselves, and no commit makes up for them") {
  store::StateWatch watch;
  for (int i = 0; i < 3; ++i) {
    watch.note_fold_failed({Code::io, ""});
    watch.note_committed();
  }
  CHECK(watch.fold_failures() == 3);
  CHECK(watch.state() == State::failed);
  watch.note_folded();
  CHECK(watch.state() == State::ok);
}

TEST_CASE("state of the store: damage lasts until the next start") {
  store::StateWatch watch;
  watch.note_commit_failed({Code::corrupt, ""});
  CHECK(watch.state() == State::failed);
  watch.note_committed();
  CHECK(watch.state() == State::failed);
}

}  // namespace state_watch_test
