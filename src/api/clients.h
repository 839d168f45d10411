#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/client_command.h"
#include "api/operator_call.h"
#include "http/exchange.h"
#include "part/command_bus.h"
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
///
/// Where servers share their rooms all of them do it, each with its own clients. The list is of this one
/// alone.
class Clients final : public part::Part, private part::CommandBus::Handler {
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
  using Outcome = part::CommandBus::Outcome;

  [[nodiscard]] static ClientCommand read_target(Arguments& arguments);
  void for_user(http::Exchange& exchange, ClientCommand::Call call);
  void run(http::Exchange& exchange, const ClientCommand& command, std::optional<base::Refusal> refusal);
  std::optional<part::CommandBus::Effect> on_command(std::string_view arguments) override;
  [[nodiscard]] part::CommandBus::Effect apply(const ClientCommand& command);
  [[nodiscard]] part::CommandBus::Effect subscribe_user(const ClientCommand& command);
  /// The answer, which is noted as well.
  [[nodiscard]] http::Response answer(const service::Caller& caller, const ClientCommand& command,
                                      const Outcome& outcome) const;
  [[nodiscard]] std::string id_of(base::SlotId id) const;
  [[nodiscard]] std::optional<base::SlotId> slot_of(std::string_view id) const;
  void append(std::string& json, const session::Session& session) const;

  service::Rooms& rooms_;
  session::SessionTable& sessions_;
  http::DeferredResponses& responses_;
  part::CommandBus* const commands_;  // null: rooms are not shared
  Audit audit_;
  Endpoint<Clients> list_{*this, &Clients::list};
  Endpoint<Clients> disconnect_{*this, &Clients::disconnect};
  Endpoint<Clients> kick_{*this, &Clients::kick};
  Endpoint<Clients> subscribe_{*this, &Clients::subscribe};
  Endpoint<Clients> unsubscribe_{*this, &Clients::unsubscribe};
};

[[nodiscard]] std::unique_ptr<part::Part> make_clients(const part::Context& context);

}  // namespace roomcast::api
