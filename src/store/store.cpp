#include "store/store.h"

#include <algorithm>
#include <utility>

#include "store/record.h"

namespace roomcast::store {

namespace {

constexpr std::int64_t tick_ms = 1'000;
// The oldest part of the tail is folded after that, however little it is.
constexpr std::int64_t tail_ms = 30'000;
constexpr std::int64_t sweep_ms = 10'000;
constexpr std::int64_t fold_retry_max_ms = 5'000;
// Of what may fail again and again a line is written so often, at most.
constexpr std::int64_t same_line_ms = 60'000;

hub::Refusal too_many_lookups() {
  return {hub::Refusal::Code::store_busy, "too many rooms are being read from the disk"};
}

}  // namespace

base::Result<std::unique_ptr<Store>> Store::open(const Parts& parts, const StoreOptions& options,
                                                 const hub::RoomRules& rules) {
  base::Result<StoreFiles> files = open_files(options, parts.loop.wall_ms(), parts.log);
  if (!files) return std::move(files.error());
  return std::unique_ptr<Store>(new Store(parts, options, rules, std::move(*files)));
}

Store::Store(const Parts& parts, const StoreOptions& options, const hub::RoomRules& rules, StoreFiles files)
    : parts_(parts),
      options_(options),
      directory_(std::move(files.directory)),
      fold_bytes_(static_cast<std::size_t>(files.shares.fold_bytes)),
      history_wal_bytes_(files.archive_options.wal_bytes),
      tail_(std::move(files.tail)),
      in_use_(std::move(files.in_use)),
      next_room_(files.next_room),
      values_(std::move(files.values)),
      age_clock_(parts.loop.wall_ms(), parts.loop.monotonic_ms()),
      tail_since_ms_(parts.loop.monotonic_ms()),
      fold_not_before_ms_(tail_since_ms_),
      swept_ms_(tail_since_ms_),
      tick_(parts.loop, *this) {
  state_.note_reserve(files.has_reserve);
  const Archive::Meta meta = files.archive.meta();
  stats_.rooms = meta.rooms;
  stats_.messages = meta.messages;
  stats_.disk_bytes = directory_.bytes_on_disk();
  archivist_ = std::make_unique<Archivist>(Archivist::Parts{parts.loop, directory_, *tail_, *in_use_, *this},
                                           std::move(files.archive), std::move(files.archive_options), rules);
  lookups_ = std::make_unique<Lookups>(parts.loop, static_cast<Lookups::Listener&>(*this),
                                       std::move(files.reader), rules);
  committer_ = std::make_unique<Committer>(
      Committer::Parts{parts.loop, parts.scheduler, directory_, *tail_, *this}, committer_limits(),
      std::move(files.journal), std::move(files.journal_options), files.last_seq);
  if (files.to_check)
    check_ = std::make_unique<FileCheck>(parts.loop, static_cast<FileCheck::Listener&>(*this),
                                         std::move(*files.to_check));
  tick_.start_every(tick_ms);
}

Store::~Store() { parts_.scheduler.forget(*this); }

Committer::Limits Store::committer_limits() const {
  return {options_.commit_ms, options_.queue_bytes, 2 * fold_bytes_};
}

void Store::set_options(const StoreOptions& options) {
  options_.commit_ms = options.commit_ms;
  options_.queue_bytes = options.queue_bytes;
  options_.fold_bytes = options.fold_bytes;
  fold_bytes_ = static_cast<std::size_t>(
      share_disk(options_.disk_bytes, options_.fold_bytes, options_.queue_bytes).fold_bytes);
  committer_->set_limits(committer_limits());
}

void Store::set_rules(const hub::RoomRules& rules) {
  archivist_->set_rules(rules);
  lookups_->set_rules(rules);
}

void Store::start(RoomStore::Listener& listener) {
  listener_ = &listener;
  // What the start has found in the journal may be more than the tail should have.
  fold_if_due();
}

AgeTime Store::age_time() { return age_clock_.at(parts_.loop.wall_ms(), parts_.loop.monotonic_ms()); }

void Store::load(std::string_view room, hub::Source source) {
  // For another source it may still be loaded: there is one answer.
  if (const auto found = refused_loads_.find(room); found != refused_loads_.end())
    refused_loads_.erase(found);
  std::optional<std::string> refused(room);
  if (lookups_ != nullptr) refused = lookups_->load(room, source, age_time(), parts_.loop.wall_ms());
  if (!refused) return;
  refused_loads_.insert(std::move(*refused));
  parts_.scheduler.mark_dirty(*this);
}

void Store::read(RoomId room, std::string_view name, std::uint64_t after, std::size_t back,
                 std::size_t messages_max, std::size_t bytes_max, std::uint64_t ticket) {
  const Lookups::PageRequest request{room, after, back, messages_max, bytes_max, ticket};
  if (lookups_ != nullptr && lookups_->read(name, request, age_time())) return;
  refused_reads_.push_back(ticket);
  parts_.scheduler.mark_dirty(*this);
}

void Store::forget(RoomId room) {
  if (lookups_ != nullptr) lookups_->forget(room);
}

void Store::run_at_turn_end() {
  const auto loads = std::exchange(refused_loads_, {});
  const std::vector<std::uint64_t> reads = std::exchange(refused_reads_, {});
  for (const std::string& room : loads)
    listener_->on_loaded(room, too_many_lookups());
  for (const std::uint64_t ticket : reads)
    listener_->on_read(ticket, too_many_lookups());
}

bool Store::put_value(std::string_view name, std::string_view value) {
  if (!has_space_for(name.size() + value.size() + Record::head_bytes + 1)) return false;
  append_value(batch(), name, value);
  last_values_ = batch_number();
  appended();
  return true;
}

void Store::on_committed(const Committer::Committed& batch) {
  stats_.commits.add(batch.took_us);
  stats_.syncs.add(batch.sync_us);
  stats_.batches.add(static_cast<std::int64_t>(batch.messages));
  stats_.committed_bytes += batch.bytes;
  stats_.committed_records += batch.records;
  const State before = state();
  state_.note_committed();
  show_state(before, "");
  fold_if_due();
  if (listener_ != nullptr) listener_->on_committed(batch.seq);
  // Batches are committed one by one, so the one before has told of those before.
  if (value_listener_ != nullptr && last_values_ >= batch.seq)
    value_listener_->on_values_committed(batch.seq);
}

void Store::on_commit_failed(const Fault& fault, unsigned in_a_row) {
  ++stats_.commit_errors;
  if (in_a_row == 1)
    parts_.log.error("a batch could not be written; it is tried again", {{"why", fault.message}});
  const State before = state();
  state_.note_commit_failed(fault);
  show_state(before, fault.message);
}

void Store::on_reserve(bool is_there) {
  const State before = state();
  state_.note_reserve(is_there);
  show_state(before, is_there ? "" : "the disk is full");
}

void Store::on_checkpoint_failed(const Fault& fault) {
  ++stats_.checkpoint_errors;
  parts_.log.warn("the journal's WAL could not be checkpointed; nothing is lost", {{"why", fault.message}});
}

void Store::show_state(State before, std::string_view why) {
  const State now = state();
  if (now == before) return;
  if (now == State::ok) {
    parts_.log.info("the store works again", {});
  } else if (state_.is_corrupt()) {
    parts_.log.error(
        "the store is damaged, and keeps no messages: stop the server; `roomcast store check` says what is "
        "damaged, `roomcast store recover DIR` saves what is whole into a new store",
        {{"state", name_of(now)}, {"why", why}});
  } else {
    parts_.log.error("the store does not keep messages", {{"state", name_of(now)}, {"why", why}});
  }
  if (listener_ != nullptr) listener_->on_state(now);
}

void Store::on_timer(loop::Timer& /*timer*/) {
  stats_.clock_jumps = age_clock_.jumps();
  (void)age_time();
  fold_if_due();
  if (check_ != nullptr && check_->is_over()) check_.reset();
  if (!state_.has_reserve()) committer_->make_reserve();
  committer_->release_now();
  lookups_->flush();
  const std::int64_t now_ms = parts_.loop.monotonic_ms();
  if (now_ms - swept_ms_ < sweep_ms) return;
  swept_ms_ = now_ms;
  archivist_->sweep(age_time());
}

void Store::fold_if_due() {
  const std::size_t bytes = tail_->bytes();
  if (bytes == 0 || archivist_->is_folding()) return;
  const std::int64_t now_ms = parts_.loop.monotonic_ms();
  if (now_ms < fold_not_before_ms_) return;
  if (bytes < fold_bytes_ && now_ms - tail_since_ms_ < tail_ms) return;
  tail_since_ms_ = now_ms;
  archivist_->fold(age_time());
}

void Store::on_folded(const Archive::Folded& folded, const Archivist::Report& report, std::int64_t took_us) {
  stats_.folds.add(took_us);
  note_report(report);
  note_damage(folded.damage);
  if (folded.orphans > 0)
    parts_.log.error("records of rooms that do not exist were dropped", {{"records", folded.orphans}});
  const State before = state();
  state_.note_folded();
  show_state(before, "");
  committer_->release(folded.seq);
  fold_if_due();
}

void Store::on_swept(bool has_more, const Archivist::Report& report) {
  note_report(report);
  if (has_more) archivist_->sweep(age_time());
}

void Store::on_archive_failed(const Fault& fault, bool is_fold) {
  ++stats_.fold_errors;
  if (may_log(archive_failed_logged_ms_))
    parts_.log.error("the history could not be written; it is tried again", {{"why", fault.message}});
  if (!is_fold) return;
  const State before = state();
  state_.note_fold_failed(fault);
  fold_not_before_ms_ =
      parts_.loop.monotonic_ms() + std::min<std::int64_t>(500 * state_.fold_failures(), fold_retry_max_ms);
  tail_since_ms_ = parts_.loop.monotonic_ms() - tail_ms;
  show_state(before, fault.message);
}

bool Store::may_log(std::optional<std::int64_t>& logged_ms) const {
  const std::int64_t now_ms = parts_.loop.monotonic_ms();
  if (logged_ms && now_ms - *logged_ms < same_line_ms) return false;
  logged_ms = now_ms;
  return true;
}

void Store::note_report(const Archivist::Report& report) {
  // It is checkpointed when it has that many, unless somebody reads in it.
  if (check_ != nullptr && report.wal_bytes > history_wal_bytes_) check_->go_on_in_slices();
  stats_.rooms = report.meta.rooms;
  stats_.messages = report.meta.messages;
  stats_.disk_bytes = report.disk_bytes;
  stats_.evicted_by_count = report.evicted.count;
  stats_.evicted_by_bytes = report.evicted.bytes;
  stats_.evicted_by_age = report.evicted.age;
  stats_.evicted_by_disk = report.evicted.disk;
}

void Store::note_damage(const std::vector<Damage>& damage) {
  stats_.damaged_chunks += damage.size();
  for (const Damage& one : damage)
    parts_.log.error("a part of a room's history is damaged: what is whole in it is kept, the rest is a gap",
                     {{"room", one.room}, {"first", one.first}, {"last", one.last}});
}

hub::Refusal Store::read_failure(const Fault& fault) {
  ++stats_.read_errors;
  if (may_log(read_failed_logged_ms_))
    parts_.log.error("the history could not be read", {{"why", fault.message}});
  if (fault.code == Fault::Code::corrupt) {
    const State before = state();
    state_.note_corrupt();
    show_state(before, fault.message);
  }
  return {hub::Refusal::Code::store_failed, "the history cannot be read from the disk"};
}

void Store::on_load_done(std::string_view room, Lookups::Loaded&& loaded, std::int64_t took_us) {
  stats_.loads.add(took_us);
  if (!loaded) {
    listener_->on_loaded(room, read_failure(loaded.error()));
    return;
  }
  note_damage(loaded->damage);
  archivist_->quarantine(loaded->damage, parts_.loop.wall_ms());
  listener_->on_loaded(room, std::move(loaded->extent));
}

void Store::on_read_done(std::uint64_t ticket, Lookups::Page&& page, std::int64_t took_us) {
  stats_.reads.add(took_us);
  if (!page) {
    listener_->on_read(ticket, read_failure(page.error()));
    return;
  }
  note_damage(page->damage);
  archivist_->quarantine(page->damage, parts_.loop.wall_ms());
  listener_->on_read(ticket, std::move(page->page));
}

void Store::on_file_checked(const FileCheck::Outcome& outcome) {
  if (outcome.damage.empty()) {
    parts_.log.info(outcome.is_sliced
                        ? "the history was looked through after an unclean stop, while much was written: all "
                          "messages can be read"
                        : "the history was looked through after an unclean stop: it is whole",
                    {{"took_ms", outcome.took_us / 1'000}});
    return;
  }
  ++stats_.check_errors;
  parts_.log.error(
      "the history was looked through after an unclean stop, and is damaged: stop the server and "
      "run `roomcast store check`",
      {{"what", outcome.damage}});
}

}  // namespace roomcast::store
