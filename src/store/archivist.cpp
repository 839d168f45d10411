#include "store/archivist.h"

#include <utility>

#include "store/wal_look.h"

namespace roomcast::store {

namespace {

// Failures after which the file is opened anew.
constexpr unsigned failures_of_archive = 3;

}  // namespace

Archivist::Report Archivist::Desk::report() const {
  Report made{meta, evicted, directory.bytes_on_disk()};
  if (!archive) return made;
  made.meta = archive->meta();
  made.evicted += archive->evicted();
  made.wal_bytes = archive->wal_bytes();
  return made;
}

std::optional<Fault> Archivist::Desk::make_ready() {
  if (archive) return std::nullopt;
  if (std::optional<Fault> fault = rewrite_wal(options.path)) return fault;
  base::Result<Archive, Fault> opened = Archive::open(options, tail, in_use);
  if (!opened) return std::move(opened.error());
  if (opened->meta().store_id != meta.store_id)
    return Fault{Fault::Code::other, options.path + ": there is another file now than at the start"};
  archive.emplace(std::move(*opened));
  return std::nullopt;
}

void Archivist::Desk::note(const std::optional<Fault>& fault) {
  failures = fault ? failures + 1 : 0;
  // A full disk is not the connection's fault.
  if (failures < failures_of_archive || fault->code == Fault::Code::full || !archive) return;
  meta = archive->meta();
  evicted += archive->evicted();
  archive.reset();
}

base::Result<Archive::Folded, Fault> Archivist::Desk::fold(const TailSegment& segment, const AgeTime& now) {
  if (std::optional<Fault> fault = make_ready()) return std::move(*fault);
  base::Result<Archive::Folded, Fault> folded = archive->fold(segment, rules, now);
  note(folded ? std::nullopt : std::optional(folded.error()));
  return folded;
}

base::Result<Archive::Folded, Fault> Archivist::Desk::fold(const AgeTime& now) {
  const std::shared_ptr<const TailSegment> segment = tail.cut();
  if (segment == nullptr) return Archive::Folded{};
  // Once for each room, however often its fold is tried.
  if (std::exchange(marked_seq, segment->last_seq) != segment->last_seq) {
    for (const auto& [name, room] : segment->rooms)
      in_use.mark_created(room);
  }
  base::Result<Archive::Folded, Fault> folded = fold(*segment, now);
  has_dropped_reserve = !folded && folded.error().code == Fault::Code::full && directory.drop_reserve();
  if (has_dropped_reserve) folded = fold(*segment, now);
  // Only now: until it has committed, readers find everything in the tail.
  if (folded) tail.release_cut();
  return folded;
}

base::Result<Archive::Swept, Fault> Archivist::Desk::sweep(const AgeTime& now) {
  if (std::optional<Fault> fault = make_ready()) return std::move(*fault);
  base::Result<Archive::Swept, Fault> swept = archive->sweep(rules, now);
  note(swept ? std::nullopt : std::optional(swept.error()));
  return swept;
}

std::optional<Fault> Archivist::Desk::quarantine(const Damage& damage, std::int64_t now_ms) {
  if (std::optional<Fault> fault = make_ready()) return fault;
  std::optional<Fault> fault = archive->quarantine(damage, now_ms);
  note(fault);
  return fault;
}

/// One that uses the archivist's desk.
class Archivist::Job : public loop::ThreadJob {
 public:
  explicit Job(Archivist& archivist) : archivist_(archivist) {}

 protected:
  [[nodiscard]] Archivist& archivist() const { return archivist_; }
  [[nodiscard]] Desk& desk() const { return archivist_.desk_; }
  [[nodiscard]] Listener& listener() const { return archivist_.parts_.listener; }

 private:
  Archivist& archivist_;
};

class Archivist::RulesJob final : public Job {
 public:
  RulesJob(Archivist& archivist, const hub::RoomRules& rules) : Job(archivist), rules_(rules) {}
  void run() noexcept override {
    desk().rules = std::move(rules_);
    // One that is opened anew sweeps them by itself.
    if (desk().archive) desk().archive->sweep_all();
  }
  void on_done() override {}

