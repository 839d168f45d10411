#include "report/by_turns.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <new>
#include <stdexcept>
#include <string>

namespace by_turns_test {

using namespace roomcast::bench;

namespace {

/// A number that all processes share.
class SharedCounter {
 public:
  SharedCounter() {
    void* memory =
        mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    value_ = new (memory) std::atomic<int>(0);
  }
  ~SharedCounter() { munmap(value_, sizeof *value_); }
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;

  int next() { return (*value_)++; }

 private:
  std::atomic<int>* value_ = nullptr;
};

/// Notes when each of its blocks was done, counted over all runs.
RunByTurns of_blocks(SharedCounter& counter, int blocks) {
  return [&counter, blocks](const std::function<void()>& rest) {
    Measurement run;
    for (int i = 0; i < blocks; ++i) {
      rest();
      run.figures.push_back({"block " + std::to_string(i), static_cast<double>(counter.next())});
    }
    return run;
  };
}

std::vector<double> values(const Outcome& outcome) {
  REQUIRE(outcome.measurement);
  std::vector<double> all;
  for (const Measurement::Figure& figure : outcome.measurement->figures)
    all.push_back(figure.value);
  return all;
}

}  // namespace

TEST_CASE("runs go on one at a time, a block each, every second time the other way round") {
  SharedCounter counter;
  const auto outcomes = run_by_turns({of_blocks(counter, 3), of_blocks(counter, 3)});
  REQUIRE(outcomes.size() == 2);
  CHECK(values(outcomes[0]) == std::vector<double>{1, 2, 5});
  CHECK(values(outcomes[1]) == std::vector<double>{0, 3, 4});
}

TEST_CASE("a run that ends earlier does not hold up the others") {
  SharedCounter counter;
  const auto outcomes = run_by_turns({of_blocks(counter, 1), of_blocks(counter, 3)});
  CHECK(values(outcomes[0]) == std::vector<double>{1});
  CHECK(values(outcomes[1]) == std::vector<double>{0, 2, 3});
}

TEST_CASE("a measurement comes back whole") {
  const auto outcomes = run_by_turns({[](const std::function<void()>&) {
    Measurement run;
    run.operations = 1;
    run.expected = 2;
    run.server_cpu_ns = 3;
    run.wall_ns = 4;
    run.latency.add(5'000'000);
    run.faults = {6, 7, 8};
    run.refused = 9;
    run.figures = {{"server_bytes", 10.5}};
    return run;
  }});
  REQUIRE(outcomes.at(0).measurement);
  const Measurement& run = *outcomes[0].measurement;
  CHECK(run.operations == 1);
  CHECK(run.expected == 2);
  CHECK(run.server_cpu_ns == 3);
  CHECK(run.wall_ns == 4);
  CHECK(run.latency.count() == 1);
  CHECK(run.latency.max_ns() == 5'000'000);
  CHECK(run.faults.lost == 6);
  CHECK(run.faults.repeated == 7);
  CHECK(run.faults.unstamped == 8);
  CHECK(run.refused == 9);
  REQUIRE(run.figures.size() == 1);
  CHECK(run.figures[0].name == "server_bytes");
  CHECK(run.figures[0].value == 10.5);
}

TEST_CASE("a run that fails, and one whose process ends, say so; the others have their measurement") {
  SharedCounter counter;
  const auto outcomes = run_by_turns({
      [](const std::function<void()>& rest) -> Measurement {
        rest();
        throw std::runtime_error("nobody was let in");
      },
      [](const std::function<void()>&) -> Measurement { _exit(3); },
      of_blocks(counter, 2),
  });
  CHECK_FALSE(outcomes[0].measurement);
  CHECK(outcomes[0].complaint == "nobody was let in");
  CHECK_FALSE(outcomes[1].measurement);
  CHECK(outcomes[1].complaint == "the process of its load has ended");
  CHECK(values(outcomes[2]) == std::vector<double>{0, 1});
}

}  // namespace by_turns_test
