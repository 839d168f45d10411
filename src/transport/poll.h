#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/deadlines.h"
#include "base/scheduler.h"
#include "base/slot_map.h"
#include "hub/membership.h"
#include "hub/subscriber.h"
#include "transport/join_request.h"

namespace roomcast::transport {

class Polls;

/// How a poll is to be answered.
struct PollOptions {
  std::int64_t wait_ms = 0;  ///< for the first message; 0: not at all
  bool gzip = false;         ///< the client accepts it and the server does it
};

/// One request that is answered with what the room has after its cursor, or as soon as there is a message: a
/// member of the room until it is answered, at the end of the turn in which there is something to answer.
/// Much smaller than a session, since thousands may wait.
class Poll final : public base::Disposable,
                   private hub::Subscriber,
                   private base::Deadline::Listener,
                   private base::Flushable {
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
  /// Over without an answer.
  void leave();

 private:
  /// What few polls have to say.
  struct News {
    std::optional<hub::Gap> gap{};
    std::optional<hub::Refusal> refusal{};
  };
  [[nodiscard]] News& news();
  [[nodiscard]] const hub::Refusal* refusal() const {
    return news_ && news_->refusal ? &*news_->refusal : nullptr;
  }

  void on_joined(hub::Membership& membership, const hub::Joined& joined) override;
  void on_gap(hub::Membership& membership, const hub::Gap& gap) override;
  void on_refused(hub::Membership& membership, const hub::Refusal& refusal) override;
  void deliver(hub::Batch& batch, std::size_t from) override;
  void flush() override;
  void on_deadline() override;
  /// The room has messages for it that come in a later turn, because many came at once.
  [[nodiscard]] bool is_page_due() const;

  bool joined_ = false;
  bool is_full_ = false;             // what else the room hands out is for the next poll
  std::uint16_t postponed_kib_ = 0;  // see Polls::postpone
  Polls& polls_;
  PollOptions options_;
  base::SlotId id_{};
  base::SlotId exchange_{};
  std::unique_ptr<hub::Membership> membership_;  // none: over
  hub::Position cursor_;
  std::unique_ptr<News> news_;
  base::Bytes items_;
  base::Deadline deadline_;  // to have joined, then to have something to say
};

}  // namespace roomcast::transport
