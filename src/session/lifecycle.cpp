// The beginning of a session whose client has to be admitted first, its heartbeat, and the change of its
// transport.
#include "session/lifecycle.h"

#include <cassert>
#include <utility>

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

Session::Lifecycle& Session::lifecycle() {
  Extras& rare = extras();
  if (!rare.lifecycle) rare.lifecycle = std::make_unique<Lifecycle>(*this, table_.deadlines());
  return *rare.lifecycle;
}

dialect::Conversation* Session::conversation() {
  return extras_ && extras_->lifecycle ? extras_->lifecycle->conversation() : nullptr;
}

void Session::admit(std::string_view name) {
  if (state_ != State::opening) return;
  state_ = State::open;
  Lifecycle::Admission admission = lifecycle().take_admission();
  if (!name.empty()) extras().name = base::Bytes::copy_of(name);
  join_home(admission.room, admission.interest);
  welcome();
}

}  // namespace roomcast::session
