#include "hub/publish_once.h"

#include <algorithm>

#include "base/digest.h"

namespace roomcast::hub {

namespace {

constexpr std::size_t longest_key = 200;

/// Room names hold no control characters.
std::string name_of(std::string_view room, std::string_view key) {
  std::string name(room);
  name += '\n';
  name += key;
  return name;
}

}  // namespace

base::Result<NameIsValid> check_idempotency_key(std::string_view key) {
  if (key.empty() || key.size() > longest_key) {
    return base::Error{"an idempotency key has 1 to 200 bytes, not " + std::to_string(key.size())};
  }
  const bool is_printable = std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!is_printable) return base::Error{"an idempotency key is printable ASCII"};
  return NameIsValid{};
}

PublishOnce::PublishOnce(Hub& hub, base::Scheduler& scheduler, const base::Clock& clock,
                         base::Deadlines& deadlines, std::size_t limit_bytes)
    : hub_(hub), scheduler_(scheduler), clock_(clock), limit_bytes_(limit_bytes), forget_(deadlines, *this) {}

PublishOnce::~PublishOnce() { scheduler_.forget(*this); }

void PublishOnce::publish(std::string_view room, Draft draft, std::string_view key, PublishDone done) {
  if (key.empty()) return hub_.publish(room, std::move(draft), std::move(done));
  forget_old();
  Entry wanted;
  wanted.digest = base::sha256(draft.payload.view());
  wanted.kind = draft.kind;
  std::string name = name_of(room, key);
  const auto found = entries_.find(name);
  if (found != entries_.end()) return repeat(found->second, wanted, std::move(done));
  publish_first(room, std::move(draft), std::move(name), std::move(wanted), std::move(done));
}

void PublishOnce::publish_first(std::string_view room, Draft draft, std::string name, Entry entry,
                                PublishDone done) {
  if (!make_room(name.size() + key_bytes)) {
    return answer_later(std::move(done),
                        PublishRefusal{PublishRefusal::Why::overloaded,
                                       "too many keys are under way (limits.idempotency_bytes)"});
  }
  entries_.emplace(name, std::move(entry));
  hub_.publish(room, std::move(draft),
               [this, name = std::move(name), done = std::move(done)](const PublishResult& result) {
                 on_published(name, done, result);
               });
}

void PublishOnce::repeat(Entry& entry, const Entry& wanted, PublishDone done) {
  if (entry.digest != wanted.digest || entry.kind != wanted.kind) {
    return answer_later(std::move(done), PublishRefusal{PublishRefusal::Why::key_reused,
                                                        "that idempotency key belongs to another message"});
  }
  if (entry.published) return answer_later(std::move(done), entry.receipt);
  // Making room drops published entries only, never this one.
  if (!make_room(waiter_bytes)) {
    return answer_later(std::move(done),
                        PublishRefusal{PublishRefusal::Why::overloaded,
                                       "too many wait for the same keys (limits.idempotency_bytes)"});
  }
  entry.waiting.push_back(std::move(done));
}

void PublishOnce::on_published(std::string_view name, const PublishDone& done, const PublishResult& result) {
  const auto found = entries_.find(name);
  Entry& entry = found->second;
  const std::vector<PublishDone> waiting = std::exchange(entry.waiting, {});
  bytes_ -= waiting.size() * waiter_bytes;
  PublishResult again = result;
  if (result) {
    again->duplicate = true;
    entry.published = true;
    entry.receipt = *again;
    entry.forget_at_ms = clock_.monotonic_ms() + keep_ms;
    published_.push_back(&found->first);
    if (!forget_.is_set()) forget_.set_in(keep_ms);
  } else {
    forget(found);
  }
  if (done) done(result);
  for (const PublishDone& other : waiting) {
    if (other) other(again);
  }
}

void PublishOnce::answer_later(PublishDone done, const PublishResult& result) {
  if (!done) return;
  answers_.emplace_back(std::move(done), result);
  scheduler_.mark_dirty(*this);
}

void PublishOnce::flush() {
  // Whoever is answered may publish again: those answers are for the next time.
  const auto answers = std::exchange(answers_, {});
  for (const auto& [done, result] : answers)
    done(result);
}

/// Counts `bytes` more, if there is room.
bool PublishOnce::make_room(std::size_t bytes) {
  while (bytes_ + bytes > limit_bytes_ && !published_.empty()) {
    const auto oldest = entries_.find(*published_.front());
    published_.pop_front();
    forget(oldest);
  }
  if (bytes_ + bytes > limit_bytes_) return false;
  bytes_ += bytes;
  return true;
}

void PublishOnce::set_limit(std::size_t bytes) {
  limit_bytes_ = bytes;
  (void)make_room(0);
}

void PublishOnce::forget(Entries::iterator entry) {
  bytes_ -= entry->first.size() + key_bytes;
  entries_.erase(entry);
}

void PublishOnce::forget_old() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  while (!published_.empty()) {
    const auto oldest = entries_.find(*published_.front());
    if (oldest->second.forget_at_ms > now_ms) return forget_.set_in(oldest->second.forget_at_ms - now_ms);
    published_.pop_front();
    forget(oldest);
  }
  forget_.clear();
}

}  // namespace roomcast::hub
