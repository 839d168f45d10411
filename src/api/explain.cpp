#include "api/explain.h"

#include <optional>
#include <string>
#include <utility>

#include "access/claims.h"
#include "access/explanation.h"
#include "api/publish_format.h"
#include "auth/key_profile.h"
#include "base/json.h"
#include "base/json_reader.h"
#include "base/text.h"
#include "service/checks.h"

namespace roomcast::api {

namespace {

using access::Permission;
using base::JsonKind;
using base::JsonValue;
using base::Refusal;

struct Question {
  std::string user;
  std::string room;
  std::vector<std::string> roles;
};

std::optional<std::string> string_in(const JsonValue& value) {
  if (!value.is(JsonKind::string)) return std::nullopt;
  std::string text;
  value.append_text(text);
  return text;
}

std::optional<Refusal> read_asked_roles(const JsonValue& value, std::vector<std::string>& roles) {
  Refusal refusal =
      base::bad_request("roles must be a list of at most " + std::to_string(access::roles_max) + " strings");
  if (!value.is(JsonKind::array)) return refusal;
  base::JsonElements elements(value);
  while (const auto element = elements.next()) {
    auto role = string_in(*element);
    if (!role || roles.size() == access::roles_max) return refusal;
    roles.push_back(std::move(*role));
  }
  return std::nullopt;
}

base::Result<Question, Refusal> read_question(const http::Request& request) {
  if (!is_json(media_type(request))) {
    return Refusal{Refusal::Code::unsupported_media_type, "send it with Content-Type: application/json"};
  }
  if (request.headers.get("Content-Encoding").value_or("identity") != "identity") {
    return Refusal{Refusal::Code::unsupported_encoding, "a body is taken as it is: send no Content-Encoding"};
  }
  if (!base::is_valid_utf8(request.body) || !base::is_valid_json(request.body)) {
    return Refusal{Refusal::Code::invalid_json, "the body must be one JSON value"};
  }
  std::optional<std::string> user;
  std::optional<std::string> room;
  Question question;
  base::JsonMembers members{JsonValue(request.body)};
  while (const auto member = members.next()) {
    if (member->name.equals("user")) {
      user = string_in(member->value);
    } else if (member->name.equals("room")) {
      room = string_in(member->value);
    } else if (member->name.equals("roles")) {
      question.roles.clear();
      if (auto refusal = read_asked_roles(member->value, question.roles)) return std::move(*refusal);
    }
  }
  if (!user || !room) return base::bad_request("the body must be an object with the strings user and room");
  question.user = std::move(*user);
  question.room = std::move(*room);
  return question;
}

/// Rights of others are seen by who administers the server, or moderates the room.
std::optional<Refusal> check_may_explain(const access::Policy& policy, const access::Identity& caller,
                                         std::string_view room) {
  if (policy.permits(caller, Permission::moderate, room)) return std::nullopt;
  return policy.check_everywhere(caller, Permission::admin);
}

void append_text_member(std::string& json, std::string_view name, std::string_view text) {
  base::append_json_string(json, name);
  json += ':';
  base::append_json_string(json, text);
}

std::string explanation_json(const access::Policy& policy, const access::Identity& identity,
                             std::string_view room) {
  std::string json = "{";
  append_text_member(json, "user", identity.principal());
  json += ',';
  append_text_member(json, "room", room);
  json += R"(,"permissions":{)";
  bool is_first = true;
  for (const access::Explanation& one : access::explain(policy, identity, room)) {
    if (!std::exchange(is_first, false)) json += ',';
    base::append_json_string(json, to_string(one.permission));
    json += std::string(R"(:{"permitted":)") + (one.permitted ? "true," : "false,");
    if (one.row) json += R"("row":)" + std::to_string(*one.row + 1) + ",";
    append_text_member(json, "because", one.because);
    json += '}';
  }
  return json + "}}\n";
}

}  // namespace

void Explain::add_routes(part::Routes& routes) {
  routes.add({http::Method::post}, "/api/explain", http::Access::operators, *this);
}

void Explain::apply(const config::Config& config) { keys_ = auth::key_profiles(config); }

void Explain::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  http::Response response = answer(exchange);
  response.headers.add("Cache-Control", "no-store");
  exchange.respond(std::move(response));
}

http::Response Explain::answer(http::Exchange& exchange) const {
  auto question = read_question(exchange.request());
  if (!question) return http::Response::error(question.error());
  if (const auto refusal = service::check_room_name(question->room)) return http::Response::error(*refusal);
  const access::Policy& policy = access_.policy;
  if (const auto refusal = check_may_explain(policy, exchange.context().identity, question->room))
    return http::Response::error(*refusal);
  const auto identity = access::identity_named(question->user, std::move(question->roles), keys_);
  if (!identity) return http::Response::error(base::bad_request(identity.error().message));
  return http::Response::of(200, "application/json", explanation_json(policy, *identity, question->room));
}

std::unique_ptr<part::Part> make_explain(const part::Context& context) {
  return std::make_unique<Explain>(context.access);
}

}  // namespace roomcast::api
