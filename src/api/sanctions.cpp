#include "api/sanctions.h"

#include <string>
#include <utility>

#include "base/address_block.h"
#include "config/config.h"
#include "metrics/exposition.h"

namespace roomcast::api {

namespace {

using access::Sanction;
using Kind = Sanction::Kind;

constexpr std::string_view everywhere = "**";
constexpr std::int64_t look_ms = 1'000;
constexpr std::uint64_t time_max_s = 253'402'300'799;  // the end of the year 9999
constexpr std::size_t id_bytes_max = 100;
constexpr std::uint64_t list_end = UINT64_MAX;

Kind sanction_kind(const http::Request& request) {
  if (request.path == "/api/mutes") return Kind::mute;
  return request.path == "/api/revoke" ? Kind::revocation : Kind::ban;
}

std::string_view name_of(Kind kind) {
  if (kind == Kind::mute) return "mute";
  return kind == Kind::revocation ? "revoke" : "ban";
}

std::string_view list_name_of(Kind kind) {
  if (kind == Kind::mute) return "mutes";
  return kind == Kind::revocation ? "revocations" : "bans";
}

/// What an entry is for: everything of it that tells it apart from others of its kind.
Sanction read_subject(Arguments& arguments, Kind kind) {
  Sanction sanction;
  sanction.kind = kind;
  sanction.user = arguments.text("user", id_bytes_max).value_or("");
  if (kind == Kind::revocation) {
    sanction.token_id = arguments.text("jti").value_or("");
    if (sanction.user.empty() == sanction.token_id.empty())
      arguments.refuse(base::bad_request("give jti or user, one of them"));
    return sanction;
  }
  sanction.rooms = arguments.text("room").value_or(std::string(everywhere));
  if (const auto address = arguments.text("address")) {
    const auto block = base::AddressBlock::parse_client(*address);
    if (!block) {
      arguments.refuse(base::bad_request("address: " + block.error().message));
      return sanction;
    }
    sanction.address = *block;
  }
  if (sanction.user.empty() != sanction.address.has_value())
    arguments.refuse(base::bad_request("give user or address, one of them"));
  return sanction;
}

/// The rest of it.
void read_terms(Arguments& arguments, std::int64_t now_s, Sanction& sanction) {
  const auto seconds = arguments.number("seconds", time_max_s / 2);
  const auto until = arguments.number("until", time_max_s);
  if (arguments.has("seconds") && arguments.has("until"))
    arguments.refuse(base::bad_request("give seconds or until, or none of them: until it is lifted"));
  if (seconds) sanction.until_s = now_s + static_cast<std::int64_t>(*seconds);
  if (until) sanction.until_s = static_cast<std::int64_t>(*until);
  if ((seconds || until) && sanction.until_s <= now_s)
    arguments.refuse(base::bad_request("its end is not in the future"));
  sanction.reason = arguments.text("reason").value_or("");
  const auto issued_before = arguments.number("issued_before", time_max_s);
  if (sanction.kind != Kind::revocation || sanction.user.empty()) {
    if (issued_before) arguments.refuse(base::bad_request("issued_before is for the tokens of a user"));
    return;
  }
  sanction.issued_before_s = issued_before ? static_cast<std::int64_t>(*issued_before) : now_s;
}

std::string target_of(const Sanction& sanction) {
  std::string target = sanction.address            ? "address:" + sanction.address->text()
                       : sanction.token_id.empty() ? "user:" + sanction.user
                                                   : "jti:" + sanction.token_id;
  if (sanction.kind != Kind::revocation && sanction.rooms != everywhere) target += " in " + sanction.rooms;
  return target;
}

/// Without the end of the object.
void append_open(std::string& json, access::Sanctions::Id id, const Sanction& sanction) {
  json += '{';
  append_member(json, "id", id);
  if (!sanction.user.empty()) append_member(json, "user", sanction.user);
  if (sanction.address) append_member(json, "address", sanction.address->text());
  if (!sanction.token_id.empty()) append_member(json, "jti", sanction.token_id);
  if (sanction.kind != Kind::revocation) append_member(json, "room", sanction.rooms);
  if (sanction.issued_before_s != 0)
    append_member(json, "issued_before", static_cast<std::uint64_t>(sanction.issued_before_s));
  if (sanction.until_s != 0) {
    append_member(json, "until", static_cast<std::uint64_t>(sanction.until_s));
  } else {
    json += R"(,"until":null)";
  }
  append_member(json, "reason", sanction.reason);
  append_member(json, "by", sanction.by);
}

void append(std::string& json, access::Sanctions::Id id, const Sanction& sanction) {
  append_open(json, id, sanction);
  json += '}';
}

base::Refusal nothing_of(const Sanction& sanction) {
  return {base::Refusal::Code::not_found,
          "there is no " + std::string(name_of(sanction.kind)) + " of " + target_of(sanction)};
}

}  // namespace

Sanctions::Sanctions(const part::Context& context)
    : sanctions_(context.access.sanctions),
      rooms_(context.rooms),
      sessions_(context.sessions),
      parts_(context.parts),
      responses_(context.responses),
      shared_(context.shared_sanctions),
      clock_(context.clock),
      audit_(context.log),
      answers_(context),
      next_end_(context.deadlines, *this) {
  if (shared_ != nullptr) shared_->set_listener(*this);
  watch_time();
}

void Sanctions::add_routes(part::Routes& routes) {
  using http::Method;
  routes.add_api({Method::get, Method::post, Method::delete_}, "/api/bans", http::Access::operators, *this);
  routes.add_api({Method::get, Method::post, Method::delete_}, "/api/mutes", http::Access::operators, *this);
  routes.add_api({Method::get, Method::post, Method::delete_}, "/api/revoke", http::Access::operators, *this);
}

void Sanctions::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  const http::Method method = exchange.request().method;
  if (method == http::Method::post) return add(exchange);
  return method == http::Method::delete_ ? lift(exchange) : list(exchange);
}

