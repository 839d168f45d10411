#include "app/command_line.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace command_line_test {

using namespace roomcast::app;
using Action = CommandLine::Action;

namespace {

roomcast::base::Result<CommandLine> parse(std::initializer_list<std::string_view> arguments) {
  const std::vector<std::string_view> list(arguments);
  return parse_command_line(list);
}

std::string error_of(std::initializer_list<std::string_view> arguments) {
  const auto result = parse(arguments);
  return result.ok() ? "no error" : result.error().message;
}

std::string text_of(const roomcast::config::Override& override) {
  return std::get<std::string>(override.value);
}

}  // namespace

TEST_CASE("no arguments at all mean: run with the defaults") {
  const auto result = parse({});
  REQUIRE(result.ok());
  CHECK(result->action == Action::run);
  CHECK_FALSE(result->config_file.has_value());
  CHECK(result->overrides.empty());
}

TEST_CASE("a value may follow its flag or an equals sign") {
  for (const auto& result : {parse({"--config", "a.toml", "--set", "log.level=debug", "--listen", "unix:/x"}),
                             parse({"--config=a.toml", "--set=log.level=debug", "--listen=unix:/x"})}) {
    REQUIRE(result.ok());
    CHECK(result->config_file == "a.toml");
    REQUIRE(result->overrides.size() == 2);
    CHECK(result->overrides[0].source == "--set");
    CHECK(result->overrides[0].key == "log.level");
    CHECK(text_of(result->overrides[0]) == "debug");
    CHECK(result->overrides[1].source == "--listen");
    CHECK(result->overrides[1].key == "listen");
    CHECK(std::get<std::vector<std::string>>(result->overrides[1].value) ==
          std::vector<std::string>{"unix:/x"});
  }
}

TEST_CASE("several --listen make one list, in their order") {
  const auto result = parse({"--listen", "127.0.0.1:0", "--set", "a=b", "--listen", "unix:/a,b"});
  REQUIRE(result.ok());
  REQUIRE(result->overrides.size() == 2);
  CHECK(std::get<std::vector<std::string>>(result->overrides[1].value) ==
        std::vector<std::string>{"127.0.0.1:0", "unix:/a,b"});
}

TEST_CASE("the value of --set may be empty and may have equals signs in it") {
  const auto result = parse({"--set", "web.root=", "--set", "web.root=a=b"});
  REQUIRE(result.ok());
  CHECK(text_of(result->overrides[0]).empty());
  CHECK(text_of(result->overrides[1]) == "a=b");
}

TEST_CASE("--default is like --set, and stands apart from it") {
  const auto result = parse({"--default", "listen=[::]:1", "--set", "web.root=a"});
  REQUIRE(result.ok());
  REQUIRE(result->defaults.size() == 1);
  CHECK(result->defaults[0].source == "--default");
  CHECK(text_of(result->defaults[0]) == "[::]:1");
  CHECK(result->overrides.size() == 1);
  CHECK(parse({"--default", "x"}).error().message == "--default takes KEY=VALUE, found x");
}

TEST_CASE("each action has its flag") {
  CHECK(parse({"--check-config"})->action == Action::check_config);
  CHECK(parse({"--print-config"})->action == Action::print_config);
  CHECK(parse({"--print-reference", "toml"})->action == Action::print_reference_toml);
  CHECK(parse({"--print-reference=markdown"})->action == Action::print_reference_markdown);
  CHECK(parse({"--version"})->action == Action::version);
  CHECK(parse({"--help"})->action == Action::help);
  CHECK(parse({"-h"})->action == Action::help);
}

TEST_CASE("the last action counts, but help wins") {
  CHECK(parse({"--check-config", "--print-config"})->action == Action::print_config);
  CHECK(parse({"--help", "--version"})->action == Action::help);
  CHECK(parse({"--help", "--print-reference", "toml"})->action == Action::help);
}

TEST_CASE("an unknown flag is refused with the one that was meant") {
  CHECK(error_of({"--lisen", "x"}) == "unknown flag --lisen (did you mean --listen?); --help lists them all");
  CHECK(error_of({"--check-confg"}) ==
        "unknown flag --check-confg (did you mean --check-config?); --help lists them all");
  CHECK(error_of({"--port=80"}) == "unknown flag --port; --help lists them all");
  CHECK(error_of({"-x"}) == "unknown flag -x; --help lists them all");
  CHECK(error_of({"--"}) == "unknown flag --; --help lists them all");
}

TEST_CASE("wrong usage of known flags is refused") {
  CHECK(error_of({"--config"}) == "--config needs a value");
  CHECK(error_of({"--config="}) == "--config needs a value");
  CHECK(error_of({"--listen"}) == "--listen needs a value");
  CHECK(error_of({"--listen", ""}) == "--listen needs a value");
  CHECK(error_of({"--set"}) == "--set needs a value");
  CHECK(error_of({"--set", "log.level"}) == "--set takes KEY=VALUE, found log.level");
  CHECK(error_of({"--set", "=debug"}) == "--set takes KEY=VALUE, found =debug");
  CHECK(error_of({"--print-reference", "html"}) == "--print-reference takes toml or markdown, found html");
  CHECK(error_of({"--version=1"}) == "--version takes no value");
  CHECK(error_of({"lobby"}) == "unexpected argument lobby");
  CHECK(error_of({""}) == "unexpected argument ");
}

TEST_CASE("the help names every flag") {
  for (const char* flag : {"--config", "--listen", "--set", "--check-config", "--print-config",
                           "--print-reference", "--version", "--help"}) {
    CHECK(help_text().find(flag) != std::string_view::npos);
  }
}

TEST_CASE("--explain-access takes a user, a room and roles") {
  for (const auto& result : {parse({"--explain-access", "ada", "chat/tea", "--role", "a", "--role=b"}),
                             parse({"--role", "a", "--explain-access=ada", "chat/tea", "--role", "b"})}) {
    REQUIRE(result.ok());
    CHECK(result->action == Action::explain_access);
    CHECK(result->explain_access.user == "ada");
    CHECK(result->explain_access.room == "chat/tea");
    CHECK(result->explain_access.roles == std::vector<std::string>{"a", "b"});
  }
  CHECK(error_of({"--explain-access"}) == "--explain-access needs a value");
  CHECK(error_of({"--explain-access", "ada"}) == "--explain-access takes USER ROOM, found no room");
  CHECK(error_of({"--role", "a"}) == "--role goes with --explain-access USER ROOM");
  CHECK(error_of({"--explain-acces", "ada", "a"}).find("did you mean --explain-access?") !=
        std::string::npos);
  CHECK(parse({"--help", "--explain-access", "a", "b"})->action == Action::help);
}

}  // namespace command_line_test
