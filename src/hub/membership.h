#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/scheduler.h"
#include "hub/message.h"
#include "hub/subscriber.h"

namespace roomcast::hub {

class Room;
class Hub;

struct PresenceEntry;

/// What a subscriber wants of a room's past, and how it is there itself.
struct Interest {
  /// It has everything up to here and wants all that follows.
  std::optional<Position> since;
  /// Without `since`, or if that is no longer kept: at most so many of the last messages. Nothing: none
  /// without `since`, all that are kept after a gap.
  std::optional<std::size_t> history;
  /// Who it is to everybody else (a valid name, see room_name.h); without a name it is only counted.
  base::Bytes name{};
  /// Whether it is told who comes and goes: Subscriber::on_presence.
  bool watch_presence = false;
};

/// One subscriber's place in one room, held by the subscriber: dropping it leaves the room.
///
/// Its place is fixed when it is made, and told at the end of the turn: Subscriber::on_joined, then what it
/// wanted of the past, then live messages, with nothing missing and nothing twice. A long past comes in
/// pages; for the next one the subscriber calls continue_replay once it has got rid of the last.
class Membership final : private base::Flushable {
 public:
  /// Joins the room (a valid name, see room_name.h).
  Membership(Hub& hub, std::string_view room, Subscriber& subscriber, const Interest& interest);
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership();

  [[nodiscard]] std::string_view room_name() const;
  [[nodiscard]] bool watches_presence() const;
  /// See Hub::would_wait.
  [[nodiscard]] bool publish_would_wait() const;
  /// Whether the past has been handed over only in part. The subscriber gets nothing more until
  /// continue_replay.
  [[nodiscard]] bool is_catching_up() const {
    return catch_up_ && (catch_up_->stage == Stage::catching_up || catch_up_->stage == Stage::awaiting_page);
  }
  /// The place of the room's last message.
  [[nodiscard]] const Position& room_top() const;
  /// Whether it has been handed everything up to `offset`.
  [[nodiscard]] bool has_got(std::uint64_t offset) const;
  /// Has the next page delivered at the end of the turn; nothing happens if there is none.
  void continue_replay();
  /// The subscriber has a good part of what it may be owed still to get rid of: the room may wait for it for
  /// a moment before it hands out more (see Room). Until let_go.
  void hold_up();
  void let_go();
  /// From within Subscriber::on_joined: has the first page wait for continue_replay as well.
  void hold_replay() { catch_up_->held = true; }

 private:
  friend class Hub;
  friend class Presence;
  friend class Room;
  /// What it goes through before it is live.
  enum class Stage : std::uint8_t {
    joining,        // not told yet that it joined
    catching_up,    // gets the past, page by page
    awaiting_page,  // the same, and the engine is asked for the next page
    refused,        // over: nothing more comes
  };
  /// Until it is live.
  struct CatchUp {
    Interest interest;
    Joined plan;  // where it begins; fixed as soon as the room is open
    Stage stage = Stage::joining;
    bool held = false;                 // the subscriber takes nothing for now
    bool behind = false;               // it was live, and has not been told that it is not any more
    bool overtaken = false;            // the log has begun anew: nothing of what it wants is there any more
    std::uint64_t after = 0;           // the offset up to which it has everything
    std::optional<Refusal> refusal{};  // to be told
  };
  Membership(Room& room, Subscriber& subscriber, const Interest& interest);
  void flush() override;
  void set_index(std::uint32_t index) { index_ = index & 0xFF'FFFFU; }
  /// Whether it has not been told yet that it joined.
  [[nodiscard]] bool is_arriving() const { return catch_up_ && catch_up_->stage == Stage::joining; }

  std::uint32_t index_ : 24 = 0;  // place in Room::members_
  std::uint32_t held_up_round_ : 8 =
      0;  // 0: it does not hold the room up; else since that round of its waits
  Room& room_;
  Subscriber& subscriber_;
  std::unique_ptr<CatchUp> catch_up_;
  std::unique_ptr<PresenceEntry> presence_entry_;  // if it has a name or watches
};

}  // namespace roomcast::hub
