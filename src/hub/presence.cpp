#include "hub/presence.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace roomcast::hub {

namespace {

using What = PresenceChange::What;

constexpr std::int64_t count_interval_ms = 1'000;
constexpr std::size_t gone_per_look = 1'024;

}  // namespace

base::Bytes PresenceUpdate::wire(const Encoder& encoder) {
  return encodings_.wire(encoder, [&](std::string& out) { encoder.encode_presence(room_, change_, out); });
}

void Presence::enter(Member& member) {
  const Interest& interest = member.interest();
  member.presence_place().set(interest.author, interest.watch_presence);
  if (!member.presence_place().empty()) ++placed_;
  if (!interest.author.empty()) add_connection(interest.author);
  check_for_crowd();
}

void Presence::rename(Member& member, const Author& author) {
  if (member.presence_place().empty()) return;
  member.presence_place().rename(author);
  if (PresentMember* const renamed = named_.find(author)) show_name(*renamed, false, author);
}

void Presence::leave(Member& member) {
  PresencePlace& place = member.presence_place();
  if (place.empty()) return;
  --placed_;
  const Author author = place.author();
  if (const Watcher* const watcher = place.watcher(); watcher != nullptr && watcher->place)
    stop_watching(*watcher);
  place.clear();
  if (!author.empty()) remove_connection(author);
}

void Presence::begin_watching(Member& member) {
  Watcher* const watcher = member.presence_place().watcher();
  if (watcher == nullptr) return;
  if (announced_count_ != count()) announced_count_.reset();
  watcher->after = last_change_;
  watcher->place = static_cast<std::uint32_t>(watchers_.size());
  watchers_.push_back(&member);
}

void Presence::stop_watching(const Watcher& watcher) {
  const std::uint32_t place = *watcher.place;
  if (update_) {
    watchers_[place] = nullptr;
    ++holes_;
    return;
  }
  Member* const last = watchers_.back();
  watchers_.pop_back();
  if (place < watchers_.size()) {
    watchers_[place] = last;
    last->presence_place().watcher()->place = place;
  }
  if (watchers_.empty()) changes_.clear();
}

bool Presence::lists(Hidden hidden) const {
  if (!is_crowd_) return true;
  return hidden == Hidden::listed && limits().hides_members && count() <= limits().crowd;
}

PresenceSnapshot Presence::snapshot(Hidden hidden) const {
  PresenceSnapshot snapshot{count(), std::nullopt, anonymous()};
  if (!lists(hidden)) return snapshot;
  snapshot.members.emplace().reserve(named_.size());
  named_.for_each([&](const PresentMember& member) { snapshot.members->push_back(member.author); });
  return snapshot;
}

void Presence::add_connection(const Author& author) {
  ++named_connections_;
  auto [member, is_new] = named_.add(author);
  if (member.connections++ == 0 && !is_new) {
    const auto place = gone_places_.find(author);
    gone_.erase(place->second);
    gone_places_.erase(place);
    set_due();
  }
  show_name(member, is_new, author);
}

void Presence::show_name(PresentMember& member, bool is_new, const Author& author) {
  const bool is_renamed = !(member.author == author);
  if (is_renamed) member.author = author;
  if ((is_new || is_renamed) && !is_crowd_) note({What::joined, author});
}

void Presence::remove_connection(const Author& author) {
  --named_connections_;
  PresentMember& left = *named_.find(author);
  if (--left.connections != 0) return;
  gone_places_.emplace(left.author, gone_.insert(gone_.end(), {left.author, clock_.monotonic_ms()}));
  set_due();
}

void Presence::note(PresenceChange change) {
  if (watchers_.empty()) return;
  changes_.push_back({++last_change_, std::move(change)});
}

void Presence::check_for_crowd() {
  if (is_crowd_ || count() <= limits().announced_max()) return;
  is_crowd_ = true;
  // The number replaces them.
  changes_.clear();
  announced_count_.reset();
  count_crowd(clock_.monotonic_ms());
  set_due();
}

void Presence::count_crowd(std::int64_t now_ms) {
  if (now_ms < next_count_ms_) return;
  next_count_ms_ = now_ms + count_interval_ms;
  changes_.clear();
  is_crowd_ = count() > limits().announced_max();
  if (!is_crowd_) {
    note({What::listed, {}, snapshot()});
  } else if (announced_count_ != count()) {
    note({What::counted, {}});
  }
}

void Presence::on_due() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  // Thousands may have left in one moment: the rest follows a little later.
  for (std::size_t i = 0; i < gone_per_look && !gone_.empty(); ++i) {
    if (gone_.front().since_ms + limits().grace_ms > now_ms) break;
    Author left = std::move(gone_.front().author);
    gone_places_.erase(left);
    gone_.pop_front();
    named_.erase(left);
    if (!is_crowd_) note({What::left, std::move(left)});
  }
  if (is_crowd_) count_crowd(now_ms);
  set_due();
}

