// The beginning of a session whose client has to be admitted first, its heartbeat, and the change of its
// transport.
#include "session/lifecycle.h"

#include <cassert>
#include <utility>

#include "session/detached_transport.h"
#include "session/session_table.h"

namespace roomcast::session {

Session::Lifecycle::Lifecycle(Session& session, base::Deadlines& deadlines)
    : session_(session),
      admission_timeout_(session),
      heartbeat_timer_(*this),
      admission_deadline_(deadlines, admission_timeout_),
      heartbeat_deadline_(deadlines, heartbeat_timer_) {}

void Session::Lifecycle::await_admission(const Options& options) {
  admission_ = Admission{std::string(options.room), options.interest};
  admission_deadline_.set_in(options.admission_ms);
}

Session::Lifecycle::Admission Session::Lifecycle::take_admission() {
  assert(admission_);
  admission_deadline_.clear();
  Admission taken = std::move(*admission_);
  admission_.reset();
  return taken;
}

void Session::Lifecycle::AdmissionTimeout::on_deadline() {
  if (session.conversation() == nullptr) {
    return session.close(base::CloseReason::unauthorized,
                         "the client did not authenticate within auth.authenticate_seconds");
  }
  session.close(base::CloseReason::policy_violation, "the client was not admitted in time");
}

void Session::Lifecycle::start_heartbeat(const dialect::Heartbeat& heartbeat) {
  heartbeat_ = heartbeat;
  if (heartbeat_.means == dialect::Heartbeat::Means::payload)
    heartbeat_deadline_.set_in(heartbeat_.interval_ms);
}

void Session::Lifecycle::on_message() {
  if (heartbeat_.any_message_answers) on_heartbeat_answered();
}

void Session::Lifecycle::on_heartbeat_answered() {
  if (!std::exchange(awaits_answer_, false)) return;
  heartbeat_deadline_.set_in(heartbeat_.interval_ms);
}

void Session::Lifecycle::on_heartbeat_due() {
  // While reading is paused no answer can be heard.
  if (awaits_answer_ && session_.may_read()) return session_.close(base::CloseReason::ping_timeout, {});
  if (!awaits_answer_) session_.reply(dialect::PayloadForm::text, heartbeat_.ping);
  awaits_answer_ = true;
  heartbeat_deadline_.set_in(heartbeat_.timeout_ms);
}

void Session::Lifecycle::stop() {
  awaits_answer_ = false;
  admission_deadline_.clear();
  heartbeat_deadline_.clear();
}

void Session::prepare_lifecycle(const Options& options) {
  const dialect::Dialect& dialect = encoder_->dialect();
  const dialect::Heartbeat heartbeat = dialect.heartbeat();
  auto made = dialect.start_conversation();
  if (!made && heartbeat.means != dialect::Heartbeat::Means::payload && options.admission_ms == 0) return;
  lifecycle().set_conversation(std::move(made));
  lifecycle().start_heartbeat(heartbeat);
  if (options.admission_ms == 0) return;
  assert(conversation() != nullptr || dialect.can_authenticate());  // nothing else could admit the client
  state_ = State::opening;
  lifecycle().await_admission(options);
}

Session::Lifecycle& Session::lifecycle() {
  Extras& rare = extras();
  if (!rare.lifecycle) rare.lifecycle = std::make_unique<Lifecycle>(*this, table_.deadlines());
  return *rare.lifecycle;
}

dialect::Conversation* Session::conversation() {
  return extras_ && extras_->lifecycle ? extras_->lifecycle->conversation() : nullptr;
}

void Session::shrink_lifecycle() {
  if (extras_ && extras_->lifecycle && extras_->lifecycle->is_idle()) extras_->lifecycle.reset();
}

void Session::admit(std::string_view name) {
  if (state_ != State::opening) return;
  if (!name.empty()) set_author(name);
  admit();
  if (!has_begun_to_close()) welcome();
}

void Session::admit() {
  state_ = State::open;
  const Lifecycle::Admission admission = lifecycle().take_admission();
  shrink_lifecycle();
  if (const auto refusal = join_home(admission.room, admission.interest)) close(*refusal);
}

namespace {

/// A transport that may still be on the call stack; freed at the end of the turn.
struct ReplacedTransport final : base::Disposable {
  explicit ReplacedTransport(std::unique_ptr<Transport> replaced) : transport(std::move(replaced)) {}
  std::unique_ptr<Transport> transport;
};

/// Frames what was read back from another framing.
class Reframer final : public dialect::PayloadWriter {
 public:
  explicit Reframer(const Framing& framing) : framing_(framing) {}
  void write(dialect::PayloadForm form, std::string_view bytes, bool /*more*/) override {
    framing_.frame({form, bytes, {}, std::nullopt, true}, wire_);
  }
  [[nodiscard]] base::Bytes wire() const { return base::Bytes::copy_of(wire_); }

 private:
  const Framing& framing_;
  std::string wire_;
};

/// Whether payloads in the wire form of `from` can be sent in that of `to`.
bool can_reframe(const Framing& from, const Framing& to) {
  Reframer nothing(to);
  return &from == &to || from.unframe({}, nothing);
}

}  // namespace

bool Session::replace_transport(std::unique_ptr<Transport>& next) {
  if (has_begun_to_close() || !can_reframe(transport_->framing(), next->framing())) return false;
  std::vector<base::Bytes> unsent;
  if (!transport_->hand_over(unsent)) return false;
  const Framing& old_framing = transport_->framing();
  lifecycle().add_traffic(transport_->traffic());
  table_.scheduler().free_later(
      std::make_unique<ReplacedTransport>(std::exchange(transport_, std::move(next))));
  encoder_ = &table_.encoder_for(encoder_->dialect(), transport_->framing());
  transport_->start(*this);
  send_again(unsent, old_framing);
  stop_holding_up();
  if (!may_read()) transport_->pause();
  // The old one may have owed this, and whatever waited for it goes on.
  transport_->notify_when_drained();
  return true;
}

void Session::send_again(const std::vector<base::Bytes>& unsent, const Framing& framing) {
  for (const base::Bytes& wire : unsent) {
    if (&framing == &transport_->framing()) {
      transport_->send(wire);
      continue;
    }
    Reframer reframer(transport_->framing());
    (void)framing.unframe(wire.view(), reframer);
    transport_->send(reframer.wire());
  }
}

bool Session::detach_transport(const DetachLimits& limits) {
  std::unique_ptr<Transport> next = std::make_unique<DetachedTransport>(
      table_.scheduler(), table_.deadlines(), limits, transport_->framing(), transport_->peer_address());
  return replace_transport(next);
}

}  // namespace roomcast::session
