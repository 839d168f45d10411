#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "hub/batch.h"
#include "hub/engine.h"
#include "hub/history.h"
#include "hub/look_back.h"
#include "hub/subscriber.h"

namespace roomcast::hub {

/// A room's log as far as this server knows it: the position of its last message, the messages retained here,
/// the first position that the engine can still read from, and a reset that has not been applied yet. Decides
/// where a subscriber starts and cuts the pages that subscribers and history requests get. It has no members,
/// no clock and no deadlines: Retention trims history(), FanOut holds what has been accepted and not
/// delivered yet.
///
/// `handed_offset` in the functions below is the offset of the last message that a fan-out has taken:
/// messages after it are available although they may not be retained.
class RoomLog {
 public:
  /// `room`, the room's name, and `kept_bytes` (see History) outlive the log.
  RoomLog(std::string_view room, KeptBytes& kept_bytes) : room_(room), history_(kept_bytes) {}
  RoomLog(const RoomLog&) = delete;
  RoomLog& operator=(const RoomLog&) = delete;

  // --- Position ---

  /// The engine's answer to the subscription: the log stands at `log`. Not to be called twice.
  void open(const LogState& log);
  /// Whether the engine has ever said where the log stands.
  [[nodiscard]] bool is_known() const { return top_.epoch != 0; }
  /// Whether a position in the log can be given to a subscriber: it is known, not lost, and no reset is
  /// pending.
  [[nodiscard]] bool is_open() const { return is_known() && !is_lost_ && !reset_; }
  /// Messages may be missing from here on, until `resume`.
  void lose() { is_lost_ = true; }
  /// Messages follow each other again after `log.top`. If that is not the present top, or the same place in a
  /// later epoch, a reset is pending until `apply_reset`; a reset that was pending already is replaced, with
  /// what was accepted after it.
  void resume(const LogState& log);
  [[nodiscard]] bool is_reset_pending() const { return reset_ != nullptr; }

  struct AppliedReset {
    std::uint64_t old_offset = 0;  ///< of the last message before the reset
    /// The last offset up to which the log is the one of before: members read what comes after it. Nothing
    /// if the log has begun anew.
    std::optional<std::uint64_t> common_offset;
    std::vector<Message> accepted;  ///< since the reset, to be accepted again
  };
  /// Moves on to the pending reset's top. The page is dropped; the history is the caller's to clear.
  [[nodiscard]] AppliedReset apply_reset();

  /// How a message's position relates to the last one that was accepted.
  enum class Order : std::uint8_t { next, not_next, duplicate };
  [[nodiscard]] Order order_of(const Position& position) const;
  /// Takes note of the next message, without a reset pending.
  void advance_to(const Position& position) { top_ = position; }
  /// What is held until the pending reset is applied.
  [[nodiscard]] std::span<const Message> held() const {
    return reset_ ? std::span<const Message>(reset_->accepted) : std::span<const Message>();
  }
  /// Holds the next message until the pending reset is applied. The reference is valid until the next call.
  const Message& hold(Message&& message);

  /// Applies it to the page and to what is held; history() is the caller's. After a clear nothing up to its
  /// position can be had from anywhere.
  void amend(const Amendment& amendment);

  /// The position of the last message; epoch 0 before `open`.
  [[nodiscard]] const Position& top() const { return top_; }
  /// The position with that offset, in the epoch in which it was given: what clients are told.
  [[nodiscard]] Position position_at(std::uint64_t offset) const {
    return {lineage_.empty() ? top_.epoch : lineage_.epoch_at(offset, top_.epoch), offset};
  }
  /// Whether `position` is one of this log's, at or before its last message.
  [[nodiscard]] bool has(const Position& position) const { return lineage_.has(position, top_); }
  /// The state to resume with where the last message stands at `top`, for logs whose engine did not announce
  /// it.
  [[nodiscard]] LogState state_at(const Position& top) const;
  /// The earliest position after which everything can be had, here or from the engine, but for holes.
  [[nodiscard]] Position earliest() const;
  /// The earliest position after which everything is retained here.
  [[nodiscard]] Position earliest_here() const;
  /// How many messages the engine keeps; 0: unknown. Its floor rises with the messages that come, and is told
  /// again only with the next page.
  void set_kept(std::size_t messages) { kept_messages_ = messages; }
  [[nodiscard]] History& history() { return history_; }
  [[nodiscard]] const History& history() const { return history_; }

  // --- Starting positions and pages ---

