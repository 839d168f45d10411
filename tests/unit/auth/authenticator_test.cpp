#include "auth/authenticator.h"

#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/fake_clock.h"
#include "support/fake_scheduler.h"
#include "support/jose_signer.h"
#include "support/temporary_directory.h"

namespace authenticator_test {

using namespace roomcast;
using auth::Credentials;
using auth::Verdict;
using Code = base::Refusal::Code;
using From = Credentials::From;
using jose::Algorithm;

namespace {

constexpr std::int64_t now_s = 1'700'000'000;
const std::string secret = "0123456789abcdef0123456789abcdef";

/// Keys of a URL that the test fetches.
class UrlDouble final : public auth::KeySource {
 public:
  [[nodiscard]] const jose::KeySet* current() const override { return keys ? &*keys : nullptr; }
  void refresh(std::function<void()> done) override {
    ++refreshes;
    if (is_limited) return done();
    waiting.push_back(std::move(done));
  }
  void on_change(std::function<void()> changed) override { changed_ = std::move(changed); }
  void take(jose::KeySet fetched) {
    keys = std::move(fetched);
    changed_();
  }
  void answer() {
    for (const auto& done : std::exchange(waiting, {}))
      done();
  }

  std::optional<jose::KeySet> keys;
  std::vector<std::function<void()>> waiting;
  int refreshes = 0;
  bool is_limited = false;

 private:
  std::function<void()> changed_;
};

jose::KeySet hmac_keys(const std::string& kid, const std::string& bytes = secret) {
  auto key = jose::Key::from_secret(bytes, {Algorithm::hs256});
  key->set_kid(kid);
  return jose::KeySet(std::move(*key));
}

struct Fixture {
  test::FakeClock clock;
  test::FakeScheduler scheduler;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  access::Control control;
  UrlDouble* url = nullptr;  // the last that was opened
  int opened = 0;
  auth::Authenticator authenticator{
      {control, clock, scheduler, log, [this](const std::string& /*url*/, jose::AlgorithmSet /*algorithms*/) {
         auto made = std::make_unique<UrlDouble>();
         url = made.get();
         ++opened;
         return made;
       }}};
  test::JoseSigner signer{secret};
  config::Config config;

