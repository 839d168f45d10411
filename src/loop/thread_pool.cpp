#include "loop/thread_pool.h"

#include <uv.h>

#include <system_error>
#include <utility>

namespace roomcast::loop {

/// libuv refers to it until on_loop, which takes it back.
struct ThreadPool::Running {
  uv_work_t request{};
  ThreadPool& pool;
  std::unique_ptr<ThreadJob> job;
  Running* previous = nullptr;
  Running* next = nullptr;
};

ThreadPool::~ThreadPool() {
  is_ending_ = true;
  for (Running* one = first_; one != nullptr; one = one->next)
    uv_cancel(reinterpret_cast<uv_req_t*>(&one->request));
  while (running_ > 0)
    uv_run(loop_.native(), UV_RUN_ONCE);
}

void ThreadPool::start(std::unique_ptr<ThreadJob> job) {
  std::unique_ptr<Running> running(new Running{{}, *this, std::move(job)});
  running->request.data = running.get();
  const int status = uv_queue_work(loop_.native(), &running->request, on_thread, on_loop);
  if (status != 0) throw std::system_error(-status, std::generic_category(), "cannot use another thread");
  running->next = first_;
  if (first_ != nullptr) first_->previous = running.get();
  first_ = running.release();
  ++running_;
}

void ThreadPool::on_thread(uv_work_s* request) noexcept { static_cast<Running*>(request->data)->job->run(); }

void ThreadPool::on_loop(uv_work_s* request, int status) noexcept {
  const std::unique_ptr<Running> done(static_cast<Running*>(request->data));
  ThreadPool& pool = done->pool;
  (done->previous == nullptr ? pool.first_ : done->previous->next) = done->next;
  if (done->next != nullptr) done->next->previous = done->previous;
  --pool.running_;
  if (status == 0 && !pool.is_ending_) done->job->on_done();
}

}  // namespace roomcast::loop
