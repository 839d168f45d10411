#include "api/user_publish.h"

#include <string>

#include "api/publish_format.h"
#include "session/direct_message.h"

namespace roomcast::api {

namespace {

constexpr std::string_view tail = "/publish";

}  // namespace

UserPublish::UserPublish(const part::Context& context)
    : rooms_(context.rooms), sessions_(context.sessions), audit_(context.log) {}

void UserPublish::add_routes(part::Routes& routes) {
  routes.add_api({http::Method::post}, "/api/users/{user}", http::Access::operators, *this);
}

void UserPublish::handle(http::Exchange& exchange, std::string_view rest) {
  const auto answer = answer_to(exchange, rest);
  exchange.respond(answer ? json_answer(R"({"clients":)" + std::to_string(*answer) + '}')
                          : refusal_answer(answer.error()));
}

base::Result<std::size_t, base::Refusal> UserPublish::answer_to(http::Exchange& exchange,
                                                                std::string_view rest) {
  const http::Request& request = exchange.request();
  const service::Caller caller = caller_of(exchange);
  // An id may have slashes.
  const bool is_sound = rest.ends_with(tail) && rest.size() > tail.size();
  const std::string_view user = rest.substr(0, is_sound ? rest.size() - tail.size() : 0);
  const auto refused = rooms_.check_admin(caller);
  if (refused) {
    audit_.note(caller, "publish", "user:" + std::string(user), refused);
    return *refused;
  }
  if (!is_sound)
    return base::Refusal{base::Refusal::Code::not_found, "there is only /api/users/{user}/publish"};
  if (auto refusal = check_encoding(request)) return *std::move(refusal);
  const auto payload = rooms_.check({kind_of_body(request), request.body});
  if (!payload) return payload.error();
  session::DirectMessage message(payload->kind(), payload->bytes(), caller.author);
  const std::size_t clients = sessions_.send_to_user(user, message);
  audit_.note(caller, "publish", "user:" + std::string(user));
  return clients;
}

std::unique_ptr<part::Part> make_user_publish(const part::Context& context) {
  return std::make_unique<UserPublish>(context);
}

}  // namespace roomcast::api
