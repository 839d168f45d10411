#include "store/committer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "store/record.h"
#include "store/wal_look.h"

namespace roomcast::store {

namespace {

// Batches that are dropped from the journal with one commit, and at a time without.
constexpr std::uint64_t release_with_commit = 16;
constexpr std::uint64_t release_at_once = 128;
// Failures after which the file is opened anew.
constexpr unsigned failures_of_handle = 3;

std::int64_t retry_ms(unsigned failures) {
  constexpr std::int64_t first_ms = 100;
  constexpr std::int64_t longest_ms = 5'000;
  return std::min(first_ms << std::min(failures - 1, 6U), longest_ms);
}

}  // namespace

std::optional<Fault> Committer::Desk::open_again() {
  if (std::optional<Fault> fault = rewrite_wal(options.path)) return fault;
  base::Result<Journal, Fault> opened = Journal::open(options);
  if (!opened) return std::move(opened.error());
  if (std::optional<Fault> fault = opened->checkpoint(Database::CheckpointMode::truncate)) return fault;
  journal.emplace(std::move(*opened));
  return std::nullopt;
}

std::optional<Fault> Committer::Desk::append(std::uint64_t seq, const std::string& records) {
  std::optional<Fault> fault;
  if (!journal) fault = open_again();
  if (!fault) fault = journal->append(seq, records, {released_seq.load(), release_with_commit});
  failures = fault ? failures + 1 : 0;
  if (failures >= failures_of_handle) journal.reset();
  return fault;
}

void Committer::commit(Desk& desk, Batch& batch) {
  if (!std::exchange(batch.is_sealed, true)) batch.messages = seal(batch.records);
  batch.fault = desk.append(batch.seq, batch.records);
  if (batch.fault && batch.fault->code == Fault::Code::full && desk.directory.drop_reserve()) {
    batch.has_dropped_reserve = true;
    batch.fault = desk.append(batch.seq, batch.records);
  }
  if (batch.fault) return;
  desk.tail.add(batch.seq, std::move(batch.records));
  batch.records.clear();
  batch.is_committed = true;
  batch.sync_us = desk.journal->sync_us();
  batch.wants_checkpoint = desk.journal->wants_checkpoint();
}

/// One that uses the committer's desk.
class Committer::Job : public loop::ThreadJob {
 public:
  explicit Job(Committer& committer) : committer_(committer) {}

 protected:
  [[nodiscard]] Committer& committer() const { return committer_; }
  [[nodiscard]] Desk& desk() const { return committer_.desk_; }

 private:
  Committer& committer_;
};

class Committer::CommitJob final : public Job {
 public:
  using Job::Job;
  void run() noexcept override { commit(desk(), committer().under_way_); }
  void on_done() override { committer().on_commit_done(); }
};

class Committer::ReleaseJob final : public Job {
 public:
  using Job::Job;
  void run() noexcept override {
    const std::uint64_t upto = desk().released_seq;
    if (!desk().journal || !desk().journal->has_up_to(upto)) return;
    // What fails is tried again with the next commit or fold; nobody waits for it.
    if (desk().journal->release({upto, release_at_once})) return;
    has_more_ = desk().journal->has_up_to(upto);
  }
  void on_done() override { committer().on_release_done(has_more_); }

 private:
  bool has_more_ = false;
};

class Committer::CheckpointJob final : public Job {
 public:
  using Job::Job;
  void run() noexcept override {
    if (desk().journal) fault_ = desk().journal->checkpoint(Database::CheckpointMode::passive);
  }
  void on_done() override {
    if (fault_) committer().parts_.listener.on_checkpoint_failed(*fault_);
  }

 private:
  std::optional<Fault> fault_;
};

class Committer::ReserveJob final : public Job {
 public:
  using Job::Job;
  void run() noexcept override { is_there_ = desk().directory.make_reserve(); }
  void on_done() override {
    if (is_there_) committer().parts_.listener.on_reserve(true);
  }

