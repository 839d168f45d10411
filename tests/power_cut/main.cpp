// The store through a power cut, in two parts.
//
//   store_power_cut drive DIRECTORY SEED FIRST STEPS kill|stop [normal]
//       writes the steps FIRST … FIRST+STEPS-1 of a workload, and has each acknowledgement recorded by
//       disk_shim, with which it is to be run. `normal`: with SQLite's synchronous=NORMAL, which must lose
//       messages.
//   store_power_cut check TRACE SEED STEPS POINTS SCRATCH
//       cuts the power at so many random points of the trace, opens what is left and looks whether everything
//       that was acknowledged is there, and nothing else. STEPS: that were driven in all. Exits with 1 if
//       not.

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "power_cut/disk_trace.h"
#include "power_cut/open_store.h"
#include "power_cut/synchronous.h"
#include "power_cut/workload.h"
#include "store/record.h"

// In tests/support/disk_shim.c; absent in a program that runs without it.
extern "C" __attribute__((weak)) void disk_shim_mark(const void* data, std::size_t length);

namespace {

using namespace roomcast;
using namespace roomcast::power_cut;

constexpr std::size_t steps_under_way_max = 8;

/// Writes a workload into a store.
class Driver {
 public:
  Driver(const std::string& directory, std::uint64_t seed, std::uint64_t first)
      : store_(directory), workload_(seed), steps_(first) {
    for (std::uint64_t i = 0; i < first; ++i)
      (void)workload_.next();
    extents_ = store_.load();
  }

  void run(std::uint64_t steps) {
    for (std::uint64_t i = 0; i < steps; ++i) {
      append(workload_.next());
      under_way_.push_back({store_->batch_number(), ++steps_});
      store_->appended();
      store_.turn();
      acknowledge();
      while (under_way_.size() > steps_ % steps_under_way_max)
        wait_for_one();
    }
    while (!under_way_.empty())
      wait_for_one();
  }
  bool stop() { return store_->stop({60'000, 120'000}) == store::Store::Stopped::committed; }

 private:
  struct UnderWay {
    std::uint64_t batch;
    std::uint64_t step;  // counted from 1
  };

  void append(const Workload::Step& step) {
    std::string& out = store_->batch();
    if (step.removed_offset != 0)
      store::append_mark(out, store::Record::Type::removed, extents_[step.removed_room].id,
                         step.removed_offset, time_ms);
    for (const Workload::Step::Message& message : step.messages) {
      store::RoomExtent& extent = extents_[message.room];
      if (!extent.is_written) {
        extent.id = store_->next_room_id();
        extent.is_written = true;
        store::append_room(out, extent.id, Workload::room_name(message.room), extent.epoch);
      }
      store::append_message(out, extent.id,
                            hub::Message(hub::Kind::text, base::Bytes::copy_of(message.payload), {}, 0,
                                         {extent.epoch, message.offset}, time_ms));
    }
  }

  void wait_for_one() {
    const std::size_t before = under_way_.size();
    store_.wait_until(
        [&] {
          acknowledge();
          return under_way_.size() < before;
        },
        "a batch is committed");
  }

  void acknowledge() {
    std::uint64_t step = 0;
    for (; !under_way_.empty() && under_way_.front().batch <= store_.committed(); under_way_.pop_front())
      step = under_way_.front().step;
    if (step != 0) disk_shim_mark(&step, sizeof step);
  }

  // Any time that is not too old.
  static constexpr std::int64_t time_ms = 1'900'000'000'000;

  OpenStore store_;
  Workload workload_;
  std::uint64_t steps_;
  std::vector<store::RoomExtent> extents_;
  std::deque<UnderWay> under_way_;
};

/// Compares what is left after power cuts with what must be.
class Checker {
 public:
  Checker(std::uint64_t seed, std::uint64_t steps, std::string scratch) : scratch_(std::move(scratch)) {
    Workload workload(seed);
    for (std::uint64_t i = 0; i < steps; ++i)
      steps_.push_back(workload.next());
    for (std::uint64_t i = 0; i < steps; ++i) {
      for (const Workload::Step::Message& message : steps_[i].messages)
        step_of_.insert_or_assign({message.room, message.offset}, i + 1);
    }
  }

  /// `disk` after `events` events, when the steps up to `acknowledged` had been acknowledged.
  void look_at(const Disk& disk, std::size_t events, std::uint64_t acknowledged, std::mt19937_64& random) {
    events_ = events;
    complaints_of_point_ = 0;
    std::filesystem::remove_all(scratch_);
    std::filesystem::create_directory(scratch_);
    disk.write_state(scratch_, random);
    unsynced_bytes_ += disk.unsynced_bytes();
    ++points_;
    try {
      OpenStore store(scratch_);
      compare(store.content(), acknowledged);
    } catch (const std::exception& error) {
      ++refused_;
      complain(error.what());
    }
  }

