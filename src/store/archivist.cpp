#include "store/archivist.h"

#include <utility>

namespace roomcast::store {

Archivist::Report Archivist::Desk::report() const {
  return {archive.meta(), archive.evicted(), directory.bytes_on_disk()};
}

base::Result<Archive::Folded, Fault> Archivist::Desk::fold(const AgeTime& now) {
  const std::shared_ptr<const TailSegment> segment = tail.cut();
  if (segment == nullptr) return Archive::Folded{};
  base::Result<Archive::Folded, Fault> folded = archive.fold(*segment, rules, now);
  has_dropped_reserve = !folded && folded.error().code == Fault::Code::full && directory.drop_reserve();
  if (has_dropped_reserve) folded = archive.fold(*segment, rules, now);
  // Only now: until it has committed, readers find everything in the tail.
  if (folded) tail.release_cut();
  return folded;
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
    desk().archive.sweep_all();
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
    const base::Result<Archive::Swept, Fault> swept = desk().archive.sweep(desk().rules, now_);
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
  void run() noexcept override { fault_ = desk().archive.quarantine(damage_, now_ms_); }
  void on_done() override {
    if (fault_) listener().on_archive_failed(*fault_, false);
  }

 private:
  Damage damage_;
  std::int64_t now_ms_;
  std::optional<Fault> fault_;
};

Archivist::Archivist(const Parts& parts, Archive archive, const hub::RoomRules& rules)
    : parts_(parts),
      desk_{parts.directory, parts.tail, std::move(archive), rules},
      thread_(std::make_unique<loop::WorkerThread>(parts.loop, "store archive")) {}

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
  if (is_clean) {
    if (std::optional<Fault> fault = desk_.archive.end()) return std::move(*fault);
  }
  return desk_.archive.meta().folded_seq;
}

}  // namespace roomcast::store
