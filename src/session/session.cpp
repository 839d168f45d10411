#include "session/session.h"

#include <string>
#include <utility>

#include "hub/cursor.h"
#include "session/session_table.h"

namespace roomcast::session {

Session::Session(SessionTable& table, std::unique_ptr<Transport> transport, const WireEncoder& encoder)
    : table_(table), transport_(std::move(transport)), encoder_(encoder) {}

void Session::open(base::SlotId id, const Options& options) {
  id_ = id;
  opened_s_ = table_.monotonic_seconds();
  own_messages_ = options.own_messages;
  name_ = base::FrameRef::copy_of(options.name);
  if (!options.room.empty()) membership_ = table_.hub().subscribe(options.room, *this, options.interest);
  transport_->start(*this);
}

void Session::close(base::CloseReason reason, std::string_view text) {
  if (state_ == State::open) transport_->close(reason, text);
}

void Session::resume() {
  if (state_ == State::open) transport_->resume();
}

void Session::on_joined(hub::Membership& membership, const hub::Joined& joined) {
  transport_->notify_when_drained();
  if (joined.gap) return on_gap(membership, *joined.gap);
  tell(dialect::Subscribed{{}, membership.room_name(), joined.cursor}, joined.cursor);
}

void Session::on_gap(hub::Membership& membership, const hub::Gap& gap) {
  if (tell(dialect::GapFound{membership.room_name(), gap}, gap.cursor)) return;
  // Nobody misses a message without being told, even where the end is all that can be told.
  close(base::CloseReason::gap,
        "messages are missing; the earliest cursor is " + hub::to_cursor(gap.earliest));
}

void Session::on_drained() {
  if (state_ != State::open || !membership_ || !membership_->is_catching_up()) return;
  transport_->notify_when_drained();
  membership_->continue_replay();
}

void Session::deliver(hub::Batch& batch, std::size_t from) {
  if (!own_messages_) {
    deliver_from_others(batch, from);
  } else if (from == 0) {
    transport_->send(batch.wire(encoder_));
  } else {
    transport_->send(batch.wire(encoder_, from, batch.messages().size()));
  }
}

void Session::deliver_from_others(hub::Batch& batch, std::size_t from) {
  // Runs of other people's messages, as long as they get.
  const auto messages = batch.messages();
  for (std::size_t i = from; i < messages.size(); ++i) {
    if (messages[i].sender != subscriber_id()) continue;
    if (i > from) transport_->send(batch.wire(encoder_, from, i));
    from = i + 1;
  }
  if (from < messages.size()) transport_->send(batch.wire(encoder_, from, messages.size()));
}

void Session::on_message(dialect::Form form, std::string_view bytes) {
  if (state_ != State::open) return;
  encoder_.dialect().decode(form, bytes, *this);
}

void Session::on_closing(base::CloseReason reason, std::string_view /*text*/) {
  const base::CloseReasonInfo& info = base::describe(reason);
  const bool is_ours = reason != base::CloseReason::client_closed && info.websocket != 0;
  if (is_ours) tell(dialect::Goodbye{info.websocket, info.name, std::nullopt});
  state_ = State::closing;
  membership_.reset();
}

void Session::on_closed(base::CloseReason reason) {
  if (state_ == State::buried) return;
  state_ = State::buried;
  membership_.reset();
  table_.on_session_closed(id_, *transport_, encoder_.dialect().name(), opened_s_, reason);
}

void Session::publish(hub::Kind kind, std::string_view payload) {
  if (!membership_) {
    close(base::CloseReason::policy_violation, "this connection has no room to publish to");
    return;
  }
  hub::Hub& hub = table_.hub();
  if (!hub.accepts_messages()) {
    close(base::CloseReason::overloaded, "");
    return;
  }
  hub.publish(membership_->room_name(), {kind, base::FrameRef::copy_of(payload), name_, subscriber_id()});
  if (hub.congested()) {
    transport_->pause();
    table_.resume_when_relieved(id_);
  }
}

void Session::reply(dialect::Form form, std::string_view bytes) {
  std::string wire;
  encoder_.framing().frame({form, bytes, {}, std::nullopt}, wire);
  transport_->send(base::FrameRef::copy_of(wire));
}

bool Session::tell(const dialect::Event& event, const std::optional<hub::Position>& cursor) {
  const dialect::Dialect& dialect = encoder_.dialect();
  if (!dialect.has_envelope() && !encoder_.framing().names_events()) return false;
  std::string payload;
  const auto form = dialect.encode(event, payload);
  if (!form) return false;
  std::string wire;
  encoder_.framing().frame({*form, payload, dialect.event_name(event), cursor}, wire);
  transport_->send(base::FrameRef::copy_of(wire));
  return true;
}

void Session::fail(base::CloseReason reason, std::string_view text) { close(reason, text); }

hub::SubscriberId Session::subscriber_id() const {
  return (static_cast<hub::SubscriberId>(id_.generation) << 32U) | id_.index;
}

}  // namespace roomcast::session
