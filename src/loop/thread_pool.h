#pragma once

#include <cstddef>
#include <memory>

#include "loop/loop.h"

struct uv_work_s;

namespace roomcast::loop {

/// Work for another thread than the loop's: what takes milliseconds of computing and can't be sliced.
class ThreadJob {
 public:
  ThreadJob() = default;
  ThreadJob(const ThreadJob&) = delete;
  ThreadJob& operator=(const ThreadJob&) = delete;
  virtual ~ThreadJob() = default;

  /// On the other thread, while the loop goes on: uses nothing but this object.
  virtual void run() noexcept = 0;
  /// On the loop's thread, once `run` has returned.
  virtual void on_done() = 0;
};

/// Runs jobs on libuv's threads, four unless UV_THREADPOOL_SIZE says otherwise. Whoever starts jobs bounds
/// their number: those that find no thread wait in a queue of libuv that has no limit.
class ThreadPool {
 public:
  /// The loop outlives the pool.
  explicit ThreadPool(Loop& loop) : loop_(loop) {}
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  /// Waits for the jobs that are running, and drops the others; `on_done` of none of them is called.
  ~ThreadPool();

  void start(std::unique_ptr<ThreadJob> job);
  /// Jobs that have been started and are not done.
  [[nodiscard]] std::size_t size() const { return running_; }

 private:
  struct Running;
  static void on_thread(uv_work_s* request) noexcept;
  static void on_loop(uv_work_s* request, int status) noexcept;

  Loop& loop_;
  Running* first_ = nullptr;  // of those that are not done
  std::size_t running_ = 0;
  bool is_ending_ = false;
};

}  // namespace roomcast::loop
