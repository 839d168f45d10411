// The client against a real server. Without one these are skipped, but in CI.
#include <doctest/doctest.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/socket_stream.h"
#include "redis/command.h"
#include "redis/handshake.h"
#include "redis/link.h"
#include "redis/server_address.h"
#include "redis/server_info.h"
#include "support/redis_server.h"
#include "support/socket_fixture.h"

using namespace roomcast;
using redis::Handshake;
using redis::Link;
using redis::ServerInfo;
using redis::Value;

namespace real_server_test {

using Then = std::function<void(const Value&)>;

struct Call final : redis::Request {
  Call(Then answered, std::function<void()> was_lost)
      : then(std::move(answered)), lost(std::move(was_lost)) {}
  void on_reply(const Value& reply) override { then(reply); }
  void on_lost() override { lost(); }
  Then then;
  std::function<void()> lost;
};

/// A client of a server, whose handshake is done if it can be.
struct Client final : Link::Owner, Handshake::Listener {
  Client(test::SocketFixture& fixture_in, const test::RedisServer& server,
         const Handshake::Options& options = {}, const Link::Limits& limits = {})
      : fixture(fixture_in) {
    auto stream = net::SocketStream::adopt(fixture_in.sockets, server.connect());
    REQUIRE(stream.ok());
    link = std::make_unique<Link>(Link::Parts{fixture.loop, fixture.turn, fixture.deadlines}, limits,
                                  std::move(*stream), *this);
    Handshake handshake(*link, options, *this);
    REQUIRE(fixture.run_until([&] { return info || !error.empty() || link->is_down(); }));
  }

  void send(
      std::initializer_list<std::string_view> words, Then then = [](const Value&) {}) {
    std::string bytes;
    redis::append_command(bytes, words);
    link->send(std::move(bytes), std::make_unique<Call>(std::move(then), [this] { ++lost; }));
  }
  /// The answer as a text: of an error or an integer, too.
  std::string ask(std::initializer_list<std::string_view> words) {
    std::optional<std::string> answer;
    send(words, [&](const Value& reply) { answer = text_of(reply); });
    REQUIRE(fixture.run_until([&] { return answer.has_value(); }));
    return *answer;
  }
  std::string subscribe(std::string_view command, const std::vector<std::string_view>& channels) {
    std::optional<std::string> answer;
    link->send_subscription(
        command, channels,
        std::make_unique<Call>([&](const Value& reply) { answer = text_of(reply); }, [this] { ++lost; }));
    REQUIRE(fixture.run_until([&] { return answer.has_value(); }));
    return *answer;
  }
  static std::string text_of(const Value& value) {
    if (value.type == Value::Type::integer) return std::to_string(value.integer);
    std::string text(value.text);
    for (const Value& item : value.items)
      text += (text.empty() ? "" : " ") + text_of(item);
    return text;
  }

  test::SocketFixture& fixture;
  std::unique_ptr<Link> link;
  std::optional<ServerInfo> info;
  std::string error;
  std::vector<std::string> pushes;
  std::string down;
  int lost = 0;

