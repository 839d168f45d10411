#include "store/lookups.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace roomcast::store {

/// One that uses the desk of the lookups.
class Lookups::Job : public loop::ThreadJob {
 public:
  explicit Job(Lookups& lookups) : lookups_(lookups) {}

 protected:
  [[nodiscard]] Lookups& lookups() const { return lookups_; }
  [[nodiscard]] Desk& desk() const { return lookups_.desk_; }

 private:
  Lookups& lookups_;
};

/// One whose answer goes to the listener.
class Lookups::LookupJob : public Job {
 public:
  LookupJob(Lookups& lookups, std::int64_t begun_us) : Job(lookups), begun_us_(begun_us) {}
  void on_done() final {
    lookups().on_lookup_done();
    answer(lookups().listener_, lookups().loop_.monotonic_us() - begun_us_);
  }

 protected:
  virtual void answer(Listener& listener, std::int64_t took_us) = 0;

 private:
  std::int64_t begun_us_;
};

class Lookups::RulesJob final : public Job {
 public:
  RulesJob(Lookups& lookups, const hub::RoomRules& rules) : Job(lookups), rules_(rules) {}
  void run() noexcept override { desk().rules = std::move(rules_); }
  void on_done() override {}

 private:
  hub::RoomRules rules_;
};

class Lookups::ForgetJob final : public Job {
 public:
  ForgetJob(Lookups& lookups, std::vector<RoomId> rooms) : Job(lookups), rooms_(std::move(rooms)) {}
  void run() noexcept override {
    for (const RoomId room : rooms_)
      desk().reader.release(room);
  }
  void on_done() override {}

 private:
  std::vector<RoomId> rooms_;
};

class Lookups::LoadJob final : public LookupJob {
 public:
  LoadJob(Lookups& lookups, LoadQueue::Request&& request)
      : LookupJob(lookups, request.begun_us), request_(std::move(request)) {}
  void run() noexcept override {
    loaded_ = desk().reader.load(request_.room, desk().rules, request_.now, request_.wall_ms);
  }

 protected:
  void answer(Listener& listener, std::int64_t took_us) override {
    lookups().on_load_done(request_.room);
    listener.on_load_done(request_.room, std::move(loaded_), took_us);
  }

 private:
  LoadQueue::Request request_;
  Loaded loaded_{Fault{}};
};

class Lookups::ReadJob final : public LookupJob {
 public:
  ReadJob(Lookups& lookups, std::string_view room, const PageRequest& request, const AgeTime& now)
      : LookupJob(lookups, lookups.loop_.monotonic_us()), room_(room), request_(request), now_(now) {}
  void run() noexcept override {
    page_ = desk().reader.read(request_.room, room_, request_.after, request_.messages_max,
                               request_.bytes_max, desk().rules, now_, request_.back);
  }

 protected:
  void answer(Listener& listener, std::int64_t took_us) override {
    listener.on_read_done(request_.ticket, std::move(page_), took_us);
  }

 private:
  std::string room_;
  PageRequest request_;
  AgeTime now_;
  Page page_{Fault{}};
};

Lookups::Lookups(loop::Loop& loop, Listener& listener, ArchiveReader reader, const hub::RoomRules& rules)
    : loop_(loop), listener_(listener), desk_{std::move(reader), rules}, thread_(loop, "store read") {}

Lookups::~Lookups() = default;

void Lookups::set_rules(const hub::RoomRules& rules) {
  thread_.start(std::make_unique<RulesJob>(*this, rules));
}

void Lookups::flush() {
  if (!forgotten_.empty()) thread_.start(std::make_unique<ForgetJob>(*this, std::exchange(forgotten_, {})));
}

std::optional<std::string> Lookups::load(std::string_view room, hub::Source source, const AgeTime& now,
                                         std::int64_t wall_ms) {
  // A second answer could be of before what the first one is followed by.
  if (std::find(loading_.begin(), loading_.end(), room) != loading_.end()) return std::nullopt;
  std::optional<std::string> refused =
      loads_.add({std::string(room), source, now, wall_ms, loop_.monotonic_us()});
  hand_over();
  return refused;
}

bool Lookups::read(std::string_view room, const PageRequest& request, const AgeTime& now) {
  if (reads_.size() >= reads_max) return false;
  reads_.push_back(std::make_unique<ReadJob>(*this, room, request, now));
  hand_over();
  return true;
}

void Lookups::hand_over() {
  while (under_way_ < under_way_max && (loads_.size() != 0 || !reads_.empty())) {
    ++under_way_;
    is_turn_of_reads_ = !reads_.empty() && (!is_turn_of_reads_ || loads_.size() == 0);
    if (is_turn_of_reads_) {
      thread_.start(std::move(reads_.front()));
      reads_.pop_front();
    } else {
      flush();
      LoadQueue::Request request = std::move(*loads_.take());
      loading_.push_back(request.room);
      thread_.start(std::make_unique<LoadJob>(*this, std::move(request)));
    }
  }
}

void Lookups::on_load_done(std::string_view room) {
  loading_.erase(std::find(loading_.begin(), loading_.end(), room));
}

void Lookups::on_lookup_done() {
  --under_way_;
  hand_over();
}

}  // namespace roomcast::store
