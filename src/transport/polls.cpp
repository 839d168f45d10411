#include "transport/polls.h"

#include <optional>
#include <string>
#include <utility>

#include "hub/batch.h"
#include "hub/cursor.h"
#include "transport/negotiation.h"

namespace roomcast::transport {

namespace {

// For an engine that takes its time to say where a room stands.
constexpr std::int64_t join_ms = 10'000;
constexpr std::int64_t page_check_ms = 20;

}  // namespace

Poll::Poll(Polls& polls, const PollOptions& options)
    : polls_(polls), options_(options), deadline_(polls.parts().deadlines, *this) {}

Poll::~Poll() { polls_.parts().scheduler.forget(*this); }

std::optional<base::Refusal> Poll::join(const JoinRequest& join) {
  if (!join.caller.identity.is_anonymous()) extras().identity = join.caller.identity;
  set_deadline(join_ms);
  return polls_.parts().rooms.join(join.caller, join.room, *this, join.interest, membership_);
}

Poll::Extras& Poll::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>();
  return *extras_;
}

void Poll::on_joined(hub::Membership& /*membership*/, const hub::Joined& joined) {
  joined_ = true;
  cursor_ = joined.cursor;
  if (joined.gap) extras().gap = joined.gap;
  // A poll that does not wait is answered in this turn, or as soon as the page it asked for is there.
  set_deadline(options_.wait_ms == 0 ? join_ms : options_.wait_ms);
  if (joined.gap || options_.wait_ms == 0) polls_.parts().scheduler.mark_dirty(*this);
}

void Poll::on_gap(hub::Membership& /*membership*/, const hub::Gap& gap) {
  cursor_ = gap.cursor;
  extras().gap = gap;
  polls_.parts().scheduler.mark_dirty(*this);
}

void Poll::on_refused(hub::Membership& /*membership*/, const hub::Refusal& refusal) {
  extras().refusal = refusal;
  polls_.parts().scheduler.mark_dirty(*this);
}

void Poll::deliver(hub::Batch& batch, std::size_t from) {
  if (is_full_) return;
  const base::Bytes wire = batch.wire(polls_.parts().items, from, batch.messages().size());
  if (wire.empty()) return pass_over(batch.messages().back().position);
  // The items of one batch are shared by all polls that get them. What follows in the same turn is put
  // together with them for this client alone, so only where that is short: the rest is for its next poll.
  constexpr std::size_t joined_bytes_max = 4'096;
  is_full_ = !items_.empty() && items_.size() + wire.size() > joined_bytes_max;
  if (is_full_) return;
  items_ = items_.empty() ? wire : base::Bytes::joined({items_.view(), wire.view()});
  cursor_ = batch.messages().back().position;
  // A long answer comes behind the short ones.
  constexpr std::size_t long_bytes = 16'384;
  if (items_.size() > long_bytes && polls_.postpone(items_, postponed_kib_)) {
    polls_.parts().scheduler.mark_deferred(*this);
  } else {
    polls_.parts().scheduler.mark_dirty(*this);
  }
}

/// All messages up to there are removed: they are no reason to answer.
void Poll::pass_over(const hub::Position& position) {
  if (items_.empty()) cursor_ = position;
  is_page_blank_ = membership_->is_catching_up();
  if (is_page_blank_ || options_.wait_ms == 0) polls_.parts().scheduler.mark_dirty(*this);
}

void Poll::run_at_turn_end() {
  if (!is_page_due()) return answer();
  if (!is_page_blank_) return;
  is_page_blank_ = false;
  membership_->continue_replay();
}

void Poll::on_deadline() {
  check_rights();
  // The wait is for new messages: a page of history that takes a moment is not left out.
  if (is_page_due()) return deadline_.set_in(page_check_ms);
  answer();
}

bool Poll::is_page_due() const {
  return refusal() == nullptr && membership_ && membership_->is_catching_up() && items_.empty();
}

std::int64_t Poll::left_ms() const {
  return identity().left_ms(polls_.parts().clock.wall_ms(), polls_.settings().leeway_ms);
}

