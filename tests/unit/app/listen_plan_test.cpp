#include "app/listen_plan.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace listen_plan_test {

using namespace roomcast;

namespace {

std::string conflict(std::vector<std::string> listen, std::vector<std::string> admin_listen = {}) {
  config::Config config;
  config.listen = std::move(listen);
  config.admin_listen = std::move(admin_listen);
  return app::listen_conflict(config).value_or("none");
}

bool is_apart(const std::string& text, std::vector<std::string> listen) {
  config::Config config;
  config.listen = std::move(listen);
  return app::ipv4_of(*net::Address::parse(text), config) == net::ListeningSocket::Ipv4::apart;
}

}  // namespace

TEST_CASE("listen plan: what can be bound side by side") {
  CHECK(conflict({"127.0.0.1:80", "[::1]:80", "127.0.0.2:80", "127.0.0.1:81"}) == "none");
  CHECK(conflict({"0.0.0.0:80", "[::]:80"}) == "none");
  CHECK(conflict({"127.0.0.1:0", "127.0.0.1:0", "localhost:0"}) == "none");
  CHECK(conflict({"unix:/a", "unix:/b"}, {"127.0.0.1:80"}) == "none");
}

TEST_CASE("listen plan: and what can't") {
  CHECK(conflict({"127.0.0.1:80", "https://127.0.0.1:80"}) ==
        "listen: https://127.0.0.1:80 cannot be bound beside 127.0.0.1:80 in listen");
  CHECK(conflict({"0.0.0.0:80"}, {"127.0.0.1:80"}) ==
        "admin_listen: 127.0.0.1:80 cannot be bound beside 0.0.0.0:80 in listen");
  CHECK(conflict({"[::1]:80", "[::]:80"}) != "none");
  CHECK(conflict({"localhost:80", "127.0.0.1:80"}) != "none");
  CHECK(conflict({"localhost:80", "[::]:80"}) != "none");
  CHECK(conflict({"unix:/a"}, {"unix:/a"}) != "none");
}

TEST_CASE("listen plan: [::] leaves IPv4 to an address of its own with the same port") {
  CHECK(is_apart("[::]:80", {"[::]:80", "0.0.0.0:80"}));
  CHECK(is_apart("[::]:80", {"[::]:80", "127.0.0.1:80"}));
  CHECK_FALSE(is_apart("[::]:80", {"[::]:80", "0.0.0.0:81"}));
  CHECK_FALSE(is_apart("[::]:80", {"[::]:80", "unix:/a"}));
  CHECK_FALSE(is_apart("[::]:0", {"[::]:0", "0.0.0.0:0"}));
  CHECK_FALSE(is_apart("[::1]:80", {"[::1]:80", "127.0.0.1:80"}));
}

}  // namespace listen_plan_test
