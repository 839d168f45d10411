#include "app/redis_examination.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "app/redis_settings.h"
#include "base/digest.h"
#include "engine/redis_partition.h"
#include "engine/redis_scripts.h"

namespace roomcast::app {

namespace {

using engine::RedisScript;
using Level = RedisFinding::Level;

constexpr std::int64_t push_limit_ms = 3'000;
constexpr int round_trips = 100;
constexpr std::int64_t measuring_us = 1'000'000;  // no longer than this
constexpr double slow_ms = 5;
constexpr std::size_t said_bytes = 200;  // of what a server says
// Scratch keys that are left behind, because the connection has ended, go by themselves.
constexpr std::string_view scratch_seconds = "60";

std::string said(const RedisReply& reply) { return reply.text.substr(0, said_bytes); }

class Examination {
 public:
  Examination(RedisClientLoop& loop, const redis::Connection::Options& options, const std::string& prefix)
      : options_(options), prefix_(prefix), calls_(loop, options), pushes_(loop, options), loop_(loop) {}

  std::vector<RedisFinding> run() {
    if (connect()) {
      if (server_.is_cluster) look_at_cluster();
      if (has_slot_) try_everything();
      const RedisReply info = calls_.ask({"INFO", "everything"});
      for (RedisFinding& finding : judge_redis_settings(calls_, info.text))
        findings_.push_back(std::move(finding));
    }
    return std::move(findings_);
  }

 private:
  void add(Level level, std::string_view what, std::string found, std::string advice = {}) {
    findings_.push_back({level, std::string(what), std::move(found), std::move(advice)});
  }

  bool connect() {
    const redis::ServerAddress& address = options_.address;
    auto server = calls_.connect();
    if (!server) {
      const std::string where = address.to_text() + ": ";
      std::string why = server.error().message;
      while (why.starts_with(where))
        why.erase(0, where.size());  // it stands above
      add(Level::failure, "connection", std::move(why));
      return false;
    }
    server_ = std::move(*server);
    add(Level::ok, "server", server_.product + ' ' + server_.version + ", a primary");
    if (address.scheme == redis::ServerAddress::Scheme::tls) {
      add(Level::ok, "encryption", "TLS, and the certificate is that of the server");
    } else if (is_local()) {
      add(Level::ok, "encryption", "none is needed: it does not leave this machine");
    } else {
      add(Level::warning, "encryption", "none",
          "use rediss:// unless nobody else is on the network between: the password and all messages can be "
          "read there");
    }
    const auto again = pushes_.connect();
    if (!again) {
      add(Level::failure, "identity", "a second connection fails: " + again.error().message,
          "each server needs two connections");
      return false;
    }
    if (again->run_id != server_.run_id || again->replication_id != server_.replication_id) {
      add(Level::failure, "identity", "two connections lead to two different servers",
          "connect to Redis itself, or by Sentinels, and not through something that spreads connections");
      return false;
    }
    add(Level::ok, "identity",
        "the same on two connections: run id " + server_.run_id.substr(0, id_shown) + "…");
    return true;
  }

  [[nodiscard]] bool is_local() const {
    const redis::ServerAddress& address = options_.address;
    return address.scheme == redis::ServerAddress::Scheme::unix_socket || address.host == "localhost" ||
           address.host == "::1" || address.host.starts_with("127.");
  }

  /// Chooses keys whose slot this server has.
  void look_at_cluster() {
    const RedisReply info = calls_.ask({"CLUSTER", "INFO"});
    if (info.is_error()) {
      add(Level::failure, "cluster", said(info), "the user needs +cluster|info and +cluster|shards");
    } else if (info_value(info.text, "cluster_state") == "ok") {
      add(Level::ok, "cluster", "complete: all slots have a server");
    } else {
      add(Level::failure, "cluster", "not complete: it does not take writes",
          "CLUSTER INFO and CLUSTER SHARDS say what is missing");
    }
    has_slot_ = false;
    for (std::size_t i = 0; i < engine::redis_partitions && !has_slot_; ++i) {
      partition_ = static_cast<engine::RedisPartition>(i);
      const RedisReply reply = calls_.ask({"GET", key('x')});
      has_slot_ = !reply.text.starts_with("MOVED") && !reply.text.starts_with("CLUSTERDOWN");
    }
    if (!has_slot_)
      add(Level::warning, "cluster", "this server has no slots", "give it some, or leave it out");
  }

  void try_everything() {
    if (try_commands() && try_scripts()) {
      try_pushes();
      measure();
    }
    for (const char kind : std::string_view("tmsax"))
      static_cast<void>(calls_.ask({"DEL", key(kind)}));
  }

