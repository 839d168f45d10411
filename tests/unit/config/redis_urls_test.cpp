// Addresses of Redis servers may have passwords in them, which nobody is shown.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"

namespace redis_urls_test {

using namespace roomcast::config;

namespace {

const Setting& setting(std::string_view name) {
  const Setting* found = find_setting(name);
  REQUIRE_MESSAGE(found != nullptr, name);
  return *found;
}

/// What `value` is refused with, or "taken".
std::string outcome(std::string_view name, const Value& value) {
  Config config;
  return assign(setting(name), value, config).value_or("taken");
}

}  // namespace

TEST_CASE("addresses of Redis servers are written without user and password, unless secrets are shown") {
  Config config;
  config.redis.urls = {"redis://ada:p4ss@host:1/2", "rediss://:p4ss@[::1]", "redis://host", "unix:/a@b",
                       "redis://ada:p@ss@host"};
  CHECK(to_toml(setting("redis.urls"), config) ==
        "[\"redis://\xE2\x80\xA6@host:1/2\", \"rediss://\xE2\x80\xA6@[::1]\", \"redis://host\", "
        "\"unix:/a@b\", \"redis://\xE2\x80\xA6@host\"]");
  CHECK(to_toml(setting("redis.urls"), config, Secrets::shown).find("ada:p4ss@host:1/2") !=
        std::string::npos);
}

TEST_CASE("what is refused as an address of a Redis server is not repeated") {
  for (const Value& value :
       {Value(std::string("redis://:p4ss@host")), Value(std::vector<std::string>{"redis://:p4ss\x01@host"}),
        Value(std::vector<std::string>{"redis://:p4ss\xFF@host"})}) {
    const std::string refused = outcome("redis.urls", value);
    CHECK(refused.find("expected an array of texts") != std::string::npos);
    CHECK(refused.find("p4ss") == std::string::npos);
  }
  // Of others it helps to see what was found.
  CHECK(outcome("origins", std::string("text")).find("text") != std::string::npos);
}

}  // namespace redis_urls_test
