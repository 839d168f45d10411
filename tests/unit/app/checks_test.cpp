#include "app/checks.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/certificates.h"
#include "support/temporary_directory.h"

namespace checks_test {

using namespace roomcast;

namespace {

struct Fixture {
  [[nodiscard]] std::string problem() const { return app::check_whole(config).value_or("none"); }
  void use(const net::CertificateFiles& files) {
    config.tls.certificate = files.certificate;
    config.tls.key = files.key;
  }

  test::TemporaryDirectory directory;
  config::Config config;
};

std::string judge(config::TextCheck check, const std::string& text) { return check(text).value_or("sound"); }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "checks: the defaults are sound") { CHECK(problem() == "none"); }

TEST_CASE_FIXTURE(Fixture, "checks: https needs a certificate, from either place") {
  config.listen = {"http://127.0.0.1:0", "https://127.0.0.1:0"};
  CHECK(problem() == "listen: https://127.0.0.1:0 needs tls.certificate and tls.key");
  const auto files = test::make_certificate(directory, "a", "DNS:a.test");
  SUBCASE("tls.certificate") { use(files); }
  SUBCASE("tls.certificates") { config.tls.certificates = {{files.certificate, files.key}}; }
  CHECK(problem() == "none");
}

TEST_CASE_FIXTURE(Fixture, "checks: certificates must be usable even if nothing listens for https") {
  const auto files = test::make_certificate(directory, "a", "DNS:a.test");
  const auto other = test::make_certificate(directory, "b", "DNS:b.test");
  SUBCASE("the file is not there") {
    use({directory.file("none.crt"), files.key});
    CHECK(problem().find("cannot use the certificate in " + directory.file("none.crt")) == 0);
  }
  SUBCASE("the file is something else") {
    use({files.key, files.key});
    CHECK(problem().find("cannot use the certificate in " + files.key) == 0);
  }
  SUBCASE("the key belongs to another") {
    use({files.certificate, other.key});
    CHECK(problem().find(other.key) != std::string::npos);
  }
  SUBCASE("there is no key") {
    use({files.certificate, ""});
    CHECK(problem() != "none");
  }
  SUBCASE("a further one is broken") {
    use(files);
    config.tls.certificates = {{other.certificate, files.key}};
    CHECK(problem().find(files.key) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "checks: web.root must be a readable folder") {
  SUBCASE("not there") {
    config.web.root = directory.file("none");
    CHECK(problem().find("web.root: cannot read " + config.web.root) == 0);
  }
  SUBCASE("a file") {
    config.web.root = directory.file("file");
    std::ofstream(config.web.root) << "x";
    CHECK(problem() == "web.root: " + config.web.root + " is not a directory");
  }
  SUBCASE("a folder") {
    config.web.root = directory.file("folder");
    std::filesystem::create_directory(config.web.root);
    CHECK(problem() == "none");
  }
}

TEST_CASE("checks: texts are validated by the code that will parse them") {
  const config::Checks checks = app::configuration_checks();
  CHECK(judge(checks.address, "http://[::1]:8080") == "sound");
  CHECK(judge(checks.address, "unix:/run/roomcast.sock") == "sound");
  CHECK(judge(checks.address, "http://127.0.0.1:65536") != "sound");
  CHECK(judge(checks.address, "ftp://127.0.0.1:21") != "sound");
  CHECK(judge(checks.origin, "https://*.example.org") == "sound");
  CHECK(judge(checks.origin, "*") == "sound");
  CHECK(judge(checks.origin, "example.org").find("'example.org' is not an origin") != std::string::npos);
  CHECK(judge(checks.network, "10.0.0.0/8") == "sound");
  CHECK(judge(checks.network, "10.0.0.0/33") != "sound");
  CHECK(judge(checks.network, "example.org") != "sound");
}

TEST_CASE("checks: whom a row is about, what it permits, and names in auth") {
  const config::Checks checks = app::configuration_checks();
  CHECK(judge(checks.who, "role:staff") == "sound");
  CHECK(judge(checks.who, "staff") == "expected anyone, user, role:NAME, user:ID or key:NAME");
  CHECK(judge(checks.permission, "history") == "sound");
  CHECK(judge(checks.permission, "read") == "expected join, publish, presence, history, moderate or admin");
  CHECK(judge(checks.cookie, "token") == "sound");
  CHECK(judge(checks.cookie, "a b") != "sound");
}

TEST_CASE("checks: a server that strangers can reach and that lets everybody do everything is warned about") {
  const auto first = [](const config::Config& config, std::string_view urls) {
    const auto all = app::access_warnings(config, urls);
    CHECK(all.size() <= 1);
    return all.empty() ? "none" : all.front().substr(0, all.front().find(':'));
  };
  const std::string open = "listening beyond this machine without auth and access";
  config::Config config;
  for (const char* local : {"", "http://127.0.0.1:80", "http://[::1]:80 unix:/run/a b.sock", "localhost:80",
                            "https://127.1.2.3:443"}) {
    CAPTURE(local);
    CHECK(first(config, local) == "none");
  }
  for (const char* far : {"http://0.0.0.0:80", "unix:/a http://[::]:80", "https://192.0.2.1:443 unix:/a"}) {
    CAPTURE(far);
    CHECK(first(config, far) == open);
  }
  config.auth.users_file = "users";
  CHECK(first(config, "http://0.0.0.0:80") == "auth is configured, but no row of access");
  CHECK(first(config, "http://127.0.0.1:80") == "auth is configured, but no row of access");
  config.access = {{"**", "user", {"join"}}};
  CHECK(first(config, "http://0.0.0.0:80") == "none");
  config.auth.users_file = "";
  CHECK(first(config, "http://0.0.0.0:80") == "none");
  config.auth.proxy_user_header = "X-User";
  CHECK(first(config, "http://0.0.0.0:80") == "auth.proxy_user_header has no effect without trusted_proxies");
  config.trusted_proxies = {"10.0.0.1"};
  CHECK(first(config, "http://0.0.0.0:80") == "none");
  for (auto header : {&config::Config::Auth::proxy_groups_header, &config::Config::Auth::proxy_name_header}) {
    config.auth.*header = "X-More";
    CHECK(first(config, "http://0.0.0.0:80") == "none");
    config.auth.proxy_user_header = "";
    CHECK(
        first(config, "http://0.0.0.0:80") ==
        "auth.proxy_groups_header and auth.proxy_name_header have no effect without auth.proxy_user_header");
    config.auth.proxy_user_header = "X-User";
    config.auth.*header = "";
  }
}

TEST_CASE("checks: the hint about ignored variables names the first and their number") {
  CHECK_FALSE(app::service_variables_hint({}));
  CHECK(app::service_variables_hint({"A"})->find("A in the environment") == 0);
  CHECK(app::service_variables_hint({"A", "B", "C"})->find("A and 2 more in the environment") == 0);
}

TEST_CASE_FIXTURE(Fixture, "checks: history that is to be on the disk, without a store, is worth a word") {
  const auto is_told = [this] {
    const auto warnings = app::warnings(config, 0);
    return warnings.size() == 1 && warnings.front().find("store.path") != std::string::npos;
  };
  CHECK(app::warnings(config, 0).empty());
  config.history.durability = config::Durability::async;
  CHECK(is_told());
  config.history.durability = config::Durability::none;
  config.rooms = {{"a/**", {{"history.durability", config::Value("none")}}}};
  CHECK(app::warnings(config, 0).empty());
  config.rooms = {{"a/**", {{"history.durability", config::Value("sync")}}}};
  CHECK(is_told());
  config.store.path = "/var/lib/roomcast";
  CHECK(app::warnings(config, 0).empty());
}

TEST_CASE_FIXTURE(Fixture, "checks: what starts all the same is worth a word") {
  const auto files = test::make_certificate(directory, "a", "DNS:a.test");  // for a day
  use(files);
  const std::int64_t now_ms = std::int64_t{std::time(nullptr)} * 1000;
  CHECK(app::warnings(config, now_ms).empty());
  const auto later = app::warnings(config, now_ms + 100'000'000);
  REQUIRE(later.size() == 1);
  CHECK(later.front().find("certificate has expired: " + files.certificate) == 0);
  config.web.root = directory.file("folder");
  std::filesystem::create_directory(config.web.root);
  std::filesystem::create_symlink("nowhere", config.web.root + "/dangling");
  REQUIRE(app::warnings(config, now_ms).size() == 1);
  CHECK(app::warnings(config, now_ms).front().find("web.root: left out: dangling") == 0);
}

}  // namespace checks_test
