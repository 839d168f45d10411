#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/operator_call.h"
#include "http/exchange.h"
#include "part/context.h"
#include "service/rooms.h"
#include "session/session_table.h"

namespace roomcast::api {

/// For operators, about clients that are connected (WebSocket, EventSource, stream; a poll is over with its
/// answer):
/// - `GET /api/clients?user=&address=&room=&after=&limit=` lists them in pages, in no order;
/// - `POST /api/disconnect` ends the connections of a client, a user or all members of a room;
/// - `POST /api/kick` has a client, a user or an address leave a room;
/// - `POST /api/subscribe` and `/api/unsubscribe` do so as if a user's clients had asked for it.
///
/// What is about one room needs `moderate` there, everything else `admin`. Where all connections have to be
/// gone through the answer is 202, and they are gone through in slices.
class Clients final : public part::Part {
 public:
  /// All outlive the part.
  explicit Clients(const part::Context& context);

  void add_routes(part::Routes& routes) override;

  void list(http::Exchange& exchange, std::string_view rest);
  void disconnect(http::Exchange& exchange, std::string_view rest);
  void kick(http::Exchange& exchange, std::string_view rest);
  void subscribe(http::Exchange& exchange, std::string_view rest);
  void unsubscribe(http::Exchange& exchange, std::string_view rest);

 private:
  struct Target;
  using Visit = std::function<bool(session::Session&)>;

  static Target read_target(Arguments& arguments);
  [[nodiscard]] http::Response apply(const Target& target, Visit visit);
  void answer(http::Exchange& exchange, std::string_view call, const Target& target, std::string_view room,
              std::string_view reason, const std::optional<base::Refusal>& refusal, const Visit& visit);
  void append(std::string& json, const session::Session& session) const;

  service::Rooms& rooms_;
  session::SessionTable& sessions_;
  Audit audit_;
  Endpoint<Clients> list_{*this, &Clients::list};
  Endpoint<Clients> disconnect_{*this, &Clients::disconnect};
  Endpoint<Clients> kick_{*this, &Clients::kick};
  Endpoint<Clients> subscribe_{*this, &Clients::subscribe};
  Endpoint<Clients> unsubscribe_{*this, &Clients::unsubscribe};
};

[[nodiscard]] std::unique_ptr<part::Part> make_clients(const part::Context& context);

}  // namespace roomcast::api
