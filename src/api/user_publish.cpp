#include "api/user_publish.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "api/publish_format.h"
#include "base/digest.h"
#include "base/json_object.h"
#include "session/direct_message.h"

namespace roomcast::api {

namespace {

constexpr std::string_view tail = "/publish";
constexpr std::string_view command_name = "user_publish";
constexpr std::array<std::string_view, 3> kind_names{"text", "json", "binary"};  // in the order of hub::Kind

std::string to_json(std::string_view user, hub::Kind kind, std::string_view payload,
                    const hub::Author& author) {
  std::string json = "{";
  append_member(json, "user", user);
  append_member(json, "kind", kind_names.at(static_cast<std::size_t>(kind)));
  append_member(json, "payload", base::base64_encode(payload));
  append_member(json, "name", author.name());
  append_member(json, "principal", author.principal());
  return json + '}';
}

}  // namespace

UserPublish::UserPublish(const part::Context& context)
    : rooms_(context.rooms),
      sessions_(context.sessions),
      responses_(context.responses),
      commands_(context.commands),
      audit_(context.log) {
  if (commands_ != nullptr) commands_->add(command_name, *this);
}

void UserPublish::add_routes(part::Routes& routes) {
  routes.add_api({http::Method::post}, "/api/users/{user}", http::Access::operators, *this);
}

void UserPublish::handle(http::Exchange& exchange, std::string_view rest) {
  if (const auto refusal = run(exchange, rest)) exchange.respond(refusal_answer(*refusal));
}

std::optional<base::Refusal> UserPublish::run(http::Exchange& exchange, std::string_view rest) {
  const http::Request& request = exchange.request();
  const service::Caller caller = caller_of(exchange);
  // An id may have slashes.
  const bool is_sound = rest.ends_with(tail) && rest.size() > tail.size();
  const std::string user(rest.substr(0, is_sound ? rest.size() - tail.size() : 0));
  if (auto refused = rooms_.check_admin(caller)) {
    audit_.note(caller, "publish", "user:" + user, refused);
    return refused;
  }
  if (!is_sound)
    return base::Refusal{base::Refusal::Code::not_found, "there is only /api/users/{user}/publish"};
  if (auto refusal = check_encoding(request)) return refusal;
  const auto payload = rooms_.check({kind_of_body(request), request.body});
  if (!payload) return payload.error();
  if (commands_ == nullptr) {
    session::DirectMessage message(payload->kind(), payload->bytes(), caller.author);
    const std::size_t clients = sessions_.send_to_user(user, message);
    audit_.note(caller, "publish", "user:" + user);
    exchange.respond(json_answer(R"({"clients":)" + std::to_string(clients) + '}'));
    return std::nullopt;
  }
  commands_->send(command_name, to_json(user, payload->kind(), payload->bytes().view(), caller.author),
                  [this, user, id = exchange.defer(), identity = caller.identity,
                   address = std::string(caller.address)](const part::CommandBus::Outcome& outcome) {
                    const auto& refusal = outcome.refusal;
                    audit_.note({identity, "", 0, address}, "publish", "user:" + user, refusal);
                    if (refusal) return responses_.respond(id, refusal_answer(*refusal));
                    std::string json = R"({"clients":)" + std::to_string(outcome.clients);
                    append_nodes(json, outcome);
                    responses_.respond(id, json_answer(json + '}'));
                  });
  return std::nullopt;
}

std::optional<part::CommandBus::Effect> UserPublish::on_command(std::string_view arguments) {
  const auto object = base::read_json_object(arguments);
  if (!object) return std::nullopt;
  const auto text = [&object](std::string_view name) {
    std::string value;
    if (const auto found = object->find(name)) found->append_text(value);
    return value;
  };
  const auto* const kind = std::find(kind_names.begin(), kind_names.end(), text("kind"));
  std::string payload;
  if (kind == kind_names.end() || !base::base64_decode(text("payload"), payload)) return std::nullopt;
  const std::string name = text("name");
  const std::string principal = text("principal");
  hub::Author author = principal.empty() ? hub::Author(name) : hub::Author(name, principal);
  session::DirectMessage message(static_cast<hub::Kind>(kind - kind_names.begin()),
                                 base::Bytes::copy_of(payload), std::move(author));
  return part::CommandBus::Effect{sessions_.send_to_user(text("user"), message), std::nullopt};
}

std::unique_ptr<part::Part> make_user_publish(const part::Context& context) {
  return std::make_unique<UserPublish>(context);
}

}  // namespace roomcast::api
