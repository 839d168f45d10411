#include "loop/worker_thread.h"

#include <doctest/doctest.h>

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "support/loop_fixture.h"

namespace roomcast::loop::worker_thread_test {

namespace {

struct Record {
  std::vector<int> run;   // on the thread; read when it rests
  std::vector<int> done;  // on the loop
  std::vector<std::thread::id> threads;
  std::atomic<int> begun = 0;
  std::atomic<bool> may_end = true;
  int destroyed = 0;
};

class Job final : public ThreadJob {
 public:
  Job(Record& record, int number) : record_(record), number_(number) {}
  ~Job() override { ++record_.destroyed; }
  void run() noexcept override {
    ++record_.begun;
    record_.begun.notify_all();
    record_.may_end.wait(false);
    record_.run.push_back(number_);
    record_.threads.push_back(std::this_thread::get_id());
  }
  void on_done() override { record_.done.push_back(number_); }

 private:
  Record& record_;
  int number_;
};

/// Starts another job when it is done.
class Chain final : public ThreadJob {
 public:
  Chain(WorkerThread& thread, int& left) : thread_(thread), left_(left) {}
  void run() noexcept override {}
  void on_done() override {
    if (--left_ > 0) thread_.start(std::make_unique<Chain>(thread_, left_));
  }

 private:
  WorkerThread& thread_;
  int& left_;
};

/// In a process that may have no more threads: 0 if it is told so, and can still be signalled.
int try_without_threads(Loop& loop) {
  constexpr uid_t nobody = 65'534;  // the limit does not count for root
  if (geteuid() == 0 && setuid(nobody) != 0) return 2;
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_NPROC, &none) != 0) return 3;
  try {
    const WorkerThread thread(loop, "test");
    return 4;
  } catch (const std::system_error&) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    return sigismember(&blocked, SIGTERM) == 0 ? 0 : 5;
  }
}

}  // namespace

TEST_CASE_FIXTURE(test::LoopFixture,
                  "worker thread: without threads there is an error, and signals come as before") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(try_without_threads(loop));
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE_FIXTURE(test::LoopFixture,
                  "worker thread: jobs run elsewhere, in their order, and end on the loop") {
  Record record;
  std::vector<int> expected;
  WorkerThread thread(loop, "test");
  for (int i = 0; i < 1'000; ++i) {
    expected.push_back(i);
    thread.start(std::make_unique<Job>(record, i));
    if (i % 100 == 0) run_idle_turns(1);
  }
  CHECK(run_until([&] { return thread.size() == 0; }));
  CHECK(record.run == expected);
  CHECK(record.done == expected);
  CHECK(record.destroyed == 1'000);
  CHECK(record.threads.front() == record.threads.back());
  CHECK(record.threads.front() != std::this_thread::get_id());
}

TEST_CASE_FIXTURE(test::LoopFixture, "worker thread: nothing is done from within start") {
  Record record;
  WorkerThread thread(loop, "test");
  thread.start(std::make_unique<Job>(record, 1));
  record.begun.wait(0);
  CHECK(record.done.empty());
  CHECK(thread.size() == 1);
  CHECK(run_until([&] { return thread.size() == 0; }));
}

TEST_CASE_FIXTURE(test::LoopFixture, "worker thread: a job may start the next one when it is done") {
  int left = 200;
  WorkerThread thread(loop, "test");
  thread.start(std::make_unique<Chain>(thread, left));
  CHECK(run_until([&] { return left == 0; }));
  CHECK(thread.size() == 0);
}

TEST_CASE_FIXTURE(test::LoopFixture,
                  "worker thread: at its end it waits for the job that runs, and drops the others") {
  Record record;
  record.may_end = false;
  std::thread release;
  {
    WorkerThread thread(loop, "test");
    for (int i = 0; i < 50; ++i)
      thread.start(std::make_unique<Job>(record, i));
    record.begun.wait(0);
    // The destructor is entered while the first job runs; the thread below lets that end.
    release = std::thread([&] {
      std::this_thread::yield();
      record.may_end = true;
      record.may_end.notify_all();
    });
  }
  release.join();
  CHECK(record.destroyed == 50);
  CHECK(!record.run.empty());
  CHECK(record.done.empty());
}

TEST_CASE("run_within: waits for what ends, on another thread") {
  std::thread::id where;
  CHECK(run_within(60'000, [&] { where = std::this_thread::get_id(); }));
  CHECK(where != std::thread::id());
  CHECK(where != std::this_thread::get_id());
}

TEST_CASE("run_within: leaves what does not end to itself") {
  static constexpr int left = 1;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::atomic<bool> ends = false;
    _exit(run_within(10, [&] { ends.wait(false); }) ? 0 : left);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == left);
}

TEST_CASE_FIXTURE(test::LoopFixture, "worker thread: a thread that got nothing to do ends") {
  const WorkerThread thread(loop, "test");
  CHECK(thread.size() == 0);
}

}  // namespace roomcast::loop::worker_thread_test
