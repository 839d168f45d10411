// Flips single bits in the files of a store, one at a time, and looks at what the store makes of it. It may
// refuse to start, report an error, tell of a gap, or not care: but it never hands out what was not written,
// and loses nothing without a word but, in the journal's log, the last commit, which looks as if it had been
// interrupted.
//
//   store_bit_flips [--flips N] [--seed N] [--scratch DIR] [--only FILE] [--bit N] [--make DIR]
//
// N flips in each file of each state; with --bit the same one in each, as it is named in what was found. With
// --make nothing is flipped: the stores are left in DIR, for tests/soak/bit_flips_server (printed_store.h).
// store_bit_flips_unchecked is the same with a store whose records have no checksums: it succeeds if wrong
// bytes are handed out, which shows that the search would find them.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "bit_flips/bit_draw.h"
#include "bit_flips/judge.h"
#include "bit_flips/made_store.h"
#include "bit_flips/printed_store.h"
#include "support/options.h"

namespace {

using namespace roomcast;

#ifdef ROOMCAST_WITHOUT_CHECKSUMS
constexpr bool has_checksums = false;
#else
constexpr bool has_checksums = true;
#endif

constexpr unsigned limit_seconds = 60;
constexpr int shown_max = 10;
constexpr std::int64_t begin_ms = 1'700'000'000'000;  // the time of the first message

struct Options {
  int flips = 100;
  std::uint64_t seed = 1;
  std::string scratch = std::filesystem::temp_directory_path();
  std::string only{};
  std::string make{};
  std::optional<std::uint64_t> bit{};
};

using Counts = std::array<int, flips::outcomes>;

/// One state of a store and the flips in its files.
class Search {
 public:
  Search(const Options& options, std::string directory, flips::End end)
      : options_(options), directory_(std::move(directory)), end_(end), random_(options.seed) {}

  /// False if the store itself cannot be made or read.
  bool run() {
    const std::string whole = directory_ + "/whole";
    const auto content = flips::make_store(whole, end_, options_.seed, begin_ms);
    if (!content) return false;
    const flips::Verdict untouched = flip({whole, ""}, *content);
    if (untouched.outcome != flips::Outcome::no_effect) {
      std::fprintf(stderr, "%s, but nothing was flipped: %s\n", flips::name_of(untouched.outcome),
                   untouched.what.c_str());
      return false;
    }
    if (end_ == flips::End::killed && content->batches_in_log < 10) return false;
    for (const char* const name : flips::files) {
      if (options_.only.empty() || options_.only == name) flip_file(whole, name, *content);
    }
    return true;
  }

  [[nodiscard]] int bad() const { return bad_; }
  [[nodiscard]] int wrong() const { return wrong_; }

 private:
  struct Target {
    std::string directory;
    std::string name;  // empty: nothing is flipped
    std::uint64_t bit = 0;
  };

  flips::Verdict flip(const Target& target, const flips::Content& content) {
    const std::string copy = directory_ + "/copy";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(target.directory, copy);
    if (!target.name.empty()) {
      std::fstream file(copy + "/" + target.name, std::ios::binary | std::ios::in | std::ios::out);
      file.seekg(static_cast<std::streamoff>(target.bit / 8));
      const int byte = file.get() ^ (1 << (target.bit % 8));
      file.seekp(static_cast<std::streamoff>(target.bit / 8));
      file.put(static_cast<char>(byte));
    }
    return flips::judge_apart(copy, content, limit_seconds);
  }

  void flip_file(const std::string& whole, const std::string& name, const flips::Content& content) {
    Counts counts{};
    flips::BitDraw draw(whole + "/" + name, random_);
    if (draw.bits() == 0) return;
    for (int i = 0; i < options_.flips; ++i) {
      const Target target{whole, name, options_.bit ? *options_.bit % draw.bits() : draw.next()};
      const flips::Verdict verdict = flip(target, content);
      ++counts[static_cast<std::size_t>(verdict.outcome)];
      note(target, verdict);
    }
    std::printf("%-7s %-15s %8llu bytes:", end_ == flips::End::closed ? "closed" : "killed", name.c_str(),
                static_cast<unsigned long long>(draw.bits() / 8));
    for (int outcome = 0; outcome < flips::outcomes; ++outcome) {
      const int count = counts[static_cast<std::size_t>(outcome)];
      if (count > 0) std::printf("  %d %s", count, flips::name_of(static_cast<flips::Outcome>(outcome)));
    }
    std::printf("\n");
    std::fflush(stdout);
  }

  void note(const Target& target, const flips::Verdict& verdict) {
    if (verdict.outcome == flips::Outcome::wrong) ++wrong_;
    const bool may_lose_last = target.name == "journal.db-wal";
    if (verdict.outcome < flips::Outcome::last_commit ||
        (verdict.outcome == flips::Outcome::last_commit && may_lose_last))
      return;
    ++bad_;
    if (has_checksums && bad_ <= shown_max)
      std::fprintf(stderr, "--only %s --bit %llu (%s): %s: %s\n", target.name.c_str(),
                   static_cast<unsigned long long>(target.bit),
                   end_ == flips::End::closed ? "closed" : "killed", flips::name_of(verdict.outcome),
                   verdict.what.c_str());
  }

  const Options& options_;
  std::string directory_;
  flips::End end_;
  std::mt19937_64 random_;
  int bad_ = 0;
  int wrong_ = 0;
};

int usage() {
  std::fprintf(
      stderr,
      "store_bit_flips [--flips N] [--seed N] [--scratch DIR] [--only FILE] [--bit N] [--make DIR]\n");
  return 2;
}

}  // namespace

int main(int count, char** words) {
  Options options;
  const auto take_bit = [&](const char* value) {
    options.bit = std::strtoull(value, nullptr, 10);
    options.flips = 1;
  };
  const bool is_understood = test::read_options(
      count, words,
      {{"--flips", [&](const char* value) { options.flips = std::atoi(value); }},
       {"--seed", [&](const char* value) { options.seed = std::strtoull(value, nullptr, 10); }},
       {"--scratch", [&](const char* value) { options.scratch = value; }},
       {"--only", [&](const char* value) { options.only = value; }},
       {"--make", [&](const char* value) { options.make = value; }},
       {"--bit", take_bit}});
  if (!is_understood || options.flips <= 0) return usage();
  if (!options.make.empty()) return flips::print_stores(options.make, options.seed, options.flips) ? 0 : 2;
  std::string directory = options.scratch + "/roomcast-flips-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) {
    std::perror(directory.c_str());
    return 2;
  }
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  int bad = 0;
  int wrong = 0;
  bool is_made = true;
  for (const flips::End end : {flips::End::closed, flips::End::killed}) {
    Search search(options, directory, end);
    is_made = search.run() && is_made;
    bad += search.bad();
    wrong += search.wrong();
    std::filesystem::remove_all(directory);
    std::filesystem::create_directory(directory);
  }
  std::filesystem::remove_all(directory);
  std::printf("%d that must not be, %d of them with wrong bytes\n", bad, wrong);
  if (!is_made) return 2;
  return (has_checksums ? bad == 0 : wrong > 0) ? 0 : 1;
}
