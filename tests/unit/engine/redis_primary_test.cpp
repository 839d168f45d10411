// One server that is wrong, slow or malicious.
#include "engine/redis_primary.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/dialer.h"
#include "support/redis_port_log.h"
#include "support/scripted_redis.h"

using namespace roomcast;

namespace redis_primary_test {

namespace {

using Lines = std::vector<std::string>;
using Server = test::ScriptedRedis;
using Words = Server::Words;
using Answer = std::optional<std::string>;
using engine::RedisScript;

/// Two rooms of one partition.
std::pair<std::string, std::string> neighbours() {
  const std::string one = "room";
  for (int i = 0;; ++i) {
    std::string other = "room" + std::to_string(i);
    if (engine::redis_partition_of(other) == engine::redis_partition_of(one)) return {one, other};
  }
}

struct Rig final : engine::RedisPrimary::Owner {
  explicit Rig(const std::function<void(engine::RedisPrimary::Options&)>& change = {}) {
    engine::RedisPrimary::Options options;
    options.connection.address = server.address();
    options.connection.wait_ms = 5;
    options.connection.wait_max_ms = 20;
    options.node = "n";
    options.beat_ms = 20;
    options.probe_ms = 5'000;
    if (change) change(options);
    engine::RedisPrimary::Owner& owner = *this;
    primary.emplace(
        engine::RedisPrimary::Parts{
            {dialer, nullptr, nullptr, sockets.loop, sockets.turn, sockets.deadlines}, log, &owner},
        options);
  }
  void start() {
    primary->start(told);
    CHECK(until([&] { return primary->stats().is_up && told.pushes.any(); }));
  }
  template <class Done>
  bool until(const Done& done, std::int64_t limit_ms = 20'000) {
    return sockets.run_until(
        [&] {
          server.accept();
          return done();
        },
        limit_ms);
  }
  /// Some turns in which commands are answered.
  void turns() {
    for (int i = 0; i < 20; ++i) {
      server.accept();
      sockets.run_idle_turns(2);
    }
  }
  void publish(engine::RedisCallId call, std::string_view room) {
    primary->publish(call, {room, "batch", 1, {10, 0, 0}});
  }
  void sync(engine::RedisCallId call, std::string_view room) {
    primary->sync(call, {room, 0, 0, 0, {10, 0, 0}});
  }
  void on_doubt(engine::RedisPrimary& /*primary*/) override { ++doubts; }

