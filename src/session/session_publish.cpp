// Publishing with a receipt.
#include <string>
#include <utility>

#include "base/json.h"
#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

void Session::run(const dialect::Publish& request) {
  const auto room = room_for(request.id, request.room);
  if (!room) return;
  const std::uint64_t message_bytes = table_.settings().message_bytes;
  if (request.payload.size() > message_bytes) {
    const std::string message = "the message has " + std::to_string(request.payload.size()) +
                                " bytes, limits.message_bytes allows " + std::to_string(message_bytes);
    return refuse(request.id, {base::Refusal::Code::message_too_big, message});
  }
  // Of json the dialect knows it.
  const std::uint64_t json_depth = table_.settings().json_depth;
  if (request.kind == hub::Kind::text && base::is_json_deeper_than(request.payload, json_depth)) {
    const std::string message =
        "the message is JSON nested deeper than limits.json_depth allows: " + std::to_string(json_depth);
    return refuse(request.id, {base::Refusal::Code::json_too_deep, message});
  }
  hub::Draft draft{request.kind, base::Bytes::copy_of(request.payload), name(), subscriber_id(), source()};
  // One that has to wait holds up the next.
  const bool waits = table_.hub().would_wait(*room);
  if (waits) wait_for_publish();
  table_.publisher().publish(*room, std::move(draft), request.key.value_or(""),
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
  tell(dialect::Published{id, room, result->position, result->subscribers, result->duplicate});
}

}  // namespace roomcast::session
