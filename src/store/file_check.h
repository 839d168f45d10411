#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/worker_thread.h"
#include "store/database.h"

namespace roomcast::store {

/// Looks once through history.db for damage, while it is used, over a connection and on a thread of its own:
/// nobody waits for it. It begins with a look at the whole file, which sees all damage, but holds a snapshot
/// for as long as it takes: so long the WAL grows. When that is too large it goes on in slices, which see
/// less (HistorySlices). Belongs to the loop's thread.
class FileCheck {
 public:
  struct Outcome {
    std::string damage{};    ///< what is not right, or why it could not be looked at; empty if all is well
    bool is_sliced = false;  ///< it was looked at in slices
    std::int64_t took_us = 0;
  };
  class Listener {
   public:
    virtual void on_file_checked(const Outcome& outcome) = 0;

   protected:
    ~Listener() = default;
  };

  /// Begins at once. Both outlive it.
  FileCheck(loop::Loop& loop, Listener& listener, Database database);
  FileCheck(const FileCheck&) = delete;
  FileCheck& operator=(const FileCheck&) = delete;
  /// Ends it early.
  ~FileCheck();

  /// Gives the snapshot up, soon: it goes on in slices. To be called again while that is still needed.
  void go_on_in_slices();
  /// The listener has been told.
  [[nodiscard]] bool is_over() const { return thread_.size() == 0; }

 private:
  class Job;
  enum class Phase : std::uint8_t { whole, slices, over };

  [[nodiscard]] base::Result<std::string, Fault> check();
  [[nodiscard]] base::Result<std::string, Fault> check_slices();

  loop::Loop& loop_;
  Listener& listener_;
  Database database_;
  std::atomic<bool> is_ending_ = false;
  std::atomic<bool> wants_slices_ = false;
  std::atomic<Phase> phase_ = Phase::whole;
  loop::WorkerThread thread_;  // the last: it ends first
};

}  // namespace roomcast::store
