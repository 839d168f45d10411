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

Presence::Presence(ObservedRoom& room, Owner& owner, base::Deadlines& deadlines, const base::Clock& clock,
                   bool is_shared)
    : room_(room), owner_(owner), clock_(clock), due_(deadlines, *this) {
  if (is_shared) remote_ = std::make_unique<RemoteMembers>(*this, deadlines, clock);
}

void Presence::enter(Member& member) {
  const Interest& interest = member.interest();
  member.presence_place().set(interest.author, interest.watch_presence);
  if (!member.presence_place().empty()) ++placed_;
  if (interest.author.empty()) {
    note_own_change();
  } else {
    add_connection(interest.author);
  }
  check_for_crowd();
}

void Presence::rename(Member& member, const Author& author) {
  if (member.presence_place().empty()) return;
  member.presence_place().rename(author);
  if (PresentMember* const renamed = named_.find(author)) {
    if (!(renamed->author == author)) note_own_change();
    show_name(*renamed, false, author);
  }
}

void Presence::leave(Member& member) {
  PresencePlace& place = member.presence_place();
  const Author author = place.author();
  if (author.empty()) note_own_change();
  if (place.empty()) return;
  --placed_;
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
  return hidden == Hidden::listed && limits().hides_members && count() <= limits().crowd && unlisted() == 0;
}

PresenceSnapshot Presence::snapshot(Hidden hidden) const {
  PresenceSnapshot snapshot{count(), std::nullopt, all_anonymous()};
  if (!lists(hidden)) return snapshot;
  snapshot.members.emplace().reserve(named_.size());
  named_.for_each([&](const PresentMember& member) { snapshot.members->push_back(member.author); });
  return snapshot;
}

void Presence::add_connection(const Author& author) {
  ++named_connections_;
  auto [member, is_new] = named_.add(author);
  if (member.connections++ == 0) {
    const auto place = is_new ? gone_places_.end() : gone_places_.find(author);
    if (place != gone_places_.end()) {
      gone_.erase(place->second);
      gone_places_.erase(place);
      set_due();
    } else if (remote_) {
      remote_->add_own();
      note_own_change();
    }
  }
  if (!(member.author == author)) note_own_change();
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
  if (is_crowd_ || !is_crowded()) return;
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
  is_crowd_ = is_crowded();
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
    if (remote_) remote_->remove_own();
    note_own_change();
    // Another server may have it.
    if (named_.find(left)->nodes != 0) continue;
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
  const auto stop = static_cast<std::uint32_t>(std::min(watchers_.size(), next_watcher_ + count));
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

// --- Shared rooms ---

void Presence::note_own_change() {
  if (remote_) remote_->note_own_change(is_crowd_);
}

void Presence::list_remote(const Author& author) {
  auto [member, is_new] = named_.add(author);
  ++member.nodes;
  show_name(member, is_new, author);
}

void Presence::unlist_remote(const Author& author) {
  PresentMember& member = *named_.find(author);
  if (--member.nodes != 0 || member.connections != 0 || gone_places_.find(author) != gone_places_.end())
    return;
  Author left = member.author;
  named_.erase(left);
  if (!is_crowd_) note({What::left, std::move(left)});
}

void Presence::look_at_numbers() {
  check_for_crowd();
  if (is_crowd_) set_due();
}

std::optional<NodeMembers> Presence::on_remote_due() {
  if (!remote_->on_due()) return std::nullopt;
  return own_members();
}

NodeMembers Presence::own_members() const {
  NodeMembers own{{}, remote_->own(), anonymous()};
  if (own.named > std::min(limits().crowd, NodeMembers::names_max)) return own;
  own.names.reserve(own.named);
  named_.for_each([&](const PresentMember& member) {
    const bool is_here = member.connections != 0 || gone_places_.find(member.author) != gone_places_.end();
    if (is_here) own.names.push_back(member.author);
  });
  return own;
}

}  // namespace roomcast::hub
