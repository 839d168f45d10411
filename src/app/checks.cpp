#include "app/checks.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "access/permission.h"
#include "access/row.h"
#include "app/certificate_watch.h"
#include "app/listen_plan.h"
#include "app/listeners.h"
#include "app/redis_setup.h"
#include "auth/hosts.h"
#include "auth/origin.h"
#include "base/text.h"
#include "http/static_files.h"
#include "net/address.h"
#include "net/cidr.h"
#include "redis/server_address.h"

namespace roomcast::app {

namespace {

/// Whether other machines can reach one of the addresses, which are separated by spaces.
bool is_reachable(std::string_view urls) {
  for (std::size_t end = 0; !urls.empty(); urls.remove_prefix(std::min(end + 1, urls.size()))) {
    end = std::min(urls.find(' '), urls.size());
    const auto address = net::Address::parse(urls.substr(0, end));
    if (!address || address->scheme == net::Address::Scheme::unix_socket) continue;
    const std::string& host = address->host;
    if (!host.starts_with("127.") && host != "::1" && host != "localhost") return true;
  }
  return false;
}

std::string listed(const std::vector<std::string>& addresses) {
  std::string urls;
  for (const std::string& address : addresses)
    urls += address + ' ';
  return urls;
}

/// What stands in the names of keys and channels: no braces, which would move the key to another slot.
bool is_name(std::string_view text) {
  constexpr std::size_t bytes_max = 64;
  return !text.empty() && text.size() <= bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._:").find(c) != std::string_view::npos;
  });
}

/// Whether some clients can show who they are.
bool identifies_clients(const config::Config& config) {
  const config::Config::Auth& auth = config.auth;
  return !auth.tokens.empty() || !auth.keys.empty() || !auth.users_file.empty() ||
         !auth.proxy_user_header.empty();
}

}  // namespace

config::Checks configuration_checks() {
  config::Checks checks;
  checks.address = [](const std::string& text) -> std::optional<std::string> {
    const auto address = net::Address::parse(text);
    if (address) return std::nullopt;
    return address.error().message;
  };
  checks.origin = [](const std::string& text) -> std::optional<std::string> {
    const auto rules = auth::OriginRules::parse({text});
    if (rules) return std::nullopt;
    return rules.error().message;
  };
  checks.network = [](const std::string& text) -> std::optional<std::string> {
    net::CidrList list;
    const auto error = list.add(text);
    if (!error) return std::nullopt;
    return error->message;
  };
  checks.host = [](const std::string& text) -> std::optional<std::string> {
    const auto rules = auth::HostRules::parse({text});
    if (rules) return std::nullopt;
    return rules.error().message;
  };
  checks.header = [](const std::string& text) -> std::optional<std::string> {
    if (base::is_token(text)) return std::nullopt;
    return "not the name of a header field, such as X-Request-ID";
  };
  checks.cookie = [](const std::string& text) -> std::optional<std::string> {
    if (base::is_token(text)) return std::nullopt;
    return "not the name of a cookie, such as roomcast_token";
  };
  checks.who = [](const std::string& text) -> std::optional<std::string> {
    const auto who = access::Who::parse(text);
    if (who) return std::nullopt;
    return who.error().message;
  };
  checks.permission = [](const std::string& text) -> std::optional<std::string> {
    if (access::permission_from(text)) return std::nullopt;
    return "expected join, publish, presence, history, moderate or admin";
  };
  checks.redis_server = [](const std::string& text) -> std::optional<std::string> {
    const auto address = redis::ServerAddress::parse(text);
    if (address) return std::nullopt;
    return address.error().message;
  };
  checks.redis_prefix = [](const std::string& text) -> std::optional<std::string> {
    if (!text.empty() && is_name(text)) return std::nullopt;
    return "expected 1 to 64 letters, digits, '-', '.', '_' and ':'";
  };
  checks.node_name = [](const std::string& text) -> std::optional<std::string> {
    if (is_name(text) && text.find(':') == std::string::npos) return std::nullopt;
    return "expected at most 64 letters, digits, '-', '.' and '_'";
  };
  return checks;
}

