#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "loop/handles.h"
#include "loop/loop.h"
#include "loop/thread_pool.h"

struct uv_async_s;

namespace roomcast::loop {

/// A thread of its own that runs jobs one after the other, in the order in which they were started: for what
/// has to be done in order, or waits for a disk. Neither side takes a lock. Whoever starts jobs bounds their
/// number.
class WorkerThread {
 public:
  /// `name` is that of the thread in the system's lists, up to 15 characters. The loop outlives the thread.
  /// Throws std::system_error if the system gives none.
  WorkerThread(Loop& loop, const char* name);
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;
  /// Waits for the job that is running, and drops the others; `on_done` of none of them is called. Not to be
  /// called from within `on_done`.
  ~WorkerThread();

  void start(std::unique_ptr<ThreadJob> job);
  /// Jobs that have been started and are not done.
  [[nodiscard]] std::size_t size() const { return running_; }

 private:
  struct Node;
  /// Pushed by one side, taken as a whole by the other.
  using Stack = std::atomic<Node*>;

  static void push(Stack& stack, Node* node);
  /// All that was pushed, in the order of the pushes.
  static Node* take_all(Stack& stack);
  static void drop_all(Node* first);
  static void on_wake(uv_async_s* handle) noexcept;

  void run() noexcept;
  void finish_jobs();

  Handle<uv_async_s> wake_;
  Stack started_ = nullptr;
  Stack done_ = nullptr;
  std::atomic<bool> is_ending_ = false;
  std::size_t running_ = 0;
  std::unique_ptr<Node> end_;  // made in advance: what tells the thread to end
  std::thread thread_;
};

/// Runs `work` on a thread of its own while this one waits, for what may never end. False after `limit_ms`:
/// then it still goes on, and everything that it uses has to stay until the process ends. Where the system
/// gives no thread it is run here, however long that takes.
[[nodiscard]] bool run_within(std::int64_t limit_ms, const std::function<void()>& work);

}  // namespace roomcast::loop
