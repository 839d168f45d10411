// Publishing with a receipt.
#include <string>
#include <utility>

#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

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
  send_event(dialect::Published{id, room, result->position, result->subscribers, result->duplicate});
}

}  // namespace roomcast::session
