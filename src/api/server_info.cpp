#include "api/server_info.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "config/config.h"
#include "config/schema.h"

namespace roomcast::api {

namespace {

using access::Permission;

constexpr std::array permissions{Permission::join,    Permission::publish,  Permission::presence,
                                 Permission::history, Permission::moderate, Permission::admin};

std::string_view kind_of_identity(const access::Identity& identity) {
  switch (identity.kind()) {
    case access::Kind::anonymous:
      return "anonymous";
    case access::Kind::user:
      return "user";
    case access::Kind::key:
      return "key";
  }
  return "anonymous";
}

template <class Texts>
void append_texts(std::string& json, std::string_view name, const Texts& texts) {
  if (json.back() != '{') json += ',';
  base::append_json_string(json, name);
  json += ":[";
  for (const auto& text : texts) {
    if (json.back() != '[') json += ',';
    base::append_json_string(json, text);
  }
  json += ']';
}

}  // namespace

ServerInfo::ServerInfo(const part::Context& context)
    : access_(context.access),
      rooms_(context.rooms),
      sessions_(context.sessions),
      clock_(context.clock),
      version_(context.version),
      started_s_(context.clock.wall_ms() / 1'000),
      started_ms_(context.clock.monotonic_ms()) {}

void ServerInfo::add_routes(part::Routes& routes) {
  routes.add_api({http::Method::get}, "/api/info", http::Access::operators, info_);
  routes.add({http::Method::get}, "/api/me", http::Access::clients, me_);
}

void ServerInfo::apply(const config::Config& config) {
  limits_ = "{";
  for (const config::Setting& setting : config::settings()) {
    if (config::section_of(setting) != "limits") continue;
    if (limits_.size() > 1) limits_ += ',';
    base::append_json_string(limits_, config::key_of(setting));
    // All of them are whole numbers, which TOML and JSON write alike.
    limits_ += ':' + config::to_toml(setting, config);
  }
  limits_ += '}';
}

void ServerInfo::info(http::Exchange& exchange, std::string_view /*rest*/) {
  if (const auto refusal = rooms_.check_admin(caller_of(exchange)))
    return exchange.respond(refusal_answer(*refusal));
  std::string json = "{";
  append_member(json, "version", version_);
  append_member(json, "started", static_cast<std::uint64_t>(started_s_));
  append_member(json, "uptime_seconds",
                static_cast<std::uint64_t>((clock_.monotonic_ms() - started_ms_) / 1'000));
  append_member(json, "clients", sessions_.size());
  append_member(json, "rooms", rooms_.size());
  append_member(json, "bans", access_.sanctions.count(access::Sanction::Kind::ban));
  append_member(json, "mutes", access_.sanctions.count(access::Sanction::Kind::mute));
  append_member(json, "revocations", access_.sanctions.count(access::Sanction::Kind::revocation));
  json += R"(,"limits":)" + limits_ + '}';
  exchange.respond(json_answer(std::move(json)));
}

void ServerInfo::me(http::Exchange& exchange, std::string_view /*rest*/) {
  Arguments arguments = Arguments::of_query(exchange.request(), {"room"});
  const auto room = arguments.text("room");
  if (room) {
    if (auto refusal = service::check_room_name(*room)) arguments.refuse(*std::move(refusal));
  }
  if (arguments.problem()) return exchange.respond(refusal_answer(*arguments.problem()));
  const access::Identity& identity = exchange.context().identity;
  std::string json = "{";
  append_member(json, "kind", kind_of_identity(identity));
  if (identity.kind() == access::Kind::user) append_member(json, "user", identity.id());
  if (identity.kind() == access::Kind::key) append_member(json, "key", identity.id());
  if (!identity.is_anonymous()) append_member(json, "name", identity.name());
  append_texts(json, "roles", identity.roles());
  std::vector<std::string_view> may;
  for (const Permission permission : permissions) {
    const bool is_refused = room ? !access_.policy.permits(identity, permission, *room)
                                 : access_.policy.check_everywhere(identity, permission).has_value();
    if (!is_refused) may.push_back(access::to_string(permission));
  }
  append_texts(json, "may", may);
  json += '}';
  exchange.respond(json_answer(std::move(json)));
}

std::unique_ptr<part::Part> make_server_info(const part::Context& context) {
  return std::make_unique<ServerInfo>(context);
}

}  // namespace roomcast::api
