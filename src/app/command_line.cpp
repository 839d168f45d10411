#include "app/command_line.h"

#include <array>
#include <cstddef>
#include <utility>

#include "config/spelling.h"

namespace roomcast::app {
namespace {

using Action = CommandLine::Action;

/// Flags that take no value.
constexpr std::array<std::pair<std::string_view, Action>, 4> actions{{
    {"--check-config", Action::check_config},
    {"--print-config", Action::print_config},
    {"--version", Action::version},
    {"--help", Action::help},
}};
constexpr std::array<std::string_view, 7> flags_with_value{
    "--config", "--listen", "--set", "--default", "--print-reference", "--explain-access", "--role"};

std::string unknown_flag(std::string_view flag) {
  std::vector<std::string> known;
  known.reserve(actions.size() + flags_with_value.size());
  for (const auto& [name, action] : actions)
    known.emplace_back(name);
  for (const std::string_view name : flags_with_value)
    known.emplace_back(name);
  return "unknown flag " + std::string(flag) + config::did_you_mean(flag, known) + "; --help lists them all";
}

/// Goes through the arguments once.
class Parser {
 public:
  explicit Parser(std::span<const std::string_view> arguments) : rest_(arguments) {}

  base::Result<CommandLine> parse() {
    while (!rest_.empty()) {
      const std::string_view argument = take();
      if (auto problem = one(argument)) return base::Error{std::move(*problem)};
    }
    if (!result_.explain_access.roles.empty() && result_.explain_access.user.empty()) {
      return base::Error{"--role goes with --explain-access USER ROOM"};
    }
    if (!listen_.empty()) result_.overrides.push_back({"--listen", "listen", std::move(listen_)});
    return std::move(result_);
  }

 private:
  using Problem = std::optional<std::string>;

  std::string_view take() {
    const std::string_view first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }

  Problem one(std::string_view argument) {
    if (!argument.starts_with("-")) return "unexpected argument " + std::string(argument);
    const std::size_t equals = argument.find('=');
    const std::string_view flag = argument.substr(0, equals);
    for (const auto& [name, action] : actions) {
      if (flag != name && !(action == Action::help && flag == "-h")) continue;
      if (equals != std::string_view::npos) return std::string(flag) + " takes no value";
      if (result_.action != Action::help) result_.action = action;
      return std::nullopt;
    }
    for (const std::string_view name : flags_with_value) {
      if (flag != name) continue;
      if (equals != std::string_view::npos) return with_value(flag, argument.substr(equals + 1));
      if (rest_.empty()) return std::string(flag) + " needs a value";
      return with_value(flag, take());
    }
    return unknown_flag(flag);
  }

  Problem with_value(std::string_view flag, std::string_view value) {
    if (value.empty()) return std::string(flag) + " needs a value";
    if (flag == "--config") {
      result_.config_file = std::string(value);
      return std::nullopt;
    }
    if (flag == "--listen") {
      listen_.emplace_back(value);
      return std::nullopt;
    }
    if (flag == "--role") {
      result_.explain_access.roles.emplace_back(value);
      return std::nullopt;
    }
    if (flag == "--explain-access") return explain_access(value);
    if (flag == "--set") return assign(flag, value, result_.overrides);
    return flag == "--default" ? assign(flag, value, result_.defaults) : print_reference(value);
  }

  static Problem assign(std::string_view flag, std::string_view assignment,
                        std::vector<config::Override>& into) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return std::string(flag) + " takes KEY=VALUE, found " + std::string(assignment);
    }
    into.push_back({std::string(flag), std::string(assignment.substr(0, equals)),
                    std::string(assignment.substr(equals + 1))});
    return std::nullopt;
  }

  Problem print_reference(std::string_view format) {
    if (format != "toml" && format != "markdown") {
      return "--print-reference takes toml or markdown, found " + std::string(format);
    }
    if (result_.action == Action::help) return std::nullopt;
    result_.action = format == "toml" ? Action::print_reference_toml : Action::print_reference_markdown;
    return std::nullopt;
  }

  Problem explain_access(std::string_view user) {
    if (rest_.empty()) return "--explain-access takes USER ROOM, found no room";
    result_.explain_access.user = std::string(user);
    result_.explain_access.room = std::string(take());
    if (result_.action != Action::help) result_.action = Action::explain_access;
    return std::nullopt;
  }

  std::span<const std::string_view> rest_;
  CommandLine result_;
  std::vector<std::string> listen_;
};

}  // namespace

base::Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments) {
  return Parser(arguments).parse();
}

std::string_view help_text() {
  return R"(Usage: roomcast [--config FILE] [--listen ADDRESS]... [--set KEY=VALUE]...

Starts a broadcast and chat server; without any flag on http://127.0.0.1:8080.

  --config FILE       read settings from a TOML file
  --listen ADDRESS    http://HOST:PORT, HOST:PORT, https://HOST:PORT or unix:/PATH;
                      may be repeated, replaces the configured list; port 0 takes a free one
  --set KEY=VALUE     set any key, such as limits.message_bytes=65536
  --default KEY=VALUE what a key is where nothing else sets it, the file included
  --check-config      check the configuration and exit
  --print-config      print the configuration in force and where each value came from
  --print-reference toml|markdown
                      print every setting with its default, range and meaning
  --explain-access USER ROOM
                      print what USER (anyone, a user's id, key:NAME) may in ROOM, and which row
                      of [[access]] decides; --role R, which may be repeated, gives the user a role
  --version           print the version
  --help              print this

Commands: roomcast user manages accounts, roomcast keygen makes API keys, roomcast store looks after
durable history, roomcast redis check examines a Redis that servers are to share; each has --help.
Flags win over environment variables (limits.message_bytes is ROOMCAST_LIMITS_MESSAGE_BYTES),
which win over the file. SIGHUP reloads, SIGTERM drains.
Exit codes: 0, 1 for a failure while running, 2 for wrong usage or configuration.
)";
}

}  // namespace roomcast::app