void Poll::check_rights() {
  const service::Caller client({}, identity(), 0, polls_.parts().connections.client_address(exchange_));
  if (auto lost = polls_.parts().rooms.check_stay(client, *membership_)) extras().refusal = *std::move(lost);
  if (left_ms() == 0) extras().refusal = hub::Refusal{hub::Refusal::Code::token_expired, "token expired"};
}

void Poll::reconsider(const part::ClientCheck& also) {
  if (!membership_) return;
  check_rights();
  if (also && refusal() == nullptr) {
    if (auto lost = also(identity())) extras().refusal = *std::move(lost);
  }
  if (refusal() != nullptr) answer();
}

void Poll::answer() {
  if (!membership_) return;
  check_rights();
  const std::string room(membership_->room_name());
  membership_.reset();  // so that it is not counted among those in the room
  const hub::Refusal* const refused = refusal();
  if (joined_ && refused == nullptr) {
    polls_.respond(exchange_, {room, cursor_, extras_ ? extras_->gap : std::nullopt, items_}, options_);
  } else {
    constexpr hub::Refusal too_late{hub::Refusal::Code::overloaded, "the room did not answer in time"};
    polls_.refuse(exchange_, refused != nullptr ? *refused : too_late);
  }
  leave();
}

void Poll::leave() {
  polls_.give_back(std::exchange(postponed_kib_, std::uint16_t{0}));
  membership_.reset();
  deadline_.clear();
  polls_.on_over(id_);
}

Polls::~Polls() { abort_all(); }

std::optional<base::Refusal> Polls::open(http::Exchange& exchange, const JoinRequest& join,
                                         const PollOptions& options) {
  const bool waits = options.wait_ms > 0;
  auto made = std::make_unique<Poll>(*this, options);
  Poll& poll = *made;
  if (auto refusal = poll.join(join)) return refusal;
  const base::SlotId id = polls_.insert(std::move(made));
  // A poll that does not wait is answered in this turn, even over a half-closed connection.
  poll.owe(id, waits ? exchange.defer_for(*this, id) : exchange.defer());
  return std::nullopt;
}

std::size_t Polls::close_some(std::size_t count) {
  std::size_t closed = 0;
  polls_.for_each([&](base::SlotId, const std::unique_ptr<Poll>& poll) {
    if (closed == count) return;
    ++closed;
    poll->answer();
  });
  return closed;
}

void Polls::abort_all() {
  polls_.for_each([](base::SlotId, const std::unique_ptr<Poll>& poll) { poll->leave(); });
}

bool Polls::postpone(const base::Bytes& items, std::uint16_t& kib) {
  // Far less than what may be queued for the clients that the answers are for.
  constexpr std::size_t most_kib = 16'384;
  const void* const place = items.view().data();
  if (place == last_postponed_) return true;
  const std::size_t needed_kib = items.held_bytes() / 1'024 + 1;
  if (postponed_kib_ + needed_kib > most_kib) return false;
  last_postponed_ = place;
  kib = static_cast<std::uint16_t>(needed_kib);
  postponed_kib_ += kib;
  return true;
}

void Polls::respond(base::SlotId exchange, const PollResult& result, const PollOptions& options) {
  http::Response response;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Roomcast-Cursor", hub::to_cursor(result.cursor));
  response.headers.add("Roomcast-Subscribers", std::to_string(parts_.rooms.subscribers(result.room)));
  response.headers.add("Roomcast-Message-Bytes", std::to_string(parts_.rooms.limits().message_bytes));
  bodies_.write(result, options.gzip, response);
  add_room_fields(response.headers);
  parts_.connections.respond(exchange, std::move(response));
}

void Polls::refuse(base::SlotId exchange, const hub::Refusal& refusal) {
  http::Response response = http::Response::error(refusal);
  add_room_fields(response.headers);
  parts_.connections.respond(exchange, std::move(response));
}

void Polls::on_client_gone(base::SlotId waiter) {
  if (const auto* poll = polls_.find(waiter)) (*poll)->leave();
}

}  // namespace roomcast::transport
