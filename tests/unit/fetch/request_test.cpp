#include "fetch/request.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace roomcast::fetch::request_test {

TEST_CASE("fetch request: a URL for the log has no secrets") {
  CHECK(without_secrets("https://ada:open@example.org:8443/keys?token=secret#part") ==
        "https://example.org:8443/keys");
  CHECK(without_secrets("http://example.org/a/b") == "http://example.org/a/b");
  CHECK(without_secrets("https://[::1]/") == "https://[::1]/");
  CHECK(without_secrets("token=secret") == "(not a URL)");
  CHECK(without_secrets("") == "(not a URL)");
}

TEST_CASE("fetch request: an objection does not repeat the URL") {
  CHECK_FALSE(objection_to_url("https://example.org/keys").has_value());
  CHECK_FALSE(objection_to_url("HTTP://example.org").has_value());
  for (const char* url : {"ftp://secret/", "secret", "http://secret:port/", "https://?secret", "://secret",
                          "http://se cret/", "http://secret/\x01"}) {
    const auto objection = objection_to_url(url);
    REQUIRE(objection.has_value());
    CHECK(objection->find("secret") == std::string::npos);
    CHECK_FALSE(objection->empty());
  }
  CHECK(objection_to_url(std::string("http://example.org/\0x", 21)).has_value());
}

TEST_CASE("fetch request: outcomes have a name each") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Outcome::count_); ++i)
    names.insert(name_of(static_cast<Outcome>(i)));
  CHECK(names.size() == static_cast<std::size_t>(Outcome::count_));
  CHECK_FALSE(names.contains(""));
}

}  // namespace roomcast::fetch::request_test