 private:
  bool is_there_ = false;
};

Committer::Committer(const Parts& parts, const Limits& limits, Journal journal, Journal::Options options,
                     std::uint64_t last_seq)
    : parts_(parts),
      limits_(limits),
      desk_{parts.directory, parts.tail, std::move(options), std::move(journal)},
      timer_(parts.loop, *this),
      filling_seq_(last_seq + 1),
      begun_ms_(std::numeric_limits<std::int64_t>::min() / 2),
      thread_(std::make_unique<loop::WorkerThread>(parts.loop, "store commit")) {
  desk_.options.may_create = false;
}

Committer::~Committer() { parts_.scheduler.forget(*this); }

void Committer::set_limits(const Limits& limits) {
  limits_ = limits;
  parts_.scheduler.mark_dirty(*this);
}

void Committer::appended() {
  ++filling_records_;
  // While a commit is under way its end has this run.
  if (!is_committing_ && !is_retrying_) parts_.scheduler.mark_dirty(*this);
}

void Committer::run_at_turn_end() {
  if (thread_ == nullptr || is_committing_ || is_retrying_ || filling_.empty()) return;
  // The fold's end has this run again.
  if (parts_.tail.bytes() >= limits_.tail_bytes) return;
  const std::int64_t wait_ms = begun_ms_ + limits_.commit_ms - parts_.loop.monotonic_ms();
  if (wait_ms > 0) {
    if (!timer_.is_active()) timer_.start_once(wait_ms);
    return;
  }
  under_way_ = Batch{};
  under_way_.seq = filling_seq_++;
  under_way_.records.swap(filling_);
  under_way_.is_committed = false;
  under_way_bytes_ = under_way_.records.size();
  under_way_records_ = std::exchange(filling_records_, 0);
  start_commit();
}

void Committer::start_commit() {
  timer_.stop();
  is_committing_ = true;
  begun_ms_ = parts_.loop.monotonic_ms();
  begun_us_ = parts_.loop.monotonic_us();
  thread_->start(std::make_unique<CommitJob>(*this));
}

void Committer::on_timer(loop::Timer& /*timer*/) {
  if (std::exchange(is_retrying_, false)) {
    start_commit();
  } else {
    parts_.scheduler.mark_dirty(*this);
  }
}

void Committer::on_commit_done() {
  is_committing_ = false;
  if (std::exchange(under_way_.has_dropped_reserve, false)) parts_.listener.on_reserve(false);
  if (under_way_.fault) {
    is_retrying_ = true;
    timer_.start_once(retry_ms(++under_way_.failures));
    parts_.listener.on_commit_failed(*under_way_.fault, under_way_.failures);
    return;
  }
  if (under_way_.wants_checkpoint) thread_->start(std::make_unique<CheckpointJob>(*this));
  const std::size_t bytes = std::exchange(under_way_bytes_, 0);
  parts_.scheduler.mark_dirty(*this);
  parts_.listener.on_committed({under_way_.seq, bytes, under_way_records_, under_way_.messages,
                                parts_.loop.monotonic_us() - begun_us_, under_way_.sync_us});
}

void Committer::release(std::uint64_t seq) {
  desk_.released_seq = std::max(desk_.released_seq.load(), seq);
  // Commits may have waited for the fold.
  parts_.scheduler.mark_dirty(*this);
}

void Committer::release_now() {
  if (is_releasing_ || is_committing_ || is_retrying_) return;
  is_releasing_ = true;
  thread_->start(std::make_unique<ReleaseJob>(*this));
}

void Committer::on_release_done(bool has_more) {
  is_releasing_ = false;
  if (has_more) release_now();
}

void Committer::make_reserve() { thread_->start(std::make_unique<ReserveJob>(*this)); }

bool Committer::finish() {
  thread_.reset();
  timer_.stop();
  if (!under_way_.is_committed) commit(desk_, under_way_);
  if (!under_way_.is_committed) return false;
  if (filling_.empty()) return true;
  under_way_ = Batch{};
  under_way_.seq = filling_seq_++;
  under_way_.records.swap(filling_);
  under_way_.is_committed = false;
  commit(desk_, under_way_);
  return under_way_.is_committed;
}

void Committer::close(std::uint64_t folded_seq) {
  if (!desk_.journal) return;
  // What fails here is done by the next start.
  (void)desk_.journal->release({folded_seq, folded_seq});
  (void)desk_.journal->checkpoint(Database::CheckpointMode::truncate);
  desk_.journal.reset();
}

}  // namespace roomcast::store
