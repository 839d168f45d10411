#include "redis/handshake.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/fake_clock.h"
#include "support/fake_scheduler.h"
#include "support/memory_stream.h"

using namespace roomcast;
using redis::Handshake;
using redis::Link;
using redis::ServerInfo;

namespace handshake_test {

constexpr std::string_view hello =
    "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:"
    "4\r\n"
    "$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";

struct Rig final : Link::Owner, Handshake::Listener {
  test::FakeClock clock;
  test::FakeScheduler scheduler;
  base::Deadlines deadlines{clock, 10};
  test::MemoryWire wire;
  std::unique_ptr<Link> link = std::make_unique<Link>(Link::Parts{clock, scheduler, deadlines},
                                                      Link::Limits(), wire.make_stream(), *this);
  std::unique_ptr<Handshake> handshake;
  int outcomes = 0;
  std::optional<ServerInfo> info;
  std::string error;
  std::function<void()> then;

  void begin(const Handshake::Options& options = {}) {
    handshake = std::make_unique<Handshake>(*link, options, *this);
    scheduler.flush();
  }
  /// The outcome when the server answers with `replies`.
  const std::string& error_after(std::string_view replies, const Handshake::Options& options = {}) {
    begin(options);
    wire.send(replies);
    return error;
  }

 private:
  void on_handshake(base::Result<ServerInfo>&& outcome) override {
    ++outcomes;
    if (outcome) {
      info = std::move(*outcome);
    } else {
      error = outcome.error().message;
    }
    if (then) then();
  }
  void on_push(Link& /*link*/, const redis::Value& /*value*/) override {}
  void on_link_down(Link& /*link*/, std::string_view /*why*/) override {}
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("the commands of a handshake are one write, with what is configured") {
  Rig plain;
  plain.begin();
  CHECK(plain.wire.received() == "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*1\r\n$4\r\nINFO\r\n");
  CHECK(plain.wire.writes() == 1);

  Rig full;
  full.begin({.user = "me", .password = "secret word", .client_name = "roomcast-a", .database = 12});
  CHECK(full.wire.received() ==
        "*7\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$11\r\nsecret word\r\n$7\r\nSETNAME\r\n"
        "$10\r\nroomcast-a\r\n*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n*1\r\n$4\r\nINFO\r\n");

  // The user that a password without a user belongs to.
  Rig password_only;
  password_only.begin({.password = "x"});
  CHECK(has(password_only.wire.received(), "AUTH\r\n$7\r\ndefault\r\n$1\r\nx\r\n"));
}

TEST_CASE("what the server says of itself is told once it has said all") {
  Rig rig;
  rig.begin({.database = 1});
  rig.wire.send(hello);
  rig.wire.send("+OK\r\n");
  CHECK(rig.outcomes == 0);
  rig.wire.send("=51\r\ntxt:# Server\r\nredis_version:7.0.15\r\nrole:master\r\n\r\n\r\n");
  CHECK(rig.outcomes == 1);
  REQUIRE(rig.info.has_value());
  CHECK(rig.info->product == "redis");
  CHECK(rig.info->version == "7.0.15");
  CHECK(rig.info->client_id == 4);
  CHECK(rig.info->is_primary);
}

TEST_CASE("a Sentinel is greeted, and not asked for more") {
  Rig rig;
  rig.begin({.password = "x", .database = 3, .is_for_sentinel = true});
  CHECK(has(rig.wire.received(), "HELLO"));
  CHECK_FALSE(has(rig.wire.received(), "SELECT"));
  CHECK_FALSE(has(rig.wire.received(), "INFO"));
  rig.wire.send("%3\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n+mode\r\n+sentinel\r\n");
  REQUIRE(rig.info.has_value());
  CHECK(rig.info->is_sentinel);
  Rig other;
  other.begin({.is_for_sentinel = true});
  other.wire.send(hello);
  REQUIRE(other.info.has_value());
  CHECK_FALSE(other.info->is_sentinel);
}

TEST_CASE("the first refusal is the outcome, in words that name what is to be changed") {
  const Handshake::Options user{.user = "me", .password = "s3cret"};
  CHECK(has(Rig().error_after("-NOAUTH HELLO must be called with the client already authenticated\r\n"
                              "-NOAUTH Authentication required.\r\n"),
            "redis.password_file"));
  const std::string wrong = Rig().error_after(
      "-WRONGPASS invalid username-password pair or user is disabled.\r\n-NOAUTH x\r\n", user);
  CHECK(has(wrong, "user \"me\""));
  CHECK(has(wrong, "redis.user or what is in redis.password_file is wrong"));
  CHECK_FALSE(has(wrong, "s3cret"));
  CHECK(has(Rig().error_after("-WRONGPASS x\r\n", {.password = "s3cret"}), "user \"default\""));

  const std::string info =
      Rig().error_after(std::string(hello) + "-NOPERM this user has no permissions\r\n", user);
  CHECK(has(info, "user \"me\" (redis.user) may not run INFO: its ACL needs +info"));
  CHECK(
      has(Rig().error_after(std::string(hello) + "-NOPERM x\r\n+ok\r\n", {.database = 1}), "needs +select"));
  CHECK(has(
      Rig().error_after(std::string(hello) + "-ERR DB index is out of range\r\n+ok\r\n", {.database = 99}),
      "no database 99"));
  CHECK(has(Rig().error_after("-ERR unknown command `HELLO`, with args beginning with: `3`\r\n"),
            "Redis 6.2 or newer"));
  CHECK(has(Rig().error_after("-NOPROTO unsupported protocol version\r\n"), "Redis 6.2 or newer"));
  CHECK(has(Rig().error_after("-DENIED Redis is running in protected mode\r\n"),
            "refuses HELLO (DENIED Redis is running in protected mode)"));
  CHECK(has(Rig().error_after("+OK\r\n"), "RESP3"));
  CHECK(has(Rig().error_after("%1\r\n+proto\r\n:2\r\n"), "RESP3"));
}

TEST_CASE("there is one outcome, however many answers are errors") {
  Rig rig;
  rig.error_after("-NOAUTH a\r\n-NOAUTH b\r\n-NOAUTH c\r\n", {.database = 1});
  CHECK(rig.outcomes == 1);
  CHECK_FALSE(rig.link->is_down());
}

TEST_CASE("a handshake whose link goes down has no outcome, and may outlive it") {
  Rig rig;
  rig.begin();
  rig.wire.end();
  CHECK(rig.outcomes == 0);
  rig.link.reset();
  rig.handshake.reset();

  Rig destroyed;
  destroyed.begin();
  destroyed.link.reset();
  destroyed.handshake.reset();
  CHECK(destroyed.outcomes == 0);
}

TEST_CASE("answers to a handshake that is gone are nobody's, and the link goes on") {
  Rig rig;
  rig.begin();
  rig.handshake.reset();
  rig.wire.send(std::string(hello) + "+role:master\r\n");
  CHECK(rig.outcomes == 0);
  CHECK_FALSE(rig.link->is_down());
  CHECK(rig.link->under_way() == 0);
}

TEST_CASE("a handshake may be destroyed with its outcome, early or late") {
  for (const std::string replies : {"-NOAUTH a\r\n-NOAUTH b\r\n", "+OK\r\n-NOAUTH b\r\n"}) {
    Rig rig;
    rig.then = [&] { rig.handshake.reset(); };
    rig.error_after(replies);
    CHECK(rig.outcomes == 1);
    CHECK(rig.link->under_way() == 0);
  }
  Rig rig;
  rig.then = [&] { rig.handshake.reset(); };
  rig.begin();
  rig.wire.send(std::string(hello) + "+role:master\r\n");
  CHECK(rig.outcomes == 1);
}

}  // namespace handshake_test
