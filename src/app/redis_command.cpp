#include "app/redis_command.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "app/command_arguments.h"
#include "app/redis_client.h"
#include "app/redis_examination.h"
#include "app/redis_setup.h"
#include "base/result.h"
#include "config/config.h"

namespace roomcast::app {

namespace {

enum RedisExit : int { redis_done = 0, redis_failed = 1, redis_wrong_usage = 2 };

constexpr std::array<std::string_view, 2> redis_flags{"--url", "--config"};
constexpr std::array<std::string_view, 2> redis_switches{"--help", "-h"};

constexpr std::string_view redis_help = R"(Usage: roomcast redis check [--url URL]... [--config FILE]

Examines the Redis or Valkey that servers are to share: connects to it twice, tries every command
and script that they use, on keys of its own that it removes again, and compares the settings
with what is recommended. Nothing that is in it is changed.

  --url URL      redis://HOST[:PORT], rediss://HOST[:PORT] (TLS) or unix:/PATH; may be repeated.
                 Otherwise redis.urls of the configuration (--config FILE, or the environment),
                 where user, password, certificates and prefix come from in any case

Exit codes: 0, 1 if servers can't use it, 2 for wrong usage.
)";

int redis_fail(const std::string& what, int code = redis_failed) {
  std::fprintf(stderr, "roomcast redis: %s\n", what.c_str());
  return code;
}

/// What `--url` asks for, or the servers of the configuration; each is examined by itself.
base::Result<std::vector<std::string>> urls_of(const CommandArguments& arguments,
                                               const config::Config::Redis& settings) {
  if (std::vector<std::string> urls = arguments.all("--url"); !urls.empty()) return urls;
  if (settings.urls.empty())
    return base::Error{"which server? Name it by --url, or by redis.urls in the file of --config"};
  if (!settings.sentinel.empty()) {
    return base::Error{
        "redis.urls are those of Sentinels: name the primary and its replicas one after the other by --url; "
        "`redis-cli -p 26379 SENTINEL GET-MASTER-ADDR-BY-NAME " +
        settings.sentinel + "` says which one it is"};
  }
  return settings.urls;
}

void print_findings(const std::string& address, const std::vector<RedisFinding>& findings) {
  constexpr std::array<const char*, 4> levels{"ok", "?", "warn", "FAIL"};  // by RedisFinding::Level
  std::printf("%s\n", address.c_str());
  for (const RedisFinding& finding : findings) {
    std::printf("  %-4s  %-11s  %s\n", levels.at(static_cast<std::size_t>(finding.level)),
                finding.what.c_str(), finding.found.c_str());
    if (!finding.advice.empty()) std::printf("  %-4s  %-11s  -> %s\n", "", "", finding.advice.c_str());
  }
}

/// False if servers can't use the one at `url`.
base::Result<bool> examine(const std::string& url, config::Config config) {
  config.redis.urls = {url};
  config.redis.sentinel.clear();
  config.redis.cluster = false;
  config.store.path.clear();  // of a server that has none yet, or no Redis yet
  auto setup = RedisSetup::from(config);
  if (!setup) return std::move(setup.error());
  RedisClientLoop loop(setup->tls);
  const std::vector<RedisFinding> findings = examine_redis(loop, setup->connection, config.redis.prefix);
  print_findings(setup->connection.address.to_text(), findings);
  const auto count = [&findings](RedisFinding::Level level) {
    return std::count_if(findings.begin(), findings.end(),
                         [level](const RedisFinding& finding) { return finding.level == level; });
  };
  const auto failures = count(RedisFinding::Level::failure);
  const auto warnings = count(RedisFinding::Level::warning);
  if (failures > 0) {
    std::printf("servers can't use it\n");
  } else if (warnings > 0) {
    std::printf("servers can use it; %td warning%s\n", warnings, warnings == 1 ? "" : "s");
  } else {
    std::printf("servers can use it\n");
  }
  return failures == 0;
}

}  // namespace

int run_redis_command(std::span<const std::string_view> arguments, config::Sources sources) {
  const auto read = read_arguments(arguments, redis_flags, redis_switches);
  if (!read) return redis_fail(read.error().message, redis_wrong_usage);
  if (read->has("--help") || read->has("-h"))
    return std::fputs(redis_help.data(), stdout) < 0 ? redis_failed : redis_done;
  if (read->words.empty() || read->words.front() != "check")
    return redis_fail("check? --help says more", redis_wrong_usage);
  if (read->words.size() > 1)
    return redis_fail("check takes no " + read->words[1] + ": --url URL?", redis_wrong_usage);
  if (std::string file = read->value("--config"); !file.empty()) sources.file = std::move(file);
  const auto loaded = config::load(sources);
  if (!loaded) return redis_fail(config::to_text(loaded.error()), redis_wrong_usage);
  const auto urls = urls_of(*read, loaded->config.redis);
  if (!urls) return redis_fail(urls.error().message, redis_wrong_usage);
  std::signal(SIGPIPE, SIG_IGN);
  bool is_usable = true;
  for (const std::string& url : *urls) {
    const auto outcome = examine(url, loaded->config);
    if (!outcome) return redis_fail(outcome.error().message, redis_wrong_usage);
    is_usable = is_usable && *outcome;
  }
  return is_usable ? redis_done : redis_failed;
}

}  // namespace roomcast::app