  /// The commands that the scripts use, each by itself: Redis asks for the rights to them in a script too.
  bool try_commands() {
    const std::string string = key('x');
    const std::string hash = key('m');
    const std::string stream = key('s');
    const std::string channel = key('c');
    const std::string_view publish = publish_command();
    const std::array<std::vector<std::string_view>, 24> commands{{
        {"SET", string, "1", "EX", scratch_seconds},
        {"GET", string},
        {"DEL", string},
        {"HSET", hash, "a", "1"},
        {"EXPIRE", hash, scratch_seconds},
        {"PEXPIRE", hash, "60000"},
        {"HGET", hash, "a"},
        {"HMGET", hash, "a", "b"},
        {"HGETALL", hash},
        {"HKEYS", hash},
        {"HLEN", hash},
        {"HDEL", hash, "a"},
        {"XADD", stream, "1-0", "d", "1"},
        {"EXPIRE", stream, scratch_seconds},
        {"XRANGE", stream, "-", "+", "COUNT", "1"},
        {"XREVRANGE", stream, "+", "-", "COUNT", "1"},
        {"XTRIM", stream, "MINID", "1"},
        {"XDEL", stream, "1-0"},
        {"DEL", stream},
        {"TIME"},
        {"INFO", "server"},
        {publish, channel, ""},
        {"SCRIPT", "LOAD", "return 1"},
        {"EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"},
    }};
    std::string missing;
    std::string rights;
    for (const std::vector<std::string_view>& command : commands) {
      const RedisReply reply = calls_.ask(command);
      if (!reply.is_error()) continue;
      if (!reply.text.starts_with("NOPERM")) {
        add(Level::failure, "commands", std::string(command.front()) + ": " + said(reply),
            advice_for(reply.text));
        return false;
      }
      if (reply.text.find("a key") != std::string::npos || reply.text.find("the keys") != std::string::npos) {
        add(Level::failure, "rights", "the user may not use keys that begin with " + prefix_,
            "ACL SETUSER … ~" + prefix_ + "*");
        return false;
      }
      if (reply.text.find("channel") != std::string::npos) {
        add(Level::failure, "rights", "the user may not use channels that begin with " + prefix_,
            "ACL SETUSER … &" + prefix_ + "*");
        return false;
      }
      missing += (missing.empty() ? "" : ", ") + std::string(command.front());
      rights += " +" + right_of(command);
    }
    if (!missing.empty()) {
      add(Level::failure, "rights", "the user may not run " + missing, "ACL SETUSER …" + rights);
      return false;
    }
    add(Level::ok, "rights", "all commands may be run on keys and channels that begin with " + prefix_);
    return true;
  }

  static std::string right_of(const std::vector<std::string_view>& command) {
    std::string right;
    for (const char letter : command.front())
      right += static_cast<char>(letter - 'A' + 'a');
    return command.front() == "SCRIPT" ? right + "|load" : right;
  }

  static std::string advice_for(std::string_view error) {
    if (error.starts_with("OOM")) return "it is full: raise maxmemory, or remove what else is in it";
    if (error.starts_with("READONLY")) return "it is a replica: name the primary, or the Sentinels";
    if (error.starts_with("NOREPLICAS")) return "look at its replicas (min-replicas-to-write)";
    if (error.starts_with("MISCONF")) return "it can't write its snapshot: look into its log";
    return {};
  }

  bool try_scripts() {
    for (std::size_t i = 0; i < engine::redis_script_count; ++i) {
      const auto script = static_cast<RedisScript>(i);
      const RedisReply loaded = calls_.ask({"SCRIPT", "LOAD", engine::source_of(script)});
      sha1s_.at(i) = engine::sha1_of(script);
      if (loaded.is_error() || loaded.text != sha1s_.at(i)) {
        add(Level::failure, "scripts", "SCRIPT LOAD: " + said(loaded), "Lua scripts are needed");
        return false;
      }
    }
    const std::string term_key = key('t');
    const RedisReply term = run(RedisScript::enter, {term_key}, {"0123456789abcdef"});
    const RedisReply same = run(RedisScript::enter, {term_key}, {"fedcba9876543210"});
    if (term.is_error() || same.text != term.text || term.text.empty()) {
      add(Level::failure, "scripts", term.is_error() ? said(term) : "one connection has two terms",
          "INFO has to be possible in scripts, and to say the same each time: a proxy may not allow that");
      return false;
    }
    term_ = term.text;
    if (const RedisReply published = publish("a"); !is_place(published, "1")) {
      add(Level::failure, "scripts", "publishing: " + said(published), advice_for(published.text));
      return false;
    }
    const RedisReply log = run(RedisScript::sync, {term_key, key('m'), key('s'), key('a')},
                               {term_, epoch, "0", "10", "1000", scratch_seconds, "100", "0"});
    constexpr std::size_t batches = 5;  // in what sync answers
    const bool is_read = log.items.size() > batches && log.items[batches].items.size() == 2 &&
                         log.items[batches].items[1].text == "a";
    if (!is_read) {
      add(Level::failure, "scripts", "what was published is not read again: " + said(log));
      return false;
    }
    add(Level::ok, "scripts", "a message was published, and read again");
    return true;
  }

