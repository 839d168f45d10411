#include "session/session.h"

#include <string>
#include <utility>

#include "session/session_table.h"

namespace roomcast::session {

Session::Session(SessionTable& table, std::unique_ptr<Transport> transport, const WireEncoder& encoder)
    : table_(table), transport_(std::move(transport)), encoder_(encoder) {}

void Session::open(base::SlotId id, const Options& options) {
  id_ = id;
  opened_s_ = table_.monotonic_seconds();
  own_messages_ = options.own_messages;
  name_ = base::FrameRef::copy_of(options.name);
  if (!options.room.empty()) membership_ = table_.hub().subscribe(options.room, *this);
  transport_->start(*this);
}

void Session::close(base::CloseReason reason, std::string_view text) {
  if (state_ == State::open) transport_->close(reason, text);
}

void Session::resume() {
  if (state_ == State::open) transport_->resume();
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

void Session::on_closing() {
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
  encoder_.framing().frame(form, bytes, wire);
  transport_->send(base::FrameRef::copy_of(wire));
}

void Session::fail(base::CloseReason reason, std::string_view text) { close(reason, text); }

hub::SubscriberId Session::subscriber_id() const {
  return (static_cast<hub::SubscriberId>(id_.generation) << 32U) | id_.index;
}

}  // namespace roomcast::session