  /// Start position for a subscriber with these options, with a gap if what it asked for can't be proven to
  /// be complete. Only of an open log.
  [[nodiscard]] Joined start_for(const Interest& interest, std::uint64_t handed_offset) const;
  /// What of the last messages that such a subscriber is to begin with only the engine can find; nothing if
  /// start_for knows the place. Otherwise that is where it would be if none of them had been removed.
  [[nodiscard]] std::optional<LookBack> look_back_for(const Interest& interest,
                                                      std::uint64_t handed_offset) const;
  /// Whether what that start says can be relied on: what it begins with is here or waits for its fan-out,
  /// and the engine's floor, which may have risen, is of no concern.
  [[nodiscard]] bool is_certain(const Joined& start, std::uint64_t handed_offset) const;
  /// Whether everything after `offset` can still be had, but for holes.
  [[nodiscard]] bool can_continue_after(std::uint64_t offset, std::uint64_t handed_offset) const;
  /// Where a reader goes on that has everything up to `offset`: there, or behind the hole that begins there
  /// or that it is in. A hole ends where messages are retained here, or wait for their fan-out.
  [[nodiscard]] std::uint64_t behind_hole(std::uint64_t offset, std::uint64_t handed_offset) const;
  /// Whether the page with what follows `offset` can be made without the engine.
  [[nodiscard]] bool has_page_after(std::uint64_t offset) const;
  /// Makes the page hold what follows `offset`, at most `bytes_max` of payload but one message at least,
  /// where has_page_after is true and there is something. Returns whether the page had to be made.
  bool turn_page_to(std::uint64_t offset, std::size_t bytes_max);
  /// The last page made or read, shared by all subscribers that continue after the same position.
  [[nodiscard]] Batch& page() { return *page_; }
  /// Releases the page with its encodings.
  void drop_page() { page_.reset(); }
  /// Makes a page of what the engine has read after `after`, up to `handed_offset`, and takes note of its
  /// floor and holes. Where nothing follows directly, and no hole explains that, the log's floor rises, so
  /// that can_continue_after(after) becomes false.
  void take_page_read(std::uint64_t after, LogPage&& page, std::uint64_t handed_offset);

  /// The answer to a history request: at most `limit` messages after `since`, or the last `limit`, and at
  /// most `bytes_max` of payload but one message at least. Without messages where is_retained_after(cursor)
  /// is false: the page begins before what is retained here.
  [[nodiscard]] HistoryPage read(const std::optional<Position>& since,
                                 const std::optional<std::size_t>& limit, std::size_t bytes_max) const;
  /// Completes such a page, within the limits, with what the engine has read after its cursor.
  void complete(HistoryPage& page, LogPage&& read, std::size_t messages_max, std::size_t bytes_max) const;
  /// Whether everything after `position` is retained here.
  [[nodiscard]] bool is_retained_after(const Position& position) const {
    return position.offset >= earliest_here().offset;
  }

 private:
  /// Where the log goes on, and what has come since.
  struct Reset {
    LogState log;
    std::vector<Message> accepted{};
  };
  [[nodiscard]] std::uint64_t floor() const;
  [[nodiscard]] bool is_provable(const Position& since, std::uint64_t handed_offset) const;
  void keep_run(std::vector<Message>& messages, std::uint64_t last_offset) const;
  [[nodiscard]] Position before_last(std::size_t messages) const;
  [[nodiscard]] std::uint64_t before_more(std::size_t messages) const;
  [[nodiscard]] std::size_t first_of_last(std::size_t messages) const;
  [[nodiscard]] std::vector<Message> page_from(std::size_t begin, std::size_t messages_max,
                                               std::size_t bytes_max) const;
  /// At most `messages_max` messages from `begin` that are not removed; `last` becomes the position of the
  /// last one that was looked at.
  [[nodiscard]] std::vector<Message> readable_from(std::size_t begin, std::size_t messages_max,
                                                   std::size_t bytes_max, Position& last) const;
  [[nodiscard]] bool is_in_page(std::uint64_t offset) const;

  std::string_view room_;
  Position top_;
  std::uint64_t floor_ = LogState::no_past;  // as the engine has told last
  std::size_t kept_messages_ = 0;
  std::vector<Hole> holes_;  // that the engine has told of, in order
  Lineage lineage_;
  bool is_lost_ = false;
  std::unique_ptr<Reset> reset_;
  History history_;
  std::unique_ptr<Batch> page_;
};

}  // namespace roomcast::hub
