#include "access/identity.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace identity_test {

using namespace roomcast::access;

TEST_CASE("identity: by default a client is anonymous") {
  const Identity nobody;
  CHECK(nobody.is_anonymous());
  CHECK(nobody.kind() == Kind::anonymous);
  CHECK(nobody.id().empty());
  CHECK(nobody.name().empty());
  CHECK(nobody.principal() == "anyone");
  CHECK(nobody.held_bytes() == 0);
}

TEST_CASE("identity: what is left of it, with leeway, for ever where it has no end") {
  CHECK(Identity().left_ms(1'700'000'000'000, 0) == std::numeric_limits<std::int64_t>::max());
  Profile profile;
  profile.id = "ada";
  profile.expires_s = 1'700'000'000;
  const Identity ada(std::move(profile));
  CHECK(ada.left_ms(1'699'999'999'000, 0) == 1'000);
  CHECK(ada.left_ms(1'700'000'001'000, 60'000) == 59'000);
  CHECK(ada.left_ms(1'700'000'060'001, 60'000) == 0);
}

TEST_CASE("identity: copies share what it was made from, and the last one frees it") {
  Profile profile;
  profile.id = "ada";
  profile.roles = {"staff"};
  profile.info = R"({"team":1})";
  profile.grants.push_back({roomcast::base::NamePattern("chat/**"), {Permission::moderate}});
  profile.expires_s = 1'700'000'000;
  Identity copy;
  {
    const Identity ada(std::move(profile));
    copy = ada;
    CHECK(copy == ada);
  }
  CHECK(copy.id() == "ada");
  CHECK(copy.name() == "ada");
  CHECK(copy.principal() == "user:ada");
  CHECK(copy.has_role("staff"));
  CHECK_FALSE(copy.has_role("admin"));
  CHECK(copy.info() == R"({"team":1})");
  CHECK(copy.expires_s() == 1'700'000'000);
  REQUIRE(copy.grants().size() == 1);
  CHECK(copy.grants()[0].rooms.matches("chat/a"));
}

TEST_CASE("identity: a display name of its own, and a key") {
  Profile profile;
  profile.kind = Kind::key;
  profile.id = "ci";
  profile.name = "Build server";
  const Identity key(std::move(profile));
  CHECK(key.name() == "Build server");
  CHECK(key.principal() == "key:ci");
}

TEST_CASE("identity: an id is cut at its bound and not past it") {
  for (const std::size_t size : {Profile::id_bytes_max, Profile::id_bytes_max + 1}) {
    Profile profile;
    profile.id = std::string(size, 'a');
    CHECK(Identity(std::move(profile)).id().size() == Profile::id_bytes_max);
  }
}

}  // namespace identity_test
