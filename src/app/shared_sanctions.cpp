#include "app/shared_sanctions.h"

#include <algorithm>
#include <array>
#include <optional>

#include "access/sanction_text.h"
#include "base/digest.h"
#include "hub/internal_rooms.h"
#include "part/internal_rooms.h"

namespace roomcast::app {

namespace {

using base::Refusal;
using What = SanctionChange::What;

/// Servers that repeat the same thing get it into the room once.
hub::DraftKey key_of_repetition(const std::string& name, const hub::Position& position,
                                std::string_view text) {
  const auto digest = base::sha256(text);
  std::string bytes(digest.begin(), digest.begin() + hub::DraftKey::digest_bytes);
  return {"sanction/" + name + '/' + std::to_string(position.epoch) + '-' + std::to_string(position.offset),
          bytes};
}

}  // namespace

SharedSanctions::SharedSanctions(const Parts& parts)
    : parts_(parts),
      room_(parts.room, std::string(hub::sanctions_room),
            part::sanction_changes_kept(parts.sanctions.limit()), *this),
      repair_again_(parts.room.deadlines, *this) {}

SharedSanctions::~SharedSanctions() { parts_.room.scheduler.forget(*this); }

// --- Changes that are made here ---

void SharedSanctions::put(const access::Sanction& sanction, Done done) {
  if (!has_been_read()) {
    return parts_.room.hub.complete(
        [done = std::move(done)](const hub::PublishResult& result) { done(result.error()); },
        Refusal{Refusal::Code::unavailable,
                "what other servers have decided has not been read yet: try again"});
  }
  SanctionChange change{What::put, 0, 0, sanction};
  publish(change, {}, [this, change, done = std::move(done)](const hub::PublishResult& result) mutable {
    if (!result) return done(result.error());
    const std::string name = access::name_in_store(change.sanction);
    apply(result->position, std::move(change));
    const auto entry = entries_.find(name);
    const auto id = entry == entries_.end() ? result->position.offset : entry->second.id;
    done(Kept{id, result->nodes});
    renew_oldest();
  });
}

void SharedSanctions::lift(const access::Sanction& like, Done done) {
  if (entries_.count(access::name_in_store(like)) == 0) {
    return parts_.room.hub.complete(
        [done = std::move(done)](const hub::PublishResult& result) { done(result.error()); },
        Refusal{Refusal::Code::not_found, "there is nothing to lift"});
  }
  SanctionChange change{What::lift, 0, 0, like};
  publish(change, {}, [this, change, done = std::move(done)](const hub::PublishResult& result) mutable {
    if (!result) return done(result.error());
    apply(result->position, std::move(change));
    done(Kept{0, result->nodes});
    renew_oldest();
  });
}

void SharedSanctions::publish(const SanctionChange& change, hub::DraftKey key, hub::PublishDone done) {
  hub::Draft draft{hub::Kind::json, base::Bytes::copy_of(to_text(change)), {}};
  draft.key = std::move(key);
  parts_.room.hub.publish(room_.name(), std::move(draft), std::move(done), hub::Hub::WhenShort::wait);
}

// --- What the room says ---

void SharedSanctions::on_room_message(const hub::Message& message, bool /*is_past*/) {
  auto change = read_sanction_change(message.payload.view());
  if (change) return apply(message.position, std::move(*change));
  parts_.log.error(
      "a ban, mute or revocation of another server is not in force here",
      {base::LogField::whole("message", message.payload.view()), {"problem", change.error().message}});
}

void SharedSanctions::apply(const hub::Position& position, SanctionChange&& change) {
  const std::string name = access::name_in_store(change.sanction);
  const auto entry = entries_.find(name);
  // One from before the room is read anew may be of another log: everything that the room says counts.
  const bool is_of_now = entry != entries_.end() && entry->second.reading == reading_;
  if (is_of_now && entry->second.position.offset >= position.offset) return;
  top_ = std::max(top_, position.offset);
  switch (change.what) {
    case What::lift:
      lifted_.emplace_back(name, position.offset);
      if (lifted_.size() > lifted_max) lifted_.pop_front();
      if (entry != entries_.end()) {
        parts_.sanctions.drop(change.sanction);
        erase(entry);
      }
      break;
    case What::put:
      change.id = position.offset;
      put_in(name, position, std::move(change));
      break;
    case What::keep:
      if (is_of_now ? entry->second.position.offset != change.of : is_lifted(name, change.of)) return;
      put_in(name, position, std::move(change));
      break;
  }
  drop_some_of_the_past();
}

bool SharedSanctions::is_lifted(std::string_view name, std::uint64_t after) const {
  return std::any_of(lifted_.begin(), lifted_.end(),
                     [&](const auto& one) { return one.second > after && one.first == name; });
}

void SharedSanctions::put_in(const std::string& name, const hub::Position& position,
                             SanctionChange&& change) {
  const bool is_over =
      change.sanction.until_s != 0 && change.sanction.until_s <= parts_.clock.wall_ms() / 1'000;
  auto entry = entries_.find(name);
  if (entry != entries_.end()) erase(entry);
  if (is_over) return parts_.sanctions.drop(change.sanction);
  entry = entries_.try_emplace(name).first;
  entry->second.position = position;
  entry->second.reading = reading_;
  entry->second.id = parts_.sanctions.put(change.id, std::move(change.sanction));
  oldest_.emplace(position.offset, entry->first);
  if (listener_ != nullptr && !is_reading_ && change.what == What::put)
    listener_->on_sanction(*parts_.sanctions.get(entry->second.id));
}

void SharedSanctions::erase(Entries::iterator entry) {
  oldest_.erase({entry->second.position.offset, entry->first});
  entries_.erase(entry);
}

/// Of those that ended by themselves, which the table has dropped: looks at more entries than are added.
void SharedSanctions::drop_some_of_the_past() {
  auto at = entries_.lower_bound(looked_at_);
  for (int i = 0; i < 4 && at != entries_.end(); ++i) {
    const auto next = std::next(at);
    if (parts_.sanctions.get(at->second.id) == nullptr) erase(at);
    at = next;
  }
  looked_at_ = at == entries_.end() ? std::string() : at->first;
}

// --- What has to be said again ---

/// Of the server that has said something, one after the other: the room drops messages as others are added.
void SharedSanctions::renew_oldest() {
  if (is_renewing_ || oldest_.empty()) return;
  const auto& [offset, name] = *oldest_.begin();
  if (top_ - std::min(top_, offset) <= part::sanction_changes_kept(parts_.sanctions.limit()) / 2) return;
  const auto entry = entries_.find(name);
  if (parts_.sanctions.get(entry->second.id) == nullptr) return erase(entry);
  is_renewing_ = true;
  repeat(entry->first, entry->second);
}

void SharedSanctions::repeat(const std::string& name, const Entry& entry) {
  SanctionChange change{What::keep, entry.position.offset, entry.id, *parts_.sanctions.get(entry.id)};
  auto key = key_of_repetition(name, entry.position, to_text(change));
  publish(change, std::move(key), [this, change](const hub::PublishResult& result) mutable {
    is_renewing_ = false;
    if (!result) return;
    apply(result->position, std::move(change));
    renew_oldest();
  });
}

void SharedSanctions::on_room_gap(const hub::Gap& gap) {
  parts_.log.warn(
      "bans, mutes and revocations are read anew: this server was away for too long, or Redis has "
      "lost messages",
      {{"bans, mutes and revocations", entries_.size()}});
  ++reading_;
  earliest_ = gap.earliest.offset;
  is_reading_ = true;
  lifted_.clear();
}

void SharedSanctions::on_room_read() {
  is_reading_ = false;
  if (listener_ != nullptr) listener_->on_all_sanctions();
  on_deadline();
}

void SharedSanctions::on_deadline() {
  repaired_.clear();
  is_repair_left_ = false;
  parts_.room.scheduler.mark_deferred(*this);
}

/// Goes through what the room did not say any more when it was read anew.
void SharedSanctions::run_at_turn_end() {
  if (is_reading_) return;
  constexpr std::size_t looks = 1'000;
  std::size_t repairs = 0;
  auto at = entries_.lower_bound(repaired_);
  for (std::size_t i = 0; i < looks && repairs < repairs_per_turn && at != entries_.end(); ++i) {
    const auto entry = at++;
    if (entry->second.reading == reading_) continue;
    const access::Sanction* const sanction = parts_.sanctions.get(entry->second.id);
    if (sanction == nullptr || entry->second.position.offset < earliest_) {
      // Lifted, or it would have been repeated.
      if (sanction != nullptr) parts_.sanctions.drop(access::Sanction(*sanction));
      erase(entry);
      continue;
    }
    ++repairs;
    is_repair_left_ = true;
    repeat(entry->first, entry->second);
  }
  repaired_ = at == entries_.end() ? std::string() : at->first;
  if (at != entries_.end()) return parts_.room.scheduler.mark_deferred(*this);
  // Whether all of it has come in.
  if (is_repair_left_) repair_again_.set_in(repair_again_ms);
}

}  // namespace roomcast::app
