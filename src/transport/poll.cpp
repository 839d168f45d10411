#include "transport/poll.h"

#include <optional>
#include <string>
#include <utility>

#include "hub/batch.h"
#include "transport/polls.h"

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
  deadline_.set_in(join_ms);
  return polls_.parts().rooms.join(join.identity, join.room, *this, join.interest, membership_);
}

Poll::News& Poll::news() {
  if (!news_) news_ = std::make_unique<News>();
  return *news_;
}

void Poll::on_joined(hub::Membership& /*membership*/, const hub::Joined& joined) {
  joined_ = true;
  cursor_ = joined.cursor;
  if (joined.gap) news().gap = joined.gap;
  // A poll that does not wait is answered in this turn, or as soon as the page it asked for is there.
  deadline_.set_in(options_.wait_ms == 0 ? join_ms : options_.wait_ms);
  if (joined.gap || options_.wait_ms == 0) polls_.parts().scheduler.mark_dirty(*this);
}

void Poll::on_gap(hub::Membership& /*membership*/, const hub::Gap& gap) {
  cursor_ = gap.cursor;
  news().gap = gap;
  polls_.parts().scheduler.mark_dirty(*this);
}

void Poll::on_refused(hub::Membership& /*membership*/, const hub::Refusal& refusal) {
  news().refusal = refusal;
  polls_.parts().scheduler.mark_dirty(*this);
}

void Poll::deliver(hub::Batch& batch, std::size_t from) {
  if (is_full_) return;
  const base::Bytes wire = batch.wire(polls_.parts().items, from, batch.messages().size());
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

void Poll::flush() {
  if (!is_page_due()) answer();
}

void Poll::on_deadline() {
  // The wait is for new messages: a page of history that takes a moment is not left out.
  if (is_page_due()) return deadline_.set_in(page_check_ms);
  answer();
}

bool Poll::is_page_due() const {
  return refusal() == nullptr && membership_ && membership_->is_catching_up() && items_.empty();
}

void Poll::answer() {
  if (!membership_) return;
  const std::string room(membership_->room_name());
  membership_.reset();  // so that it is not counted among those in the room
  if (joined_ && refusal() == nullptr) {
    polls_.respond(exchange_, {room, cursor_, news_ ? news_->gap : std::nullopt, items_}, options_);
  } else {
    constexpr hub::Refusal too_late{hub::Refusal::Code::overloaded, "the room did not answer in time"};
    polls_.refuse(exchange_, refusal() != nullptr ? *refusal() : too_late);
  }
  leave();
}

void Poll::leave() {
  polls_.give_back(std::exchange(postponed_kib_, std::uint16_t{0}));
  membership_.reset();
  deadline_.clear();
  polls_.on_over(id_);
}

}  // namespace roomcast::transport