void Sanctions::apply(const config::Config& config) {
  sanctions_.set_limit(static_cast<std::size_t>(config.limits.sanctions_bytes));
  answers_.set_timeout(config.store.ack_timeout_ms);
}

void Sanctions::collect(metrics::Exposition& out) const {
  out.gauge("roomcast_sanctions", "Bans, mutes and revocations in force, by kind.");
  out.sample({{"kind", "ban"}}, sanctions_.count(Kind::ban));
  out.sample({{"kind", "mute"}}, sanctions_.count(Kind::mute));
  out.sample({{"kind", "revocation"}}, sanctions_.count(Kind::revocation));
  out.single_gauge("roomcast_sanctions_bytes", "Bytes that these take (limits.sanctions_bytes).",
                   sanctions_.bytes());
}

std::optional<base::Refusal> Sanctions::check(const service::Caller& caller, const Sanction& sanction) const {
  const bool is_one_room = sanction.kind != Kind::revocation && sanction.rooms.find('*') == std::string::npos;
  return is_one_room ? rooms_.check_moderate(caller, sanction.rooms) : rooms_.check_admin(caller);
}

void Sanctions::add(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const Kind kind = sanction_kind(request);
  Arguments arguments =
      kind == Kind::revocation
          ? Arguments::of_body(request, {"jti", "user", "issued_before", "seconds", "until", "reason"})
          : Arguments::of_body(request, {"user", "address", "room", "seconds", "until", "reason"});
  Sanction sanction = read_subject(arguments, kind);
  read_terms(arguments, clock_.wall_ms() / 1'000, sanction);
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  const service::Caller caller = caller_of(exchange);
  sanction.by = caller.identity.principal();
  auto refusal = check(caller, sanction);
  const Sanction made = sanction;
  if (!refusal && shared_ != nullptr) refusal = sanctions_.check_space(made);
  if (!refusal && shared_ != nullptr) return add_shared(exchange, made);
  access::Sanctions::Id id = 0;
  if (!refusal) {
    const auto added = sanctions_.add(std::move(sanction));
    if (added) {
      id = *added;
    } else {
      refusal = added.error();
    }
  }
  audit_.note(caller, name_of(kind), target_of(made), refusal, made.reason);
  if (refusal) return exchange.respond(refusal_answer(*refusal));
  on_sanction(made);
  std::string json;
  append(json, id, made);
  answers_.answer(exchange, json_answer(std::move(json)));
}

void Sanctions::add_shared(http::Exchange& exchange, const Sanction& made) {
  const service::Caller caller = caller_of(exchange);
  shared_->put(made, [this, made, id = exchange.defer(), identity = caller.identity,
                      address = std::string(caller.address)](const auto& kept) {
    const auto refusal = kept ? std::nullopt : std::optional(kept.error());
    audit_.note({identity, "", 0, address}, name_of(made.kind), target_of(made), refusal, made.reason);
    if (refusal) return responses_.respond(id, refusal_answer(*refusal));
    std::string json;
    append_open(json, kept->id, made);
    append_member(json, "nodes", kept->nodes);
    responses_.respond(id, json_answer(json + '}'));
  });
}

void Sanctions::lift_shared(http::Exchange& exchange, const Sanction& like) {
  const service::Caller caller = caller_of(exchange);
  shared_->lift(like, [this, like, id = exchange.defer(), identity = caller.identity,
                       address = std::string(caller.address)](const auto& lifted) {
    auto refusal = lifted ? std::nullopt : std::optional(lifted.error());
    if (refusal && refusal->code == base::Refusal::Code::not_found) refusal = nothing_of(like);
    audit_.note({identity, "", 0, address}, std::string("lift ").append(name_of(like.kind)), target_of(like),
                refusal);
    http::Response response;
    response.status = 204;
    responses_.respond(id, refusal ? refusal_answer(*refusal) : std::move(response));
  });
}

void Sanctions::lift(http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const Kind kind = sanction_kind(request);
  Arguments arguments = Arguments::of_query(request, {"user", "address", "jti", "room"});
  const Sanction sanction = read_subject(arguments, kind);
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  const service::Caller caller = caller_of(exchange);
  auto refusal = check(caller, sanction);
  if (!refusal && shared_ != nullptr) return lift_shared(exchange, sanction);
  if (!refusal) refusal = remove(sanction);
  audit_.note(caller, std::string("lift ").append(name_of(kind)), target_of(sanction), refusal);
  if (refusal) return exchange.respond(refusal_answer(*refusal));
  http::Response response;
  response.status = 204;
  answers_.answer(exchange, std::move(response));
}

std::optional<base::Refusal> Sanctions::remove(const Sanction& sanction) {
  const auto removed = sanctions_.remove(sanction);
  if (!removed) return removed.error();
  if (*removed) return std::nullopt;
  return nothing_of(sanction);
}

void Sanctions::list(http::Exchange& exchange) {
  const Kind kind = sanction_kind(exchange.request());
  Arguments arguments = Arguments::of_query(exchange.request(), {"after", "limit"});
  const auto after = arguments.number("after", list_end);
  const std::size_t limit = limit_of(arguments);
  if (!arguments.problem()) {
    if (auto refusal = rooms_.check_admin(caller_of(exchange))) arguments.refuse(*std::move(refusal));
  }
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  (void)sanctions_.expire(clock_.wall_ms() / 1'000);
  std::string json = R"({")";
  json.append(list_name_of(kind)).append(R"(":[)");
  const auto next = sanctions_.list(kind, after.value_or(0), limit,
                                    [&json](access::Sanctions::Id id, const Sanction& sanction) {
                                      if (json.back() != '[') json += ',';
                                      append(json, id, sanction);
                                    });
  append_next(json, next ? std::optional(std::to_string(*next)) : std::nullopt);
  exchange.respond(json_answer(std::move(json)));
}

void Sanctions::on_sanction(const Sanction& sanction) {
  watch_time();
  enforce(sanction);
}

void Sanctions::on_all_sanctions() {
  watch_time();
  part::reconsider_clients(parts_, {});
  sessions_.sweep([this](session::Session& session) { enforce_on(session); });
}

void Sanctions::enforce(const Sanction& sanction) {
  if (sanction.kind == Kind::mute) return;  // looked at with each message
  part::reconsider_clients(parts_, {});
  const auto visit = [this](session::Session& session) { enforce_on(session); };
  if (!sanction.user.empty()) return sessions_.for_user(access::Kind::user, sanction.user, visit);
  sessions_.sweep(visit);
}

void Sanctions::enforce_on(session::Session& session) {
  const access::Identity identity = session.identity();
  if (const auto revoked = sanctions_.revocation_of(identity)) return session.close(*revoked);
  if (const auto banned = sanctions_.check_ban(identity, session.address(), std::nullopt))
    return session.close(*banned);
  session.reconsider_rights();
}

void Sanctions::watch_time() {
  if (sanctions_.has_ends() && !next_end_.is_set()) next_end_.set_in(look_ms);
}

void Sanctions::on_deadline() {
  const bool more = sanctions_.expire(clock_.wall_ms() / 1'000);
  if (more) return next_end_.set_in(1);
  watch_time();
}

std::unique_ptr<part::Part> make_sanctions(const part::Context& context) {
  return std::make_unique<Sanctions>(context);
}

}  // namespace roomcast::api
