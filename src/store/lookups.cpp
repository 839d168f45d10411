#include "store/lookups.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace roomcast::store {

/// One that uses the desk of the lookups.
class Lookups::Job : public loop::ThreadJob {
 public:
  explicit Job(Lookups& lookups) : lookups_(lookups), begun_us_(lookups.loop_.monotonic_us()) {}

 protected:
  [[nodiscard]] Desk& desk() const { return lookups_.desk_; }
  [[nodiscard]] Listener& listener() const { return lookups_.listener_; }
  [[nodiscard]] std::int64_t took_us() const { return lookups_.loop_.monotonic_us() - begun_us_; }

 private:
  Lookups& lookups_;
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

class Lookups::LoadJob final : public Job {
 public:
  LoadJob(Lookups& lookups, std::string_view room, const AgeTime& now, std::int64_t wall_ms)
      : Job(lookups), room_(room), now_(now), wall_ms_(wall_ms) {}
  void run() noexcept override { loaded_ = desk().reader.load(room_, desk().rules, now_, wall_ms_); }
  void on_done() override { listener().on_load_done(room_, std::move(loaded_), took_us()); }

 private:
  std::string room_;
  AgeTime now_;
  std::int64_t wall_ms_;
  Loaded loaded_{Fault{}};
};

class Lookups::ReadJob final : public Job {
 public:
  ReadJob(Lookups& lookups, std::string_view room, const PageRequest& request, const AgeTime& now)
      : Job(lookups), room_(room), request_(request), now_(now) {}
  void run() noexcept override {
    page_ = desk().reader.read(request_.room, room_, request_.after, request_.messages_max,
                               request_.bytes_max, desk().rules, now_);
  }
  void on_done() override { listener().on_read_done(request_.ticket, std::move(page_), took_us()); }

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

void Lookups::load(std::string_view room, const AgeTime& now, std::int64_t wall_ms) {
  flush();
  thread_.start(std::make_unique<LoadJob>(*this, room, now, wall_ms));
}

void Lookups::read(std::string_view room, const PageRequest& request, const AgeTime& now) {
  thread_.start(std::make_unique<ReadJob>(*this, room, request, now));
}

}  // namespace roomcast::store