void Presence::on_settings() {
  check_for_crowd();
  set_due();
}

void Presence::set_due() {
  if (!is_crowd_ && gone_.empty()) return due_.clear();
  std::int64_t due_ms = next_count_ms_;
  if (!gone_.empty()) {
    const std::int64_t gone_for_good_ms = gone_.front().since_ms + limits().grace_ms;
    due_ms = is_crowd_ ? std::min(due_ms, gone_for_good_ms) : gone_for_good_ms;
  }
  due_.set_in(std::max<std::int64_t>(due_ms - clock_.monotonic_ms(), 0));
}

void Presence::announce(std::size_t count) {
  if (!update_) begin_update();
  const std::size_t stop = std::min(watchers_.size(), next_watcher_ + count);
  for (; next_watcher_ < stop; ++next_watcher_) {
    Member* const watcher = watchers_[next_watcher_];
    if (watcher == nullptr || watcher->presence_place().watcher()->after >= update_number_) continue;
    watcher->subscriber().on_presence(watcher->membership(), *update_);
  }
  if (next_watcher_ == watchers_.size()) end_update();
}

void Presence::begin_update() {
  Change change = std::move(changes_.front());
  changes_.pop_front();
  if (change.what.what == What::counted) {
    // With all members that joined in this turn, not only up to the limit.
    change.what.snapshot = snapshot();
    announced_count_ = change.what.snapshot.count;
  }
  update_number_ = change.number;
  update_.emplace(room_.name(), std::move(change.what));
  next_watcher_ = 0;
}

void Presence::end_update() {
  update_.reset();
  if (holes_ != 0) close_holes();
  if (watchers_.empty()) changes_.clear();
}

void Presence::close_holes() {
  watchers_.erase(std::remove(watchers_.begin(), watchers_.end(), nullptr), watchers_.end());
  for (std::size_t i = 0; i < watchers_.size(); ++i)
    watchers_[i]->presence_place().watcher()->place = static_cast<std::uint32_t>(i);
  holes_ = 0;
}

void PresenceTracker::on_member_joined(ObservedRoom& room, Member& member) {
  const Interest& interest = member.interest();
  const bool is_needed = !interest.author.empty() || interest.watch_presence;
  if (is_needed && !room.presence())
    room.presence() = std::make_unique<Presence>(room, presence_owner(), deadlines_, clock_);
  if (!room.presence()) return;
  room.presence()->enter(member);
  update(room);
}

void PresenceTracker::on_member_acknowledged(ObservedRoom& room, Member& member) {
  if (room.presence()) room.presence()->begin_watching(member);
}

void PresenceTracker::on_member_left(ObservedRoom& room, Member& member) {
  if (!room.presence()) return;
  room.presence()->leave(member);
  update(room);
}

void PresenceTracker::on_member_renamed(ObservedRoom& room, Member& member, const Author& author) {
  if (!room.presence()) return;
  room.presence()->rename(member, author);
  update(room);
}

void PresenceTracker::on_settings(ObservedRoom& room) {
  if (!room.presence()) return;
  room.presence()->on_settings();
  update(room);
}

void PresenceTracker::on_presence_due(Presence& presence) {
  ObservedRoom& room = presence.room();
  presence.on_due();
  update(room);
  owner_.on_presence_changed(room);
}

void PresenceTracker::announce_next(std::size_t count) {
  Presence& presence = *queue_.front();
  ObservedRoom& room = presence.room();
  presence.unlink();
  // What there was may have been dropped meanwhile.
  if (presence.has_updates()) presence.announce(count);
  update(room);
  owner_.on_presence_changed(room);
}

void PresenceTracker::update(ObservedRoom& room) {
  std::unique_ptr<Presence>& presence = room.presence();
  if (!presence->is_needed()) return presence.reset();
  if (!presence->has_updates() || presence->is_linked()) return;
  queue_.push_back(*presence);
  scheduler_.wake();
}

PresenceSnapshot PresenceTracker::snapshot(const ObservedRoom& room, Hidden hidden) {
  if (room.presence() != nullptr) return room.presence()->snapshot(hidden);
  PresenceSnapshot nameless{room.members(), std::nullopt, room.members()};
  const PresenceLimits& limits = room.settings().presence;
  const std::size_t listed_max = hidden == Hidden::listed ? limits.crowd : limits.announced_max();
  if (nameless.count <= listed_max) nameless.members.emplace();
  return nameless;
}

std::size_t PresenceTracker::listed(const ObservedRoom& room) {
  return room.presence() != nullptr ? room.presence()->listed() : 0;
}

ObservedRoom::ObservedRoom() = default;
ObservedRoom::~ObservedRoom() = default;

}  // namespace roomcast::hub