  Fixture() { clock.wall_now_ms = now_s * 1'000; }

  void use(const config::TokenKeys& keys) {
    config.auth.tokens = {keys};
    reload();
  }
  void reload() {
    REQUIRE_FALSE(authenticator.load(config).has_value());
    authenticator.apply(config);
  }
  static config::TokenKeys with_secret() {
    config::TokenKeys keys;
    keys.algorithms = {"HS256"};
    keys.secret = secret;
    return keys;
  }
  static config::TokenKeys with_url() {
    config::TokenKeys keys;
    keys.algorithms = {"HS256"};
    keys.jwks_url = "https://issuer.test/keys";
    return keys;
  }
  [[nodiscard]] std::string token(const std::string& payload, const std::string& members = "") const {
    return signer.token_of(Algorithm::hs256, payload, members);
  }
  std::optional<Verdict> show(const std::string& text, From from = From::bearer) {
    return authenticator.identify({from, text});
  }
  std::string user_of(const std::string& text) {
    const auto verdict = show(text);
    if (!verdict) return "(later)";
    return *verdict ? std::string((*verdict)->principal())
                    : std::string(base::describe(verdict->error().code).name);
  }
  /// Shows it, to be answered later; the answers go to `said`.
  void wait_with(const std::string& text) {
    authenticator.identify_later({From::bearer, text}, [this](const Verdict& verdict) {
      said.emplace_back(verdict ? verdict->principal()
                                : std::string(base::describe(verdict.error().code).name));
    });
  }
  std::vector<std::string> said;
};

config::ApiKey api_key(const std::string& name, const std::string& text) {
  return {name, "sha256:" + base::sha256_hex(text), {"publish"}, {"ci/**"}};
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "authenticator: who shows nothing is anonymous") {
  use(with_secret());
  const auto verdict = show("", From::nothing);
  REQUIRE(verdict.has_value());
  REQUIRE(verdict->ok());
  CHECK((*verdict)->is_anonymous());
}

TEST_CASE_FIXTURE(Fixture, "authenticator: a token that was revoked is refused, also if it is remembered") {
  use(with_secret());
  const std::string shown = token(R"({"sub":"ada","jti":"t1"})");
  for (int i = 0; i < 3; ++i)
    CHECK(user_of(shown) == "user:ada");
  access::Sanction revocation;
  revocation.kind = access::Sanction::Kind::revocation;
  revocation.token_id = "t1";
  REQUIRE(control.sanctions.add(revocation));
  CHECK(user_of(shown) == "token_revoked");
  CHECK(user_of(token(R"({"sub":"ada","jti":"t2"})")) == "user:ada");
  CHECK(control.sanctions.remove(revocation));
  CHECK(user_of(shown) == "user:ada");
}

TEST_CASE_FIXTURE(Fixture, "authenticator: a token of a configured key is its user, with what it says") {
  use(with_secret());
  const auto verdict =
      show(token(R"({"sub":"ada","name":"Ada","roles":["staff"],"exp":1700000100,"jti":"t1"})"));
  REQUIRE(verdict.has_value());
  REQUIRE(verdict->ok());
  const access::Identity& ada = **verdict;
  CHECK(ada.principal() == "user:ada");
  CHECK(ada.proof() == access::Proof::token);
  CHECK(ada.name() == "Ada");
  CHECK(ada.has_role("staff"));
  CHECK(ada.expires_s() == 1'700'000'100);
  CHECK(ada.token_id() == "t1");
  CHECK(authenticator.stats().accepted == 1);
}

TEST_CASE_FIXTURE(Fixture, "authenticator: what is shown and wrong is refused, never taken for anonymous") {
  use(with_secret());
  CHECK(user_of("") == "bad_token");
  CHECK(user_of("nonsense") == "bad_token");
  CHECK(user_of("a.b.c") == "bad_token");
  CHECK(user_of(token(R"({"sub":"ada","exp":1699999000})")) == "token_expired");
  CHECK(user_of(token(R"({"sub":"ada","nbf":1700001000})")) == "token_not_yet_valid");
  CHECK(user_of(token(R"({"name":"nobody"})")) == "bad_token");
  CHECK(user_of(test::JoseSigner(std::string(32, 'x')).token_of(Algorithm::hs256, R"({"sub":"ada"})")) ==
        "bad_token");
  config.auth.keys = {api_key("ci", "k1")};
  reload();
  CHECK(user_of("nonsense") == "bad_api_key");
  CHECK(authenticator.stats().accepted == 0);
}

TEST_CASE_FIXTURE(Fixture, "authenticator: without any configuration a token is for somebody else") {
  reload();
  for (const char* text : {"a.b.c", "nonsense", ""}) {
    const auto verdict = show(text);
    REQUIRE(verdict.has_value());
    REQUIRE(verdict->ok());
    CHECK((*verdict)->is_anonymous());
  }
}

TEST_CASE_FIXTURE(Fixture, "authenticator: a key that has changed or is gone is good no longer, others are") {
  config.auth.keys = {api_key("a", "k1"), api_key("b", "k2")};
  reload();
  const access::Identity a = **show("k1");
  const access::Identity b = **show("k2");
  reload();
  CHECK_FALSE(authenticator.check_again(a).has_value());
  CHECK(**show("k1") == a);
  config.auth.keys[0].may = {"join"};
  reload();
  CHECK(authenticator.check_again(a).has_value());
  CHECK_FALSE(authenticator.check_again(b).has_value());
  CHECK_FALSE(authenticator.check_again({}).has_value());
  config.auth.keys.clear();
  reload();
  CHECK(authenticator.check_again(b).has_value());
}

TEST_CASE_FIXTURE(Fixture, "authenticator: several API keys at once, each with what its line says") {
  config.auth.keys = {api_key("old", "k1"), api_key("new", "k2")};
  reload();
  CHECK(user_of("k1") == "key:old");
  CHECK(user_of("k2") == "key:new");
  CHECK(user_of("k3") == "bad_api_key");
  // Also one that looks like a token.
  config.auth.keys.push_back(api_key("dotted", "k.3.x"));
  reload();
  CHECK(user_of("k.3.x") == "key:dotted");
  use(with_secret());
  CHECK(user_of("k.3.x") == "key:dotted");
  const auto verdict = show("k1");
  REQUIRE((*verdict)->grants().size() == 1);
  CHECK((*verdict)->grants()[0].rooms.matches("ci/build"));
  CHECK((*verdict)->grants()[0].may.has(access::Permission::publish));
  config.auth.keys.erase(config.auth.keys.begin());
  config.auth.tokens.clear();
  reload();
  CHECK(user_of("k1") == "bad_api_key");
  CHECK(user_of("k2") == "key:new");
}

TEST_CASE_FIXTURE(Fixture, "authenticator: of several sources the one decides that has signed") {
  config::TokenKeys other = with_secret();
  other.secret = std::string(32, 'o');
  config::TokenKeys picky = with_secret();
  picky.issuer = "https://issuer.test";
  config.auth.tokens = {other, picky};
  reload();
  CHECK(user_of(token(R"({"sub":"ada","iss":"https://issuer.test"})")) == "user:ada");
  // Of the refusals that of the source that got furthest.
  CHECK(user_of(token(R"({"sub":"ada","iss":"https://elsewhere.test"})")) == "wrong_issuer");
  CHECK(user_of(test::JoseSigner(std::string(32, 'o')).token_of(Algorithm::hs256, R"({"sub":"bob"})")) ==
        "user:bob");
}

TEST_CASE_FIXTURE(
    Fixture, "authenticator: a token shown again is not verified again, until it expires or keys change") {
  use(with_secret());
  const std::string text = token(R"({"sub":"ada","exp":1700000100})");
  CHECK(user_of(text) == "user:ada");
  CHECK(authenticator.stats().remembered == 0);
  CHECK(user_of(text) == "user:ada");
  CHECK(authenticator.stats().remembered == 0);
  CHECK(user_of(text) == "user:ada");
  CHECK(authenticator.stats().remembered == 1);
  clock.wall_now_ms += (100 + 60) * 1'000 - 1'000;  // a second before the end of the leeway
  CHECK(user_of(text) == "user:ada");
  clock.wall_now_ms += 1'000;
  CHECK(user_of(text) == "token_expired");
  clock.wall_now_ms = now_s * 1'000;
  config.auth.tokens[0].secret = std::string(32, 'n');
  reload();
  CHECK(user_of(text) == "bad_token");
}

TEST_CASE_FIXTURE(Fixture, "authenticator: while tokens wait nobody overtakes them, but one that is known") {
  use(with_secret());
  for (int i = 0; i < 2; ++i)
    CHECK(user_of(token(R"({"sub":"zero"})")) == "user:zero");
  wait_with(token(R"({"sub":"first"})"));
  wait_with(token(R"({"sub":"second"})"));
  CHECK(said.empty());
  CHECK(user_of(token(R"({"sub":"third"})")) == "(later)");
  CHECK(user_of(token(R"({"sub":"zero"})")) == "user:zero");
  CHECK(authenticator.waiting() == 2);
  while (authenticator.do_slice()) {
  }
  CHECK(said == std::vector<std::string>{"user:first", "user:second"});
  CHECK(user_of(token(R"({"sub":"third"})")) == "user:third");
}

TEST_CASE_FIXTURE(Fixture, "authenticator: a slice ends when its time is over") {
  use(with_secret());
  for (int i = 0; i < 5; ++i)
    wait_with(token(R"({"sub":"u)" + std::to_string(i) + "\"}"));
  clock.us_between_looks = 1'000;
  CHECK(authenticator.do_slice());
  CHECK(said.size() == 1);  // one in any case
  clock.us_between_looks = 100;
  CHECK(authenticator.do_slice());
  CHECK(said.size() == 4);
  while (authenticator.do_slice()) {
  }
  CHECK(said.size() == 5);
}

TEST_CASE_FIXTURE(Fixture, "authenticator: an unknown key has the keys fetched, once for all who wait") {
  use(with_url());
  REQUIRE(url != nullptr);
  const std::string ada = token(R"({"sub":"ada"})", R"(,"kid":"k1")");
  const std::string bob = token(R"({"sub":"bob"})", R"(,"kid":"k1")");
  CHECK(user_of(ada) == "(later)");
  wait_with(ada);
  wait_with(bob);
  while (authenticator.do_slice()) {
  }
  CHECK(said.empty());
  CHECK(url->refreshes == 1);
  url->take(hmac_keys("k1"));
  url->answer();
  while (authenticator.do_slice()) {
  }
  CHECK(said == std::vector<std::string>{"user:ada", "user:bob"});
  CHECK(user_of(ada) == "user:ada");
}

TEST_CASE_FIXTURE(Fixture,
                  "authenticator: a key that stays unknown is refused, as are keys that never come") {
  use(with_url());
  wait_with(token(R"({"sub":"ada"})", R"(,"kid":"k1")"));
  while (authenticator.do_slice()) {
  }
  url->answer();  // it has failed
  while (authenticator.do_slice()) {
  }
  CHECK(said == std::vector<std::string>{"unavailable"});
  url->take(hmac_keys("k2"));
  url->is_limited = true;  // it was fetched within the last minute
  wait_with(token(R"({"sub":"ada"})", R"(,"kid":"k1")"));
  while (authenticator.do_slice()) {
  }
  CHECK(said.back() == "unknown_key");
}

TEST_CASE_FIXTURE(Fixture, "authenticator: a reload keeps the keys of a URL, and answers who waits") {
  use(with_url());
  url->take(hmac_keys("k1"));
  const std::string ada = token(R"({"sub":"ada"})", R"(,"kid":"k1")");
  CHECK(user_of(ada) == "user:ada");
  config.auth.keys = {api_key("ci", "k")};
  reload();
  CHECK(opened == 1);
  CHECK(user_of(ada) == "user:ada");
  wait_with(token(R"({"sub":"bob"})", R"(,"kid":"other")"));
  while (authenticator.do_slice()) {
  }
  CHECK(said.empty());
  use(with_secret());
  while (authenticator.do_slice()) {
  }
  CHECK(said == std::vector<std::string>{"user:bob"});  // no kid is needed for a key without a name
}

TEST_CASE_FIXTURE(Fixture, "authenticator: files are read at load, and what is wrong names key and file") {
  const test::TemporaryDirectory directory;
  config::TokenKeys keys;
  keys.algorithms = {"HS256"};
  keys.secret_file = directory.file("missing");
  config.auth.tokens = {keys};
  const auto missing = authenticator.load(config);
  REQUIRE(missing.has_value());
  CHECK(missing->message.find("secret_file") != std::string::npos);
  CHECK(missing->message.find(keys.secret_file) != std::string::npos);
  std::ofstream(directory.file("secret")) << secret << "\n";
  keys.secret_file = directory.file("secret");
  use(keys);
  CHECK(user_of(token(R"({"sub":"ada"})")) == "user:ada");
  keys.secret_file.clear();
  keys.secret = secret.substr(1);
  config.auth.tokens = {keys};
  CHECK(authenticator.load(config).has_value());
  CHECK(user_of(token(R"({"sub":"ada"})")) == "user:ada");  // what was applied last
}

TEST_CASE_FIXTURE(Fixture, "authenticator: the user of a trusted proxy, with groups as roles") {
  use(with_secret());
  const auto verdict = authenticator.identify({From::proxy, "ada", "staff, dev", "Ada L."});
  REQUIRE(verdict.has_value());
  REQUIRE(verdict->ok());
  CHECK((*verdict)->principal() == "user:ada");
  CHECK((*verdict)->name() == "Ada L.");
  CHECK((*verdict)->roles() == std::vector<std::string>{"staff", "dev"});
  for (const std::size_t size : {access::Profile::id_bytes_max, access::Profile::id_bytes_max + 1}) {
    const auto sized = authenticator.identify({From::proxy, std::string(size, 'a')});
    CHECK(sized->ok() == (size == access::Profile::id_bytes_max));
  }
  CHECK_FALSE(authenticator.identify({From::proxy, "a\xff"})->ok());
}

TEST_CASE_FIXTURE(Fixture, "authenticator: the groups and the name of a proxy have bounds") {
  const auto is_taken = [this](const std::string& groups, const std::string& name) {
    return authenticator.identify({From::proxy, "ada", groups, name})->ok();
  };
  const std::string longest(100, 'a');
  CHECK(is_taken(longest, longest));
  CHECK_FALSE(is_taken(longest + "a", ""));
  CHECK_FALSE(is_taken("", longest + "a"));
  for (const char* wrong : {"\xff", "a\xc2\x80"}) {
    CHECK_FALSE(is_taken(wrong, ""));
    CHECK_FALSE(is_taken("", wrong));
  }
  std::string groups = "a";
  for (int i = 1; i < 100; ++i)
    groups += ", a";
  CHECK(is_taken(groups, ""));
  CHECK(is_taken(groups + ", ,", ""));
  CHECK_FALSE(is_taken(groups + ", a", ""));
}

}  // namespace authenticator_test
