#include "app/redis_setup.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "base/digest.h"

namespace roomcast::app {

namespace {

constexpr std::size_t password_bytes_max = 4'096;
constexpr std::size_t host_bytes_max = 48;

/// What contradicts itself, or is missing.
std::optional<base::Error> conflict(const config::Config& config) {
  const config::Config::Redis& redis = config.redis;
  if (!config.store.path.empty()) {
    return base::Error{
        "engine = \"redis\" and store.path exclude each other: rooms that servers share are kept in Redis"};
  }
  if (redis.urls.empty()) return base::Error{"engine = \"redis\" needs redis.urls"};
  if (redis.cluster && !redis.sentinel.empty())
    return base::Error{"redis.cluster and redis.sentinel exclude each other"};
  if (redis.urls.size() > 1 && redis.sentinel.empty() && !redis.cluster) {
    return base::Error{
        "redis.urls: several need redis.sentinel (they are Sentinels) or redis.cluster (they are servers of "
        "a "
        "Cluster)"};
  }
  if (redis.tls_certificate.empty() != redis.tls_key.empty()) {
    return base::Error{redis.tls_key.empty() ? "redis.tls_certificate is set, but redis.tls_key is not"
                                             : "redis.tls_key is set, but redis.tls_certificate is not"};
  }
  return std::nullopt;
}

/// `path` is not empty.
base::Result<std::string> read_password(const std::string& path) {
  const auto bad = [&path](std::string_view why) {
    return base::Error{"redis.password_file: " + path + ' ' + std::string(why)};
  };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return bad(std::string("cannot be opened: ") + std::strerror(errno));
  std::string text(password_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return bad("cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > password_bytes_max) return bad("is larger than 4096 bytes");
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return bad("has no password in it");
  return text;
}

/// Unlike that of any other server, also of one that had the same machine before.
std::string unique_name() {
  std::array<char, host_bytes_max + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {};
  std::string name;
  for (const char* c = host.data(); *c != '\0'; ++c) {
    const bool is_usual =
        (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '.';
    name += is_usual ? *c : '-';
  }
  std::array<char, 2 * sizeof(std::uint32_t) + 1> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x", static_cast<std::uint32_t>(base::random_u64()));
  return (name.empty() ? "node" : name) + '-' + digits.data();
}

}  // namespace

base::Result<RedisSetup> RedisSetup::from(const config::Config& config) {
  const config::Config::Redis& redis = config.redis;
  if (auto error = conflict(config)) return std::move(*error);
  auto tls = net::TlsClientContext::load({redis.tls_ca, redis.tls_certificate, redis.tls_key});
  if (!tls) return base::Error{"redis: " + tls.error().message};
  RedisSetup setup{{}, redis.cluster, redis.sentinel, {}, {}, std::move(*tls)};
  for (const std::string& url : redis.urls) {
    auto address = redis::ServerAddress::parse(url);
    if (!address) return base::Error{"redis.urls: " + address.error().message};
    if (redis.cluster && address->database != 0)
      return base::Error{"redis.urls: a Redis Cluster has no databases but 0"};
    setup.addresses.push_back(std::move(*address));
  }
  setup.node = config.node.name.empty() ? unique_name() : config.node.name;
  redis::Connection::Options& connection = setup.connection;
  connection.address = setup.addresses.front();
  connection.tls_name = redis.tls_name;
  connection.connect_ms = redis.connect_ms;
  connection.handshake.client_name = "roomcast-" + setup.node;
  connection.handshake.database = connection.address.database;
  connection.handshake.user = redis.user;
  // Those of a Sentinel's address are for the Sentinel.
  if (redis.sentinel.empty()) {
    if (!connection.address.user.empty()) connection.handshake.user = connection.address.user;
    connection.handshake.password = connection.address.password;
  }
  if (connection.handshake.password.empty() && !redis.password_file.empty()) {
    auto password = read_password(redis.password_file);
    if (!password) return std::move(password.error());
    connection.handshake.password = std::move(*password);
  }
  return setup;
}

}  // namespace roomcast::app
