// What a room hands out: messages, changes of presence, and amendments.
#include "hub/amendment.h"
#include "hub/presence_update.h"
#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

void Session::deliver(hub::Batch& batch, std::size_t from) {
  if (!own_messages_) {
    deliver_from_others(batch, from);
  } else if (from == 0) {
    const base::Bytes& wire = batch.wire(*encoder_);
    if (!wire.empty()) transport_->send(wire);
  } else {
    send_part(batch, from, batch.messages().size());
  }
}

void Session::send_part(hub::Batch& batch, std::size_t from, std::size_t to) {
  const base::Bytes wire = batch.wire(*encoder_, from, to);
  if (!wire.empty()) transport_->send(wire);
}

void Session::deliver_from_others(hub::Batch& batch, std::size_t from) {
  if (own_by_room_ && table_.service().echoes(batch.room()))
    return send_part(batch, from, batch.messages().size());
  // The longest runs of messages that others have sent.
  const auto messages = batch.messages();
  for (std::size_t i = from; i < messages.size(); ++i) {
    if (messages[i].sender != subscriber_id()) continue;
    if (i > from) send_part(batch, from, i);
    from = i + 1;
  }
  if (from < messages.size()) send_part(batch, from, messages.size());
}

void Session::on_presence(hub::Membership& /*membership*/, hub::PresenceUpdate& news) {
  const base::Bytes wire = news.wire(*encoder_);
  if (!wire.empty()) transport_->send(wire);
}

void Session::on_amendment(hub::AmendmentUpdate& update) {
  const base::Bytes wire = update.wire(*encoder_);
  if (!wire.empty()) transport_->send(wire);
}

void Session::prefetch() const { transport_->prefetch_for_send(); }

}  // namespace roomcast::session
