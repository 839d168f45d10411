#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/log.h"
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

/// What the metrics read.
struct HttpStats {
  std::array<std::uint64_t, 6> answers{};  ///< by class of status: [1] 1xx (upgrades), [2] 2xx … [5] 5xx
  std::uint64_t bad_requests = 0;  ///< refused before any handler saw them: malformed, or past a limit
  std::uint64_t timeouts = 0;      ///< deadlines passed: head, body, idle, or a client that does not read
};

class Connection;

/// Who holds the connections.
class ConnectionOwner {
 public:
  /// The connection `id` is over: take it off and free it later. It is still on the stack.
  virtual void on_ended(base::SlotId id) = 0;
  /// A name for the answer `connection` owes; resolves once. `watch` may be null.
  [[nodiscard]] virtual base::SlotId defer_answer(Connection& connection, ClientWatch* watch,
                                                  base::SlotId waiter) = 0;
  /// Nobody waits for that answer any more: its watch is told.
  virtual void forget_answer(base::SlotId exchange) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// What all connections of a server share; outlives them.
struct ConnectionEnvironment {
  ConnectionOwner& owner;
  Handler& handler;  ///< for connections admitted for everything; the others have their own below
  const base::Clock& clock;
  base::Deadlines& deadlines;
  base::Scheduler& scheduler;
  base::Log& log;
  TrustedProxy trusted_proxy{};
  ConnectionSettings settings{};
  ParserLimits limits{};
  HttpStats stats{};
  DateText date{};
  bool draining = false;  ///< every answer is the last one on its connection
  /// Who handles what comes over an admin listener, or over a connection of the reserve, which is closed
  /// behind its one answer. Null: as any other.
  Handler* operations = nullptr;
  Handler* reserve = nullptr;
  Handler* refusals =
      nullptr;  ///< the same of Lane::refusals, which is answered as soon as the head is there
  RefusalForm refusal_form = nullptr;
  const Gate* gate = nullptr;  ///< null: every request is handled, and no other origin reads
};

/// One HTTP/1.x connection (RFC 9112): reads requests, has them handled one at a time, writes the answers in
/// order. Everything it waits for has a deadline, and what it keeps is bounded.
class Connection final : public base::Disposable,
                         private base::Flushable,
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

  /// Begins to listen to the stream.
  void start();
  /// The deferred answer. It is sent at once, but no handler runs before the end of the turn.
  void answer(Response response);
  /// Hands the stream over in place of the deferred answer. Nothing, and the end of the connection, if its
  /// client has closed its sending half.
  [[nodiscard]] std::optional<HandOver> take_over_deferred(std::string_view head);
  /// Closes at once if nothing is owed; otherwise the answer under way is the last.
  void drain();
  /// Closes without a word, whatever is owed.
  void abort();

 private:
  enum class Phase : std::uint8_t {
    idle,       // no byte of a request yet
    head,       // part of a head read
    body,       // head accepted, body to come
    whole,      // all of it read; the parser keeps it until its turn to be handled comes
    answering,  // a handler owes the answer
    closing,    // the last answer is queued
    lingering,  // it is sent, and FIN with it; what still comes is discarded until the peer's FIN
    ended,      // over or handed over; on the way to be freed
  };

  void flush() override;
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
  [[nodiscard]] HandOver take_over(std::string_view head) override;

  [[nodiscard]] bool is_reading() const { return phase_ <= Phase::body; }
  void process();
  /// The same for input that is not to be handled at once: behind those who ask for less.
  void postpone(std::string_view input);
  [[nodiscard]] Parser::Event read_on(base::WorkAllowance& allowance);
  [[nodiscard]] bool may_go_on();
  void resume_work();
  void on_head();
  void dispatch();
  [[nodiscard]] Handler& handler() const;
  /// Whether its first answer is its last.
  [[nodiscard]] bool is_answered_once() const {
    return admission_.lane() == net::Lane::reserve || admission_.lane() == net::Lane::refusals;
  }
  [[nodiscard]] std::int64_t head_ms() const;
  [[nodiscard]] std::string_view peer_address() const {
    return peer_address_ ? std::string_view(*peer_address_) : admission_.address();
  }
  /// Hands the request to its handler, if it may be handled.
  void handle_request();
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
  void tell_admission(bool sent);
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
  std::unique_ptr<Parser> parser_;  // none while an answer is deferred
  net::WriteQueue queue_;
  [[no_unique_address]] RequestContext context_;  // of the request being answered; flags follow in its tail
  Phase phase_ = Phase::idle;
  bool first_request_ : 1 = true;
  bool processing_ : 1 = false;  // `process` is on the stack
  bool peer_ended_ : 1 = false;  // FIN seen
  bool reading_paused_ : 1 = false;
  bool keep_alive_ : 1 = false;   // the client wants it, behind the request being answered
  bool postponed_ = false;        // the backlog waits for its turn, and so does what is still to be read
  bool refusal_waits_ = false;    // the parser has refused the head; a page's Origin may still come
  bool watched_ : 1 = false;      // somebody wants to know if the client goes before the deferred answer
  bool peer_secure_ : 1 = false;  // what net::Peer says
  bool peer_on_loopback_ : 1 = false;
  bool peer_is_forwarded_ : 1 = false;
  std::uint32_t answered_ = 0;   // bytes of bodies made for answers, sent or not; for their price
  std::uint32_t held_ = 0;       // bytes kept elsewhere until the deferred answer
  std::uint32_t discarded_ = 0;  // bytes, since the last answer was queued
  base::Recently costly_;        // a read was a good part of an allowance
  Request request_;              // the one being answered
  std::unique_ptr<const std::string> peer_address_;  // only where it is not the one that is counted
  base::SlotId exchange_{};                          // its name while the answer is deferred
  std::string_view input_;                           // while processing: what has been read and not looked at
  std::string backlog_;  // the same between two rounds, when an answer has to come first
};

}  // namespace roomcast::http
