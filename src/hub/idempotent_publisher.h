#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/result.h"
#include "base/scheduler.h"
#include "hub/hub.h"
#include "hub/idempotency_keys.h"
#include "hub/room_name.h"

namespace roomcast::hub {

/// Publishes a message that carries a key at most once: a client that got no answer may send the same message
/// again. A key belongs to one room and one message, of the same kind and bytes, for five minutes after it
/// was published; a message that was refused leaves its key free.
///
/// An engine with a disk remembers keys too (Draft::key): of messages from before this server was started,
/// and of those whose outcome came too late to be known here. What it says to be a repeat is answered as one.
///
/// The keys are bounded in bytes. IdempotencyKeys decides which are dropped early, never one that is under
/// way. A new key that does not fit is refused.
class IdempotentPublisher final : private base::TurnTask, private base::Deadline::Listener {
 public:
  /// All outlive it. `limit_bytes`: limits.idempotency_bytes.
  IdempotentPublisher(Hub& hub, base::Scheduler& scheduler, const base::Clock& clock,
                      base::Deadlines& deadlines, std::size_t limit_bytes);
  IdempotentPublisher(const IdempotentPublisher&) = delete;
  IdempotentPublisher& operator=(const IdempotentPublisher&) = delete;
  ~IdempotentPublisher();

  /// Hub::publish, unless `key`, a valid one, was seen in that room: with the same message, `done` gets the
  /// receipt of the first, marked as a duplicate, as soon as there is one; with another, it is refused
  /// (key_reused). Without a key every message is published. `done` is called as Hub::publish says.
  void publish(std::string_view room, Draft draft, std::string_view key, PublishDone done);

  void set_limit(std::size_t bytes);
  [[nodiscard]] std::size_t bytes() const { return keys_.bytes(); }
  [[nodiscard]] std::size_t keys() const { return keys_.size(); }

 private:
  using Item = IdempotencyKeys::Item;

  void publish_first(std::string_view room, Draft draft, std::string_view key, std::string name,
                     PublishDone done);
  void repeat(Item& item, const Draft& draft, PublishDone done);
  void on_published(Item& item, const PublishDone& done, const PublishResult& result);
  /// Of the payload, event name and tags.
  [[nodiscard]] IdempotencyKeys::Digest digest_of(const Draft& draft);
  [[nodiscard]] const IdempotencyKeys::Digest& digest_of(const base::Bytes& payload);
  void answer_later(PublishDone done, const PublishResult& result);
  void forget_old();
  void run_at_turn_end() override;
  void on_deadline() override { forget_old(); }

  Hub& hub_;
  base::Scheduler& scheduler_;
  const base::Clock& clock_;
  IdempotencyKeys keys_;                                        // by room and key
  base::Deadline forget_;                                       // set while any is published
  std::vector<std::pair<PublishDone, PublishResult>> answers_;  // called at the end of the turn
  // Until the end of the turn: a message for many rooms has one digest.
  base::Bytes digested_;
  IdempotencyKeys::Digest digest_{};
};

}  // namespace roomcast::hub
