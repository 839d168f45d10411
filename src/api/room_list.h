#pragma once

#include <memory>
#include <string_view>

#include "api/operator_call.h"
#include "http/exchange.h"
#include "part/context.h"
#include "service/rooms.h"

namespace roomcast::api {

/// For operators: `GET /api/rooms?prefix=&after=&limit=`, the rooms that the client may moderate, all of them
/// for administrators, in no order and in pages; and `GET /api/rooms/{room}`, one of them. A page is bounded
/// by what it costs as well, so it may have less than `limit` although there is more: `next` says so.
class RoomList final : public part::Part {
 public:
  /// `rooms` outlives the part.
  explicit RoomList(const service::Rooms& rooms) : rooms_(rooms) {}

  void add_routes(part::Routes& routes) override;
  void list(http::Exchange& exchange, std::string_view rest);
  void show(http::Exchange& exchange, std::string_view room);

 private:
  const service::Rooms& rooms_;
  Endpoint<RoomList> list_{*this, &RoomList::list};
  Endpoint<RoomList> show_{*this, &RoomList::show};
};

[[nodiscard]] std::unique_ptr<part::Part> make_room_list(const part::Context& context);

}  // namespace roomcast::api
