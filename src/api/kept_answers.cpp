#include "api/kept_answers.h"

#include <algorithm>
#include <utility>

#include "access/control.h"
#include "api/operator_call.h"

namespace roomcast::api {

KeptAnswers::KeptAnswers(const part::Context& context)
    : keeper_(context.access.sanctions.keeper()),
      responses_(context.responses),
      clock_(context.clock),
      due_(context.deadlines, *this) {
  if (keeper_ != nullptr) keeper_->set_listener(*this);
}

void KeptAnswers::answer(http::Exchange& exchange, http::Response answer) {
  if (keeper_ == nullptr) return exchange.respond(std::move(answer));
  waiting_.push_back(
      {keeper_->last_change(), clock_.monotonic_ms() + timeout_ms_, exchange.defer(), std::move(answer)});
  if (!due_.is_set()) watch_time();
}

void KeptAnswers::on_kept(access::Sanctions::Keeper::Change change) {
  for (; !waiting_.empty() && waiting_.front().change <= change; waiting_.pop_front())
    responses_.respond(waiting_.front().exchange, std::move(waiting_.front().answer));
}

void KeptAnswers::on_deadline() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  for (; !waiting_.empty() && waiting_.front().due_ms <= now_ms; waiting_.pop_front()) {
    const base::Refusal refusal{
        base::Refusal::Code::store_timeout,
        "it is in force, but could not be written within store.ack_timeout_seconds: a restart may undo it"};
    responses_.respond(waiting_.front().exchange, refusal_answer(refusal));
  }
  watch_time();
}

void KeptAnswers::watch_time() {
  if (waiting_.empty()) return;
  due_.set_in(std::max<std::int64_t>(1, waiting_.front().due_ms - clock_.monotonic_ms()));
}

}  // namespace roomcast::api
