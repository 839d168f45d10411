#include "api/login.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "api/publish_format.h"
#include "auth/cookie.h"
#include "base/json.h"
#include "base/json_reader.h"
#include "http/url.h"
#include "metrics/exposition.h"

namespace roomcast::api {

namespace {

using Code = base::Refusal::Code;

constexpr std::size_t login_bytes_max = 8'192;
constexpr std::size_t login_user_bytes_max = 100;

struct Credentials {
  std::string user;
  std::string password;
};

base::Result<Credentials, base::Refusal> read_json(std::string_view body) {
  if (!base::is_valid_json(body)) return base::Refusal{Code::invalid_json, "the body is no JSON"};
  Credentials credentials;
  base::JsonMembers members{base::JsonValue(body)};
  while (const auto member = members.next()) {
    const bool is_user = member->name.equals("user");
    if (!is_user && !member->name.equals("password")) continue;
    std::string& into = is_user ? credentials.user : credentials.password;
    into.clear();
    member->value.append_text(into);
  }
  return credentials;
}

base::Result<Credentials, base::Refusal> read_form(std::string_view body) {
  Credentials credentials;
  while (!body.empty()) {
    const std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(pair.size() + 1, body.size()));
    const std::string_view name = pair.substr(0, pair.find('='));
    if (name != "user" && name != "password") continue;
    auto value = http::form_decode(pair.substr(std::min(name.size() + 1, pair.size())));
    if (!value) return base::bad_request("the form is badly encoded");
    (name == "user" ? credentials.user : credentials.password) = *std::move(value);
  }
  return credentials;
}

base::Result<Credentials, base::Refusal> read_credentials(const http::Request& request) {
  if (request.body.size() > login_bytes_max)
    return base::Refusal{Code::content_too_large, "signing in takes at most 8192 bytes"};
  const std::string type = media_type(request);
  const bool is_form = type == "application/x-www-form-urlencoded";
  if (!is_form && type != "application/json") {
    return base::Refusal{Code::unsupported_media_type,
                         "sign in with application/json or application/x-www-form-urlencoded"};
  }
  auto credentials = is_form ? read_form(request.body) : read_json(request.body);
  if (!credentials) return credentials.error();
  if (credentials->user.empty() || credentials->password.empty())
    return base::bad_request("signing in takes user and password, both as text");
  if (credentials->user.size() > login_user_bytes_max) return base::bad_request("user has at most 100 bytes");
  if (credentials->password.size() > auth::PasswordHash::password_bytes_max)
    return base::bad_request("password has at most 1024 bytes");
  return credentials;
}

/// `"user":…,"name":…,"roles":[…]`
void append_profile(std::string& json, const access::Profile& profile) {
  json += R"("user":)";
  base::append_json_string(json, profile.id);
  json += R"(,"name":)";
  base::append_json_string(json, profile.name.empty() ? profile.id : profile.name);
  json += R"(,"roles":[)";
  for (std::size_t i = 0; i < profile.roles.size(); ++i) {
    if (i > 0) json += ',';
    base::append_json_string(json, profile.roles[i]);
  }
  json += ']';
}

http::Response uncached(http::Response response) {
  response.headers.set("Cache-Control", "no-store");
  return response;
}

http::Response refused(const base::Refusal& refusal) { return uncached(http::Response::error(refusal)); }

}  // namespace

void Login::add_routes(part::Routes& routes) {
  constexpr auto access = http::Access::origin;
  routes.add({http::Method::get}, "/api/login", access, look_);
  routes.add({http::Method::post}, "/api/login", access, sign_in_);
  routes.add({http::Method::post}, "/api/refresh", access, refresh_);
  routes.add({http::Method::post}, "/api/logout", access, sign_out_);
}

