#include "loop/worker_thread.h"

#include <pthread.h>
#include <uv.h>

#include <chrono>
#include <future>
#include <system_error>
#include <utility>

#include "loop/signals_blocked.h"

namespace roomcast::loop {

/// Without a job: the thread is to end.
struct WorkerThread::Node {
  std::unique_ptr<ThreadJob> job;
  Node* next = nullptr;
};

WorkerThread::WorkerThread(Loop& loop, const char* name) : end_(std::make_unique<Node>()) {
  auto made = make_handle<uv_async_t>(
      this, [&](uv_async_t* handle) { return uv_async_init(loop.native(), handle, on_wake); });
  if (!made) throw std::system_error(-made.error(), std::generic_category(), "cannot use another thread");
  wake_ = std::move(*made);
  {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { run(); });
  }
  pthread_setname_np(thread_.native_handle(), name);
}

WorkerThread::~WorkerThread() {
  is_ending_.store(true, std::memory_order_relaxed);
  push(started_, end_.release());
  thread_.join();
  drop_all(take_all(started_));
  drop_all(take_all(done_));
}

void WorkerThread::start(std::unique_ptr<ThreadJob> job) {
  ++running_;
  push(started_, new Node{std::move(job)});
}

void WorkerThread::push(Stack& stack, Node* node) {
  node->next = stack.load(std::memory_order_relaxed);
  while (!stack.compare_exchange_weak(node->next, node, std::memory_order_release, std::memory_order_relaxed))
    continue;
  stack.notify_one();
}

WorkerThread::Node* WorkerThread::take_all(Stack& stack) {
  Node* last = stack.exchange(nullptr, std::memory_order_acquire);
  Node* first = nullptr;
  while (last != nullptr) {
    Node* const before = last->next;
    last->next = first;
    first = last;
    last = before;
  }
  return first;
}

void WorkerThread::drop_all(Node* first) {
  while (first != nullptr) {
    const std::unique_ptr<Node> node(first);
    first = node->next;
  }
}

void WorkerThread::run() noexcept {
  for (;;) {
    started_.wait(nullptr, std::memory_order_acquire);
    Node* first = take_all(started_);
    while (first != nullptr) {
      std::unique_ptr<Node> node(first);
      first = node->next;
      if (node->job == nullptr || is_ending_.load(std::memory_order_relaxed)) {
        drop_all(first);
        return;
      }
      node->job->run();
      push(done_, node.release());
      uv_async_send(wake_.get());
    }
  }
}

void WorkerThread::on_wake(uv_async_s* handle) noexcept {
  if (handle->data != nullptr) static_cast<WorkerThread*>(handle->data)->finish_jobs();
}

void WorkerThread::finish_jobs() {
  Node* first = take_all(done_);
  while (first != nullptr) {
    const std::unique_ptr<Node> node(first);
    first = node->next;
    --running_;
    node->job->on_done();
  }
}

bool run_within(std::int64_t limit_ms, const std::function<void()>& work) {
  std::promise<void> done;
  const std::future<void> is_done = done.get_future();
  std::thread thread;
  try {
    const SignalsBlocked blocked;
    thread = std::thread([work, done = std::move(done)]() mutable {
      work();
      done.set_value();
    });
  } catch (const std::system_error&) {
    work();
    return true;
  }
  if (is_done.wait_for(std::chrono::milliseconds(limit_ms)) == std::future_status::ready) {
    thread.join();
    return true;
  }
  thread.detach();
  return false;
}

}  // namespace roomcast::loop
