// Publishing: by raw clients, which get no answer, and with a receipt.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "session/held_message.h"
#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

void Session::publish(hub::Kind kind, std::string_view payload) {
  hub::Membership* const home = my_place();
  if (home == nullptr) {
    return close(base::CloseReason::policy_violation,
                 state_ == State::opening ? not_admitted : "this connection has no room to publish to");
  }
  service::Rooms& service = table_.service();
  auto accepted =
      service.accept(publisher(), *home, {kind, payload, service::Checked::form}, subscriber_id());
  if (!accepted) {
    if (accepted.error().code == base::Refusal::Code::rate_limited)
      return hold_back(kind, payload, accepted.error());
    return close(accepted.error());
  }
  if (extras_ && extras_->held) extras_->held->note_free_message(table_.monotonic_ms());
  publish(*home, std::move(*accepted));
}

void Session::publish(hub::Membership& home, service::Publication publication) {
  service::Rooms& service = table_.service();
  // Nothing can be answered here: where a message has to wait, the next is not read before it has its place.
  if (home.publish_would_wait()) {
    wait_for_publish();
    return service.publish(std::move(publication),
                           [&table = table_, session = id_](const hub::PublishResult& result) {
                             Session* const client = table.find(session);
                             if (client != nullptr) client->on_waited(result);
                           });
  }
  service.publish(std::move(publication),
                  service.may_refuse_late() ? close_if_refused() : hub::PublishDone());
}

hub::PublishDone Session::close_if_refused() const {
  return [&table = table_, session = id_](const hub::PublishResult& result) {
    Session* const client = result ? nullptr : table.find(session);
    if (client != nullptr) client->close(result.error());
  };
}

void Session::on_waited(const hub::PublishResult& result) {
  if (state_ != State::open) return;
  if (!result) return close(result.error());
  publish_has_waited();
}

void Session::wait_for_publish() {
  publish_waits_ = true;
  transport_->pause();
}

void Session::publish_has_waited() {
  publish_waits_ = false;
  if (may_read()) transport_->resume();
}

void Session::hold_back(hub::Kind kind, std::string_view payload, const base::Refusal& refusal) {
  std::unique_ptr<HeldMessage>& place = extras().held;
  if (!place) place = std::make_unique<HeldMessage>(*this, table_.deadlines());
  HeldMessage& held = *place;
  const std::int64_t now_ms = table_.monotonic_ms();
  if (held.give_up_ms == 0) held.give_up_ms = now_ms + HeldMessage::time_for(refusal.retry_ms);
  if (now_ms >= held.give_up_ms) return close(refusal);
  table_.service().note(refusal.code, transport_->peer_address(), identity());
  held.kind = kind;
  held.payload = base::Bytes::copy_of(payload);
  held.wait(refusal.retry_ms, now_ms);
  wait_for_publish();
}

void Session::publish_held() {
  HeldMessage& held = *extras_->held;
  hub::Membership* const home = my_place();
  if (state_ != State::open || home == nullptr) return;
  auto accepted = table_.service().accept(
      publisher(), *home, {held.kind, held.payload.view(), service::Checked::form}, subscriber_id());
  if (!accepted) {
    // Others spend of the same limit.
    const std::int64_t now_ms = table_.monotonic_ms();
    const bool waits_on =
        accepted.error().code == base::Refusal::Code::rate_limited && now_ms < held.give_up_ms;
    if (!waits_on) return close(accepted.error());
    return held.wait(accepted.error().retry_ms, now_ms);
  }
  held.payload = {};
  held.published_ms = table_.monotonic_ms();
  publish_waits_ = false;
  publish(*home, std::move(*accepted));
  if (may_read()) transport_->resume();
}

void Session::run(const dialect::Publish& request) {
  const auto room = room_for(request.id, request.room);
  if (!room) return;
  service::Rooms& service = table_.service();
  // The dialect has checked all of json; of other payloads, what their kind says.
  const auto checked = request.kind == hub::Kind::json ? service::Checked::all : service::Checked::form;
  auto accepted = service.accept(publisher(), *room, {request.kind, request.payload, checked, request.labels},
                                 request.key.value_or(""), subscriber_id());
  if (!accepted) return refuse(request.id, accepted.error());
  // One that has to wait holds up the next.
  const bool waits = service.would_wait(*room);
  if (waits) wait_for_publish();
  service.publish(std::move(*accepted),
                  [&table = table_, session = id_, id = base::Bytes::copy_of(request.id),
                   name = std::string(*room), waits](const hub::PublishResult& result) {
                    Session* const client = table.find(session);
                    if (client == nullptr) return;
                    client->on_published(id.view(), name, result);
                    if (waits) client->publish_has_waited();
                  });
}

void Session::on_published(dialect::RequestId id, std::string_view room, const hub::PublishResult& result) {
  if (state_ != State::open) return;
  if (!result) return refuse(id, result.error());
  if (id.empty()) return;
  send_event(dialect::Published{id, room, result->position, result->subscribers, result->duplicate,
                                result->durable});
}

}  // namespace roomcast::session
