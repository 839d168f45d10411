#pragma once

#include <cstdint>
#include <deque>

#include "access/sanctions.h"
#include "base/clock.h"
#include "base/deadlines.h"
#include "http/exchange.h"
#include "part/context.h"

namespace roomcast::api {

/// Answers to calls that have changed sanctions, each held until the change will outlive the server. A change
/// that takes longer than store.ack_timeout_seconds is answered with `store_timeout`: it is in force, and may
/// still be kept.
///
/// As many can wait as there are connections, and each takes the memory of its answer.
class KeptAnswers final : private access::Sanctions::Keeper::Listener, private base::Deadline::Listener {
 public:
  /// All outlive it.
  explicit KeptAnswers(const part::Context& context);
  KeptAnswers(const KeptAnswers&) = delete;
  KeptAnswers& operator=(const KeptAnswers&) = delete;
  ~KeptAnswers() = default;

  /// For what is answered from now on.
  void set_timeout(std::int64_t ms) { timeout_ms_ = ms; }
  /// Answers the exchange once all changes so far are kept; at once where nothing keeps them.
  void answer(http::Exchange& exchange, http::Response answer);

 private:
  struct Waiting {
    access::Sanctions::Keeper::Change change;
    std::int64_t due_ms;
    base::SlotId exchange;
    http::Response answer;
  };

  void on_kept(access::Sanctions::Keeper::Change change) override;
  void on_deadline() override;
  /// Looks again when the first one that waits is due.
  void watch_time();

  access::Sanctions::Keeper* const keeper_;
  http::DeferredResponses& responses_;
  const base::Clock& clock_;
  std::int64_t timeout_ms_ = 5'000;
  std::deque<Waiting> waiting_;  // in the order of the changes
  base::Deadline due_;
};

}  // namespace roomcast::api
