#include "auth/accounts.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "support/loop_fixture.h"
#include "support/temporary_directory.h"

namespace roomcast::auth::accounts_test {

namespace {

using Code = base::Refusal::Code;

struct Fixture : test::LoopFixture {
  Fixture() {
    settings.users_file = directory.file("users");
    write({user("ada", "correct horse", {"staff"}, "Ada")});
  }

  static User user(const std::string& id, const std::string& password, std::vector<std::string> roles = {},
                   const std::string& name = "") {
    return {id, PasswordHash::of(password, {10, 8, 1}), std::move(roles), name};
  }
  void write(const std::vector<User>& users) {
    std::ofstream file(settings.users_file);
    for (const User& one : users)
      file << to_line(one) << '\n';
  }
  void start() {
    REQUIRE(!accounts.load(settings));
    accounts.apply(settings);
  }
  Accounts::Result sign_in(const std::string& id, const std::string& password,
                           const std::string& address = "192.0.2.1") {
    std::optional<Accounts::Result> answer;
    (void)accounts.sign_in(id, password, address,
                           [&answer](const Accounts::Result& result) { answer = result; });
    REQUIRE(run_until([&answer] { return answer.has_value(); }));
    return *answer;
  }
  Code code_of_cookie(std::string_view cookie) {
    const auto profile = accounts.verify(cookie);
    REQUIRE(!profile);
    return profile.error().code;
  }
  /// Time until cookies are verified with the file as it is.
  void wait_for_look() {
    const std::int64_t from_ms = loop.monotonic_ms();
    REQUIRE(run_until([&] { return loop.monotonic_ms() - from_ms > 1'001; }));
  }

  test::TemporaryDirectory directory;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  Accounts::Settings settings;
  Accounts accounts{loop, log};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "accounts: who signs in gets a cookie that says who it is") {
  start();
  const auto result = sign_in("ada", "correct horse");
  REQUIRE(result);
  CHECK(result->expires_in_s == 43'200);
  const auto profile = accounts.verify(result->cookie);
  REQUIRE(profile);
  CHECK(profile->id == "ada");
  CHECK(profile->name == "Ada");
  CHECK(profile->roles == std::vector<std::string>{"staff"});
  CHECK(profile->proof == access::Proof::cookie);
  CHECK(profile->expires_s - profile->issued_s == 43'200);
  CHECK(!profile->token_id.empty());
  const auto renewed = accounts.renew(result->cookie);
  REQUIRE(renewed);
  CHECK(renewed->cookie != result->cookie);
  CHECK(accounts.verify(renewed->cookie));
  CHECK(code_of_cookie("") == Code::unauthorized);
  CHECK(code_of_cookie("x") == Code::bad_token);
}

TEST_CASE_FIXTURE(Fixture,
                  "accounts: a wrong user and a wrong password get the same answer for the same work") {
  start();
  const auto wrong_password = sign_in("ada", "correct horsf");
  CHECK(accounts.worker().stats().checked == 1);
  const auto wrong_user = sign_in("bob", "correct horse");
  CHECK(accounts.worker().stats().checked == 2);
  REQUIRE(!wrong_password);
  REQUIRE(!wrong_user);
  CHECK(wrong_password.error().code == Code::login_failed);
  CHECK(wrong_user.error().code == Code::login_failed);
  CHECK(wrong_user.error().message.view() == wrong_password.error().message.view());
  // Even without a single user.
  write({});
  CHECK(!sign_in("ada", "correct horse"));
  CHECK(accounts.worker().stats().checked == 3);
  CHECK(accounts.stats().failed == 3);
}

TEST_CASE_FIXTURE(Fixture, "accounts: tries are limited by user and address, of both prefixes of IPv6") {
  start();
  for (int i = 0; i < 10; ++i)
    CHECK(sign_in("ada", "wrong", "2001:db8::1").error().code == Code::login_failed);
  const auto refused = sign_in("ada", "correct horse", "2001:db8::2");
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::rate_limited);
  CHECK(refused.error().retry_ms > 50'000);
  CHECK(refused.error().retry_ms <= 60'000);
  CHECK(accounts.worker().stats().checked == 10);
  CHECK(sign_in("ada", "correct horse", "2001:db8:0:1::1"));
  CHECK(accounts.stats().rate_limited == 1);
}

TEST_CASE_FIXTURE(
    Fixture,
    "accounts: the file is read again when it has changed, and cookies end with their user or password") {
  start();
  const std::string ada = sign_in("ada", "correct horse")->cookie;
  CHECK(!sign_in("bob", "battery staple"));
  write({user("ada", "correct horse"), user("bob", "battery staple")});
  const auto bob = sign_in("bob", "battery staple");
  REQUIRE(bob);
  // The password is the same, but its salt is not: it was set anew.
  CHECK(code_of_cookie(ada) == Code::token_revoked);
  CHECK(accounts.verify(bob->cookie));
  write({user("ada", "correct horse")});
  wait_for_look();
  CHECK(code_of_cookie(bob->cookie) == Code::token_revoked);
}

TEST_CASE_FIXTURE(
    Fixture, "accounts: a file that is broken changes nothing while the server runs, and refuses a start") {
  start();
  std::ofstream(settings.users_file) << "nonsense\n";
  CHECK(sign_in("ada", "correct horse"));
  const auto error = accounts.load(settings);
  REQUIRE(error);
  CHECK(error->message.find("auth.users_file: " + settings.users_file + ": line 1: ") == 0);
  settings.users_file += "x";
  CHECK(accounts.load(settings)->message.find("No such file") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "accounts: the secret file is made once, and keeps sessions over a restart") {
  settings.secret_file = directory.file("secret");
  start();
  struct stat status {};
  REQUIRE(::stat(settings.secret_file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
  const std::string cookie = sign_in("ada", "correct horse")->cookie;
  Accounts next{loop, log};
  REQUIRE(!next.load(settings));
  next.apply(settings);
  CHECK(next.verify(cookie));
  settings.secret_file.clear();
  Accounts other{loop, log};
  REQUIRE(!other.load(settings));
  other.apply(settings);
  CHECK(!other.verify(cookie));
}

TEST_CASE_FIXTURE(Fixture,
                  "accounts: a secret of 32 bytes is enough, of 31 is not, and a directory must be there") {
  settings.secret_file = directory.file("secret");
  std::ofstream(settings.secret_file) << std::string(31, 's');
  REQUIRE(accounts.load(settings));
  CHECK(accounts.load(settings)->message.find("at least 32 bytes") != std::string::npos);
  std::ofstream(settings.secret_file) << std::string(32, 's');
  CHECK(!accounts.load(settings));
  settings.secret_file = directory.file("none/secret");
  CHECK(accounts.load(settings));
}

TEST_CASE_FIXTURE(Fixture, "accounts: a reload keeps the random secret") {
  start();
  const std::string cookie = sign_in("ada", "correct horse")->cookie;
  start();
  CHECK(accounts.verify(cookie));
}

TEST_CASE_FIXTURE(Fixture, "accounts: signing out reports whose token ends") {
  start();
  std::string ended;
  accounts.set_on_sign_out([&ended](const access::Profile& profile) { ended = profile.token_id; });
  const auto result = sign_in("ada", "correct horse");
  accounts.sign_out("nonsense");
  CHECK(ended.empty());
  accounts.sign_out(result->cookie);
  CHECK(ended == result->profile.token_id);
  CHECK(code_of_cookie(result->cookie) == Code::token_revoked);
  CHECK(sign_in("ada", "correct horse"));
}

TEST_CASE_FIXTURE(Fixture, "accounts: a client that leaves is answered no more") {
  start();
  bool answered = false;
  const base::SlotId id = accounts.sign_in("ada", "correct horse", "192.0.2.1",
                                           [&answered](const Accounts::Result&) { answered = true; });
  accounts.cancel(id);
  CHECK(run_until([&] { return accounts.worker().stats().checked == 1; }));
  CHECK(!answered);
}

}  // namespace roomcast::auth::accounts_test
