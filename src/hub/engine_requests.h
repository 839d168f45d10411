#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/deadlines.h"
#include "hub/engine.h"
#include "hub/outcome.h"

namespace roomcast::hub {

/// The publishes and reads that the engine has been asked for and has not answered, by their tickets, each
/// with a deadline. Knows no engine: the caller makes the request, watches it, and takes it back with the
/// answer.
class EngineRequests final : private base::Deadline::Listener {
 public:
  class Owner {
   public:
    /// The time of a request is over, within a quarter of a second; it may have been taken already.
    virtual void on_overdue(Ticket ticket) = 0;

   protected:
    ~Owner() = default;
  };

  struct Publish {
    std::string room;
    PublishDone done;
  };
  /// A read for the members of a room that catch up, or, with `done`, for a history request.
  struct Read {
    std::string room;
    HistoryPage page{};            ///< of a history request: what is known of it
    std::size_t messages_max = 0;  ///< of a history request
    HistoryDone done{};
    bool is_back = false;  ///< see Engine::read_back
  };

  EngineRequests(Owner& owner, const base::Clock& clock, base::Deadlines& deadlines)
      : owner_(owner), clock_(clock), due_(deadlines, *this) {}
  EngineRequests(const EngineRequests&) = delete;
  EngineRequests& operator=(const EngineRequests&) = delete;

  /// Returns the ticket to make the request with; never 0.
  [[nodiscard]] Ticket add(Publish&& publish);
  [[nodiscard]] Ticket add(Read&& read);
  /// Bounds the time of a request that has been made; nothing happens if it has been answered already. `ms`
  /// is about the same from call to call: requests are overdue in the order of the calls.
  void watch(Ticket ticket, std::int64_t ms);
  /// The request with that ticket, which is answered; nothing if it has been taken before.
  [[nodiscard]] std::optional<Publish> take_publish(Ticket ticket);
  [[nodiscard]] std::optional<Read> take_read(Ticket ticket);

  /// Reads for members.
  [[nodiscard]] std::size_t member_reads() const { return member_reads_; }
  /// Reads for history requests.
  [[nodiscard]] std::size_t history_reads() const { return reads_.size() - member_reads_; }

 private:
  [[nodiscard]] bool is_open(Ticket ticket) const {
    return publishes_.count(ticket) != 0 || reads_.count(ticket) != 0;
  }

  void on_deadline() override;

  Owner& owner_;
  const base::Clock& clock_;
  std::unordered_map<Ticket, Publish> publishes_;
  std::unordered_map<Ticket, Read> reads_;
  std::size_t member_reads_ = 0;
  std::deque<std::pair<std::int64_t, Ticket>> watched_;  // until when; some have been answered
  Ticket last_ticket_ = 0;
  base::Deadline due_;  // for looking at watched_
};

}  // namespace roomcast::hub
