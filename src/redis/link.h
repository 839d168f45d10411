#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/scheduler.h"
#include "net/byte_stream.h"
#include "redis/resp_reader.h"
#include "redis/value.h"

namespace roomcast::redis {

/// Waits for the answer to one command. Exactly one of its methods is called, unless the link is closed or
/// destroyed before.
class Request {
 public:
  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  virtual ~Request() = default;

  /// The answer, possibly an error; `reply` is valid within the call.
  virtual void on_reply(const Value& reply) = 0;
  /// The link went down before the answer came: the server may have done what it was asked for, or not.
  virtual void on_lost() = 0;
};

/// One connection to a server, from the stream on: commands are pipelined and answered in their order, pushes
/// come between them. Knows nothing of how it is connected, nor of what it is used for; the handshake is
/// commands like all others (handshake.h).
///
/// Commands are sent together at the end of the turn. What is received is read within the turn's allowance,
/// the rest is deferred, and no more is read from the connection until it is done with. The link ends, once
/// and for good, when the connection does, when what the server sends is not RESP or past a limit, or when
/// the oldest command has had no answer for Limits::reply_ms: its owner makes another.
class Link final : private net::ByteStream::Events,
                   private base::TurnTask,
                   private base::Deadline::Listener,
                   public base::Disposable {
 public:
  class Owner {
   public:
    /// `value` is valid within the call.
    virtual void on_push(Link& link, const Value& value) = 0;
    /// After Request::on_lost of all that was under way. The link is of no use any more; not to be destroyed
    /// within the call but by base::Scheduler::free_later.
    virtual void on_link_down(Link& link, std::string_view why) = 0;

   protected:
    ~Owner() = default;
  };
  struct Limits {
    std::size_t requests = 1'024;               ///< under way
    std::size_t bytes = std::size_t{8} << 20U;  ///< of commands that are not answered
    std::int64_t reply_ms = 3'000;
    RespReader::Limits reply{};
  };
  /// All of these outlive it.
  struct Parts {
    const base::Clock& clock;
    base::Scheduler& scheduler;
    base::Deadlines& deadlines;
  };

  /// `owner` outlives it.
  Link(const Parts& parts, const Limits& limits, std::unique_ptr<net::ByteStream> stream, Owner& owner);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  /// Closes the connection; neither requests nor owner are called. Not to be called within a call of a
  /// request or of the owner: use `close` and base::Scheduler::free_later there.
  ~Link() override;

  /// Ends it as if the connection had: requests and owner are told `why`, within the call. Has no effect on a
  /// link that is down.
  void end(std::string_view why) { go_down(why); }
  /// Ends it without a word to requests and owner, at any time: none of them is called from here on, and the
  /// connection is closed at the end of the turn. Requests are freed with the link.
  void close();

  [[nodiscard]] bool is_down() const { return is_down_; }
  /// Whether another command of about so many bytes may be sent now. A single one always may.
  [[nodiscard]] bool has_space_for(std::size_t bytes) const;
  /// Sends one command, as made by append_command. `request` may be null: nobody waits for the answer. On a
  /// link that is down the request is lost at once, or after those before it if these are being told so now.
  /// Goes past the limits, which are the caller's to ask for.
  void send(std::string&& command, std::unique_ptr<Request> request);
  /// Sends a subscription command (`SUBSCRIBE`, `SUNSUBSCRIBE`, ...) for at least one channel. In RESP3 it is
  /// answered by a push for each channel, or by one error. Every push is the owner's; with the last of them
  /// `request`, which may be null, is answered, or with the error.
  void send_subscription(std::string_view command, std::span<const std::string_view> channels,
                         std::unique_ptr<Request> request);
  /// Stops and resumes reading, for back-pressure: from here on neither requests nor pushes are told, and no
  /// answer is late.
  void pause_reading();
  void resume_reading();

  [[nodiscard]] std::size_t under_way() const { return waiting_.size(); }
  /// Memory that it holds: what was not sent or not answered, and what was read.
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  struct Waiting {
    std::unique_ptr<Request> request;
    std::int64_t since_ms = 0;
    std::size_t bytes = 0;
    std::string confirmed_by{};     // the kind of push; empty: it has a reply
    std::size_t confirmations = 0;  // that are to come
  };
  /// Reads what was left over.
  class Rest final : public base::TurnTask {
   public:
    explicit Rest(Link& link) : link_(link) {}
    void run_at_turn_end() override;

   private:
    Link& link_;
  };

  void on_bytes(std::span<char> bytes) override;
  void on_end() override;
  void on_writable() override;
  void on_error(std::string_view why) override;
  void run_at_turn_end() override;
  void on_deadline() override;

  void add(std::string&& command, Waiting&& waiting);
  void keep_unsent(std::string&& command);
  void flush();
  void read_values(base::WorkAllowance allowance);
  void take(const Value& value);
  void confirm(const Value& push);
  void answer_oldest(const Value& value);
  void apply_reading();
  void go_down(std::string_view why);
  void shut();

  Parts parts_;
  Limits limits_;
  std::unique_ptr<net::ByteStream> stream_;  // null once the link is down and the turn has ended
  Owner& owner_;
  RespReader reader_;
  Rest rest_{*this};
  base::Deadline reply_deadline_;
  std::deque<Waiting> waiting_;
  std::size_t unanswered_bytes_ = 0;
  // What the connection has not taken, in pieces: small commands together.
  std::deque<std::string> unsent_;
  std::size_t sent_of_first_ = 0;
  std::size_t unsent_bytes_ = 0;
  std::vector<std::string_view> pieces_;  // of one write
  bool is_down_ = false;
  bool is_closed_ = false;   // nobody is told anything more
  bool is_telling_ = false;  // requests are being told that they are lost
  bool is_blocked_ = false;  // on_writable is to follow
  bool is_paused_ = false;   // by the owner
  bool is_behind_ = false;   // reader_ may have values that were not taken
  bool is_stream_paused_ = false;
};

}  // namespace roomcast::redis
