#include "redis/link.h"

#include <cassert>
#include <utility>

#include "base/text.h"
#include "redis/command.h"

namespace roomcast::redis {

namespace {

// Commands up to the first size are put together in pieces of the second.
constexpr std::size_t small_command_bytes = std::size_t{8} << 10U;
constexpr std::size_t piece_bytes = std::size_t{64} << 10U;
// What a value costs beside its bytes: reading it, and what the one who waits for it does.
constexpr std::size_t value_units = 512;
constexpr std::size_t shown_error_bytes = 200;

}  // namespace

Link::Link(const Parts& parts, const Limits& limits, std::unique_ptr<net::ByteStream> stream, Owner& owner)
    : parts_(parts),
      limits_(limits),
      stream_(std::move(stream)),
      owner_(owner),
      reader_(limits.reply),
      reply_deadline_(parts.deadlines, *this) {
  stream_->set_events(*this);
}

Link::~Link() {
  parts_.scheduler.forget(*this);
  parts_.scheduler.forget(rest_);
}

void Link::close() {
  is_closed_ = true;
  shut();
}

bool Link::has_space_for(std::size_t bytes) const {
  if (is_down_ || waiting_.size() >= limits_.requests) return false;
  return waiting_.empty() || unanswered_bytes_ + bytes <= limits_.bytes;
}

void Link::send(std::string&& command, std::unique_ptr<Request> request) {
  add(std::move(command), {.request = std::move(request)});
}

void Link::send_subscription(std::string_view command, std::span<const std::string_view> channels,
                             std::unique_ptr<Request> request) {
  assert(!channels.empty());
  std::string bytes;
  CommandWriter words(bytes, channels.size() + 1);
  words.add(command);
  for (const std::string_view channel : channels)
    words.add(channel);
  add(std::move(bytes), {.request = std::move(request),
                         .confirmed_by = base::lower_case(command),
                         .confirmations = channels.size()});
}

void Link::pause_reading() {
  is_paused_ = true;
  apply_reading();
}

void Link::resume_reading() {
  if (!std::exchange(is_paused_, false) || is_down_) return;
  // Answers that came meanwhile were not late.
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  for (Waiting& waiting : waiting_)
    waiting.since_ms = now_ms;
  // Values are never told within a call of the owner.
  if (is_behind_) parts_.scheduler.mark_deferred(rest_);
  apply_reading();
}

std::size_t Link::held_bytes() const {
  return unsent_bytes_ + waiting_.size() * sizeof(Waiting) + reader_.held_bytes() +
         (stream_ ? stream_->held_bytes() : 0);
}

void Link::on_bytes(std::span<char> bytes) {
  if (is_down_) return;
  reader_.add({bytes.data(), bytes.size()});
  if (!is_behind_) read_values(parts_.scheduler.first_allowance());
}

void Link::on_end() { go_down("the server closed the connection"); }

void Link::on_writable() {
  is_blocked_ = false;
  if (!is_down_) parts_.scheduler.mark_dirty(*this);
}

void Link::on_error(std::string_view why) { go_down(why); }

void Link::run_at_turn_end() {
  if (is_down_) {
    stream_.reset();
  } else {
    flush();
  }
}

void Link::Rest::run_at_turn_end() {
  if (!link_.is_down_) link_.read_values(link_.parts_.scheduler.later_allowance());
}

void Link::on_deadline() {
  if (waiting_.empty() || is_down_) return;
  const std::int64_t age_ms = parts_.clock.monotonic_ms() - waiting_.front().since_ms;
  if (age_ms < limits_.reply_ms) {
    reply_deadline_.set_in(limits_.reply_ms - age_ms);
  } else if (is_paused_ || is_behind_) {
    // The answer may be here already.
    reply_deadline_.set_in(limits_.reply_ms);
  } else {
    go_down("the server has not answered for " + std::to_string(age_ms) + " ms");
  }
}

void Link::add(std::string&& command, Waiting&& waiting) {
  if (is_down_) {
    if (is_telling_) {
      waiting_.push_back(std::move(waiting));
    } else if (waiting.request) {
      waiting.request->on_lost();
    }
    return;
  }
  waiting.since_ms = parts_.clock.monotonic_ms();
  waiting.bytes = command.size();
  unanswered_bytes_ += command.size();
  waiting_.push_back(std::move(waiting));
  // Not moved with every answer: on_deadline looks how old the oldest is.
  if (!reply_deadline_.is_set()) reply_deadline_.set_in(limits_.reply_ms);
  keep_unsent(std::move(command));
  parts_.scheduler.mark_dirty(*this);
}

void Link::keep_unsent(std::string&& command) {
  unsent_bytes_ += command.size();
  const bool fits = !unsent_.empty() && command.size() <= small_command_bytes &&
                    unsent_.back().size() + command.size() <= piece_bytes;
  if (fits) {
    unsent_.back() += command;
  } else {
    unsent_.push_back(std::move(command));
  }
}

void Link::flush() {
  if (unsent_.empty() || is_blocked_) return;
  pieces_.assign(unsent_.begin(), unsent_.end());
  pieces_.front().remove_prefix(sent_of_first_);
  std::size_t taken = stream_->write(pieces_);
  is_blocked_ = taken < unsent_bytes_;
  unsent_bytes_ -= taken;
  taken += sent_of_first_;
  while (!unsent_.empty() && taken >= unsent_.front().size()) {
    taken -= unsent_.front().size();
    unsent_.pop_front();
  }
  sent_of_first_ = taken;
}

void Link::read_values(base::WorkAllowance allowance) {
  while (!is_down_ && !is_paused_ && !allowance.is_used_up()) {
    const Value* value = reader_.next();
    if (value == nullptr) {
      is_behind_ = false;
      if (!reader_.error().empty()) return go_down(reader_.error());
      return apply_reading();
    }
    allowance.spend(value_units + reader_.value_bytes());
    take(*value);
  }
  if (is_down_) return;
  is_behind_ = true;
  if (!is_paused_) parts_.scheduler.mark_deferred(rest_);
  apply_reading();
}

void Link::take(const Value& value) {
  if (value.type == Value::Type::push) {
    owner_.on_push(*this, value);
    if (!is_down_) confirm(value);
    return;
  }
  if (waiting_.empty()) {
    std::string why = "the server sent an answer to no command";
    if (value.is_error()) why.append(": ").append(value.text.substr(0, shown_error_bytes));
    return go_down(why);
  }
  if (waiting_.front().confirmations > 0 && !value.is_error()) {
    return go_down("the server answered a subscription with something else than a push");
  }
  answer_oldest(value);
}

/// Answers are in order, so a confirmation can only be of the oldest command. A push of the same kind that
/// the server sends by itself (`sunsubscribe` of a slot that has moved) counts as well: the one that is too
/// many then confirms nothing.
void Link::confirm(const Value& push) {
  if (waiting_.empty()) return;
  Waiting& oldest = waiting_.front();
  if (oldest.confirmations == 0 || oldest.confirmed_by != push.items.front().text) return;
  if (--oldest.confirmations == 0) answer_oldest(push);
}

void Link::answer_oldest(const Value& value) {
  // Not in the list any more while it is called, and alive until it returns, whatever it does with the link.
  const Waiting answered = std::move(waiting_.front());
  waiting_.pop_front();
  unanswered_bytes_ -= answered.bytes;
  if (answered.request) answered.request->on_reply(value);
}

void Link::apply_reading() {
  const bool is_to_pause = is_down_ || is_paused_ || is_behind_;
  if (!stream_ || is_to_pause == is_stream_paused_) return;
  is_stream_paused_ = is_to_pause;
  if (is_to_pause) {
    stream_->pause_reading();
  } else {
    stream_->resume_reading();
  }
}

void Link::go_down(std::string_view why) {
  if (is_down_) return;
  const std::string reason(why);
  shut();
  is_telling_ = true;
  while (!waiting_.empty() && !is_closed_) {
    const Waiting lost = std::move(waiting_.front());
    waiting_.pop_front();
    if (lost.request) lost.request->on_lost();
  }
  is_telling_ = false;
  if (!is_closed_) owner_.on_link_down(*this, reason);
}

/// Has the connection closed at the end of the turn, since this may be one of its calls.
void Link::shut() {
  if (std::exchange(is_down_, true)) return;
  reply_deadline_.clear();
  unsent_.clear();
  unsent_bytes_ = 0;
  sent_of_first_ = 0;
  unanswered_bytes_ = 0;
  apply_reading();
  parts_.scheduler.forget(rest_);
  parts_.scheduler.mark_dirty(*this);
}

}  // namespace roomcast::redis
