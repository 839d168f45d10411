#include "config/reload.h"

#include <doctest/doctest.h>

namespace reload_test {

using namespace roomcast::config;

TEST_CASE("equal configurations have no changes") { CHECK(changes(Config{}, Config{}).empty()); }

TEST_CASE("each changed key is listed with its values and whether it needs a restart") {
  Config after;
  after.listen = {"127.0.0.1:0"};
  after.limits.connections = 5;
  const auto list = changes(Config{}, after);
  REQUIRE(list.size() == 2);
  CHECK(list[0].setting->name == "listen");
  CHECK(list[0].before == "[\"http://127.0.0.1:8080\"]");
  CHECK(list[0].after == "[\"127.0.0.1:0\"]");
  CHECK(list[0].needs_restart());
  CHECK(list[1].setting->name == "limits.connections");
  CHECK(list[1].before == "100000");
  CHECK(list[1].after == "5");
  CHECK_FALSE(list[1].needs_restart());
}

TEST_CASE("a reload takes over what it can and keeps what needs a restart") {
  Config loaded;
  loaded.listen = {"127.0.0.1:0"};
  loaded.echo.enabled = false;
  loaded.origins = {"https://a"};
  loaded.log.level = roomcast::base::LogLevel::error;
  loaded.tls.certificates = {{"c", "k"}};
  loaded.drain_ms = 5;
  const Config merged = merge_reloadable(Config{}, loaded);
  CHECK(merged.listen == Config{}.listen);
  CHECK(merged.echo.enabled);
  CHECK(merged.origins == loaded.origins);
  CHECK(merged.log.level == roomcast::base::LogLevel::error);
  CHECK(merged.tls.certificates == loaded.tls.certificates);
  CHECK(merged.drain_ms == 5);
  for (const Change& change : changes(merged, loaded))
    CHECK(change.needs_restart());
}

}  // namespace reload_test