  test::SocketFixture sockets;
  Server server{sockets};
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  net::Dialer dialer{{sockets.loop, sockets.sockets, sockets.deadlines}};
  test::RedisPortLog told;
  std::size_t doubts = 0;
  std::optional<engine::RedisPrimary> primary;
};

void answer_calls(Server& server, RedisScript script, const std::function<Answer()>& answer) {
  server.on_command = [script, answer](Server::Client& /*client*/, const Words& words) -> Answer {
    if (Server::is_call(words, script)) return answer();
    return std::nullopt;
  };
}

}  // namespace

TEST_CASE(
    "redis primary: a partition is entered once, before the first call, and what waits for it keeps its "
    "order") {
  Rig rig;
  rig.start();
  const auto [one, other] = neighbours();
  rig.publish(1, one);
  rig.publish(2, other);
  rig.sync(3, one);
  CHECK(rig.primary->stats().waiting == 3);
  CHECK(rig.until([&] { return rig.told.lines.size() == 3; }));
  CHECK(rig.told.take() == Lines{"1 at 1", "2 at 1", "3 synced"});
  CHECK(rig.server.calls(RedisScript::enter).size() == 1);
  CHECK(rig.primary->stats().waiting == 0);
  rig.publish(4, one);
  CHECK(rig.until([&] { return rig.told.has("4 at 1"); }));
  CHECK(rig.server.calls(RedisScript::enter).size() == 1);
}

TEST_CASE("redis primary: what came too late for a term is made again under the next, but not for ever") {
  Rig rig;
  rig.start();
  int left = 1;
  answer_calls(rig.server, RedisScript::publish,
               [&left]() -> Answer { return left-- > 0 ? Answer("-STALE no\r\n") : std::nullopt; });
  rig.publish(1, "a");
  CHECK(rig.until([&] { return rig.told.has("1 at 1"); }));
  CHECK(rig.server.calls(RedisScript::enter).size() == 2);
  left = 1'000'000;
  rig.publish(2, "a");
  CHECK(rig.until([&] { return rig.told.has("2 stale"); }));
  CHECK(rig.server.calls(RedisScript::publish).size() == 2 + 1 + engine::RedisPrimary::repeats_max);
}

TEST_CASE("redis primary: scripts that are forgotten are loaded again, but not for ever") {
  Rig rig;
  rig.start();
  const std::size_t loaded = rig.server.commands("SCRIPT").size();
  CHECK(loaded == engine::redis_script_count);
  int left = 1;
  answer_calls(rig.server, RedisScript::publish,
               [&left]() -> Answer { return left-- > 0 ? Answer("-NOSCRIPT no\r\n") : std::nullopt; });
  rig.publish(1, "a");
  rig.publish(2, "b");
  CHECK(rig.until([&] { return rig.told.lines.size() == 2; }));
  CHECK(rig.server.commands("SCRIPT").size() == 2 * loaded);
  left = 1'000'000;
  rig.publish(3, "a");
  CHECK(rig.until([&] { return rig.told.has("3 no script"); }));
  // The same of the script that asks for the term.
  answer_calls(rig.server, RedisScript::enter, [] { return "-NOSCRIPT no\r\n"; });
  rig.publish(4, "c");
  CHECK(rig.until([&] { return rig.told.has("4 no script"); }));
}

TEST_CASE("redis primary: a term that is none, or can't be had, is the fault of what waits for it") {
  Rig rig;
  rig.start();
  const auto entering = [&](const std::string& answer, engine::RedisCallId call) {
    answer_calls(rig.server, RedisScript::enter, [answer] { return answer; });
    rig.publish(call, "a");
    CHECK(rig.until([&] { return !rig.told.lines.empty(); }));
    return rig.told.take();
  };
  CHECK(entering("-OOM command not allowed\r\n", 1) == Lines{"1 out of memory"});
  CHECK(entering("-WRONGTYPE of the term\r\n", 2) == Lines{"2 refused"});
  // Nothing is published by an answer that looks like one to publish.
  CHECK(entering(Server::published("9"), 3) == Lines{"3 garbled"});
  CHECK(entering("$0\r\n\r\n", 4) == Lines{"4 garbled"});
  CHECK(rig.primary->stats().is_up);
  CHECK(rig.primary->stats().reconnects == 0);
}

TEST_CASE("redis primary: a sync that fails is not answered at once, so that nobody asks in a loop") {
  Rig rig;
  rig.start();
  int left = 3;
  answer_calls(rig.server, RedisScript::sync, [&left]() -> Answer {
    return left-- > 0 ? Answer("-TRYAGAIN the slot is moving\r\n") : std::nullopt;
  });
  rig.sync(1, "a");
  rig.turns();
  CHECK(rig.told.lines.empty());
  CHECK(rig.server.calls(RedisScript::sync).size() == 1);
  CHECK(rig.primary->stats().waiting == 1);
  CHECK(rig.until([&] { return rig.told.has("1 synced"); }));
  CHECK(rig.primary->stats().waiting == 0);
  // A publish is: the engine waits by itself.
  answer_calls(rig.server, RedisScript::publish, [] { return "-TRYAGAIN no\r\n"; });
  rig.publish(2, "a");
  CHECK(rig.until([&] { return rig.told.has("2 not primary"); }));
  CHECK(rig.server.calls(RedisScript::publish).size() == 1);
}

TEST_CASE("redis primary: what waits is counted, so that there is space for no more than may be sent") {
  Rig rig([](auto& options) {
    options.connection.limits.requests = 10;
    options.connection.limits.bytes = 20'000;
  });
  rig.start();
  answer_calls(rig.server, RedisScript::enter, [] { return ""; });
  std::size_t calls = 0;
  while (rig.primary->has_space_for(0, 100) && calls < 100)
    rig.publish(++calls, "a");
  CHECK(calls == 10);
  CHECK(rig.primary->stats().waiting == 10);

  Rig bytes([](auto& options) { options.connection.limits.bytes = 5'000; });
  bytes.start();
  answer_calls(bytes.server, RedisScript::enter, [] { return ""; });
  for (calls = 0; bytes.primary->has_space_for(0, 100) && calls < 100; ++calls)
    bytes.publish(calls + 1, "a");
  CHECK(calls > 3);
  CHECK(calls < 12);
}

TEST_CASE(
    "redis primary: what waits when the connection ends has not been done, what is under way may have been") {
  Rig rig;
  rig.start();
  rig.publish(1, "a");
  CHECK(rig.until([&] { return rig.told.has("1 at 1"); }));
  rig.server.on_command = [](Server::Client& /*client*/, const Words& words) -> Answer {
    if (words[0] != "EVALSHA" || Server::is_call(words, RedisScript::beat)) return std::nullopt;
    return "";
  };
  rig.publish(2, "a");
  rig.publish(3, "b");
  rig.turns();
  rig.told.take();
  rig.server.on_command = {};
  rig.primary->stop("the test says so");
  CHECK(rig.told.take() == Lines{"2 lost", "3 not primary"});
  CHECK(rig.told.calls.none());
  CHECK(rig.told.pushes.none());
  CHECK(rig.primary->stats().waiting == 0);
  // It does not come again.
  const std::size_t clients = rig.server.clients.size();
  CHECK_FALSE(rig.until([&] { return rig.server.clients.size() != clients; }, 200));
}

TEST_CASE(
    "redis primary: a server that is full stays, one that is a replica is left, one of a cluster is "
    "doubted") {
  Rig rig([](auto& options) { options.is_sharded = true; });
  rig.start();
  const auto beat_with = [&](const std::string& answer) {
    std::size_t beats = 0;
    rig.server.on_command = [&beats, answer](Server::Client& /*client*/, const Words& words) -> Answer {
      if (!Server::is_call(words, RedisScript::beat)) return std::nullopt;
      ++beats;
      return answer;
    };
    CHECK(rig.until([&] { return beats >= 3; }));
    rig.server.on_command = {};
  };
  rig.publish(1, "a");
  CHECK(rig.until([&] { return rig.told.has("1 at 1"); }));
  beat_with("-OOM command not allowed\r\n");
  CHECK(rig.told.calls_lost == 0);
  CHECK(rig.doubts == 0);
  beat_with("-MOVED 32 127.0.0.1:1\r\n");
  CHECK(rig.told.calls_lost == 0);
  CHECK(rig.doubts >= 1);
  // Who may have been a replica in between has to say its term once more.
  const std::size_t entered = rig.server.calls(RedisScript::enter).size();
  rig.publish(2, "a");
  CHECK(rig.until([&] { return rig.told.has("2 at 1"); }));
  CHECK(rig.server.calls(RedisScript::enter).size() == entered + 1);
  beat_with("-READONLY You can't write against a read only replica.\r\n");
  CHECK(rig.told.calls_lost >= engine::redis_partitions);
  CHECK(rig.until([&] { return rig.primary->stats().is_up; }));
}

TEST_CASE("redis primary: a server that is of no use is tried again after longer and longer waits") {
  Rig rig([](auto& options) { options.connection.wait_max_ms = 1'000; });
  rig.server.on_command = [](Server::Client& /*client*/, const Words& words) -> Answer {
    return words[0] == "SCRIPT" ? Answer("-NOPERM no scripts\r\n") : std::nullopt;
  };
  rig.primary->start(rig.told);
  CHECK_FALSE(rig.until([&] { return rig.told.calls.any(); }, 500));
  // After 5, 10, 20, 40, 80, 160 and 320 ms.
  CHECK(rig.primary->stats().reconnects >= 1);
  CHECK(rig.primary->stats().reconnects <= 8);
  CHECK(rig.primary->why_down().find("SCRIPT LOAD failed: NOPERM") != std::string_view::npos);
  rig.server.on_command = {};
  CHECK(rig.until([&] { return rig.told.calls.all() && rig.primary->why_down().empty(); }));
}

TEST_CASE("redis primary: pushes that do not come end the connection for pushes, and only that") {
  Rig rig([](auto& options) { options.probe_ms = 100; });
  rig.start();
  CHECK_FALSE(rig.until([&] { return rig.told.pushes_lost != 0; }, 300));
  answer_calls(rig.server, RedisScript::beat, [] { return ":0\r\n"; });
  CHECK(rig.until([&] { return rig.told.pushes_lost != 0; }));
  CHECK(rig.told.calls_lost == 0);
  rig.server.on_command = {};
  CHECK(rig.until([&] { return rig.told.pushes.all(); }));
}

TEST_CASE("redis primary: only the last confirmation of a room counts") {
  Rig rig;
  rig.start();
  std::vector<Words> held;
  rig.server.on_command = [&](Server::Client& /*client*/, const Words& words) -> Answer {
    if (!words[0].ends_with("SUBSCRIBE")) return std::nullopt;
    held.push_back(words);
    return "";
  };
  rig.primary->subscribe("a");
  rig.primary->unsubscribe("a");
  rig.primary->subscribe("a");
  rig.primary->subscribe("b");
  rig.primary->subscribe("c");
  rig.primary->unsubscribe("c");
  CHECK(rig.until([&] { return held.size() == 4; }));
  CHECK(held[0] == Words{"SUBSCRIBE", engine::RedisKeys("rc", "a").channel()});
  CHECK(held[1][0] == "UNSUBSCRIBE");
  CHECK(held[2].size() == 4);
  CHECK(held[3][0] == "UNSUBSCRIBE");
  Server::Client& client = rig.server.subscriber();
  const auto confirm = [&](std::string_view kind, std::string_view room) {
    client.send(Server::push({kind, engine::RedisKeys("rc", room).channel(), "1"}));
    rig.turns();
    return rig.told.take();
  };
  CHECK(confirm("subscribe", "a").empty());
  CHECK(confirm("unsubscribe", "a").empty());
  CHECK(confirm("subscribe", "a") == Lines{"subscribed a"});
  CHECK(confirm("subscribe", "b") == Lines{"subscribed b"});
  CHECK(confirm("subscribe", "c").empty());
  CHECK(confirm("unsubscribe", "c").empty());
  CHECK(rig.primary->stats().subscriptions == 2);
}

TEST_CASE("redis primary: confirmations and pushes that nobody asked for are for nobody") {
  Rig rig;
  rig.start();
  rig.primary->subscribe("a");
  CHECK(rig.until([&] { return rig.told.has("subscribed a"); }));
  rig.told.take();
  Server::Client& client = rig.server.subscriber();
  const std::string a = engine::RedisKeys("rc", "a").channel();
  const std::vector<std::string> pushes{
      Server::push({"subscribe", a, "1"}),
      Server::push({"subscribe", engine::RedisKeys("rc", "b").channel(), "1"}),
      Server::push({"unsubscribe", a, "0"}),
      Server::push({"message", "other", "x"}),
      Server::push({"message", "rc{021}b:n2", "x"}),
      Server::push({"message", "rc{", "x"}),
      Server::push({"message", "rc}c:a", "x"}),
      Server::push({"message", "", ""}),
      Server::push({"message", a}),
      Server::push({"message"}),
      Server::push({"smessage", a, "x"}),
      Server::push({"pmessage", "*", a, "x"}),
      ">3\r\n:1\r\n:2\r\n:3\r\n",
      ">3\r\n+message\r\n*1\r\n+x\r\n_\r\n",
      ">2\r\n+invalidate\r\n_\r\n",
  };
  for (const std::string& bytes : pushes)
    client.send(bytes);
  client.send(Server::push({"message", a, "y"}));
  CHECK(rig.until([&] { return !rig.told.lines.empty(); }));
  CHECK(rig.told.take() == Lines{"push a y"});
  CHECK(rig.told.pushes_lost == 0);
}

TEST_CASE("redis primary: a subscription that is refused is told in words, and costs the connection") {
  Rig rig;
  rig.start();
  rig.server.on_command = [](Server::Client& /*client*/, const Words& words) -> Answer {
    if (words[0] == "SUBSCRIBE" && words[1].find("}c:") != std::string::npos)
      return "-NOPERM no access to a channel\r\n";
    return std::nullopt;
  };
  rig.primary->subscribe("a");
  CHECK(rig.until([&] { return rig.told.pushes_lost != 0; }));
  CHECK(rig.primary->why_down().find("the user's ACL needs &rc*") != std::string_view::npos);
  rig.server.on_command = {};
  CHECK(rig.until([&] { return rig.told.pushes.all() && rig.primary->why_down().empty(); }));
  rig.primary->subscribe("a");
  CHECK(rig.until([&] { return rig.told.has("subscribed a"); }));
}

TEST_CASE("redis primary: many subscriptions go out as the server confirms them") {
  Rig rig;
  rig.start();
  bool is_held = true;
  std::vector<Words> held;
  rig.server.on_command = [&](Server::Client& /*client*/, const Words& words) -> Answer {
    if (!is_held || words[0] != "SUBSCRIBE") return std::nullopt;
    held.push_back(words);
    return "";
  };
  constexpr std::size_t rooms = 10'000;
  for (std::size_t i = 0; i < rooms; ++i)
    rig.primary->subscribe(std::to_string(i));
  rig.turns();
  std::size_t sent = 0;
  for (const Words& words : held)
    sent += words.size() - 1;
  CHECK(sent >= engine::RedisSubscriptions::names_under_way_max);
  CHECK(sent <
        engine::RedisSubscriptions::names_under_way_max + engine::RedisSubscriptions::names_of_command);
  is_held = false;
  for (const Words& words : held) {
    for (std::size_t i = 1; i < words.size(); ++i)
      rig.server.subscriber().send(Server::push({"subscribe", words[i], "1"}));
  }
  CHECK(rig.until([&] { return rig.told.lines.size() == rooms; }));
  CHECK(rig.primary->stats().subscriptions == rooms);
}

TEST_CASE(
    "redis primary: sharded subscriptions are of one slot a command, and a slot that has gone is tried "
    "again") {
  Rig rig([](auto& options) { options.is_sharded = true; });
  rig.start();
  const auto [one, other] = neighbours();
  for (const std::string& room : {one, other, std::string("a"), std::string("b")})
    rig.primary->subscribe(room);
  CHECK(rig.until([&] { return rig.told.lines.size() == 4; }));
  const std::vector<Words> commands = rig.server.commands("SSUBSCRIBE");
  REQUIRE(commands.size() == 4);  // the first for the probe
  CHECK(commands[1].size() == 3);
  CHECK(rig.server.commands("SUBSCRIBE").empty());
  rig.told.take();

  // The server ends the subscriptions of the slot.
  const engine::RedisPartition partition = engine::redis_partition_of(one);
  rig.server.subscriber().send(Server::push({"sunsubscribe", engine::RedisKeys("rc", other).channel(), "0"}));
  rig.server.subscriber().send(Server::push({"sunsubscribe", engine::RedisKeys("rc", one).channel(), "0"}));
  rig.server.subscriber().send(Server::push({"smessage", engine::RedisKeys("rc", one).channel(), "late"}));
  rig.server.subscriber().send(Server::push({"smessage", engine::RedisKeys("rc", "a").channel(), "x"}));
  CHECK(rig.until([&] { return !rig.told.lines.empty(); }));
  CHECK(rig.told.take() == Lines{"push a x"});
  CHECK(rig.told.pushes_lost == 1);
  CHECK(rig.doubts == 1);
  CHECK(rig.primary->stats().subscriptions == 2);
  CHECK(rig.until([&] { return rig.told.pushes.test(partition); }));

  // It refuses further ones.
  rig.server.on_command = [](Server::Client& /*client*/, const Words& words) -> Answer {
    return words[0] == "SSUBSCRIBE" ? Answer("-MOVED 1 127.0.0.1:1\r\n") : std::nullopt;
  };
  rig.primary->subscribe(one);
  CHECK(rig.until([&] { return !rig.told.pushes.test(partition); }));
  rig.server.on_command = {};
  CHECK(rig.until([&] { return rig.told.pushes.test(partition); }));
  rig.primary->subscribe(one);
  CHECK(rig.until([&] { return rig.told.has("subscribed " + one); }));
  CHECK(rig.told.pushes_lost == 2);
  CHECK(rig.primary->stats().reconnects == 0);
}

TEST_CASE(
    "redis primary: partitions that it has no more are told, and what is under way for them is answered") {
  Rig rig;
  rig.start();
  rig.publish(1, "a");
  CHECK(rig.until([&] { return rig.told.has("1 at 1"); }));
  bool is_held = true;
  rig.server.on_command = [&](Server::Client& /*client*/, const Words& words) -> Answer {
    const bool is_to_hold =
        Server::is_call(words, RedisScript::publish) || Server::is_call(words, RedisScript::enter);
    return is_held && is_to_hold ? Answer("") : std::nullopt;
  };
  rig.publish(2, "a");
  rig.publish(3, "b");
  rig.turns();
  engine::RedisPartitionSet none;
  rig.told.take();
  rig.primary->set_partitions(none.set(7));
  CHECK(rig.told.take() == Lines{"3 not primary"});
  CHECK(rig.told.calls.count() == 1);
  CHECK(rig.told.pushes.count() == 1);
  CHECK(rig.primary->partitions().count() == 1);
  // The term that is to come, and an answer that asks for another one.
  is_held = false;
  Server::Client* calls = nullptr;
  for (const auto& client : rig.server.clients) {
    if (!client->has_subscribed && !client->is_gone) calls = client.get();
  }
  REQUIRE(calls != nullptr);
  calls->send("-STALE no\r\n" + Server::text("T2"));
  CHECK(rig.until([&] { return rig.told.has("2 stale"); }));
  rig.primary->set_partitions(engine::RedisPartitionSet().set());
  CHECK(rig.told.calls.all());
  CHECK(rig.told.pushes.all());
  rig.publish(4, "a");
  rig.publish(5, "b");
  CHECK(rig.until([&] { return rig.told.has("4 at 1") && rig.told.has("5 at 1"); }));
}

TEST_CASE("redis primary: one of a cluster is refused with words where none is configured") {
  Rig rig;
  rig.server.is_cluster = true;
  rig.primary->start(rig.told);
  CHECK(
      rig.until([&] { return rig.primary->why_down().find("set redis.cluster") != std::string_view::npos; }));
  CHECK(rig.told.calls.none());
}

TEST_CASE(
    "redis primary: calls about presence need no term, and each is answered, whatever the server says") {
  Rig rig;
  rig.start();
  std::string reply = "*2\r\n" + Server::text("1") + Server::text("0");
  rig.server.on_command = [&](Server::Client& /*client*/, const Words& words) -> Answer {
    const bool is_presence =
        Server::is_call(words, RedisScript::presence) || Server::is_call(words, RedisScript::lease);
    return is_presence ? Answer(reply) : std::nullopt;
  };
  const auto ask = [&](engine::RedisCallId call, engine::RedisPresenceCall::What what) {
    rig.primary->presence(call, {.what = what, .room = "room", .node = "n", .others = {"m"}});
    CHECK(rig.until([&] { return !rig.told.lines.empty(); }));
    return rig.told.take();
  };
  using What = engine::RedisPresenceCall::What;
  CHECK(ask(1, What::lease) == Lines{"1 presence 1 0"});
  CHECK(rig.server.calls(RedisScript::lease).front()[3] ==
        "rc{" + std::string(engine::redis_tag_of(0)) + "}n:n");
  CHECK(rig.server.calls(RedisScript::enter).empty());
  reply = ":1\r\n";
  CHECK(ask(2, What::read) == Lines{"2 presence garbled"});
  reply = "-NOSCRIPT no\r\n";
  const std::size_t loaded = rig.server.commands("SCRIPT").size();
  CHECK(ask(3, What::announce) == Lines{"3 presence no script"});
  CHECK(rig.until([&] { return rig.server.commands("SCRIPT").size() == 2 * loaded; }));
  reply = "-READONLY no\r\n";
  CHECK(ask(4, What::announce) == Lines{"4 presence not primary"});
  CHECK(rig.until([&] { return rig.told.calls_lost != 0; }));
}

}  // namespace redis_primary_test