  void try_pushes() {
    const std::string channel = key('c');
    const RedisReply confirmed = pushes_.subscribe(server_.is_cluster ? "SSUBSCRIBE" : "SUBSCRIBE", channel);
    if (confirmed.is_error()) {
      const bool may_not = confirmed.text.starts_with("NOPERM");
      add(Level::failure, "pushes", said(confirmed),
          may_not ? "ACL SETUSER … +subscribe +unsubscribe &" + prefix_ + "*" : std::string());
      return;
    }
    const RedisReply published = publish("b");
    constexpr std::size_t nodes = 2;  // in what publish answers
    const bool is_counted = published.items.size() > nodes && published.items[nodes].integer == 1;
    const RedisReply message = pushes_.next_message(channel, push_limit_ms);
    if (!message.text.ends_with(":b")) {
      add(Level::failure, "pushes", "what is published does not come to those who have subscribed",
          "something between may take SUBSCRIBE without passing messages on; connect to Redis itself");
    } else if (!is_counted) {
      add(Level::warning, "pushes", "they come, but the server does not count who has subscribed");
    } else {
      add(Level::ok, "pushes", "they come");
    }
  }

  /// What a message waits for before anybody gets it.
  void measure() {
    std::vector<double> times_ms;
    const std::int64_t end_us = loop_.loop.monotonic_us() + measuring_us;
    for (int i = 0; i < round_trips; ++i) {
      const std::int64_t begin_us = loop_.loop.monotonic_us();
      if (begin_us > end_us) break;
      if (publish("c").is_error()) break;
      times_ms.push_back(static_cast<double>(loop_.loop.monotonic_us() - begin_us) / 1'000);
    }
    if (times_ms.empty()) return add(Level::failure, "round trip", "it could not be measured");
    std::sort(times_ms.begin(), times_ms.end());
    const double median = times_ms[times_ms.size() / 2];
    const double late = times_ms[times_ms.size() * 99 / 100];
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "%.2f ms, %.2f ms for one in a hundred", median, late);
    if (median <= slow_ms) return add(Level::ok, "round trip", text.data());
    add(Level::warning, "round trip", text.data(),
        "each message takes this time: have Redis near the servers");
  }

  RedisReply publish(std::string_view bytes) {
    return run(RedisScript::publish, {key('t'), key('m'), key('s'), key('a')},
               {term_, epoch, "1", "100", "100000", "60000", scratch_seconds, "0", publish_command(),
                key('c'), bytes, ""});
  }

  static bool is_place(const RedisReply& published, std::string_view offset) {
    return published.items.size() == 4 && published.items[0].text == epoch &&
           published.items[1].text == offset;
  }

  RedisReply run(RedisScript script, std::initializer_list<std::string_view> keys,
                 std::initializer_list<std::string_view> arguments) {
    const std::string count = std::to_string(keys.size());
    std::vector<std::string_view> words{"EVALSHA", sha1s_.at(static_cast<std::size_t>(script)), count};
    words.insert(words.end(), keys);
    words.insert(words.end(), arguments);
    return calls_.ask(words);
  }

  [[nodiscard]] std::string_view publish_command() const {
    return server_.is_cluster ? "SPUBLISH" : "PUBLISH";
  }

  /// Beside those of rooms: their kind is one letter.
  [[nodiscard]] std::string key(char kind) const {
    return prefix_ + '{' + std::string(engine::redis_tag_of(partition_)) + "}check:" + id_ + kind;
  }

  static constexpr std::string_view epoch = "00000000000000ff";
  static constexpr std::size_t id_shown = 8;

  const redis::Connection::Options& options_;
  const std::string& prefix_;
  RedisClient calls_;
  RedisClient pushes_;
  RedisClientLoop& loop_;
  redis::ServerInfo server_;
  std::array<std::string, engine::redis_script_count> sha1s_;
  std::string id_ = std::to_string(base::random_u64());
  engine::RedisPartition partition_ = 0;
  bool has_slot_ = true;
  std::string term_;
  std::vector<RedisFinding> findings_;
};

}  // namespace

std::vector<RedisFinding> examine_redis(RedisClientLoop& loop, const redis::Connection::Options& options,
                                        const std::string& prefix) {
  return Examination(loop, options, prefix).run();
}

}  // namespace roomcast::app
