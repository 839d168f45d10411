#include "auth/password.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "auth/password_worker.h"
#include "support/loop_fixture.h"

namespace roomcast::auth::password_test {

namespace {

constexpr ScryptCost cheap{10, 8, 1};

}  // namespace

TEST_CASE("password: a hash matches its password alone, and reads back what it was written as") {
  const PasswordHash hash = PasswordHash::of("correct horse", cheap);
  CHECK(hash.matches("correct horse"));
  CHECK(!hash.matches("correct horsf"));
  CHECK(!hash.matches(""));
  const auto read = PasswordHash::parse(hash.text());
  REQUIRE(read);
  CHECK(read->text() == hash.text());
  CHECK(read->matches("correct horse"));
  CHECK(read->fingerprint() == hash.fingerprint());
  CHECK(PasswordHash::of("correct horse", cheap).text() != hash.text());
  CHECK(PasswordHash::of("correct horse", cheap).fingerprint() != hash.fingerprint());
}

TEST_CASE("password: scrypt as RFC 7914 section 12 computes it") {
  // P="pleaseletmein", S="SodiumChloride", N=16384, r=8, p=1
  const auto hash = PasswordHash::parse(
      "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$"
      "cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw");
  REQUIRE(hash);
  CHECK(hash->matches("pleaseletmein"));
  CHECK(hash->cost() == ScryptCost{14, 8, 1});
  CHECK(hash->cost().memory_bytes() == 16'777'216);
}

TEST_CASE("password: the default takes 32 MiB, and more than 64 MiB is refused") {
  CHECK(ScryptCost{}.memory_bytes() == 33'554'432);
  const auto parse = [](const std::string& parameters) {
    return PasswordHash::parse("$scrypt$" + parameters + "$U29kaXVtQ2hsb3JpZGU$AAAAAAAAAAAAAAAAAAAAAA").ok();
  };
  CHECK(parse("ln=15,r=8,p=1"));
  CHECK(parse("ln=16,r=8,p=1"));
  CHECK(!parse("ln=17,r=8,p=1"));
  CHECK(!parse("ln=16,r=9,p=1"));
  CHECK(parse("ln=16,r=8,p=8"));
  CHECK(!parse("ln=16,r=8,p=9"));
  CHECK(parse("ln=10,r=8,p=1"));
  CHECK(!parse("ln=9,r=8,p=1"));
  CHECK(!parse("ln=15,r=0,p=1"));
  CHECK(!parse("ln=15,r=8,p=0"));
  CHECK(!parse("ln=-1,r=8,p=1"));
  CHECK(!parse("ln=15,r=8"));
  CHECK(!parse("r=8,ln=15,p=1"));
}

TEST_CASE("password: what is no hash is refused") {
  const std::string good = PasswordHash::of("correct horse", cheap).text();
  CHECK(!PasswordHash::parse(""));
  CHECK(!PasswordHash::parse("correct horse"));
  CHECK(!PasswordHash::parse("$2b$12$abcdefghijklmnopqrstuv"));
  CHECK(!PasswordHash::parse(good + '='));
  CHECK(!PasswordHash::parse(good.substr(0, good.size() - 40)));
  CHECK(!PasswordHash::parse(good + '$'));
  CHECK(!PasswordHash::parse("$scrypt$ln=15,r=8,p=1$$AAAAAAAAAAAAAAAAAAAAAA"));
}

TEST_CASE_FIXTURE(test::LoopFixture,
                  "password worker: checks two at a time, keeps 64 waiting and refuses the next") {
  PasswordWorker worker(loop);
  const PasswordHash hash = PasswordHash::of("correct horse", cheap);
  int right = 0;
  int wrong = 0;
  const auto done = [&](std::optional<bool> matches) { ++(matches.value_or(false) ? right : wrong); };
  for (int i = 0; i < 66; ++i)
    CHECK(worker.check(hash, i % 2 == 0 ? "correct horse" : "battery", done).has_value());
  CHECK(worker.waiting() == 64);
  CHECK(!worker.check(hash, "correct horse", done).has_value());
  CHECK(worker.stats().refused == 1);
  CHECK(run_until([&] { return right + wrong == 66; }));
  CHECK(right == 33);
  CHECK(worker.stats().checked == 66);
  CHECK(worker.waiting() == 0);
}

TEST_CASE_FIXTURE(test::LoopFixture, "password worker: what was cancelled is not computed, or not reported") {
  PasswordWorker worker(loop);
  const PasswordHash hash = PasswordHash::of("correct horse", cheap);
  int calls = 0;
  const auto done = [&calls](std::optional<bool>) { ++calls; };
  const auto running = worker.check(hash, "correct horse", done);
  (void)worker.check(hash, "correct horse", done);
  const auto waiting = worker.check(hash, "correct horse", done);
  REQUIRE(running);
  REQUIRE(waiting);
  worker.cancel(*running);
  worker.cancel(*waiting);
  worker.cancel(*waiting);
  CHECK(worker.waiting() == 0);
  CHECK(run_until([&] { return worker.stats().checked == 2; }));
  CHECK(calls == 1);
  CHECK(worker.stats().cancelled == 1);
}

}  // namespace roomcast::auth::password_test