void Login::collect(metrics::Exposition& out) const {
  const auth::Accounts::Stats& stats = accounts_.stats();
  out.counter("roomcast_logins_total", "Tries to sign in with a password, by outcome.");
  out.sample({{"outcome", "ok"}}, stats.succeeded);
  out.sample({{"outcome", "failed"}}, stats.failed);
  out.sample({{"outcome", "rate_limited"}}, stats.rate_limited);
  out.sample({{"outcome", "overloaded"}}, stats.overloaded);
  out.single_counter("roomcast_password_hashes_total",
                     "Passwords hashed to compare them with those of users.",
                     accounts_.worker().stats().checked);
}

bool Login::is_refused(http::Exchange& exchange) const {
  if (!accounts_.exist()) {
    exchange.respond(refused({Code::not_found, "there are no accounts here: auth.users_file is not set"}));
    return true;
  }
  const http::RequestContext& context = exchange.context();
  if (context.origin != http::OriginVerdict::listed || context.credentials) return false;
  exchange.respond(
      refused({Code::origin_denied,
               "pages of another origin sign in only where cors.credentials lets them use cookies"}));
  return true;
}

void Login::look(http::Exchange& exchange) {
  std::string json = accounts_.exist() ? R"({"accounts":true)" : R"({"accounts":false)";
  const auto profile = accounts_.verify(auth::cookie_of(exchange.request(), accounts_.cookie_name()));
  if (profile) {
    json += ',';
    append_profile(json, *profile);
  }
  exchange.respond(uncached(http::Response::of(200, "application/json", json + "}\n")));
}

void Login::sign_in(http::Exchange& exchange) {
  if (is_refused(exchange)) return;
  const http::Request& request = exchange.request();
  auto credentials = read_credentials(request);
  if (!credentials) return exchange.respond(refused(credentials.error()));
  const std::size_t held = credentials->user.size() + credentials->password.size();
  const std::string address = request.client.address;
  const base::SlotId waiter = waiting_.insert({{}, {}, request.client.secure});
  waiting_.find(waiter)->exchange = exchange.defer_holding(held, *this, waiter);
  const base::SlotId check =
      accounts_.sign_in(credentials->user, std::move(credentials->password), address,
                        [this, waiter](const auth::Accounts::Result& result) {
                          const Waiting waited = waiting_.take(waiter);
                          responses_.respond(waited.exchange, answer(result, waited.secure));
                        });
  if (Waiting* const waiting = waiting_.find(waiter)) waiting->check = check;
}

void Login::on_client_gone(base::SlotId waiter) { accounts_.cancel(waiting_.take(waiter).check); }

http::Response Login::answer(const auth::Accounts::Result& result, bool secure) const {
  if (!result) return refused(result.error());
  std::string json = "{";
  append_profile(json, result->profile);
  json += R"(,"expires_in_s":)" + std::to_string(result->expires_in_s) + "}\n";
  http::Response response = uncached(http::Response::of(200, "application/json", json));
  response.headers.add("Set-Cookie", auth::session_cookie(accounts_.cookie_name(), result->cookie,
                                                          result->expires_in_s, secure));
  return response;
}

void Login::refresh(http::Exchange& exchange) {
  if (is_refused(exchange)) return;
  const http::Request& request = exchange.request();
  const std::string_view cookie = auth::cookie_of(request, accounts_.cookie_name());
  exchange.respond(answer(accounts_.renew(cookie), request.client.secure));
}

void Login::sign_out(http::Exchange& exchange) {
  if (is_refused(exchange)) return;
  const http::Request& request = exchange.request();
  accounts_.sign_out(auth::cookie_of(request, accounts_.cookie_name()));
  http::Response response;
  response.status = 204;
  response.headers.add("Set-Cookie",
                       auth::session_cookie(accounts_.cookie_name(), {}, 0, request.client.secure));
  exchange.respond(uncached(std::move(response)));
}

std::unique_ptr<part::Part> make_login(const part::Context& context) {
  return std::make_unique<Login>(context.accounts, context.responses);
}

}  // namespace roomcast::api
