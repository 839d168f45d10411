#pragma once

#include "store/database.h"
#include "store/room_store.h"

namespace roomcast::store {

/// Makes the store's state of what has failed. One failure is tried again first: it takes three in a row, or
/// one that says what is wrong.
class StateWatch {
 public:
  static constexpr unsigned failures_max = 3;

  void note_committed() { commits_ = {}; }
  void note_commit_failed(const Fault& fault) { note(commits_, fault); }
  void note_folded() { folds_ = {}; }
  void note_fold_failed(const Fault& fault) { note(folds_, fault); }
  /// Something that was read is not what was written: until the next start.
  void note_corrupt() { is_corrupt_ = true; }
  [[nodiscard]] bool is_corrupt() const { return is_corrupt_; }
  void note_reserve(bool is_there) { has_reserve_ = is_there; }

  [[nodiscard]] bool has_reserve() const { return has_reserve_; }
  [[nodiscard]] unsigned fold_failures() const { return folds_.in_a_row; }
  [[nodiscard]] State state() const {
    if (is_corrupt_ || has_failed(commits_) || has_failed(folds_)) return State::failed;
    if (commits_.is_full || folds_.is_full || !has_reserve_) return State::full;
    return State::ok;
  }

 private:
  struct Failures {
    unsigned in_a_row = 0;
    bool is_full = false;  ///< the last one said so
  };

  static bool has_failed(const Failures& failures) {
    return failures.in_a_row >= failures_max && !failures.is_full;
  }
  void note(Failures& failures, const Fault& fault) {
    ++failures.in_a_row;
    failures.is_full = fault.code == Fault::Code::full;
    if (fault.code == Fault::Code::corrupt) is_corrupt_ = true;
  }

  Failures commits_{};
  Failures folds_{};
  bool is_corrupt_ = false;
  bool has_reserve_ = true;
};

}  // namespace roomcast::store
