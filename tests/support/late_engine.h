#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/engine.h"

namespace roomcast::test {

/// An engine whose answers come when the test says so, as over a link that can be slow, break, refuse, or
/// come back to another log. It keeps every room's past, unless `has_past` is false.
class LateEngine final : public hub::Engine {
 public:
  void start(hub::EngineEvents& events) override { events_ = &events; }
  void subscribe(std::string_view room, hub::Source /*source*/ = 0) override {
    Log& log = log_of(room);
    log.is_subscribed = true;
    log.is_announced = false;
    ++subscribes;
    later(room, [this, name = std::string(room)] { announce(name); });
  }
  void unsubscribe(std::string_view room) override {
    Log& log = log_of(room);
    log.is_subscribed = log.is_announced = false;
    ++unsubscribes;
  }
  void publish(std::string_view room, hub::Draft&& draft, hub::Ticket ticket) override {
    later(room, [this, name = std::string(room), draft = std::move(draft), ticket]() mutable {
      if (refuses) {
        if (ticket != 0) events_->on_published(ticket, refusal);
        return;
      }
      const hub::Position position = append(name, std::move(draft));
      if (ticket != 0) events_->on_published(ticket, hub::Published{position});
    });
  }
  void remove(std::string_view room, const hub::Position& position, hub::Ticket ticket) override {
    later_amend(room, hub::Amendment::remove(position), ticket);
  }
  void replace(std::string_view room, const hub::Position& position, hub::Draft&& draft,
               hub::Ticket ticket) override {
    later_amend(room,
                hub::Amendment::replace({draft.kind, std::move(draft.payload), std::move(draft.author), 0,
                                         position, 0, draft.source, std::move(draft.labels)}),
                ticket);
  }
  void clear(std::string_view room, hub::Ticket ticket) override {
    later(room, [this, name = std::string(room), ticket] {
      if (refuses) return answer(ticket, refusal);
      Log& log = log_of(name);
      log.messages.clear();
      log.floor = log.top.offset;
      announce_amended(name, hub::Amendment::clear(log.top));
      answer(ticket, hub::Published{log.top});
    });
  }
  [[nodiscard]] bool may_refuse_publishes() const override { return true; }
  [[nodiscard]] bool publishes_unsubscribed() const override { return takes_unsubscribed; }
  [[nodiscard]] bool keeps_rooms() const override { return keeps_unsubscribed; }
  void read(std::string_view room, const hub::Position& after, std::size_t messages_max,
            std::size_t bytes_max, hub::Ticket ticket) override {
    read_back(room, after, 0, messages_max, bytes_max, ticket);
  }
  void read_back(std::string_view room, const hub::Position& before, std::size_t messages,
                 std::size_t messages_max, std::size_t /*bytes_max*/, hub::Ticket ticket) override {
    ++reads;
    later(room, [this, name = std::string(room), before, messages, messages_max, ticket] {
      if (refuses) return events_->on_page(ticket, refusal);
      const Log& log = log_of(name);
      hub::LogPage page;
      page.floor = log.floor;
      page.holes = log.holes;
      page.after =
          std::max(messages == 0 ? before.offset : place_before(log, before.offset, messages), log.floor);
      std::size_t count = 0;
      for (const hub::Message& message : log.messages) {
        const bool is_wanted = log.lineage.has(before, log.top) && message.position.offset > page.after;
        if (!is_wanted) continue;
        if (!message.is_removed && ++count > std::min(messages_max, page_max)) break;
        page.messages.push_back(message);
      }
      events_->on_page(ticket, std::move(page));
    });
  }

  [[nodiscard]] bool may_lag() const override { return lags; }
  void confirm(std::string_view room) override {
    ++confirms;
    later(room, [this, name = std::string(room)] {
      Log& log = log_of(name);
      log.is_lost = false;
      if (log.is_announced) events_->on_resumed(name, state_of(log));
    });
  }
  /// What is published in the room does not come, and nobody knows it.
  void fall_behind(std::string_view room) { log_of(room).is_lost = true; }

  /// Answers what has been asked for so far, and what that leads to: of one room, or of all.
  void answer(std::string_view room = {}) {
    for (std::size_t i = 0; i < pending_.size();) {
      if (!room.empty() && pending_[i].first != room) {
        ++i;
        continue;
      }
      const std::function<void()> next = std::move(pending_[i].second);
      pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
      next();
    }
  }
  /// What has been asked for so far is never answered.
  void drop_all() { pending_.clear(); }
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }

