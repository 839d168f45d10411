#include "loop/thread_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>

#include "support/loop_fixture.h"

namespace roomcast::loop::thread_pool_test {

namespace {

struct Counts {
  std::atomic<int> run = 0;
  int done = 0;
  int destroyed = 0;
  std::atomic<bool> may_end = true;
};

class Job final : public ThreadJob {
 public:
  explicit Job(Counts& counts) : counts_(counts) {}
  ~Job() override { ++counts_.destroyed; }
  void run() noexcept override {
    ++counts_.run;
    counts_.may_end.wait(false);
  }
  void on_done() override { ++counts_.done; }

 private:
  Counts& counts_;
};

}  // namespace

TEST_CASE_FIXTURE(test::LoopFixture, "thread pool: jobs run elsewhere, and end on the loop") {
  Counts counts;
  ThreadPool pool(loop);
  for (int i = 0; i < 20; ++i)
    pool.start(std::make_unique<Job>(counts));
  CHECK(pool.size() == 20);
  CHECK(counts.done == 0);
  CHECK(run_until([&] { return counts.done == 20; }));
  CHECK(counts.run == 20);
  CHECK(counts.destroyed == 20);
  CHECK(pool.size() == 0);
}

TEST_CASE_FIXTURE(test::LoopFixture,
                  "thread pool: at its end it waits for jobs that run, and drops the others") {
  Counts counts;
  counts.may_end = false;
  {
    ThreadPool pool(loop);
    // More than there are threads.
    for (int i = 0; i < 50; ++i)
      pool.start(std::make_unique<Job>(counts));
    CHECK(run_until([&] { return counts.run > 0; }));
    counts.may_end = true;
    counts.may_end.notify_all();
  }
  CHECK(counts.destroyed == 50);
  CHECK(counts.run <= 50);
  CHECK(counts.done == 0);
}

}  // namespace roomcast::loop::thread_pool_test
