// The store of durable history: its settings, its metrics, and what /readyz says of it.
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/core_parts.h"
#include "app/storage.h"
#include "config/config.h"
#include "metrics/exposition.h"

namespace roomcast::app {

namespace {

using metrics::Exposition;

constexpr std::array<store::State, 3> states{store::State::ok, store::State::full, store::State::failed};

/// `unit`: how many of the histogram's values make one of the metric's.
template <class Scale>
void add_histogram(Exposition& out, std::string_view name, std::string_view help,
                   const store::Histogram<Scale>& values, double unit) {
  std::vector<double> bounds;
  bounds.reserve(Scale::bounds.size());
  for (const std::int64_t bound : Scale::bounds)
    bounds.push_back(static_cast<double>(bound) / unit);
  out.histogram(name, help);
  out.sample({}, {bounds, values.buckets, static_cast<double>(values.sum) / unit});
}

void add_durations(Exposition& out, std::string_view name, std::string_view help,
                   const store::Durations& durations) {
  constexpr double us_per_second = 1e6;
  add_histogram(out, name, help, durations, us_per_second);
}

class StorePart final : public part::Part {
 public:
  explicit StorePart(const Core& core) : storage_(core.storage) {}

  void apply(const config::Config& config) override { storage_.apply(config); }

  [[nodiscard]] std::string readiness() const override {
    if (storage_.store() == nullptr) return {};
    return "store: " + std::string(name_of(storage_.store()->state())) + '\n';
  }

  void collect(Exposition& out) const override {
    if (storage_.store() == nullptr || storage_.durable() == nullptr) return;
    const store::Store& store = *storage_.store();
    out.gauge("roomcast_store_state",
              "1 for what the store can do at the moment: ok, full (no space) or failed.");
    for (const store::State state : states)
      out.sample({{"state", name_of(state)}}, store.state() == state ? 1U : 0U);
    collect_work(out, store.stats());
    collect_sizes(out, store);
    collect_outcomes(out, storage_.durable()->stats());
    collect_faults(out, store.stats());
  }

 private:
  static void collect_work(Exposition& out, const store::StoreStats& stats) {
    add_durations(out, "roomcast_store_commit_seconds",
                  "How long commits took, of all that came in meanwhile.", stats.commits);
    add_durations(out, "roomcast_store_fsync_seconds",
                  "How long commits waited for the disk to sync (fdatasync).", stats.syncs);
    add_histogram(out, "roomcast_store_batch_messages", "How many messages were committed at once.",
                  stats.batches, 1);
    add_durations(out, "roomcast_store_fold_seconds", "How long it took to sort what was written by room.",
                  stats.folds);
    add_durations(out, "roomcast_store_load_seconds", "How long it took to find where a room stands.",
                  stats.loads);
    add_durations(out, "roomcast_store_page_seconds", "How long pages took that memory did not have.",
                  stats.reads);
    out.single_counter("roomcast_store_committed_bytes_total", "Bytes of records that were committed.",
                       stats.committed_bytes);
  }

  void collect_sizes(Exposition& out, const store::Store& store) const {
    const store::StoreStats stats = store.stats();
    out.single_gauge("roomcast_store_queued_bytes", "Bytes that wait to be written (store.queue_bytes).",
                     store.queued_bytes());
    out.single_gauge("roomcast_store_tail_bytes", "Bytes that are written and not sorted by room yet.",
                     store.tail_bytes());
    out.single_gauge("roomcast_store_waiting", "Publishes that wait for the disk.",
                     storage_.durable()->waiting());
    out.single_gauge("roomcast_store_disk_bytes", "Bytes of the files of the store.", stats.disk_bytes);
    out.single_gauge("roomcast_store_disk_limit_bytes", "The most that they may have (store.disk_bytes).",
                     store.disk_bytes_max());
    out.single_gauge("roomcast_store_rooms", "Rooms on the disk.", stats.rooms);
    out.single_gauge("roomcast_store_messages", "Messages on the disk, those not yet sorted not counted.",
                     stats.messages);
  }

  static void collect_outcomes(Exposition& out, const engine::DurableStats& stats) {
    out.counter("roomcast_store_refused_total",
                "Publishes and the like that were not kept in time, by code.");
    out.sample({{"code", "store_busy"}}, stats.refused_busy);
    out.sample({{"code", "store_full"}}, stats.refused_full);
    out.sample({{"code", "store_failed"}}, stats.refused_failed);
    out.sample({{"code", "store_timeout"}}, stats.timeouts);
    out.single_counter("roomcast_store_left_out_total",
                       "Messages of async rooms that were delivered and could not be kept.", stats.left_out);
    out.single_counter("roomcast_store_crash_holes_total",
                       "Rooms found with messages that may have been lost in a crash.", stats.crash_holes);
    out.single_counter("roomcast_store_repeats_total",
                       "Publishes whose idempotency key was that of a message on the disk.", stats.repeated);
  }

  static void collect_faults(Exposition& out, const store::StoreStats& stats) {
    out.counter("roomcast_store_evicted_messages_total",
                "Messages deleted from the disk, by what was used up.");
    out.sample({{"reason", "count"}}, stats.evicted_by_count);
    out.sample({{"reason", "bytes"}}, stats.evicted_by_bytes);
    out.sample({{"reason", "age"}}, stats.evicted_by_age);
    out.sample({{"reason", "disk"}}, stats.evicted_by_disk);
    out.counter("roomcast_store_errors_total", "Errors of the disk or of SQLite, by what was to be done.");
    out.sample({{"operation", "commit"}}, stats.commit_errors);
    out.sample({{"operation", "checkpoint"}}, stats.checkpoint_errors);
    out.sample({{"operation", "fold"}}, stats.fold_errors);
    out.sample({{"operation", "read"}}, stats.read_errors);
    out.sample({{"operation", "check"}}, stats.check_errors);
    out.single_counter("roomcast_store_damaged_chunks_total", "Parts of rooms in which a checksum was wrong.",
                       stats.damaged_chunks);
    out.single_counter("roomcast_store_clock_jumps_total",
                       "Jumps of the clock, after which nothing is deleted by age for ten minutes.",
                       stats.clock_jumps);
  }

  Storage& storage_;
};

}  // namespace

std::unique_ptr<part::Part> make_store(const Core& core) { return std::make_unique<StorePart>(core); }

}  // namespace roomcast::app
