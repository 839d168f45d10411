#include "api/clients.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
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

std::string to_text(base::SlotId id) {
  return std::to_string(id.index) + '-' + std::to_string(id.generation);
}

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

/// Which clients are meant: one of these is given.
struct Clients::Target {
  std::optional<std::string> client;
  std::optional<base::SlotId> id;  // of the client
  std::optional<std::string> user;
  std::optional<base::AddressBlock> address;
  std::optional<std::string> room;  // all that are in it

  [[nodiscard]] std::string text() const {
    if (client) return "client:" + *client;
    if (user) return "user:" + *user;
    if (address) return "address:" + address->text();
    return "room:" + room.value_or("");
  }
};

Clients::Clients(const part::Context& context)
    : rooms_(context.rooms), sessions_(context.sessions), audit_(context.log) {}

void Clients::add_routes(part::Routes& routes) {
  routes.add_api({http::Method::get}, "/api/clients", http::Access::operators, list_);
  routes.add_api({http::Method::post}, "/api/disconnect", http::Access::operators, disconnect_);
  routes.add_api({http::Method::post}, "/api/kick", http::Access::operators, kick_);
  routes.add_api({http::Method::post}, "/api/subscribe", http::Access::operators, subscribe_);
  routes.add_api({http::Method::post}, "/api/unsubscribe", http::Access::operators, unsubscribe_);
}

// --- The list ---

void Clients::append(std::string& json, const Session& session) const {
  const access::Identity identity = session.identity();
  json += '{';
  append_member(json, "id", to_text(session.id()));
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

Clients::Target Clients::read_target(Arguments& arguments) {
  Target target;
  target.client = arguments.text("client");
  if (target.client) target.id = slot_id_from(*target.client);
  target.user = arguments.text("user", user_id_bytes_max);
  target.address = read_block(arguments);
  const int given = (target.client ? 1 : 0) + (target.user ? 1 : 0) + (target.address ? 1 : 0);
  if (given > 1) arguments.refuse(base::bad_request("give only one of client, user and address"));
  return target;
}

/// Calls `visit` for the clients that are meant; it says whether that concerned the client.
http::Response Clients::apply(const Target& target, Visit visit) {
  std::size_t concerned = 0;
  const auto count = [&](Session& session) {
    concerned += !session.has_begun_to_close() && visit(session) ? 1 : 0;
  };
  if (target.client) {
    if (Session* const session = target.id ? sessions_.find(*target.id) : nullptr) count(*session);
  } else if (target.user) {
    sessions_.for_user(access::Kind::user, *target.user, count);
  } else {
    sessions_.sweep([block = target.address, room = target.room, visit = std::move(visit)](Session& session) {
      if (block && !is_from(session, *block)) return;
      if (room && !session.is_in(*room)) return;
      (void)visit(session);
    });
    http::Response response = json_answer(R"({"clients":null})");
    response.status = 202;
    return response;
  }
  if (concerned == 0) return refusal_answer({Code::not_found, "there is no such client: " + target.text()});
  return json_answer(R"({"clients":)" + std::to_string(concerned) + '}');
}

void Clients::answer(http::Exchange& exchange, std::string_view call, const Target& target,
                     std::string_view room, std::string_view reason, const std::optional<Refusal>& refusal,
                     const Visit& visit) {
  const service::Caller caller = caller_of(exchange);
  std::string what = target.text();
  if (!room.empty()) what.append(" in ").append(room);
  http::Response response = refusal ? refusal_answer(*refusal) : apply(target, visit);
  const bool is_unknown = !refusal && response.status == 404;
  audit_.note(caller, call, what, is_unknown ? std::optional(Refusal{Code::not_found, ""}) : refusal, reason);
  exchange.respond(std::move(response));
}

void Clients::disconnect(http::Exchange& exchange, std::string_view /*rest*/) {
  Arguments arguments = Arguments::of_body(exchange.request(), {"client", "user", "room", "reason"});
  Target target = read_target(arguments);
  target.room = arguments.text("room");
  const std::string reason = arguments.text("reason").value_or("");
  if (!target.client && !target.user && !target.room)
    arguments.refuse(base::bad_request("give client, user or room, one of them"));
  if (target.room && (target.client || target.user))
    arguments.refuse(base::bad_request("give only one of client, user and room"));
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  const service::Caller caller = caller_of(exchange);
  const auto refusal = target.room ? rooms_.check_moderate(caller, *target.room) : rooms_.check_admin(caller);
  const Refusal why{Code::forbidden, sentence("disconnected by an operator", reason)};
  answer(exchange, "disconnect", target, {}, reason, refusal, [why](Session& session) {
    session.close(why);
    return true;
  });
}

void Clients::kick(http::Exchange& exchange, std::string_view /*rest*/) {
  Arguments arguments =
      Arguments::of_body(exchange.request(), {"client", "user", "address", "room", "reason"});
  const Target target = read_target(arguments);
  const std::string room = arguments.required("room");
  const std::string reason = arguments.text("reason").value_or("");
  if (!target.client && !target.user && !target.address)
    arguments.refuse(base::bad_request("give client, user or address, one of them"));
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  const auto refusal = rooms_.check_moderate(caller_of(exchange), room);
  const Refusal why{Code::forbidden, sentence("removed from the room by a moderator", reason)};
  answer(exchange, "kick", target, room, reason, refusal,
         [room, why](Session& session) { return session.unsubscribe_from_server(room, why); });
}

void Clients::subscribe(http::Exchange& exchange, std::string_view /*rest*/) {
  Arguments arguments = Arguments::of_body(exchange.request(), {"user", "room"});
  const Target target = read_target(arguments);
  const std::string room = arguments.required("room");
  if (!target.user) arguments.refuse(base::bad_request("user is missing"));
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  auto refusal = rooms_.check_moderate(caller_of(exchange), room);
  std::optional<Refusal> first;  // why one of them could not be joined
  std::size_t joined = 0;
  if (!refusal) {
    sessions_.for_user(access::Kind::user, *target.user, [&](Session& session) {
      auto why = session.subscribe_from_server(room);
      joined += why ? 0 : 1;
      if (why && !first) first = std::move(why);
    });
    if (joined == 0)
      refusal = first ? first : Refusal{Code::not_found, "there is no such client: " + target.text()};
  }
  // What a client of roomcast.v1 is told has no status of its own over HTTP.
  if (refusal && base::describe(refusal->code).http == 0) refusal = base::bad_request(refusal->message);
  audit_.note(caller_of(exchange), "subscribe", target.text() + " in " + room, refusal);
  if (refusal) return exchange.respond(refusal_answer(*refusal));
  exchange.respond(json_answer(R"({"clients":)" + std::to_string(joined) + '}'));
}

void Clients::unsubscribe(http::Exchange& exchange, std::string_view /*rest*/) {
  Arguments arguments = Arguments::of_body(exchange.request(), {"user", "room"});
  const Target target = read_target(arguments);
  const std::string room = arguments.required("room");
  if (!target.user) arguments.refuse(base::bad_request("user is missing"));
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  const auto refusal = rooms_.check_moderate(caller_of(exchange), room);
  const Refusal why{Code::forbidden, "unsubscribed by the server"};
  answer(exchange, "unsubscribe", target, room, {}, refusal,
         [room, why](Session& session) { return session.unsubscribe_from_server(room, why); });
}

std::unique_ptr<part::Part> make_clients(const part::Context& context) {
  return std::make_unique<Clients>(context);
}

}  // namespace roomcast::api
