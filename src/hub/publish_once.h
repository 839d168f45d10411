#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/result.h"
#include "base/scheduler.h"
#include "base/string_hash.h"
#include "hub/hub.h"
#include "hub/room_name.h"

namespace roomcast::hub {

/// Checks an idempotency key: 1–200 bytes of printable ASCII. The error says which rule was broken.
[[nodiscard]] base::Result<NameIsValid> check_idempotency_key(std::string_view key);

/// Publishes what carries a key at most once: whoever got no answer may send the same message again. A key
/// belongs to one room and one message, of the same kind and bytes, for five minutes after it was published;
/// a message that was refused leaves its key free.
///
/// What is remembered is bounded in bytes: the keys published the longest ago are forgotten first. Keys under
/// way are kept; if they alone are too much, publishes are refused.
class PublishOnce final : private base::Flushable, private base::Deadline::Listener {
 public:
  /// All outlive it. `limit_bytes`: limits.idempotency_bytes.
  PublishOnce(Hub& hub, base::Scheduler& scheduler, const base::Clock& clock, base::Deadlines& deadlines,
              std::size_t limit_bytes);
  PublishOnce(const PublishOnce&) = delete;
  PublishOnce& operator=(const PublishOnce&) = delete;
  ~PublishOnce();

  /// Hub::publish, unless `key`, a valid one, was seen in that room: with the same message, `done` gets the
  /// receipt of the first, marked as a duplicate, as soon as there is one; with another, it is refused
  /// (key_reused). Without a key every message is published. `done` is called as Hub::publish says.
  void publish(std::string_view room, Draft draft, std::string_view key, PublishDone done);

  void set_limit(std::size_t bytes);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t keys() const { return entries_.size(); }

  static constexpr std::int64_t keep_ms = 300'000;
  /// What a key takes beside the bytes of room and key, and what each who waits for its outcome takes.
  static constexpr std::size_t key_bytes = 320;
  static constexpr std::size_t waiter_bytes = 96;

 private:
  struct Entry {
    std::array<unsigned char, 32> digest{};  // of the payload
    Kind kind = Kind::text;
    bool published = false;
    Receipt receipt;
    std::int64_t forget_at_ms = 0;     // of a published one
    std::vector<PublishDone> waiting;  // beside the first; while it is under way
  };
  using Entries = std::unordered_map<std::string, Entry, base::StringHash, std::equal_to<>>;

  void publish_first(std::string_view room, Draft draft, std::string name, Entry entry, PublishDone done);
  void repeat(Entry& entry, const Entry& wanted, PublishDone done);
  void on_published(std::string_view name, const PublishDone& done, const PublishResult& result);
  void answer_later(PublishDone done, const PublishResult& result);
  [[nodiscard]] bool make_room(std::size_t bytes);
  void forget(Entries::iterator entry);
  void forget_old();
  void flush() override;
  void on_deadline() override { forget_old(); }

  Hub& hub_;
  base::Scheduler& scheduler_;
  const base::Clock& clock_;
  std::size_t limit_bytes_;
  std::size_t bytes_ = 0;
  Entries entries_;                          // by room and key
  std::list<const std::string*> published_;  // names of the published entries, the oldest first
  base::Deadline forget_;                    // set while any is published
  std::vector<std::pair<PublishDone, PublishResult>> answers_;  // to be given at the end of the turn
};

}  // namespace roomcast::hub
