// What keeping messages on the disk costs, beside the least that it could cost: a bare write and fdatasync of
// the same bytes, and beside SQLite with a row for each message. See tests/bench/README.md.
//
//   store_bench [--rounds N] [--seconds N] [--stored N] [--only TEXT] [--scratch DIR]
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "store_bench/run.h"
#include "support/options.h"

namespace {

using namespace roomcast;
using namespace roomcast::store_bench;

struct Options {
  int rounds = 3;
  double seconds = 10;
  std::uint64_t stored = 5'000'000;
  std::string only{};
  std::string scratch = std::filesystem::temp_directory_path();
};

constexpr double no_target = 0;

/// One line of the table: a figure of a load, and what it may be beside the others.
struct Row {
  const char* load;
  const char* what;
  double Figures::*figure;
  double bare_target;
  double rows_target;
  bool is_more_better = false;
};

constexpr const char* zipf = "50k/s, 100 B, 1,000 rooms by Zipf";
constexpr const char* steady = "10k/s, 100 B, 1,000 rooms in turn";
constexpr const char* large = "20k/s, 1 KiB, 1,000 rooms in turn";
constexpr const char* saturated = "saturated, 100 B, 1,000 rooms in turn";
constexpr const char* wide = "saturated, 100 B, 100,000 rooms at random";

const std::array<Row, 15> table{{
    {zipf, "CPU a message, us", &Figures::cpu_us, 2.3, 0.5},
    {zipf, "device bytes a message", &Figures::device_bytes, 2.5, 0.15},
    {zipf, "p50 until it is kept, ms", &Figures::p50_ms, no_target, no_target},
    {zipf, "p99 until it is kept, ms", &Figures::p99_ms, no_target, no_target},
    {steady, "CPU a message, us", &Figures::cpu_us, no_target, no_target},
    {steady, "device bytes a message", &Figures::device_bytes, no_target, no_target},
    {steady, "p50 until it is kept, ms", &Figures::p50_ms, 1.15, no_target},
    {steady, "p99 until it is kept, ms", &Figures::p99_ms, 1.5, no_target},
    {large, "CPU a message, us", &Figures::cpu_us, no_target, no_target},
    {large, "device bytes a message", &Figures::device_bytes, 3.5, 0.3},
    {large, "p99 until it is kept, ms", &Figures::p99_ms, 3.5, no_target},
    {saturated, "messages a second", &Figures::a_second, no_target, 3, true},
    {saturated, "CPU a message, us", &Figures::cpu_us, no_target, no_target},
    {wide, "CPU a message, us", &Figures::cpu_us, no_target, no_target},
    {wide, "device bytes a message", &Figures::device_bytes, 6, 0.1},
}};

std::vector<Load> loads_of(const Options& options) {
  constexpr std::uint32_t rooms = 1'000;
  constexpr std::uint32_t many_rooms = 100'000;
  return {
      {zipf, rooms, Load::Rooms::zipf, 100, 50'000, options.seconds, 0},
      {steady, rooms, Load::Rooms::in_turn, 100, 10'000, options.seconds, 0},
      {large, rooms, Load::Rooms::in_turn, 1'024, 20'000, options.seconds, 0},
      {saturated, rooms, Load::Rooms::in_turn, 100, 0, options.seconds, 0},
      {wide, many_rooms, Load::Rooms::uniform, 100, 0, 0, std::max<std::uint64_t>(options.stored / 10, 1)},
  };
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// What a load came to with each of the three, a value for each round.
struct Runs {
  std::array<std::vector<Figures>, 3> of;

  [[nodiscard]] double value(std::size_t subject, double Figures::*figure) const {
    std::vector<double> values;
    for (const Figures& figures : of[subject])
      values.push_back(figures.*figure);
    return median(values);
  }
  /// The store's beside another's, round by round.
  [[nodiscard]] double ratio(std::size_t other, double Figures::*figure) const {
    std::vector<double> values;
    for (std::size_t round = 0; round < of[2].size(); ++round)
      values.push_back(of[2][round].*figure / of[other][round].*figure);
    return median(values);
  }
};

std::string number(double value) {
  std::array<char, 32> text{};
  const int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

/// A ratio, what it may be, and whether it is missed, which is marked.
std::string beside(double ratio, double target, bool is_more_better) {
  if (target == no_target) return number(ratio) + " ×";
  const bool is_met = is_more_better ? ratio >= target : ratio <= target;
  const std::string text = number(ratio) + " × (" + (is_more_better ? "≥ " : "≤ ") + number(target) + ")";
  return is_met ? text : "**" + text + "**";
}

void show(const Load& load, const Runs& runs) {
  for (const Row& row : table) {
    if (load.name != row.load) continue;
    std::printf("| %s: %s | %s | %s | %s | %s | %s |\n", row.load, row.what,
                number(runs.value(0, row.figure)).c_str(), number(runs.value(1, row.figure)).c_str(),
                number(runs.value(2, row.figure)).c_str(),
                beside(runs.ratio(0, row.figure), row.bare_target, row.is_more_better).c_str(),
                beside(runs.ratio(1, row.figure), row.rows_target, row.is_more_better).c_str());
  }
  std::fflush(stdout);
}

bool is_chosen(const Options& options, std::string_view name) {
  return name.find(options.only) != std::string_view::npos;
}

void run_loads(const Options& options, const std::string& directory) {
  const std::array<Maker, 3> makers{make_bare, make_rows, make_store};
  std::printf("| | bare write | a row each | roomcast | × bare (target) | × rows (target) |\n");
  std::printf("| --- | --: | --: | --: | --: | --: |\n");
  for (const Load& load : loads_of(options)) {
    if (!is_chosen(options, load.name)) continue;
    Runs runs;
    for (int round = 0; round < options.rounds; ++round) {
      for (std::size_t subject = 0; subject < makers.size(); ++subject)
        runs.of[subject].push_back(run_load(load, makers[subject], directory));
    }
    show(load, runs);
  }
}

void run_start_row(const Options& options, const std::string& directory) {
  if (!is_chosen(options, "start")) return;
  constexpr std::uint32_t rooms = 100'000;
  const StartFigures got = run_start(options.stored, rooms, directory);
  const auto line = [](const char* what, double value, double target) {
    const bool is_met = target == no_target || value <= target;
    std::printf("| %s | %s%s%s | %s |\n", what, is_met ? "" : "**", number(value).c_str(), is_met ? "" : "**",
                target == no_target ? "–" : number(target).c_str());
  };
  std::printf("\n| start with %llu messages in 100,000 rooms | roomcast | target |\n| --- | --: | --: |\n",
              static_cast<unsigned long long>(options.stored));
  line("open, files not in memory, ms", got.open_ms, 500);
  line("first page after it, ms", got.first_page_ms, 5);
  line("page of up to 100, cold, p50, ms", got.cold_p50_ms, no_target);
  line("page of up to 100, cold, p99, ms", got.cold_p99_ms, 5);
  line("page of up to 100, hot, p99, ms", got.hot_p99_ms, 0.2);
  line("bytes of the files, a message", got.disk_bytes, no_target);
}

int usage() {
  std::fprintf(
      stderr,
      "store_bench [--rounds N] [--seconds N] [--stored N] [--only TEXT] [--scratch DIR]\n"
      "  --seconds   of each run at a rate (10)\n"
      "  --stored    messages that the start begins with; a tenth of them in the row of 100,000 rooms\n"
      "  --only      rows with this in their names; `start` for the start\n");
  return 2;
}

}  // namespace

int main(int count, char** words) {
  Options options;
  const bool is_understood = test::read_options(
      count, words,
      {{"--rounds", [&](const char* value) { options.rounds = std::atoi(value); }},
       {"--seconds", [&](const char* value) { options.seconds = std::atof(value); }},
       {"--stored", [&](const char* value) { options.stored = std::strtoull(value, nullptr, 10); }},
       {"--only", [&](const char* value) { options.only = value; }},
       {"--scratch", [&](const char* value) { options.scratch = value; }}});
  if (!is_understood || options.rounds < 1 || options.seconds <= 0 || options.stored == 0) return usage();
  std::string directory = options.scratch + "/roomcast-store-bench-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) fail("cannot make " + directory);
  run_loads(options, directory + "/store");
  run_start_row(options, directory + "/store");
  std::filesystem::remove_all(directory);
  return 0;
}
