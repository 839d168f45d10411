#pragma once

#include <string_view>

#include "hub/member.h"
#include "hub/message.h"
#include "hub/subscriber.h"

namespace roomcast::hub {

class Hub;

/// One subscriber's place in one room, held by the subscriber: dropping it leaves the room.
///
/// Its position is fixed when it is made, or when the room opens, and passed on at the end of the turn:
/// Subscriber::on_joined, then the messages that it asked for from history, then live messages, with nothing
/// missing and nothing twice. A long history comes in pages; the subscriber calls continue_replay for the
/// next one once it has sent the last.
class Membership final : private Member {
 public:
  /// Joins the room (a valid name, see room_name.h).
  Membership(Hub& hub, std::string_view room, Subscriber& subscriber, const Interest& interest);
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership();

  [[nodiscard]] std::string_view room_name() const;
  [[nodiscard]] bool watches_presence() const;
  /// Who the other members see; empty if it is only counted.
  [[nodiscard]] Author author() const;
  /// Others see it as `author` from here on. Both it and author() are identified, with the same principal.
  void rename(const Author& author);
  /// See Hub::would_wait.
  [[nodiscard]] bool publish_would_wait() const;
  /// Whether history has been handed over only in part. The subscriber gets nothing more until
  /// continue_replay.
  [[nodiscard]] bool is_catching_up() const { return Member::is_catching_up(); }
  /// The position of the room's last message.
  [[nodiscard]] const Position& room_top() const;
  /// Whether it has been handed everything up to `offset`.
  [[nodiscard]] bool has_got(std::uint64_t offset) const;
  /// Has the next page delivered at the end of the turn; nothing happens if there is none.
  void continue_replay();
  /// The subscriber still has a good part of what it may have queued to send: the room may wait a moment for
  /// it before it delivers more (see FanOut). Until let_go.
  void hold_up();
  void let_go();
  /// From within Subscriber::on_joined: has the first page wait for continue_replay as well.
  void hold_replay() { pause(); }

 private:
  void run_at_turn_end() override;
  Membership& membership() override { return *this; }
};

}  // namespace roomcast::hub
