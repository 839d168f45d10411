#include "store_bench/run.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <deque>
#include <filesystem>
#include <fstream>
#include <random>
#include <string_view>
#include <utility>

#include "support/loop_fixture.h"

namespace roomcast::store_bench {

namespace {

constexpr std::size_t choices = std::size_t{1} << 17U;
constexpr std::size_t most_a_turn = 2'000;

/// The rooms in the order in which they get messages, made in advance; it is gone through over and over.
std::vector<std::uint32_t> order_of(const Load& load) {
  std::vector<std::uint32_t> order(std::max<std::size_t>(choices, load.rooms));
  std::mt19937_64 random(1);
  std::vector<double> sums(load.rooms);
  double sum = 0;
  for (std::uint32_t room = 0; room < load.rooms; ++room)
    sums[room] = sum += load.choice == Load::Rooms::zipf ? 1.0 / (room + 1.0) : 1.0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (load.choice == Load::Rooms::in_turn) {
      order[i] = static_cast<std::uint32_t>(i % load.rooms);
      continue;
    }
    const double point = std::uniform_real_distribution<double>(0, sum)(random);
    const auto found = std::lower_bound(sums.begin(), sums.end(), point);
    order[i] = static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(found - sums.begin(), load.rooms - 1));
  }
  return order;
}

double cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

/// A number out of a file of /proc, by its label.
double proc_number(const char* path, std::string_view label) {
  std::ifstream file(path);
  std::string word;
  double number = 0;
  while (file >> word) {
    if (word == label && file >> number) return number;
  }
  return 0;
}

double written_bytes() { return proc_number("/proc/self/io", "write_bytes:"); }

double now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

double quantile(std::vector<float>& values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

/// Publishes a load into a subject.
class Publisher final : private Subject::Listener, private loop::Timer::Listener {
 public:
  Publisher(const Load& load, const Maker& maker, const std::string& directory)
      : load_(load), order_(order_of(load)), offsets_(load.rooms, 0) {
    payload_ = base::Bytes::copy_of(std::string(load.payload_bytes, 'x'));
    subject_ = maker({loop_.loop, loop_.turn, *this, directory});
  }

  Figures run() {
    loop::Timer tick(loop_.loop, *this);
    tick.start_every(1);
    const double cpu = cpu_us();
    const double written = written_bytes();
    begun_ms_ = now_ms();
    while (!is_over()) {
      fill();
      subject_->turn();
      const bool waits = load_.a_second > 0 || !has_space();
      if (waits) {
        loop_.loop.run_turn();
      } else {
        loop_.loop.run_turn_without_waiting();
      }
    }
    while (committed_ < sent_) {
      subject_->turn();
      loop_.loop.run_turn();
    }
    const double took_s = (now_ms() - begun_ms_) / 1'000;
    const double resident = proc_number("/proc/self/status", "RssAnon:") / 1'024;
    subject_->finish();
    const auto messages = static_cast<double>(sent_);
    const double cpu_each = (cpu_us() - cpu) / messages;
    const double written_each = (written_bytes() - written) / messages;
    subject_.reset();
    return {cpu_each,          written_each, quantile(waits_ms_, 0.5), quantile(waits_ms_, 0.99),
            messages / took_s, resident};
  }

 private:
  struct Batch {
    std::uint64_t number;
    std::vector<double> taken_ms;
  };

  void on_timer(loop::Timer& /*timer*/) override {}
  void on_committed(std::uint64_t batch) override {
    const double now = now_ms();
    for (; !batches_.empty() && batches_.front().number <= batch; batches_.pop_front()) {
      for (const double taken : batches_.front().taken_ms)
        waits_ms_.push_back(static_cast<float>(now - taken));
      committed_ += batches_.front().taken_ms.size();
    }
  }

  [[nodiscard]] bool is_over() const {
    return load_.seconds > 0 ? now_ms() - begun_ms_ >= load_.seconds * 1'000 : sent_ >= load_.messages;
  }
  [[nodiscard]] bool has_space() const { return subject_->has_space_for(load_.payload_bytes + 200); }
  [[nodiscard]] std::uint64_t due() const {
    if (load_.a_second == 0) return sent_ + most_a_turn;
    return static_cast<std::uint64_t>((now_ms() - begun_ms_) / 1'000 * static_cast<double>(load_.a_second));
  }

  void fill() {
    const std::uint64_t wanted = std::min(due(), load_.seconds > 0 ? ~std::uint64_t{0} : load_.messages);
    while (sent_ < wanted && has_space()) {
      const std::uint32_t room = order_[sent_ % order_.size()];
      subject_->append(room, {hub::Kind::text, payload_, {}, 0, {1, ++offsets_[room]}, loop_.loop.wall_ms()});
      const std::uint64_t number = subject_->batch_number();
      if (batches_.empty() || batches_.back().number != number) batches_.push_back({number, {}});
      // A message that could not be taken when it was due has waited since then.
      batches_.back().taken_ms.push_back(load_.a_second == 0 ? now_ms() : due_ms(sent_));
      ++sent_;
    }
  }
  [[nodiscard]] double due_ms(std::uint64_t index) const {
    return begun_ms_ + static_cast<double>(index) * 1'000 / static_cast<double>(load_.a_second);
  }

  const Load& load_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint64_t> offsets_;
  base::Bytes payload_;
  test::LoopFixture loop_;
  std::unique_ptr<Subject> subject_;
  double begun_ms_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t committed_ = 0;
  std::deque<Batch> batches_;
  std::vector<float> waits_ms_;
};

}  // namespace

std::vector<double> run_apart(const std::function<std::vector<double>()>& work) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) fail("no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe[0]);
    const std::vector<double> numbers = work();
    const std::size_t bytes = numbers.size() * sizeof(double);
    ::_exit(::write(pipe[1], numbers.data(), bytes) == static_cast<ssize_t>(bytes) ? 0 : 1);
  }
  ::close(pipe[1]);
  std::vector<double> numbers;
  for (double number = 0; ::read(pipe[0], &number, sizeof(number)) == sizeof(number);)
    numbers.push_back(number);
  ::close(pipe[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) fail("a run has failed");
  return numbers;
}

Figures run_load(const Load& load, const Maker& maker, const std::string& directory) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const std::vector<double> numbers = run_apart([&]() -> std::vector<double> {
    const Figures got = Publisher(load, maker, directory).run();
    return {got.cpu_us, got.device_bytes, got.p50_ms, got.p99_ms, got.a_second, got.resident_mib};
  });
  std::filesystem::remove_all(directory);
  return {numbers.at(0), numbers.at(1), numbers.at(2), numbers.at(3), numbers.at(4), numbers.at(5)};
}

}  // namespace roomcast::store_bench
