#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/amendment.h"
#include "hub/batch.h"
#include "hub/member.h"
#include "hub/subscriber.h"

namespace roomcast::hub {

/// The members of one room, the messages accepted for them, and the fan-out under way. A fan-out takes what
/// has been accepted so far, a page at most, as one batch past every member, in slices. Members that become
/// live meanwhile get nothing of that batch; members that leave meanwhile leave a hole that is closed when
/// the fan-out ends.
///
/// An amendment changes what members have not been handed yet at once, and is then a fan-out of its own,
/// behind the messages that came before it: nobody gets it before the message that it is about. Members that
/// catch up get it as well if they have been handed that message.
///
/// Hold-ups: a member that has much left to send can hold the room up, so that large amounts (see
/// is_much_queued) are delivered page by page as members send them, and no member is dropped as too slow only
/// because the server is fast. No member can make the others wait for long: after wait_ms the caller ends the
/// wait with end_wait, and members that have not let go until then are not waited for again until they have.
///
/// Knows no hub, no history and no clock.
class FanOut {
 public:
  /// How long a fan-out may wait for members.
  static constexpr std::int64_t wait_ms = 500;

  /// `room`, the room's name, outlives it.
  explicit FanOut(std::string_view room) : room_(room) {}
  FanOut(const FanOut&) = delete;
  FanOut& operator=(const FanOut&) = delete;

  // --- Members ---

  /// Adds a member that is not live. Members can't be added or removed from within Subscriber::deliver.
  void add(Member& member);
  void remove(Member& member);
  [[nodiscard]] std::size_t size() const { return members_.size() - holes_.size(); }
  /// Calls `visit(member)` for each member; it must not add or remove any.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Place& place : members_) {
      if (place.subscriber != nullptr) visit(*place.member);
    }
  }
  /// From here on the member gets every message after `offset`, which is not less than handed_offset().
  void set_live(const Member& member, std::uint64_t offset);
  /// From here on no member gets anything, until set_live. Not during a fan-out.
  void set_all_not_live();
  /// Whether a live member has been handed everything up to `offset`.
  [[nodiscard]] bool has_handed(const Member& member, std::uint64_t offset) const;
  /// Delivers a page of history to a member that is catching up or has just become live.
  void deliver_page(const Member& member, Batch& page, std::size_t from);

  // --- Messages ---

  /// Appends a message for the next fan-out. The reference is valid until the next call.
  const Message& push(Message&& message);
  /// Applies it to the messages that are here, and has it follow them to the members.
  void amend(Amendment&& amendment);
  /// The cost of the amendments that have not been passed to every member yet; part of backlog_bytes().
  [[nodiscard]] std::size_t amendment_bytes() const { return amendment_bytes_; }
  /// The offset of the last message that a fan-out has taken.
  [[nodiscard]] std::uint64_t handed_offset() const { return handed_offset_; }
  /// Messages after `offset` come next. Without messages or a fan-out under way.
  void continue_after(std::uint64_t offset) { handed_offset_ = offset; }
  [[nodiscard]] bool is_under_way() const { return is_under_way_; }
  /// Whether a fan-out is under way or there are messages or amendments to begin one with.
  [[nodiscard]] bool has_work() const { return is_under_way_ || !queued_.empty() || amendments_; }
  /// The cost of what has been pushed and not delivered to every member yet.
  [[nodiscard]] std::size_t backlog_bytes() const { return backlog_bytes_; }
  /// What one message counts in a backlog: the fixed cost of delivering it, and its payload.
  [[nodiscard]] static std::size_t backlog_cost(const Message& message) {
    constexpr std::size_t fixed = 1'024;
    return fixed + (message.is_shared ? 0 : message.payload.size()) + message.labels.held_bytes();
  }

  struct Progress {
    std::size_t deliveries = 0;     ///< messages × members in this slice
    std::size_t members = 0;        ///< passed in this slice
    std::size_t encoded_bytes = 0;  ///< see Batch::encoded_bytes
  };
  /// Takes the fan-out past at most `member_count` further members, fewer after an encoding that took long,
  /// beginning one if there is none. There is work to do. `page_bytes` bounds a batch, see page_size.
  Progress run(std::size_t member_count, std::size_t page_bytes);

  // --- Hold-ups ---

  /// The member holds the room up from here on. Nothing happens if it does already.
  void hold_up(Member& member);
  /// It does not any more.
  void let_go(Member& member);
  /// Whether the next fan-out should wait for members.
  [[nodiscard]] bool should_wait(std::size_t page_bytes) const {
    return !is_under_way_ && waited_for_ != 0 && is_much_queued(page_bytes);
  }
  /// The wait is over; members that have not let go are not waited for any more.
  void end_wait();

 private:
  /// A member, with all that a fan-out must know of it.
  struct Place {
    Subscriber* subscriber;    // null: it left during a fan-out
    std::uint64_t live_after;  // pushed_ when it became live; until then not_live
    Member* member;
  };
  [[nodiscard]] std::size_t next_page_size(std::size_t page_bytes) const;
  [[nodiscard]] bool is_much_queued(std::size_t page_bytes) const;
  /// An amendment on its way.
  struct Following {
    Following(std::string_view room, Amendment&& amendment, std::size_t cost_, std::uint64_t behind_)
        : update(room, std::move(amendment)), cost(cost_), behind(behind_) {}
    AmendmentUpdate update;
    std::size_t cost;      // in the backlog
    std::uint64_t behind;  // so many messages had been pushed when it came
  };
  [[nodiscard]] static bool concerns(const Amendment& amendment, const Place& place);
  [[nodiscard]] std::size_t cost_of_messages() const;
  void begin(std::size_t page_bytes);
  Progress pass_messages(std::size_t stop);
  Progress pass_amendment(std::size_t stop);
  void end_amendment();
  void take_page(std::size_t page_bytes);
  void end();
  void close_holes();
  void release_messages();
  void prefetch_next() const;
  void prefetch_first() const;
  /// Null if the member at `index` has left, or it is past the end of the fan-out.
  [[nodiscard]] const Subscriber* subscriber_at(std::size_t index) const {
    return index < end_member_ ? members_[index].subscriber : nullptr;
  }
  void prefetch_subscriber(std::size_t index) const;
  void prefetch_for_delivery(std::size_t index) const;

  std::string_view room_;
  std::vector<Place> members_;
  std::vector<std::uint32_t> holes_;  // indices of members that left during a fan-out

  std::vector<Message> queued_;  // for the next fan-outs
  std::uint64_t pushed_ = 0;     // how many messages were ever pushed
  std::uint64_t handed_offset_ = 0;
  std::size_t backlog_bytes_ = 0;

  std::uint32_t waited_for_ = 0;  // members that hold the room up since this round of waits
  std::uint8_t wait_round_ = 1;   // 1 to 255

  std::unique_ptr<std::deque<Following>> amendments_;  // null: there are none
  std::size_t amendment_bytes_ = 0;

  bool is_under_way_ = false;
  bool is_amending_ = false;    // what is under way is the first amendment
  bool is_delivering_ = false;  // a subscriber's deliver is on the stack
  Batch batch_;
  std::uint64_t batch_begin_ = 0;  // how many messages were pushed before those of the batch
  std::size_t next_member_ = 0;
  std::size_t end_member_ = 0;
};

}  // namespace roomcast::hub
