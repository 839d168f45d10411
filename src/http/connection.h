#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "base/refusal_tally.h"
#include "base/scheduler.h"
#include "base/slot_map.h"
#include "base/work_allowance.h"
#include "http/exchange.h"
#include "http/forwarded.h"
#include "http/gate.h"
#include "http/limits.h"
#include "http/message.h"
#include "http/parser.h"
#include "http/response_head.h"
#include "net/admission.h"
#include "net/byte_stream.h"
#include "net/write_queue.h"

namespace roomcast::http {

/// Counters for the metrics.
struct HttpStats {
  std::array<std::uint64_t, 6>
      answers{};                   ///< responses by status class: [1] 1xx (upgrades), [2] 2xx … [5] 5xx
  std::uint64_t bad_requests = 0;  ///< refused before any handler: malformed, or over a limit
  std::uint64_t timeouts = 0;      ///< expired deadlines: head, body, idle, or a client that does not read
};

class Connection;

/// Owns the connections.
class ConnectionOwner {
 public:
  /// The connection `id` has ended: remove it and free it later. It is still on the call stack.
  virtual void on_ended(base::SlotId id) = 0;
  /// An id for the response that `connection` owes, which resolves once. `watch` may be null.
  [[nodiscard]] virtual base::SlotId defer_answer(Connection& connection, ClientWatch* watch,
                                                  base::SlotId waiter) = 0;
  /// The response is not needed any more: notifies its watch.
  virtual void forget_answer(base::SlotId exchange) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// Shared by all connections of a server; outlives them.
struct ConnectionEnvironment {
  ConnectionOwner& owner;
  Handler& handler;  ///< for connections of Lane::regular; the others have their own below
  const base::Clock& clock;
  base::Deadlines& deadlines;
  base::Scheduler& scheduler;
  base::Log& log;
  ParserLimits limits;
  ConnectionSettings settings;
  TrustedProxy trusted_proxy{};
  HttpStats stats{};
  DateText date{};
  bool draining = false;  ///< every response is the last one of its connection
  /// Handlers for connections of an admin listener, and for connections of the reserve, which are closed
  /// after one response. Null: the common handler.
  Handler* operations = nullptr;
  Handler* reserve = nullptr;
  /// The same for Lane::refusals, whose requests are answered as soon as the head has arrived.
  Handler* refusals = nullptr;
  RefusalForm refusal_form{};
  base::RefusalTally* refused = nullptr;  ///< null: refusals are not counted
  Gate* gate = nullptr;  ///< null: every request is handled, and pages of other origins read no response
};

/// One HTTP/1.x connection (RFC 9112): reads requests, passes them to their handlers one at a time, and
/// writes the responses in order. Everything it waits for has a deadline, and what it stores is bounded.
class Connection final : public base::Disposable,
                         private base::TurnTask,
                         private net::ByteStream::Events,
                         private Exchange,
                         private net::Holder,
                         private base::Deadline::Listener {
 public:
  Connection(ConnectionEnvironment& environment, base::SlotId id, std::unique_ptr<net::ByteStream> stream,
             net::Admission admission, const net::Peer& peer);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  /// Starts reading from the stream.
  void start();
  /// Of the current request.
  [[nodiscard]] std::string_view client_address() const { return request_.client.address; }
  /// Sends the deferred response. No handler runs before the end of the turn.
  void answer(Response response);
  /// Hands the stream over instead of sending the deferred response. If the client has closed its sending
  /// half: nothing, and the connection ends.
  [[nodiscard]] std::optional<HandOver> take_over_deferred(std::string_view head);
  /// The gate, which kept the request waiting, has its verdict: handles it anew at the end of the turn.
  void resume(const std::function<void(RequestContext&)>& change);
  /// Closes immediately if no response is owed; otherwise the current response is the last.
  void drain();
  /// Closes immediately, without any response that is owed.
  void abort();

 private:
  enum class Phase : std::uint8_t {
    idle,       // no byte of a request was read yet
    head,       // part of a head was read
    body,       // the head is accepted, the body is to come
    whole,      // the request is complete; the parser keeps it until it is handled
    answering,  // a handler owes the response
    closing,    // the last response is queued
    lingering,  // response and FIN are sent; input is discarded until the FIN of the peer
    ended,      // ended or handed over; about to be freed
  };

  void run_at_turn_end() override;
  void on_bytes(std::span<char> bytes) override;
  void on_end() override;
  void on_writable() override;
  void on_held() override;
  void on_error(std::string_view why) override;
  void on_deadline() override;
  void shed() override;

  [[nodiscard]] const Request& request() const override { return request_; }
  [[nodiscard]] RequestContext& context() override { return context_; }
  void add_gate_fields(Headers& headers) const override;
  void respond(Response response) override;
  [[nodiscard]] base::SlotId defer() override;
  [[nodiscard]] base::SlotId defer_for(ClientWatch& watch, base::SlotId waiter) override;
  [[nodiscard]] base::SlotId defer_holding(std::size_t bytes, ClientWatch& watch,
                                           base::SlotId waiter) override;
  [[nodiscard]] base::SlotId wait_for_gate() override;
  [[nodiscard]] HandOver take_over(std::string_view head) override;

  [[nodiscard]] bool is_reading() const { return phase_ <= Phase::body; }
  void process();
  /// Like process, for input that is to be handled later, after that of clients that ask for less.
  void postpone(std::string_view input);
  [[nodiscard]] Parser::Step read_on(base::WorkAllowance& allowance);
  [[nodiscard]] bool may_go_on();
  void resume_work();
  void on_head();
  void dispatch();
  [[nodiscard]] Handler& handler() const;
  /// Whether its first response is its last.
  [[nodiscard]] bool is_answered_once() const {
    return admission_.lane() == net::Lane::reserve || admission_.lane() == net::Lane::refusals;
  }
  [[nodiscard]] std::int64_t head_ms() const;
  [[nodiscard]] std::string_view peer_address() const {
    return peer_address_ ? std::string_view(*peer_address_) : admission_.address();
  }
  /// Passes the request to its handler if the gate permits it.
  void handle_request();
  void handle_request_surely();
  void handle_anew();
  [[nodiscard]] bool should_wait_for_origin() const;
  void wait_for_origin();
  void note_context(const Request& request);
  void complete(const Request& request, Response& response);
  void shed_request();
  void abandon_answer();
  void forget_answer();
  void refuse(const base::Refusal& refusal);
  void write(const Response& response, bool keep_alive);
  bool send_queued();
  void settle();
  void report_to_admission(bool sent);
  void enter(Phase phase);
  void arm_deadline();
  void discard(std::size_t count);
  void linger();
  void pace_reading();
  void finish();

  ConnectionEnvironment& environment_;
  base::SlotId id_;
  std::unique_ptr<net::ByteStream> stream_;
  net::Admission admission_;
  base::Deadline deadline_;
  std::unique_ptr<Parser> parser_;  // null while a response is deferred
  net::WriteQueue queue_;
  [[no_unique_address]] RequestContext
      context_;  // of the current request; the flags below use its tail padding
  Phase phase_ = Phase::idle;
  bool first_request_ : 1 = true;
  bool processing_ : 1 = false;  // `process` is on the stack
  bool peer_ended_ : 1 = false;  // FIN received
  bool reading_paused_ : 1 = false;
  bool keep_alive_ : 1 = false;  // requested by the client of the current request
  bool postponed_ = false;       // the backlog is deferred, and reading paused
  bool refusal_waits_ = false;   // the parser has refused the head; an Origin field may still arrive
  bool at_gate_ : 1 =
      false;  // the gate keeps the request waiting; with exchange_ {}: it is to be handled anew
  bool watched_ : 1 = false;  // a ClientWatch is notified if the client leaves before the deferred response
  bool peer_secure_ : 1 = false;  // from net::Peer
  bool peer_on_loopback_ : 1 = false;
  bool peer_is_forwarded_ : 1 = false;
  std::uint32_t answered_ = 0;   // bytes of response bodies, sent or not; for the allowance
  std::uint32_t held_ = 0;       // bytes kept elsewhere until the deferred response
  std::uint32_t discarded_ = 0;  // bytes since the last response was queued
  base::Recently costly_;        // whether a read recently was expensive
  Request request_;              // the current request
  std::unique_ptr<const std::string> peer_address_;  // only if it differs from the key of the admission
  base::SlotId exchange_{};                          // id of the deferred response
  std::string_view input_;                           // while processing: the input that was not parsed yet
  std::string backlog_;  // the same between two rounds, while a response has to come first
};

}  // namespace roomcast::http