  [[nodiscard]] bool report() const {
    std::printf("points %" PRIu64 ", acknowledged messages %" PRIu64 ", unsynced bytes %" PRIu64
                ", lost %" PRIu64 ", false %" PRIu64 ", refused %" PRIu64 "\n",
                points_, acknowledged_, unsynced_bytes_, lost_, false_, refused_);
    return lost_ + false_ + refused_ == 0;
  }

 private:
  void compare(const Content& found, std::uint64_t acknowledged) {
    // Batches are there whole, and in their order: the last message tells how far.
    std::uint64_t upto = acknowledged;
    for (const auto& [place, payload] : found) {
      const auto step = step_of_.find(place);
      if (step != step_of_.end()) upto = std::max(upto, step->second);
    }
    Content expected;
    for (std::uint64_t i = 0; i < upto; ++i)
      apply_step(expected, steps_[i]);
    for (const auto& [place, payload] : expected) {
      const bool counts = step_of_.at(place) <= acknowledged;
      if (counts) ++acknowledged_;
      const auto there = found.find(place);
      if (there == found.end()) {
        ++(counts ? lost_ : false_);
        complain((counts ? "lost: " : "not whole: ") + payload.substr(0, 20));
      } else if (there->second != payload) {
        ++false_;
        complain("other bytes: " + payload.substr(0, 20));
      }
    }
    for (const auto& [place, payload] : found) {
      if (expected.contains(place)) continue;
      ++false_;
      complain("should not be there: " + payload.substr(0, 20));
    }
  }

  void complain(const std::string& what) {
    if (++complaints_of_point_ <= 3 && ++complaints_ <= 30)
      std::printf("power cut after %zu events: %s\n", events_, what.c_str());
  }

  std::string scratch_;
  std::vector<Workload::Step> steps_;
  std::map<std::pair<std::size_t, std::uint64_t>, std::uint64_t> step_of_;
  std::size_t events_ = 0;
  std::uint64_t points_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t unsynced_bytes_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t false_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t complaints_ = 0;
  std::uint64_t complaints_of_point_ = 0;
};

int check(const std::string& path, std::uint64_t seed, std::uint64_t steps, std::size_t points,
          const std::string& scratch) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::vector<DiskEvent> events = read_trace(bytes);
  if (events.empty()) throw std::runtime_error(path + " is no trace, or an empty one");
  std::mt19937_64 random(seed);
  // Where power is cut: before the event of that number.
  std::vector<std::size_t> cuts;
  for (std::size_t i = 0; i < points; ++i)
    cuts.push_back(std::uniform_int_distribution<std::size_t>(0, events.size())(random));
  std::sort(cuts.begin(), cuts.end());

  Checker checker(seed, steps, scratch);
  Disk disk;
  std::uint64_t acknowledged = 0;
  std::size_t next = 0;
  for (const std::size_t cut : cuts) {
    for (; next < cut; ++next) {
      if (events[next].code == 'm')
        std::memcpy(&acknowledged, events[next].data.data(), sizeof acknowledged);
      else
        disk.apply(events[next]);
    }
    checker.look_at(disk, cut, acknowledged, random);
  }
  return checker.report() ? 0 : 1;
}

int drive(const std::string& directory, std::uint64_t seed, std::uint64_t first, std::uint64_t steps,
          bool is_stopped) {
  if (disk_shim_mark == nullptr) throw std::runtime_error("to be run with disk_shim preloaded");
  Driver driver(directory, seed, first);
  driver.run(steps);
  if (is_stopped && !driver.stop()) throw std::runtime_error("it could not be stopped cleanly");
  return 0;
}

std::uint64_t number(const std::string& text) { return std::stoull(text); }

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> words(values + 1, values + count);
  try {
    if (words.size() >= 6 && words[0] == "drive") {
      if (words.size() > 6 && words[6] == "normal") sync_less();
      return drive(words[1], number(words[2]), number(words[3]), number(words[4]), words[5] == "stop");
    }
    if (words.size() == 6 && words[0] == "check")
      return check(words[1], number(words[2]), number(words[3]), number(words[4]), words[5]);
    std::fputs("store_power_cut drive|check …: see tests/power_cut/main.cpp\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "store_power_cut: %s\n", error.what());
  }
  return 2;
}
