#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/redis_scripts.h"
#include "support/scripted_server.h"

namespace roomcast::test {

/// One that answers the scripts of the engine as well.
class ScriptedRedis final : public ScriptedServer {
 public:
  using ScriptedServer::ScriptedServer;

  /// The calls of a script.
  [[nodiscard]] std::vector<Words> calls(engine::RedisScript script) const {
    std::vector<Words> all;
    for (Words& words : commands("EVALSHA")) {
      if (words[1] == engine::sha1_of(script)) all.push_back(std::move(words));
    }
    return all;
  }
  [[nodiscard]] static bool is_call(const Words& words, engine::RedisScript script) {
    return words[0] == "EVALSHA" && words[1] == engine::sha1_of(script);
  }
  /// What publish answers.
  static std::string published(std::string_view offset) {
    return "*4\r\n" + text("00000000000000e1") + text(offset) + ":1\r\n:0\r\n";
  }

 private:
  std::string answer(Client& client, const Words& words) override {
    if (words[0] == "SCRIPT") return text(sha1_of_source(words[2]));
    if (is_call(words, engine::RedisScript::enter)) return text("T1");
    if (is_call(words, engine::RedisScript::publish)) return published("1");
    if (is_call(words, engine::RedisScript::sync)) {
      return "*7\r\n" + text("00000000000000e1") + text("0") + text("0") + text("") + ":0\r\n*0\r\n*0\r\n";
    }
    if (is_call(words, engine::RedisScript::beat)) {
      const std::string kind = words[5] == "SPUBLISH" ? "smessage" : "message";
      for (const auto& other : clients) {
        if (other->has_subscribed) other->send(push({kind, words[6], words[4]}));
      }
      return ":1\r\n";
    }
    return ScriptedServer::answer(client, words);
  }
  static std::string sha1_of_source(std::string_view source) {
    for (std::size_t i = 0; i < engine::redis_script_count; ++i) {
      const auto script = static_cast<engine::RedisScript>(i);
      if (engine::source_of(script) == source) return engine::sha1_of(script);
    }
    return "unknown";
  }
};

}  // namespace roomcast::test