 private:
  void on_handshake(base::Result<ServerInfo>&& outcome) override {
    if (outcome) {
      info = std::move(*outcome);
    } else {
      error = outcome.error().message;
    }
  }
  void on_push(Link& /*link*/, const Value& value) override { pushes.push_back(text_of(value)); }
  void on_link_down(Link& /*link*/, std::string_view why) override { down = why; }
};

TEST_CASE("real server: a handshake tells what it is, and it can be used") {
  if (!test::RedisServer::is_installed()) return;
  const test::RedisServer server;
  test::SocketFixture fixture;
  Client client(fixture, server, {.client_name = "roomcast-test", .database = 3});
  CHECK(*redis::ServerAddress::parse("unix:" + server.path()) == server.address());
  CHECK(client.error.empty());
  REQUIRE(client.info.has_value());
  CHECK(redis::why_unusable(*client.info).empty());
  CHECK(redis::advice_for(*client.info).empty());
  CHECK(client.info->is_primary);
  CHECK_FALSE(client.info->is_cluster);
  CHECK(client.ask({"CLIENT", "ID"}) == std::to_string(client.info->client_id));
  CHECK(client.ask({"CLIENT", "GETNAME"}) == "roomcast-test");
  CHECK(client.ask({"CLIENT", "INFO"}).find(" db=3 ") != std::string::npos);
  CHECK(client.ask({"PING"}) == "PONG");

  CHECK(client.ask({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}) == "OK");
  CHECK(client.ask({"REPLICAOF", "127.0.0.1", "1"}) == "OK");
  const Client later(fixture, server);
  REQUIRE(later.info.has_value());
  CHECK(redis::advice_for(*later.info).size() == 1);
  CHECK(redis::why_unusable(*later.info).find("replica of 127.0.0.1:1") != std::string::npos);
}

TEST_CASE("real server: 10,000 commands under way are answered in order") {
  if (!test::RedisServer::is_installed()) return;
  const test::RedisServer server;
  test::SocketFixture fixture;
  Client client(fixture, server);
  std::int64_t answered = 0;
  bool in_order = true;
  for (int i = 0; i < 10'000; ++i) {
    client.send({"INCR", "counter"}, [&](const Value& reply) { in_order &= reply.integer == ++answered; });
  }
  CHECK(client.link->under_way() == 10'000);
  CHECK(fixture.run_until([&] { return answered == 10'000; }));
  CHECK(in_order);
}

TEST_CASE("real server: pushes come in order, in the midst of answers") {
  if (!test::RedisServer::is_installed()) return;
  const test::RedisServer server;
  test::SocketFixture fixture;
  Client client(fixture, server);
  Client other(fixture, server);
  CHECK(client.subscribe("SUBSCRIBE", {"one", "two"}) == "subscribe two 2");
  CHECK(client.ask({"PING"}) == "PONG");
  std::size_t answers = 0;
  for (int i = 0; i < 500; ++i) {
    other.send({"PUBLISH", i % 2 == 0 ? "one" : "two", std::to_string(i)});
    client.send({"ECHO", "x"}, [&](const Value& reply) { answers += reply.text == "x" ? 1 : 0; });
    client.send({"PUBLISH", "three", "nobody"});
  }
  CHECK(fixture.run_until([&] { return client.pushes.size() == 502 && answers == 500; }));
  CHECK(client.pushes[1] == "subscribe two 2");
  for (std::size_t i = 0; i < 500; ++i)
    CHECK(client.pushes[i + 2] == (i % 2 == 0 ? "message one " : "message two ") + std::to_string(i));
  CHECK(client.subscribe("UNSUBSCRIBE", {"one", "never"}) == "unsubscribe never 1");
  CHECK(client.subscribe("PSUBSCRIBE", {"a*"}) == "psubscribe a* 2");
  if (client.info->product == "redis" && client.info->version.starts_with("6.")) return;
  CHECK(client.subscribe("SSUBSCRIBE", {"s"}) == "ssubscribe s 1");
  CHECK(other.ask({"SPUBLISH", "s", "hi"}) == "1");
  CHECK(fixture.run_until([&] { return client.pushes.back() == "smessage s hi"; }));
}

TEST_CASE("real server: large values go both ways, and one past the limit ends the link") {
  if (!test::RedisServer::is_installed()) return;
  const test::RedisServer server;
  test::SocketFixture fixture;
  std::string value;
  for (std::size_t i = 0; value.size() < std::size_t{5} << 20U; ++i)
    value += std::to_string(i) + "\r\n" + std::string(1, '\0');
  Client client(fixture, server);
  CHECK(client.ask({"SET", "big", value}) == "OK");
  CHECK(client.ask({"GET", "big"}) == value);
  Client small(fixture, server, {}, {.reply = {.value_bytes = std::size_t{1} << 20U}});
  small.send({"GET", "big"});
  CHECK(fixture.run_until([&] { return !small.down.empty(); }));
  CHECK(small.lost == 1);
  CHECK(small.down == "a reply is larger than 1048576 bytes");
}

TEST_CASE("real server: every type that it can send is read") {
  if (!test::RedisServer::is_installed()) return;
  const test::RedisServer server({"--enable-debug-command", "yes"});
  test::SocketFixture fixture;
  Client client(fixture, server);
  const auto type_of = [&](std::string_view kind) {
    std::optional<Value::Type> type;
    client.send({"DEBUG", "PROTOCOL", kind}, [&](const Value& reply) { type = reply.type; });
    REQUIRE(fixture.run_until([&] { return type.has_value(); }));
    return *type;
  };
  CHECK(type_of("string") == Value::Type::text);
  CHECK(type_of("integer") == Value::Type::integer);
  CHECK(type_of("double") == Value::Type::number);
  CHECK(type_of("null") == Value::Type::null);
  CHECK(type_of("array") == Value::Type::array);
  CHECK(type_of("set") == Value::Type::set);
  CHECK(type_of("map") == Value::Type::map);
  CHECK(type_of("verbatim") == Value::Type::text);
  CHECK(type_of("bignum") == Value::Type::text);
  CHECK(type_of("true") == Value::Type::boolean);
  CHECK(client.ask({"DEBUG", "PROTOCOL", "attrib"}) == "Some real reply following the attribute");
  CHECK(client.ask({"PING"}) == "PONG");
}

TEST_CASE("real server: a client that is killed loses what it waited for") {
  if (!test::RedisServer::is_installed()) return;
  const test::RedisServer server;
  test::SocketFixture fixture;
  Client client(fixture, server);
  Client other(fixture, server);
  client.send({"BLPOP", "nothing", "0"});
  client.send({"PING"});
  CHECK(other.ask({"PING"}) == "PONG");
  CHECK(other.ask({"CLIENT", "KILL", "ID", std::to_string(client.info->client_id)}) == "1");
  CHECK(fixture.run_until([&] { return !client.down.empty(); }));
  CHECK(client.lost == 2);
  CHECK_FALSE(other.link->is_down());
}

TEST_CASE("real server: a server that stands still is given up in time") {
  if (!test::RedisServer::is_installed()) return;
  const test::RedisServer server;
  test::SocketFixture fixture;
  Client client(fixture, server, {}, {.reply_ms = 200});
  server.send_signal(SIGSTOP);
  client.send({"PING"});
  CHECK(fixture.run_until([&] { return !client.down.empty(); }));
  CHECK(client.lost == 1);
  CHECK(client.down.starts_with("the server has not answered for "));
}

TEST_CASE("real server: users without a password or rights are refused with words") {
  if (!test::RedisServer::is_installed()) return;
  const test::RedisServer server({"--requirepass", "s3cret"});
  test::SocketFixture fixture;
  Client admin(fixture, server, {.password = "s3cret"});
  CHECK(admin.info.has_value());
  CHECK(admin.ask({"ACL", "SETUSER", "limited", "on", ">pw", "-@all", "+ping"}) == "OK");
  CHECK(admin.ask({"ACL", "SETUSER", "deaf", "on", ">pw", "+@all", "~*", "resetchannels"}) == "OK");

  const Client nobody(fixture, server);
  CHECK(nobody.error.find("set redis.password_file") != std::string::npos);
  const Client wrong(fixture, server, {.password = "wr0ng"});
  CHECK(wrong.error.find("user \"default\" in: redis.user or what is in redis.password_file is wrong") !=
        std::string::npos);
  CHECK(wrong.error.find("wr0ng") == std::string::npos);
  const Client limited(fixture, server, {.user = "limited", .password = "pw"});
  CHECK(limited.error.find("user \"limited\" (redis.user) may not run INFO: its ACL needs +info") !=
        std::string::npos);

  // A subscription that is refused does not shift the answers behind it.
  Client deaf(fixture, server, {.user = "deaf", .password = "pw"});
  CHECK(deaf.info.has_value());
  CHECK(deaf.subscribe("SUBSCRIBE", {"a", "b"}).starts_with("NOPERM "));
  CHECK(deaf.ask({"PING"}) == "PONG");
}

}  // namespace real_server_test