std::optional<std::string> check_whole(const config::Config& config) {
  const auto certificates = load_certificates(config);
  if (!certificates) return certificates.error().message;
  for (const auto& [key, list] :
       {std::pair("listen", &config.listen), {"admin_listen", &config.admin_listen}}) {
    for (const std::string& text : *list) {
      const auto address = net::Address::parse(text);
      if (address && address->scheme == net::Address::Scheme::https && !*certificates) {
        return std::string(key) + ": " + text + " needs tls.certificate and tls.key";
      }
    }
  }
  if (config.confine_operations && config.admin_listen.empty())
    return "confine_operations: there is no admin_listen that what is for operation would be served on";
  if (auto conflict = listen_conflict(config)) return conflict;
  if (config.engine == config::EngineKind::redis) {
    if (const auto setup = RedisSetup::from(config); !setup) return setup.error().message;
  }
  if (config.web.root.empty()) return std::nullopt;
  const auto page = http::FileSet::look_at_directory(config.web.root);
  if (!page) return page.error().message;
  return std::nullopt;
}

std::vector<std::string> warnings(const config::Config& config, std::int64_t now_ms) {
  std::vector<std::string> all;
  if (const auto certificates = load_certificates(config); certificates && *certificates) {
    for (const auto& expiry : (*certificates)->expiries()) {
      const auto warning = certificate_warning(expiry, now_ms);
      if (!warning) continue;
      all.push_back(std::string(warning->what) + ": " + expiry.certificate + ", at " + warning->when);
    }
  }
  for (std::string& warning : access_warnings(config, listed(config.listen)))
    all.push_back(std::move(warning));
  for (std::string& warning : store_warnings(config))
    all.push_back(std::move(warning));
  for (std::string& warning : redis_warnings(config))
    all.push_back(std::move(warning));
  if (config.web.root.empty()) return all;
  if (const auto page = http::FileSet::look_at_directory(config.web.root)) {
    for (const std::string& skipped : page->skipped)
      all.push_back("web.root: left out: " + skipped);
  }
  return all;
}

std::vector<std::string> access_warnings(const config::Config& config, std::string_view urls) {
  std::vector<std::string> all;
  const bool has_auth = identifies_clients(config);
  const bool is_open = config.access.empty();
  if (is_open && has_auth) {
    all.emplace_back(
        "auth is configured, but no row of access: clients that do not identify themselves may join, publish "
        "and read everywhere as well; add [[access]] rows");
  } else if (is_open && is_reachable(urls)) {
    all.emplace_back(
        "listening beyond this machine without auth and access: everybody who reaches the port may join, "
        "publish and read everywhere; add [[access]] rows and a way for users to identify themselves "
        "([auth])");
  }
  if (!config.auth.proxy_user_header.empty() && config.trusted_proxies.empty()) {
    all.emplace_back("auth.proxy_user_header has no effect without trusted_proxies");
  }
  if (config.auth.proxy_user_header.empty() &&
      !(config.auth.proxy_groups_header.empty() && config.auth.proxy_name_header.empty())) {
    all.emplace_back(
        "auth.proxy_groups_header and auth.proxy_name_header have no effect without auth.proxy_user_header");
  }
  return all;
}

std::vector<std::string> store_warnings(const config::Config& config) {
  if (!config.store.path.empty()) return {};
  // `sync` of all rooms is the default.
  bool is_asked_for = config.history.durability == config::Durability::async;
  for (const config::RoomRule& rule : config.rooms) {
    for (const auto& [setting, value] : rule.overrides) {
      const auto* const word = std::get_if<std::string>(&value);
      if (setting == "history.durability" && word != nullptr && *word != "none") is_asked_for = true;
    }
  }
  if (!is_asked_for) return {};
  return {"history.durability has no effect without store.path: history is in memory only"};
}

std::vector<std::string> redis_warnings(const config::Config& config) {
  if (config.engine == config::EngineKind::redis || config.redis.urls.empty()) return {};
  return {"redis.urls has no effect without engine = \"redis\": the server shares its rooms with no other"};
}

std::optional<std::string> service_variables_hint(const std::vector<std::string>& names) {
  if (names.empty()) return std::nullopt;
  return names.front() + (names.size() == 1 ? "" : " and " + std::to_string(names.size() - 1) + " more") +
         " in the environment: passed over, Kubernetes sets such variables for a Service of this name "
         "(enableServiceLinks: false in the Pod's spec keeps them away)";
}

}  // namespace roomcast::app
