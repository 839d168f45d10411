#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/deadlines.h"
#include "base/scheduler.h"
#include "base/slot_map.h"
#include "http/exchange.h"
#include "hub/batch.h"
#include "hub/membership.h"
#include "hub/subscriber.h"
#include "service/rooms.h"
#include "transport/join_request.h"
#include "transport/poll_body.h"
#include "transport/poll_sweep.h"

namespace roomcast::transport {

class Polls;

/// How a poll is to be answered.
struct PollOptions {
  std::int64_t wait_ms = 0;  ///< for the first message; 0: not at all
  bool gzip = false;         ///< the client accepts it and the server does it
};

/// One request that is answered with what the room has after its cursor, or as soon as there is a message:
/// a member of the room until it is answered, at the end of the turn in which there is something to answer.
/// Much smaller than a session, since thousands may wait.
class Poll final : public base::Disposable,
                   private hub::Subscriber,
                   private base::Deadline::Listener,
                   private base::TurnTask {
 public:
  Poll(Polls& polls, const PollOptions& options);
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;
  ~Poll() override;

  /// Joins the room, or says why not. Once; owe() follows in the same call.
  [[nodiscard]] std::optional<base::Refusal> join(const JoinRequest& join);
  /// `exchange` is the answer it owes.
  void owe(base::SlotId id, base::SlotId exchange) {
    id_ = id;
    exchange_ = exchange;
  }
  /// Answers with what there is and is over. Not from within a call of the hub.
  void answer();
  /// Answers at once if the client may no longer be in the room, or `also` refuses it. The same holds.
  void reconsider(const part::ClientCheck& also);
  /// Over without an answer.
  void leave();

 private:
  /// What few polls have.
  struct Extras {
    access::Identity identity{};  // if it has one
    std::optional<hub::Gap> gap{};
    std::optional<hub::Refusal> refusal{};
  };
  [[nodiscard]] Extras& extras();
  [[nodiscard]] const hub::Refusal* refusal() const {
    return extras_ && extras_->refusal ? &*extras_->refusal : nullptr;
  }

  void on_joined(hub::Membership& membership, const hub::Joined& joined) override;
  void on_gap(hub::Membership& membership, const hub::Gap& gap) override;
  void on_refused(hub::Membership& membership, const hub::Refusal& refusal) override;
  void deliver(hub::Batch& batch, std::size_t from) override;
  void pass_over(const hub::Position& position);
  void run_at_turn_end() override;
  void on_deadline() override;
  /// The room has messages for it that come in a later turn, because many came at once.
  [[nodiscard]] bool is_page_due() const;
  /// Rights may have changed while it waited, and its token may have run out.
  void check_rights();
  [[nodiscard]] access::Identity identity() const { return extras_ ? extras_->identity : access::Identity(); }
  [[nodiscard]] std::int64_t left_ms() const;
  /// Not beyond the end of its token.
  void set_deadline(std::int64_t ms) { deadline_.set_in(std::min(ms, left_ms())); }

  bool joined_ : 1 = false;
  bool is_full_ : 1 = false;         // what else the room hands out is for the next poll
  bool is_page_blank_ : 1 = false;   // the last page had removed messages alone
  std::uint16_t postponed_kib_ = 0;  // see Polls::postpone
  Polls& polls_;
  PollOptions options_;
  base::SlotId id_{};
  base::SlotId exchange_{};
  std::unique_ptr<hub::Membership> membership_;  // none: over
  hub::Position cursor_;
  std::unique_ptr<Extras> extras_;
  base::Bytes items_;
  base::Deadline deadline_;  // to have joined, then to have something to say
};

/// What may change by a reload; applies from the next request on.
struct PollSettings {
  std::int64_t wait_ms;        ///< the longest wait; a longer `?wait=` is cut down to it
  bool compression;            ///< gzip for clients that accept it
  std::int64_t leeway_ms = 0;  ///< auth.leeway_seconds: how much longer a token is good for than it says
};

/// What all polls use; outlives them.
struct PollParts {
  service::Rooms& rooms;
  base::Scheduler& scheduler;
  base::Deadlines& deadlines;
  const base::Clock& clock;
  http::DeferredResponses& connections;
  const hub::Encoder& items;      ///< a message as an element of a list, with a comma before it
  base::TimeBudget& compressing;  ///< the time there is for it
};

/// Owns every poll from its request to its answer.
class Polls final : public http::ClientWatch {
 public:
  Polls(const PollParts& parts, const PollSettings& settings)
      : parts_(parts),
        settings_(settings),
        bodies_(parts.deadlines, parts.compressing),
        sweep_(*this, parts.scheduler, parts.clock) {}
  Polls(const Polls&) = delete;
  Polls& operator=(const Polls&) = delete;
  ~Polls();

  /// Answers the request when there is something to say, or `options.wait_ms` are over. Where the room
  /// can't be joined it says why, and leaves the answer to the caller.
  [[nodiscard]] std::optional<base::Refusal> open(http::Exchange& exchange, const JoinRequest& join,
                                                  const PollOptions& options);

  /// Polls that wait.
  [[nodiscard]] std::size_t size() const { return polls_.size(); }
  [[nodiscard]] const PollSettings& settings() const { return settings_; }
  void set_settings(const PollSettings& settings) { settings_ = settings; }

  /// What clients may has changed: answers those that may no longer be in their rooms, or that `also` refuses
  /// (it may be empty), in slices.
  void reconsider(const part::ClientCheck& also) { sweep_.add(also); }

  /// Answers up to `count` of those that wait, with an empty list: their clients come back by themselves.
  /// Returns how many that were.
  std::size_t close_some(std::size_t count);
  /// Ends all that are left, without an answer.
  void abort_all();

  // To go through them in parts, see base::SlotMap.
  [[nodiscard]] std::uint32_t slots() const { return polls_.slots(); }
  [[nodiscard]] Poll* at_slot(std::uint32_t index) {
    const auto* const found = polls_.at_slot(index);
    return found == nullptr ? nullptr : found->get();
  }

  // For polls.
  [[nodiscard]] const PollParts& parts() const { return parts_; }
  void respond(base::SlotId exchange, const PollResult& result, const PollOptions& options);
  /// The room could not be joined, or not be read.
  void refuse(base::SlotId exchange, const hub::Refusal& refusal);
  /// Whether an answer of such items may wait behind the short ones. What they take counts for as long as
  /// `kib` of it are not given back.
  [[nodiscard]] bool postpone(const base::Bytes& items, std::uint16_t& kib);
  void give_back(std::uint16_t kib) { postponed_kib_ -= kib; }
  void on_over(base::SlotId id) { parts_.scheduler.free_later(polls_.take(id)); }

 private:
  void on_client_gone(base::SlotId waiter) override;

  PollParts parts_;
  PollSettings settings_;
  PollBodies bodies_;
  std::size_t postponed_kib_ = 0;
  const void* last_postponed_ = nullptr;  // whose bytes are counted already; only compared
  PollSweep sweep_;
  base::SlotMap<std::unique_ptr<Poll>> polls_;
};

}  // namespace roomcast::transport
