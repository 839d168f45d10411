#include "hub/presence.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "hub/room.h"

namespace roomcast::hub {

namespace {

using What = PresenceChange::What;

constexpr std::int64_t count_interval_ms = 1'000;
constexpr std::size_t gone_per_look = 1'024;

}  // namespace

void Presence::enter(Member& member, const Interest& interest) {
  if (!interest.name.empty() || interest.watch_presence) {
    member.presence_entry() =
        std::make_unique<PresenceEntry>(PresenceEntry{interest.name, interest.watch_presence});
    ++presence_entries_;
    if (!interest.name.empty()) arrive(interest.name);
  }
  look_for_crowd();
}

void Presence::leave(Member& member) {
  if (!member.presence_entry()) return;
  const PresenceEntry& presence_entry = *member.presence_entry();
  --presence_entries_;
  if (presence_entry.place) stop_watching(presence_entry);
  if (!presence_entry.name.empty()) depart(presence_entry.name);
  member.presence_entry().reset();
}

void Presence::begin_watching(Member& member) {
  if (!member.presence_entry() || !member.presence_entry()->watches) return;
  if (told_count_ != count()) told_count_.reset();
  member.presence_entry()->after = last_change_;
  member.presence_entry()->place = static_cast<std::uint32_t>(watchers_.size());
  watchers_.push_back(&member);
}

void Presence::stop_watching(const PresenceEntry& presence_entry) {
  const std::uint32_t place = *presence_entry.place;
  if (news_) {
    watchers_[place] = nullptr;
    ++holes_;
    return;
  }
  watchers_[place] = watchers_.back();
  watchers_[place]->presence_entry()->place = place;
  watchers_.pop_back();
  if (watchers_.empty()) changes_.clear();
}

PresenceSnapshot Presence::snapshot() const {
  PresenceSnapshot snapshot{count(), std::nullopt, anonymous()};
  if (crowded_) return snapshot;
  snapshot.members.emplace().reserve(members_.size());
  for (const auto& [name, member] : members_)
    snapshot.members->push_back(name);
  return snapshot;
}

void Presence::arrive(const base::Bytes& name) {
  ++named_connections_;
  const auto [found, is_new] = members_.try_emplace(name);
  Name& present = found->second;
  if (present.connections++ != 0) return;
  if (!is_new) {
    gone_.erase(present.place);
    set_due();
  } else if (!crowded_) {
    note({What::joined, found->first});
  }
}

void Presence::depart(const base::Bytes& name) {
  --named_connections_;
  const auto found = members_.find(name);
  Name& left = found->second;
  if (--left.connections != 0) return;
  left.gone_ms = clock_.monotonic_ms();
  left.place = gone_.insert(gone_.end(), &found->first);
  set_due();
}

void Presence::note(PresenceChange change) {
  if (watchers_.empty()) return;
  changes_.push_back({++last_change_, std::move(change)});
}

void Presence::look_for_crowd() {
  if (crowded_ || count() <= limits().crowd) return;
  crowded_ = true;
  // Their number says it all.
  changes_.clear();
  told_count_.reset();
  look_at_crowd(clock_.monotonic_ms());
  set_due();
}

void Presence::look_at_crowd(std::int64_t now_ms) {
  if (now_ms < next_count_ms_) return;
  next_count_ms_ = now_ms + count_interval_ms;
  changes_.clear();
  crowded_ = count() > limits().crowd;
  if (!crowded_) {
    note({What::listed, {}, snapshot()});
  } else if (told_count_ != count()) {
    note({What::counted, {}});
  }
}

void Presence::on_deadline() { room_.on_presence_due(); }

void Presence::on_due() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  // Thousands may have gone in one moment: the rest has its turn a little later.
  for (std::size_t i = 0; i < gone_per_look && !gone_.empty(); ++i) {
    const auto found = members_.find(*gone_.front());
    if (found->second.gone_ms + limits().grace_ms > now_ms) break;
    gone_.pop_front();
    base::Bytes name = found->first;
    members_.erase(found);
    if (!crowded_) note({What::left, std::move(name)});
  }
  if (crowded_) look_at_crowd(now_ms);
  set_due();
}

void Presence::on_settings() {
  look_for_crowd();
  set_due();
}

void Presence::set_due() {
  if (!crowded_ && gone_.empty()) return due_.clear();
  std::int64_t due_ms = next_count_ms_;
  if (!gone_.empty()) {
    const std::int64_t gone_for_good_ms = members_.find(*gone_.front())->second.gone_ms + limits().grace_ms;
    due_ms = crowded_ ? std::min(due_ms, gone_for_good_ms) : gone_for_good_ms;
  }
  due_.set_in(std::max<std::int64_t>(due_ms - clock_.monotonic_ms(), 0));
}

void Presence::tell(std::size_t count) {
  if (!news_) begin_telling();
  const std::size_t stop = std::min(watchers_.size(), next_watcher_ + count);
  for (; next_watcher_ < stop; ++next_watcher_) {
    Member* const watcher = watchers_[next_watcher_];
    if (watcher == nullptr || watcher->presence_entry()->after >= news_number_) continue;
    watcher->subscriber().on_presence(watcher->membership(), *news_);
  }
  if (next_watcher_ == watchers_.size()) end_telling();
}

void Presence::begin_telling() {
  Change change = std::move(changes_.front());
  changes_.pop_front();
  if (change.what.what == What::counted) {
    // Of everybody who came in this turn, not only of those before the limit was passed.
    change.what.everybody = snapshot();
    told_count_ = change.what.everybody.count;
  }
  news_number_ = change.number;
  news_.emplace(room_.name(), std::move(change.what));
  next_watcher_ = 0;
}

void Presence::end_telling() {
  news_.reset();
  if (holes_ != 0) close_holes();
  if (watchers_.empty()) changes_.clear();
}

void Presence::close_holes() {
  watchers_.erase(std::remove(watchers_.begin(), watchers_.end(), nullptr), watchers_.end());
  for (std::size_t i = 0; i < watchers_.size(); ++i)
    watchers_[i]->presence_entry()->place = static_cast<std::uint32_t>(i);
  holes_ = 0;
}

const PresenceLimits& Presence::limits() const { return room_.settings().presence; }

std::size_t Presence::anonymous() const { return room_.members() - named_connections_; }

}  // namespace roomcast::hub
