#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "loop/loop.h"
#include "loop/worker_thread.h"
#include "store/database.h"

namespace roomcast::store {

/// Looks once through a database for damage, while it is used, over a connection and on a thread of its own:
/// nobody waits for it. Belongs to the loop's thread.
class FileCheck {
 public:
  class Listener {
   public:
    /// `damage`: what is not right; empty if all is well. A fault: it could not be looked at.
    virtual void on_file_checked(const base::Result<std::string, Fault>& damage, std::int64_t took_us) = 0;

   protected:
    ~Listener() = default;
  };

  /// Begins at once. Both outlive it.
  FileCheck(loop::Loop& loop, Listener& listener, Database database);
  FileCheck(const FileCheck&) = delete;
  FileCheck& operator=(const FileCheck&) = delete;
  /// Ends it early.
  ~FileCheck();

  /// The listener has been told.
  [[nodiscard]] bool is_over() const { return thread_.size() == 0; }

 private:
  class Job;

  loop::Loop& loop_;
  Listener& listener_;
  Database database_;
  std::atomic<bool> is_ending_ = false;
  std::atomic<bool> is_over_ = false;
  loop::WorkerThread thread_;  // the last: it ends first
};

}  // namespace roomcast::store