  /// The link of a room breaks, and comes back; what is published meanwhile is not announced.
  void lose(std::string_view room) {
    Log& log = log_of(room);
    if (!log.is_announced || log.is_lost) return;
    log.is_lost = true;
    events_->on_lost(room);
  }
  void resume(std::string_view room) {
    Log& log = log_of(room);
    if (!std::exchange(log.is_lost, false)) return;
    events_->on_resumed(room, state_of(log));
  }
  /// The room's log begins anew, in another epoch.
  void reset(std::string_view room) {
    Log& log = log_of(room);
    log.top = {log.top.epoch + 1, 0};
    log.lineage = {};
    log.messages.clear();
    log.floor = 0;
    if (log.is_announced && !log.is_lost) events_->on_resumed(room, state_of(log));
  }
  /// The room's log goes on in another epoch, without its last `lost` messages.
  void fork(std::string_view room, std::uint64_t lost) {
    Log& log = log_of(room);
    const std::uint64_t end = log.top.offset - std::min(lost, log.top.offset - log.floor);
    std::vector<hub::Ancestor> ancestors = log.lineage.ancestors();
    for (hub::Ancestor& ancestor : ancestors)
      ancestor.end = std::min(ancestor.end, end);
    ancestors.push_back({log.top.epoch, end});
    log.lineage = hub::Lineage(std::move(ancestors));
    log.forks[log.top.epoch + 1] = {log.top.epoch, end};
    log.top = {log.top.epoch + 1, end};
    while (!log.messages.empty() && log.messages.back().position.offset > end)
      log.messages.pop_back();
    if (log.is_announced && !log.is_lost) events_->on_resumed(room, state_of(log));
  }
  /// The one position that means the same as `position` and is in the epoch in which its offset was given.
  [[nodiscard]] hub::Position first_name_of(std::string_view room, hub::Position position) {
    const Log& log = log_of(room);
    for (auto fork = log.forks.find(position.epoch); fork != log.forks.end();
         fork = log.forks.find(position.epoch)) {
      if (position.offset > fork->second.end) break;
      position.epoch = fork->second.epoch;
    }
    return position;
  }
  /// Whether a reader that has got as far as `position` has all that the room has.
  [[nodiscard]] bool is_at_top(std::string_view room, const hub::Position& position) {
    const Log& log = log_of(room);
    return position.offset == log.top.offset && log.lineage.has(position, log.top);
  }
  /// Published on another server.
  hub::Position append(std::string_view room, hub::Draft draft) {
    Log& log = log_of(room);
    ++log.top.offset;
    hub::Message message{
        draft.kind,   std::move(draft.payload), std::move(draft.author), draft.sender, log.top, 0,
        draft.source, std::move(draft.labels)};
    log.messages.push_back(message);
    if (log.is_announced && !log.is_lost) events_->on_message(room, std::move(message));
    return log.top;
  }
  /// Forgets all but the last `count` messages of the room.
  void keep_last(std::string_view room, std::size_t count) {
    Log& log = log_of(room);
    if (log.messages.size() > count)
      log.messages.erase(log.messages.begin(), log.messages.end() - static_cast<std::ptrdiff_t>(count));
    log.floor = log.top.offset - log.messages.size();
  }
  /// Messages of the room are lost in its past.
  void make_hole(std::string_view room, const hub::Hole& hole) {
    Log& log = log_of(room);
    log.holes.push_back(hole);
    const auto is_lost = [&](const hub::Message& message) {
      return message.position.offset >= hole.first && message.position.offset <= hole.last;
    };
    log.messages.erase(std::remove_if(log.messages.begin(), log.messages.end(), is_lost), log.messages.end());
  }
  [[nodiscard]] hub::Position top(std::string_view room) { return log_of(room).top; }
  hub::EngineEvents& events() { return *events_; }

  bool has_past = true;
  bool takes_unsubscribed = false;
  bool keeps_unsubscribed = false;
  bool refuses = false;
  bool lags = false;
  int confirms = 0;
  hub::Refusal refusal{hub::Refusal::Code::unavailable, "the link is down"};
  std::size_t page_max = 1'000;
  int subscribes = 0;
  int unsubscribes = 0;
  int reads = 0;

 private:
  struct Log {
    hub::Position top{1, 0};
    std::uint64_t floor = 0;
    std::vector<hub::Message> messages;
    std::vector<hub::Hole> holes;
    hub::Lineage lineage;
    std::map<std::uint64_t, hub::Ancestor> forks;  // by epoch: what it began after
    bool is_subscribed = false;
    bool is_announced = false;
    bool is_lost = false;
  };
  Log& log_of(std::string_view room) { return logs_[std::string(room)]; }
  [[nodiscard]] hub::LogState state_of(const Log& log) const {
    hub::LogState state(log.top, has_past ? log.floor : hub::LogState::no_past);
    state.holes = log.holes;
    state.lineage = log.lineage;
    return state;
  }
  /// Before so many messages up to `offset`, without removed ones.
  static std::uint64_t place_before(const Log& log, std::uint64_t offset, std::size_t messages) {
    for (auto message = log.messages.rbegin(); message != log.messages.rend(); ++message) {
      const bool counts = message->position.offset <= offset && !message->is_removed;
      if (counts && --messages == 0) return message->position.offset - 1;
    }
    return 0;
  }
  void announce(const std::string& room) {
    Log& log = log_of(room);
    if (!log.is_subscribed || log.is_announced) return;
    if (refuses) {
      log.is_subscribed = false;
      return events_->on_subscribe_refused(room, refusal);
    }
    log.is_announced = true;
    log.is_lost = false;
    events_->on_subscribed(room, state_of(log));
  }
  void later_amend(std::string_view room, hub::Amendment&& amendment, hub::Ticket ticket) {
    later(room, [this, name = std::string(room), amendment = std::move(amendment), ticket]() mutable {
      if (refuses) return answer(ticket, refusal);
      const hub::Position position = amendment.message.position;
      Log& log = log_of(name);
      const auto found = std::find_if(
          log.messages.begin(), log.messages.end(),
          [&](const hub::Message& message) { return message.position == position && !message.is_removed; });
      if (found == log.messages.end()) return answer(ticket, hub::no_such_message(position));
      hub::apply_amendment(amendment, *found);
      announce_amended(name, std::move(amendment));
      answer(ticket, hub::Published{position});
    });
  }
  void announce_amended(std::string_view room, hub::Amendment&& amendment) {
    const Log& log = log_of(room);
    if (log.is_announced && !log.is_lost) events_->on_amended(room, std::move(amendment));
  }
  void answer(hub::Ticket ticket, const hub::PublishOutcome& outcome) {
    if (ticket != 0) events_->on_published(ticket, outcome);
  }
  void later(std::string_view room, std::function<void()> what) {
    pending_.emplace_back(std::string(room), std::move(what));
  }

  hub::EngineEvents* events_ = nullptr;
  std::map<std::string, Log> logs_;
  std::deque<std::pair<std::string, std::function<void()>>> pending_;
};

}  // namespace roomcast::test
