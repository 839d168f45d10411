#include "auth/login_limits.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace roomcast::auth::login_limits_test {

namespace {

std::string address(int i) { return "192.0.2." + std::to_string(i); }

}  // namespace

TEST_CASE("login limits: ten tries of a user from an address, the next when one has come back") {
  LoginLimits limits;
  for (int i = 0; i < 10; ++i)
    CHECK(!limits.take("ada", "192.0.2.1", 1'000));
  CHECK(limits.take("ada", "192.0.2.1", 1'000) == 60'000);
  CHECK(limits.take("ada", "192.0.2.1", 60'999) == 1);
  CHECK(!limits.take("ada", "192.0.2.1", 61'000));
  CHECK(limits.take("ada", "192.0.2.1", 61'000) == 60'000);
  // Neither another user nor another address is concerned.
  CHECK(!limits.take("bob", "192.0.2.1", 61'000));
  CHECK(!limits.take("ada", "192.0.2.2", 61'000));
}

TEST_CASE("login limits: thirty tries from an address, whatever the users") {
  LoginLimits limits;
  for (int i = 0; i < 30; ++i)
    CHECK(!limits.take("user" + std::to_string(i), "192.0.2.1", 0));
  CHECK(limits.take("another", "192.0.2.1", 0) == 20'000);
  CHECK(!limits.take("another", "192.0.2.1", 20'000));
}

TEST_CASE("login limits: fifty tries of a user from everywhere, but from where the user has signed in") {
  LoginLimits limits;
  CHECK(!limits.take("ada", "198.51.100.7", 0));
  limits.succeed("ada", "198.51.100.7", 0);
  for (int i = 0; i < 50; ++i)
    CHECK(!limits.take("ada", address(i), 0));
  CHECK(limits.take("ada", address(99), 0) == 12'000);
  CHECK(!limits.take("ada", "198.51.100.7", 0));
  CHECK(!limits.take("bob", address(99), 0));
}

TEST_CASE("login limits: success and what did not come to pass cost nothing") {
  LoginLimits limits;
  for (int i = 0; i < 100; ++i) {
    CHECK(!limits.take("ada", "192.0.2.1", 0));
    limits.give_back("ada", "192.0.2.1", 0);
  }
  for (int i = 0; i < 9; ++i)
    CHECK(!limits.take("ada", "192.0.2.1", 0));
  CHECK(!limits.take("ada", "192.0.2.1", 0));
  limits.succeed("ada", "192.0.2.1", 0);
  for (int i = 0; i < 10; ++i)
    CHECK(!limits.take("ada", "192.0.2.1", 0));
  CHECK(limits.take("ada", "192.0.2.1", 0));
}

TEST_CASE("login limits: what is remembered is bounded") {
  LoginLimits limits({600'000, 10, 30, 50, 1'000});
  for (std::int64_t i = 0; i < 20'000; ++i)
    (void)limits.take("user" + std::to_string(i), "address" + std::to_string(i), i);
  CHECK(limits.size() <= 1'000);
  CHECK(limits.size() > 400);
}

TEST_CASE("login limits: an empty bucket is remembered until it is full") {
  LoginLimits limits;
  for (int i = 0; i < 10; ++i)
    CHECK(!limits.take("ada", "192.0.2.1", 599'999));
  (void)limits.take("bob", "192.0.2.2", 600'000);
  CHECK(limits.take("ada", "192.0.2.1", 600'001));
  CHECK(!limits.take("ada", "192.0.2.1", 1'199'999));
}

}  // namespace roomcast::auth::login_limits_test