 private:
  hub::RoomRules rules_;
};

class Archivist::FoldJob final : public Job {
 public:
  FoldJob(Archivist& archivist, const AgeTime& now)
      : Job(archivist), now_(now), begun_us_(archivist.parts_.loop.monotonic_us()) {}
  void run() noexcept override {
    base::Result<Archive::Folded, Fault> folded = desk().fold(now_);
    report_ = desk().report();
    has_dropped_reserve_ = desk().has_dropped_reserve;
    if (folded) {
      folded_ = std::move(*folded);
    } else {
      fault_ = std::move(folded.error());
    }
  }
  void on_done() override {
    archivist().is_folding_ = false;
    if (has_dropped_reserve_) listener().on_reserve(false);
    if (fault_) {
      listener().on_archive_failed(*fault_, true);
    } else {
      listener().on_folded(folded_, report_, archivist().parts_.loop.monotonic_us() - begun_us_);
    }
  }

 private:
  AgeTime now_;
  std::int64_t begun_us_;
  Archive::Folded folded_;
  bool has_dropped_reserve_ = false;
  std::optional<Fault> fault_;
  Report report_;
};

class Archivist::SweepJob final : public Job {
 public:
  SweepJob(Archivist& archivist, const AgeTime& now) : Job(archivist), now_(now) {}
  void run() noexcept override {
    const base::Result<Archive::Swept, Fault> swept = desk().sweep(now_);
    if (swept) {
      has_more_ = swept->has_more;
    } else {
      fault_ = swept.error();
    }
    report_ = desk().report();
  }
  void on_done() override {
    archivist().is_sweeping_ = false;
    if (fault_) listener().on_archive_failed(*fault_, false);
    listener().on_swept(has_more_, report_);
  }

 private:
  AgeTime now_;
  bool has_more_ = false;
  std::optional<Fault> fault_;
  Report report_;
};

class Archivist::QuarantineJob final : public Job {
 public:
  QuarantineJob(Archivist& archivist, const Damage& damage, std::int64_t now_ms)
      : Job(archivist), damage_(damage), now_ms_(now_ms) {}
  void run() noexcept override { fault_ = desk().quarantine(damage_, now_ms_); }
  void on_done() override {
    if (fault_) listener().on_archive_failed(*fault_, false);
  }

 private:
  Damage damage_;
  std::int64_t now_ms_;
  std::optional<Fault> fault_;
};

Archivist::Archivist(const Parts& parts, Archive archive, Archive::Options options,
                     const hub::RoomRules& rules)
    : parts_(parts),
      desk_{parts.directory, parts.tail, parts.in_use, std::move(options), std::move(archive), rules},
      thread_(std::make_unique<loop::WorkerThread>(parts.loop, "store archive")) {
  desk_.options.new_store_id.clear();
}

Archivist::~Archivist() = default;

void Archivist::set_rules(const hub::RoomRules& rules) {
  thread_->start(std::make_unique<RulesJob>(*this, rules));
}

void Archivist::fold(const AgeTime& now) {
  if (std::exchange(is_folding_, true)) return;
  thread_->start(std::make_unique<FoldJob>(*this, now));
}

void Archivist::sweep(const AgeTime& now) {
  if (std::exchange(is_sweeping_, true)) return;
  thread_->start(std::make_unique<SweepJob>(*this, now));
}

void Archivist::quarantine(const std::vector<Damage>& damage, std::int64_t now_ms) {
  for (const Damage& one : damage) {
    if (thread_->size() >= jobs_max) return;
    thread_->start(std::make_unique<QuarantineJob>(*this, one, now_ms));
  }
}

base::Result<std::uint64_t, Fault> Archivist::finish(const AgeTime& now, bool folds, bool is_clean) {
  thread_.reset();
  // Twice: a fold that has failed left its part cut off.
  for (int i = 0; folds && i < 2; ++i) {
    base::Result<Archive::Folded, Fault> folded = desk_.fold(now);
    if (!folded) return std::move(folded.error());
  }
  if (std::optional<Fault> fault = desk_.make_ready()) return std::move(*fault);
  if (is_clean) {
    if (std::optional<Fault> fault = desk_.archive->end()) return std::move(*fault);
  }
  return desk_.archive->meta().folded_seq;
}

}  // namespace roomcast::store
