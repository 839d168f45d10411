#include "api/clients.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "base/address_block.h"
#include "base/json.h"
#include "session/client_list.h"

namespace roomcast::api {

namespace {

using base::Refusal;
using Code = Refusal::Code;
using session::Session;

constexpr std::size_t user_id_bytes_max = 100;
constexpr std::size_t rooms_listed_max = 100;
constexpr std::string_view commands_name = "clients";

std::optional<base::SlotId> slot_id_from(std::string_view text) {
  base::SlotId id;
  const char* const end = text.data() + text.size();
  const auto [dash, error] = std::from_chars(text.data(), end, id.index);
  if (error != std::errc{} || dash == end || *dash != '-') return std::nullopt;
  const auto [stop, error_behind] = std::from_chars(dash + 1, end, id.generation);
  return error_behind == std::errc{} && stop == end ? std::optional(id) : std::nullopt;
}

std::optional<base::AddressBlock> read_block(Arguments& arguments) {
  const auto text = arguments.text("address");
  if (!text) return std::nullopt;
  auto block = base::AddressBlock::parse_client(*text);
  if (block) return *block;
  arguments.refuse(base::bad_request("address: " + block.error().message));
  return std::nullopt;
}

bool is_from(const Session& session, const base::AddressBlock& block) {
  const auto bits = base::address_bits(session.address());
  return bits && block.contains(*bits);
}

/// What `call` says to a client, with the operator's reason.
std::string sentence(std::string_view what, std::string_view reason) {
  std::string text(what);
  return reason.empty() ? text : text.append(": ").append(reason);
}

}  // namespace

Clients::Clients(const part::Context& context)
    : rooms_(context.rooms),
      sessions_(context.sessions),
      responses_(context.responses),
      commands_(context.commands),
      audit_(context.log) {
  if (commands_ != nullptr) commands_->add(commands_name, *this);
}

void Clients::add_routes(part::Routes& routes) {
  routes.add_api({http::Method::get}, "/api/clients", http::Access::operators, list_);
  routes.add_api({http::Method::post}, "/api/disconnect", http::Access::operators, disconnect_);
  routes.add_api({http::Method::post}, "/api/kick", http::Access::operators, kick_);
  routes.add_api({http::Method::post}, "/api/subscribe", http::Access::operators, subscribe_);
  routes.add_api({http::Method::post}, "/api/unsubscribe", http::Access::operators, unsubscribe_);
}

// --- The list ---

/// Where servers share their rooms it says of which one it is.
std::string Clients::id_of(base::SlotId id) const {
  std::string text = std::to_string(id.index) + '-' + std::to_string(id.generation);
  return commands_ == nullptr ? text : text.append("-").append(commands_->node());
}

std::optional<base::SlotId> Clients::slot_of(std::string_view id) const {
  if (commands_ != nullptr) {
    const std::string end = '-' + commands_->node();
    if (!id.ends_with(end)) return std::nullopt;
    id.remove_suffix(end.size());
  }
  return slot_id_from(id);
}

void Clients::append(std::string& json, const Session& session) const {
  const access::Identity identity = session.identity();
  json += '{';
  append_member(json, "id", id_of(session.id()));
  if (identity.kind() == access::Kind::user) append_member(json, "user", identity.id());
  if (identity.kind() == access::Kind::key) append_member(json, "key", identity.id());
  const hub::Author author = session.author();
  if (!author.name().empty()) append_member(json, "name", author.name());
  append_member(json, "address", session.address());
  append_member(json, "transport", session.transport().name());
  append_member(json, "dialect", session.dialect_name());
  append_member(json, "connected_seconds", sessions_.monotonic_seconds() - session.opened_s());
  const auto names = session.room_names();
  append_member(json, "room_count", names.size());
  json += R"(,"rooms":[)";
  for (std::size_t i = 0; i < std::min(names.size(), rooms_listed_max); ++i) {
    if (i != 0) json += ',';
    base::append_json_string(json, names[i]);
  }
  json += "]}";
}

void Clients::list(http::Exchange& exchange, std::string_view /*rest*/) {
  Arguments arguments =
      Arguments::of_query(exchange.request(), {"user", "address", "room", "after", "limit"});
  const auto user = arguments.text("user", user_id_bytes_max);
  const auto block = read_block(arguments);
  const auto room = arguments.text("room");
  const auto after = arguments.number("after", UINT32_MAX);
  const std::size_t limit = limit_of(arguments);
  if (!arguments.problem()) {
    const service::Caller caller = caller_of(exchange);
    if (auto refusal = room ? rooms_.check_moderate(caller, *room) : rooms_.check_admin(caller))
      arguments.refuse(*std::move(refusal));
  }
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  session::ClientFilter filter;
  if (user) filter.of = session::ClientFilter::Of{access::Kind::user, *user};
  filter.address = block;
  if (room) filter.room = *room;
  const session::ClientPage page =
      session::list_clients(sessions_, filter, static_cast<std::uint32_t>(after.value_or(0)), limit);
  std::string json = R"({"clients":[)";
  for (const base::SlotId id : page.clients) {
    if (json.back() != '[') json += ',';
    append(json, *sessions_.find(id));
  }
  const auto next = page.next ? std::optional(std::to_string(*page.next)) : std::nullopt;
  append_next(json, next);
  exchange.respond(json_answer(std::move(json)));
}

// --- What is done with them ---

ClientCommand Clients::read_target(Arguments& arguments) {
  ClientCommand command;
  command.client = arguments.text("client").value_or("");
  command.user = arguments.text("user", user_id_bytes_max).value_or("");
  command.address = read_block(arguments);
  const int given =
      (command.client.empty() ? 0 : 1) + (command.user.empty() ? 0 : 1) + (command.address ? 1 : 0);
  if (given > 1) arguments.refuse(base::bad_request("give only one of client, user and address"));
  return command;
}

std::optional<part::CommandBus::Effect> Clients::on_command(std::string_view arguments) {
  const auto command = ClientCommand::read(arguments);
  if (!command) return std::nullopt;
  return apply(*command);
}

part::CommandBus::Effect Clients::apply(const ClientCommand& command) {
  using Call = ClientCommand::Call;
  if (command.call == Call::subscribe) return subscribe_user(command);
  std::function<bool(Session&)> visit;
  if (command.call == Call::disconnect) {
    visit = [why = Refusal{Code::forbidden, sentence("disconnected by an operator", command.reason)}](
                Session& session) {
      session.close(why);
      return true;
    };
  } else {
    const Refusal why{Code::forbidden, command.call == Call::kick
                                           ? sentence("removed from the room by a moderator", command.reason)
                                           : "unsubscribed by the server"};
    visit = [room = command.room, why](Session& session) {
      return session.unsubscribe_from_server(room, why);
    };
  }
  std::size_t concerned = 0;
  const auto count = [&](Session& session) {
    concerned += !session.has_begun_to_close() && visit(session) ? 1 : 0;
  };
  if (!command.client.empty()) {
    const auto id = slot_of(command.client);
    if (Session* const session = id ? sessions_.find(*id) : nullptr) count(*session);
  } else if (!command.user.empty()) {
    sessions_.for_user(access::Kind::user, command.user, count);
  } else {
    const bool is_of_room = command.call == Call::disconnect;
    sessions_.sweep([block = command.address, room = command.room, is_of_room,
                     visit = std::move(visit)](Session& session) {
      if (block && !is_from(session, *block)) return;
      if (is_of_room && !session.is_in(room)) return;
      (void)visit(session);
    });
  }
  return {concerned, std::nullopt};
}

/// The refusal: why one of them could not be joined.
part::CommandBus::Effect Clients::subscribe_user(const ClientCommand& command) {
  part::CommandBus::Effect effect;
  sessions_.for_user(access::Kind::user, command.user, [&](Session& session) {
    auto why = session.subscribe_from_server(command.room);
    effect.clients += why ? 0 : 1;
    if (why && !effect.refusal) effect.refusal = std::move(why);
  });
  return effect;
}

void Clients::run(http::Exchange& exchange, const ClientCommand& command, std::optional<Refusal> refusal) {
  const service::Caller caller = caller_of(exchange);
  if (refusal) return exchange.respond(answer(caller, command, {0, 0, 0, std::move(refusal)}));
  if (commands_ == nullptr) {
    part::CommandBus::Effect effect = apply(command);
    return exchange.respond(answer(caller, command, {effect.clients, 1, 0, std::move(effect.refusal)}));
  }
  commands_->send(commands_name, command.to_json(),
                  [this, command, id = exchange.defer(), identity = caller.identity,
                   address = std::string(caller.address)](const Outcome& outcome) {
                    responses_.respond(id, answer({identity, "", 0, address}, command, outcome));
                  });
}

http::Response Clients::answer(const service::Caller& caller, const ClientCommand& command,
                               const Outcome& outcome) const {
  std::optional<Refusal> refusal;
  if (outcome.nodes == 0) {
    refusal = outcome.refusal;
  } else if (outcome.clients == 0 && outcome.silent_nodes == 0 && !command.is_for_all()) {
    refusal = outcome.refusal ? outcome.refusal
                              : Refusal{Code::not_found, "there is no such client: " + command.target()};
  }
  // What a client of roomcast.v1 is told has no status of its own over HTTP.
  if (refusal && base::describe(refusal->code).http == 0) refusal = base::bad_request(refusal->message);
  const bool names_room = command.call != ClientCommand::Call::disconnect;
  audit_.note(caller, command.name(), command.target() + (names_room ? " in " + command.room : ""), refusal,
              command.reason);
  if (refusal) return refusal_answer(*refusal);
  std::string json =
      R"({"clients":)" + (command.is_for_all() ? std::string("null") : std::to_string(outcome.clients));
  if (commands_ != nullptr) append_nodes(json, outcome);
  http::Response response = json_answer(json + '}');
  // It is not known yet how many that are.
  if (command.is_for_all() || outcome.clients == 0) response.status = 202;
  return response;
}

void Clients::disconnect(http::Exchange& exchange, std::string_view /*rest*/) {
  Arguments arguments = Arguments::of_body(exchange.request(), {"client", "user", "room", "reason"});
  ClientCommand command = read_target(arguments);
  command.room = arguments.text("room").value_or("");
  command.reason = arguments.text("reason").value_or("");
  const bool has_client = !command.client.empty() || !command.user.empty();
  if (!has_client && command.room.empty())
    arguments.refuse(base::bad_request("give client, user or room, one of them"));
  if (has_client && !command.room.empty())
    arguments.refuse(base::bad_request("give only one of client, user and room"));
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  const service::Caller caller = caller_of(exchange);
  run(exchange, command,
      has_client ? rooms_.check_admin(caller) : rooms_.check_moderate(caller, command.room));
}

void Clients::kick(http::Exchange& exchange, std::string_view /*rest*/) {
  Arguments arguments =
      Arguments::of_body(exchange.request(), {"client", "user", "address", "room", "reason"});
  ClientCommand command = read_target(arguments);
  command.call = ClientCommand::Call::kick;
  command.room = arguments.required("room");
  command.reason = arguments.text("reason").value_or("");
  if (command.client.empty() && command.user.empty() && !command.address)
    arguments.refuse(base::bad_request("give client, user or address, one of them"));
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  run(exchange, command, rooms_.check_moderate(caller_of(exchange), command.room));
}

void Clients::subscribe(http::Exchange& exchange, std::string_view /*rest*/) {
  for_user(exchange, ClientCommand::Call::subscribe);
}

void Clients::unsubscribe(http::Exchange& exchange, std::string_view /*rest*/) {
  for_user(exchange, ClientCommand::Call::unsubscribe);
}

void Clients::for_user(http::Exchange& exchange, ClientCommand::Call call) {
  Arguments arguments = Arguments::of_body(exchange.request(), {"user", "room"});
  ClientCommand command = read_target(arguments);
  command.call = call;
  command.room = arguments.required("room");
  if (command.user.empty()) arguments.refuse(base::bad_request("user is missing"));
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  run(exchange, command, rooms_.check_moderate(caller_of(exchange), command.room));
}

std::unique_ptr<part::Part> make_clients(const part::Context& context) {
  return std::make_unique<Clients>(context);
}

}  // namespace roomcast::api
