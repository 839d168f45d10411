#include "hub/idempotent_publisher.h"

#include <algorithm>
#include <array>

#include "base/digest.h"

namespace roomcast::hub {

namespace {

/// What an engine that has a disk keeps with the message: the key, and a digest that covers the kind too.
DraftKey key_of(std::string_view key, const IdempotencyKeys::Entry& entry) {
  std::array<char, DraftKey::digest_bytes> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest.at(i) = static_cast<char>(entry.digest.at(i));
  digest.back() =
      static_cast<char>(static_cast<unsigned char>(digest.back()) ^ static_cast<unsigned char>(entry.kind));
  return {key, {digest.data(), digest.size()}};
}

/// Room names hold no control characters.
std::string name_of(std::string_view room, std::string_view key) {
  std::string name(room);
  name += '\n';
  name += key;
  return name;
}

}  // namespace

IdempotentPublisher::IdempotentPublisher(Hub& hub, base::Scheduler& scheduler, const base::Clock& clock,
                                         base::Deadlines& deadlines, std::size_t limit_bytes)
    : hub_(hub), scheduler_(scheduler), clock_(clock), keys_(limit_bytes), forget_(deadlines, *this) {}

IdempotentPublisher::~IdempotentPublisher() { scheduler_.forget(*this); }

void IdempotentPublisher::publish(std::string_view room, Draft draft, std::string_view key,
                                  PublishDone done) {
  if (key.empty()) return hub_.publish(room, std::move(draft), std::move(done));
  std::string name = name_of(room, key);
  Item* const known = keys_.find(name, clock_.monotonic_ms());
  if (known != nullptr) return repeat(*known, draft, std::move(done));
  publish_first(room, std::move(draft), key, std::move(name), std::move(done));
}

void IdempotentPublisher::publish_first(std::string_view room, Draft draft, std::string_view key,
                                        std::string name, PublishDone done) {
  // A refusal should cost little: no digest.
  if (hub_.overloaded()) return hub_.publish(room, std::move(draft), std::move(done));
  if (!keys_.make_room(name.size(), clock_.monotonic_ms())) {
    return answer_later(std::move(done), Refusal{Refusal::Code::overloaded,
                                                 "too many keys are remembered (limits.idempotency_bytes)"});
  }
  IdempotencyKeys::Entry entry;
  entry.digest = digest_of(draft);
  entry.kind = draft.kind;
  entry.source = draft.source;
  draft.key = key_of(key, entry);
  Item& item = keys_.add(std::move(name), std::move(entry));
  // While it is under way the key is not dropped.
  hub_.publish(room, std::move(draft), [this, &item, done = std::move(done)](const PublishResult& result) {
    on_published(item, done, result);
  });
}

void IdempotentPublisher::repeat(Item& item, const Draft& draft, PublishDone done) {
  IdempotencyKeys::Entry& entry = item.second;
  if (entry.kind != draft.kind || entry.digest != digest_of(draft)) {
    return answer_later(std::move(done), Refusal{Refusal::Code::key_reused,
                                                 "that idempotency key belongs to another message"});
  }
  if (entry.published) return answer_later(std::move(done), entry.receipt);
  // Making room drops published keys only, never this one.
  if (!keys_.make_waiting_room(clock_.monotonic_ms())) {
    return answer_later(
        std::move(done),
        Refusal{Refusal::Code::overloaded, "too many wait for the same keys (limits.idempotency_bytes)"});
  }
  entry.waiting.push_back(std::move(done));
}

void IdempotentPublisher::on_published(Item& item, const PublishDone& done, const PublishResult& result) {
  std::vector<PublishDone> waiting;
  waiting.swap(item.second.waiting);
  keys_.leave(waiting.size());
  PublishResult again = result;
  if (result) {
    again->duplicate = true;
    item.second.receipt = *again;
    keys_.age(item, clock_.monotonic_ms());
    if (!forget_.is_set()) forget_.set_in(IdempotencyKeys::keep_ms);
  } else {
    keys_.forget(item);
  }
  if (done) done(result);
  for (const PublishDone& other : waiting) {
    if (other) other(again);
  }
}

IdempotencyKeys::Digest IdempotentPublisher::digest_of(const Draft& draft) {
  const IdempotencyKeys::Digest& of_payload = digest_of(draft.payload);
  if (draft.labels.empty()) return of_payload;
  std::string all(of_payload.begin(), of_payload.end());
  const auto append = [&all](std::string_view text) {
    all += std::to_string(text.size()).append(":").append(text);
  };
  append(draft.labels.event());
  for (const Tag& tag : draft.labels.tags()) {
    append(tag.key);
    append(tag.value);
  }
  return base::sha256(all);
}

const IdempotencyKeys::Digest& IdempotentPublisher::digest_of(const base::Bytes& payload) {
  const auto is_same = [](std::string_view a, std::string_view b) {
    return a.data() == b.data() && a.size() == b.size();
  };
  if (digested_.empty() || !is_same(digested_.view(), payload.view())) {
    digest_ = base::sha256(payload.view());
    digested_ = payload;
    scheduler_.mark_dirty(*this);
  }
  return digest_;
}

void IdempotentPublisher::answer_later(PublishDone done, const PublishResult& result) {
  if (!done) return;
  answers_.emplace_back(std::move(done), result);
  scheduler_.mark_dirty(*this);
}

void IdempotentPublisher::run_at_turn_end() {
  digested_.reset();
  // A callback may publish again: those answers are for the next time.
  std::vector<std::pair<PublishDone, PublishResult>> answers;
  answers.swap(answers_);
  for (const auto& [done, result] : answers)
    done(result);
  forget_old();
}

void IdempotentPublisher::set_limit(std::size_t bytes) {
  keys_.set_limit(bytes);
  forget_old();
}

/// Drops some of the old keys; the rest at the end of the turn, after other work.
void IdempotentPublisher::forget_old() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  const bool more = keys_.forget_some(now_ms);
  if (more) scheduler_.mark_dirty(*this);
  const auto next_ms = keys_.next_ms();
  if (next_ms) {
    forget_.set_in(std::max<std::int64_t>(*next_ms - now_ms, 0));
  } else {
    forget_.clear();
  }
}

}  // namespace roomcast::hub
