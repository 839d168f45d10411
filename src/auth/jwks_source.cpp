#include "auth/jwks_source.h"

#include <algorithm>

#include "base/digest.h"

namespace roomcast::auth {

namespace {

// A signature takes up to some 100 µs to verify, which is what a waiter does when it is called.
constexpr int calls_per_slice = 8;
constexpr std::int64_t between_warnings_ms = 60'000;

}  // namespace

JwksSource::Waiter::Waiter(JwksSource& source, Listener& listener)
    : listener_(listener), deadline_(source.deadlines_, *this) {}

void JwksSource::Waiter::leave() {
  if (source_ == nullptr) return;
  --source_->stats_.waiting;
  source_ = nullptr;
  deadline_.clear();
  unlink();
}

void JwksSource::Waiter::on_deadline() {
  leave();
  listener_.on_refreshed();
}

JwksSource::JwksSource(fetch::Client& client, base::Deadlines& deadlines, base::Scheduler& scheduler,
                       base::Log& log, JwksOptions options, Take take)
    : deadlines_(deadlines),
      scheduler_(scheduler),
      log_(log),
      options_(std::move(options)),
      take_(std::move(take)),
      transfer_(client, *this),
      next_(deadlines, *this) {}

JwksSource::~JwksSource() {
  scheduler_.forget(*this);
  for (Waiters* waiters : {&waiting_, &answered_}) {
    while (Waiter* waiter = waiters->front())
      waiter->leave();
  }
}

void JwksSource::start() {
  if (is_started_) return;
  is_started_ = true;
  refresh();
}

void JwksSource::stop() {
  is_started_ = false;
  transfer_.cancel();
  next_.clear();
  answer_waiters();
}

void JwksSource::refresh() {
  next_.clear();
  fetch::Request request;
  request.url = options_.url;
  request.headers = {{"Accept", "application/jwk-set+json, application/json"}};
  request.timeout_ms = options_.timeout_ms;
  request.max_bytes = options_.bytes_max;
  transfer_.start(std::move(request));
}

bool JwksSource::request_refresh(Waiter& waiter) {
  waiter.leave();
  if (!is_started_ || stats_.waiting >= options_.waiters_max) return false;
  if (!transfer_.is_active()) {
    const std::int64_t now_ms = deadlines_.now_ms();
    if (requested_at_ms_ && now_ms - *requested_at_ms_ < options_.on_request_ms) return false;
    requested_at_ms_ = now_ms;
    refresh();
  }
  waiter.source_ = this;
  waiter.deadline_.set_in(options_.wait_ms);
  waiting_.push_back(waiter);
  ++stats_.waiting;
  return true;
}

void JwksSource::on_fetched(base::Result<fetch::Response, fetch::Failure> result) {
  if (const auto error = take_result(result)) {
    note_failure(error->message);
  } else {
    note_success(result->max_age_s);
  }
  answer_waiters();
}

std::optional<base::Error> JwksSource::take_result(
    const base::Result<fetch::Response, fetch::Failure>& result) {
  if (!result) return base::Error{result.error().message};
  if (result->status != 200) return base::Error{"the server answers " + std::to_string(result->status)};
  return take_(result->body);
}

void JwksSource::note_success(std::optional<std::int64_t> max_age_s) {
  const std::int64_t age_s =
      std::clamp(max_age_s.value_or(options_.default_age_s), options_.least_age_s, options_.most_age_s);
  next_.set_in(age_s * 1'000 / 5 * 4);
  ++stats_.refreshed;
  stats_.failures_in_a_row = 0;
  stats_.refreshed_at_ms = deadlines_.now_ms();
  if (!std::exchange(is_warned_, false)) return;
  log_.info("signing keys fetched again", {{"url", fetch::without_secrets(options_.url)}});
}

void JwksSource::note_failure(const std::string& why) {
  ++stats_.failed;
  ++stats_.failures_in_a_row;
  const std::int64_t retry_ms = pause_ms();
  next_.set_in(retry_ms);
  const std::int64_t now_ms = deadlines_.now_ms();
  if (warned_at_ms_ && now_ms - *warned_at_ms_ < between_warnings_ms) return;
  warned_at_ms_ = now_ms;
  is_warned_ = true;
  log_.warn("signing keys not fetched",
            {{"url", fetch::without_secrets(options_.url)},
             {"error", why},
             {"keys", stats_.refreshed_at_ms ? "the last ones stay in use" : "none"},
             {"failures", stats_.failures_in_a_row},
             {"retry_ms", retry_ms}});
}

/// Doubled with each failure, and random in its upper half: servers that lost the URL together do not return
/// to it together.
std::int64_t JwksSource::pause_ms() const {
  const std::size_t doublings = std::min<std::size_t>(stats_.failures_in_a_row, 30);
  const std::int64_t most_ms = std::min(options_.most_retry_ms, options_.least_retry_ms << doublings);
  const std::int64_t half_ms = std::max(most_ms / 2, options_.least_retry_ms);
  const auto spread = static_cast<std::uint64_t>(most_ms - half_ms + 1);
  return half_ms + static_cast<std::int64_t>(base::random_u64() % spread);
}

void JwksSource::answer_waiters() {
  while (Waiter* waiter = waiting_.front())
    answered_.push_back(*waiter);
  if (!answered_.empty()) scheduler_.mark_deferred(*this);
}

void JwksSource::run_at_turn_end() {
  for (int i = 0; i < calls_per_slice; ++i) {
    Waiter* waiter = answered_.front();
    if (waiter == nullptr) return;
    waiter->leave();
    waiter->listener_.on_refreshed();
  }
  if (!answered_.empty()) scheduler_.mark_deferred(*this);
}

}  // namespace roomcast::auth
