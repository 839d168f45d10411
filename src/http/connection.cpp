#include "http/connection.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <limits>
#include <utility>

#include "base/memory.h"

namespace roomcast::http {

namespace {

constexpr std::size_t small_body_bytes = 4096;  // copied after its head, so that both are one frame

// The cost of a request in units of a WorkAllowance: a fixed part for parsing, handling and answering it;
// each byte of its head; bytes of its body, and of the framing of a chunked body; each byte of the complete
// body, which is parsed then; each byte of the response, up to the size from which it is only referred to.
constexpr std::size_t request_units = 8'192;
constexpr std::size_t units_per_head_byte = 2;
constexpr std::size_t body_bytes_per_unit = 4;
constexpr std::size_t units_per_framing_byte = 16;
constexpr std::size_t units_per_body_byte = 2;
constexpr std::size_t units_per_answered_byte = 4;
constexpr std::size_t answered_bytes_max = 65'536;

// The part of a body between two checks of the allowance.
constexpr std::size_t body_piece_bytes = 8'192;

}  // namespace

Connection::Connection(ConnectionEnvironment& environment, base::SlotId id,
                       std::unique_ptr<net::ByteStream> stream, net::Admission admission,
                       const net::Peer& peer)
    : environment_(environment),
      id_(id),
      stream_(std::move(stream)),
      admission_(std::move(admission)),
      deadline_(environment.deadlines, *this),
      peer_secure_(peer.is_secure),
      peer_on_loopback_(peer.on_loopback),
      peer_is_forwarded_(peer.is_forwarded) {
  if (!peer.address.empty() && peer.address != admission_.address())
    peer_address_ = std::make_unique<const std::string>(peer.address);
}

Connection::~Connection() { environment_.scheduler.forget(*this); }

void Connection::start() {
  arm_deadline();
  admission_.wait(net::Wait::first_request, *this);
  stream_->set_events(*this);
}

void Connection::on_bytes(std::span<char> bytes) {
  if (phase_ == Phase::ended) return;
  if (phase_ == Phase::closing || phase_ == Phase::lingering) return discard(bytes.size());
  const std::string_view view(bytes.data(), bytes.size());
  if (!is_reading() || !queue_.empty() || !backlog_.empty()) {
    backlog_.append(view);
    report_to_admission(queue_.empty());
    return pace_reading();
  }
  if (costly_.is_so(environment_.clock.monotonic_ms())) return postpone(view);
  input_ = view;
  process();
}

void Connection::on_end() {
  if (phase_ == Phase::ended) return;
  peer_ended_ = true;
  if (refusal_waits_) refuse(parser_->problem());
  if (watched_) abandon_answer();
  // A client that only closed its sending half still gets its response.
  if (phase_ == Phase::lingering) return linger();
  settle();
}

void Connection::on_writable() {
  if (phase_ == Phase::ended) return;
  settle();
  // Deferred input is handled at the end of a turn.
  if (phase_ != Phase::ended && queue_.empty() && !postponed_) resume_work();
}

void Connection::on_held() {
  if (phase_ != Phase::ended) report_to_admission(queue_.empty());
}

void Connection::on_error(std::string_view why) {
  if (phase_ == Phase::ended) return;
  environment_.log.debug("http connection broken", {{"peer", peer_address()}, {"reason", why}});
  finish();
}

void Connection::on_deadline() {
  if (phase_ == Phase::ended) return;
  if (phase_ == Phase::lingering) return finish();
  if (refusal_waits_) {
    refuse(parser_->problem());
    return settle();
  }
  ++environment_.stats.timeouts;
  if (!queue_.empty() || phase_ == Phase::idle) return finish();
  if (phase_ == Phase::head) parser_->give_up_head();
  refuse({base::Refusal::Code::request_timeout,
          phase_ == Phase::head ? base::RefusalMessage("the request head took too long")
                                : base::RefusalMessage("the request body took too long")});
  settle();
}

/// Handles `input_` until it is used up or a response has to be sent first.
void Connection::process() {
  processing_ = true;
  const base::Scheduler& scheduler = environment_.scheduler;
  base::WorkAllowance allowance =
      std::exchange(postponed_, false) ? scheduler.later_allowance() : scheduler.first_allowance();
  if (!parser_) parser_ = std::make_unique<Parser>(environment_.limits);
  bool more = true;
  while (more && !allowance.is_used_up() && may_go_on()) {
    answered_ = 0;
    const bool has_waited = phase_ == Phase::whole;
    switch (has_waited ? Parser::Step::request : read_on(allowance)) {
      case Parser::Step::need_more:
        if (phase_ == Phase::idle && parser_->in_request()) enter(Phase::head);
        more = !input_.empty();
        break;
      case Parser::Step::head:
        on_head();
        break;
      case Parser::Step::request:
        allowance.spend(units_per_body_byte * parser_->body_bytes());
        if (allowance.is_used_up() && !has_waited) {
          // Handling it takes work too, in one step: wait behind clients that ask for less.
          enter(Phase::whole);
          break;
        }
        dispatch();
        allowance.spend(request_units +
                        units_per_answered_byte * std::min<std::size_t>(answered_, answered_bytes_max));
        break;
      case Parser::Step::refused:
        if (should_wait_for_origin()) {
          wait_for_origin();
          more = false;
          break;
        }
        refuse(parser_->problem());
        break;
    }
  }
  processing_ = false;
  if (allowance.was_costly()) costly_.note(environment_.clock.monotonic_ms());
  if (phase_ == Phase::ended) return;
  const std::string_view rest = phase_ <= Phase::answering ? input_ : std::string_view{};
  input_ = {};
  // A head may be complete without any byte after it.
  const bool is_unfinished =
      phase_ == Phase::whole || (is_reading() && (!rest.empty() || (more && phase_ == Phase::body)));
  if (is_unfinished && allowance.is_used_up()) return postpone(rest);
  backlog_ = std::string(rest);
  settle();
}

/// Parses the next piece of `input_`.
Parser::Step Connection::read_on(base::WorkAllowance& allowance) {
  const bool in_body = phase_ == Phase::body;
  std::string_view piece = in_body ? input_.substr(0, body_piece_bytes) : input_;
  const std::size_t size = piece.size();
  const std::size_t framing_before = parser_->chunk_framing_bytes();
  const Parser::Step event = parser_->next(piece);
  const std::size_t used = size - piece.size();
  input_.remove_prefix(used);
  if (in_body) {
    const std::size_t framing = parser_->chunk_framing_bytes() - framing_before;
    allowance.spend(used / body_bytes_per_unit + units_per_framing_byte * framing);
  } else {
    allowance.spend(units_per_head_byte * used);
  }
  return event;
}

bool Connection::may_go_on() {
  return phase_ <= Phase::whole &&
         (queue_.bytes() < environment_.settings.write_ahead_bytes || send_queued());
}

void Connection::postpone(std::string_view input) {
  backlog_ = std::string(input);
  postponed_ = true;
  environment_.scheduler.mark_deferred(*this);
  settle();
}

void Connection::run_at_turn_end() {
  if (at_gate_) {
    if (phase_ == Phase::answering && exchange_.generation == 0) handle_anew();
    return;
  }
  if (phase_ <= Phase::whole) resume_work();
}

void Connection::resume_work() {
  const std::string bytes = std::exchange(backlog_, {});
  input_ = bytes;
  process();
}

void Connection::dispatch() {
  request_ = parser_->take_request();
  request_.client = resolve_client(peer_address(), peer_secure_ || stream_->is_secure(), request_.headers,
                                   environment_.trusted_proxy);
  request_.client.is_forwarded = request_.client.is_forwarded || peer_is_forwarded_;
  request_.client.on_loopback = peer_on_loopback_;
  note_context(request_);
  first_request_ = false;
  keep_alive_ = wants_keep_alive(request_) && !is_answered_once();
  enter(Phase::answering);
  handle_request_surely();
}

/// Passes the request to its handler, which answers it, or will.
void Connection::handle_request_surely() {
  try {
    handle_request();
  } catch (const std::exception& error) {
    environment_.log.error("a request handler failed", {{"path", request_.path}, {"reason", error.what()}});
    forget_answer();
  }
  const bool unanswered = phase_ == Phase::answering && exchange_.generation == 0;
  if (unanswered)
    respond(Response::error({base::Refusal::Code::internal_error, "the request could not be answered"}));
  if (exchange_.generation != 0 && !at_gate_) shed_request();
}

/// Frees everything that writing the deferred response does not need: thousands may wait.
void Connection::shed_request() {
  admission_.release();
  parser_.reset();
  request_.headers = {};
  base::release(request_.body);
  base::release(request_.query);
}

/// Drops the deferred response of a half-closed connection; earlier responses are still sent.
void Connection::abandon_answer() {
  forget_answer();
  base::release(request_);
  enter(Phase::closing);
}

void Connection::forget_answer() {
  watched_ = false;
  held_ = 0;
  if (exchange_.generation != 0) environment_.owner.forget_answer(std::exchange(exchange_, {}));
}

void Connection::respond(Response response) {
  assert(phase_ == Phase::answering);
  const bool keep_alive = keep_alive_ && !response.close && !environment_.draining;
  complete(request_, response);
  write(response, keep_alive);
  environment_.log.debug("http request", {{"peer", request_.client.address},
                                          {"method", request_.method_text},
                                          {"path", request_.path},
                                          {"status", response.status},
                                          {"bytes", response.content_bytes()}});
  base::release(request_);
  enter(keep_alive ? Phase::idle : Phase::closing);
}

base::SlotId Connection::defer() {
  exchange_ = environment_.owner.defer_answer(*this, nullptr, {});
  return exchange_;
}

base::SlotId Connection::defer_for(ClientWatch& watch, base::SlotId waiter) {
  exchange_ = environment_.owner.defer_answer(*this, &watch, waiter);
  watched_ = true;
  return exchange_;
}

base::SlotId Connection::defer_holding(std::size_t bytes, ClientWatch& watch, base::SlotId waiter) {
  exchange_ = environment_.owner.defer_answer(*this, &watch, waiter);
  held_ = static_cast<std::uint32_t>(std::min<std::size_t>(bytes, std::numeric_limits<std::uint32_t>::max()));
  return exchange_;
}

void Connection::answer(Response response) {
  exchange_ = {};
  at_gate_ = false;
  watched_ = false;
  held_ = 0;
  respond(std::move(response));
  if (processing_) return;  // called within its own handler: the current round continues
  settle();
  // The caller may be in the middle of something; the next handler must not run on top of it.
  if (is_reading() && !backlog_.empty()) environment_.scheduler.mark_deferred(*this);
}

void Connection::write(const Response& response, bool keep_alive) {
  const std::size_t content_bytes = response.content_bytes();
  answered_ += static_cast<std::uint32_t>(content_bytes);
  const auto status_class = static_cast<std::size_t>(response.status / 100);
  if (status_class < environment_.stats.answers.size()) ++environment_.stats.answers.at(status_class);
  const std::string head = response_head(
      response, {keep_alive, request_.minor_version, environment_.date.at(environment_.clock.wall_ms())});
  const bool body_wanted = has_body(response.status) && request_.method != Method::head && content_bytes != 0;
  const std::string_view before_body = response.before_body.view();
  if (!body_wanted) {
    queue_.push(base::Bytes::copy_of(head));
  } else if (content_bytes <= small_body_bytes) {
    queue_.push(base::Bytes::joined({head, before_body, response.body.view(), response.behind_body.view()}));
  } else {
    queue_.push(base::Bytes::joined({head, before_body}));
    queue_.push(response.body);
    if (!response.behind_body.empty()) queue_.push(response.behind_body);
  }
}

/// Writes the queue. True if it is empty afterwards. Progress extends the deadline.
bool Connection::send_queued() {
  const std::size_t before = queue_.bytes();
  if (before == 0) return true;
  const bool sent = queue_.flush(*stream_);
  if (sent || queue_.bytes() < before || !deadline_.is_set()) arm_deadline();
  return sent;
}

/// Writes the queue and, when it is empty, ends the phase or the connection as required.
void Connection::settle() {
  const bool sent = send_queued();
  report_to_admission(sent);
  if (sent && phase_ == Phase::closing) return linger();
  if (sent && peer_ended_ && is_reading() && backlog_.empty()) return finish();
  pace_reading();
}

/// Reports the memory held, and whether the connection only waits for a request.
void Connection::report_to_admission(bool sent) {
  const std::size_t parsed = parser_ ? parser_->held_bytes() : 0;
  admission_.hold(queue_.bytes() + backlog_.capacity() + parsed + held_ + stream_->held_bytes(), *this);
  if (sent && phase_ == Phase::idle && backlog_.empty() && !admission_.is_waiting()) {
    admission_.wait(first_request_ ? net::Wait::first_request : net::Wait::next_request, *this);
  }
}

void Connection::enter(Phase phase) {
  phase_ = phase;
  if (phase == Phase::closing) {
    base::release(backlog_);
    postponed_ = false;
  }
  arm_deadline();
}

void Connection::arm_deadline() {
  const auto& settings = environment_.settings;
  if (!queue_.empty()) return deadline_.set_in(settings.write_ms);
  switch (phase_) {
    case Phase::idle:
      return deadline_.set_in(first_request_ ? head_ms() : settings.idle_ms);
    case Phase::head:
      return deadline_.set_in(head_ms());
    case Phase::body:
      return deadline_.set_in(settings.body_ms);
    case Phase::lingering:
      return deadline_.set_in(settings.linger_ms);
    case Phase::whole:
    case Phase::answering:
    case Phase::closing:
    case Phase::ended:
      return deadline_.clear();
  }
}

}  // namespace roomcast::http
