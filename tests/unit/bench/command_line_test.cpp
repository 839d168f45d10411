#include "command_line.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

namespace command_line_test {

using namespace roomcast::bench;

namespace {

/// What the refusal of these arguments says; empty when they are taken.
std::string refusal(const std::vector<std::string_view>& arguments) {
  try {
    (void)parse_command_line(arguments);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("every scenario is known, and nothing else is") {
  CHECK(parse_command_line({"fanout"}).command == Command::fanout);
  CHECK(parse_command_line({"matrix"}).command == Command::matrix);
  CHECK(parse_command_line({"floor", "--join"}).join);
  CHECK(refusal({"fanuot"}) == "unknown scenario fanuot; see roomcast-bench --help");
}

TEST_CASE("without arguments, and with --help anywhere, it is help that is asked for") {
  CHECK(parse_command_line({}).command == Command::help);
  CHECK(parse_command_line({"--help"}).command == Command::help);
  CHECK(parse_command_line({"fanout", "--rooms", "2", "--help"}).command == Command::help);
}

TEST_CASE("an option sets what the scenario's settings call so") {
  const Invocation fanout = parse_command_line({"fanout", "--subscribers", "5000", "--rooms", "50", "--bytes",
                                                "100", "--interval-us", "0", "--deflate", "--give-up", "7"});
  CHECK(fanout.fanout.subscribers == 5000);
  CHECK(fanout.fanout.rooms == 50);
  CHECK(fanout.fanout.message_bytes == 100);
  CHECK(fanout.fanout.interval_us == 0);
  CHECK(fanout.fanout.common.kind.deflate);
  CHECK(fanout.fanout.common.give_up_seconds == 7);
  CHECK(parse_command_line({"slow", "--slow-percent", "25"}).slow.slow_share == doctest::Approx(0.25));
  CHECK(parse_command_line({"idle", "--way", "ndjson"}).idle.common.kind.way == Way::ndjson);
  CHECK(parse_command_line({"echo", "--server", "floor-join"}).server == Server::floor_join);
}

TEST_CASE("an attack lasts for seconds, or for a test for less") {
  CHECK(parse_command_line({"attack"}).attack_milliseconds == 10'000);
  CHECK(parse_command_line({"attack", "--seconds", "3"}).attack_milliseconds == 3000);
  CHECK(parse_command_line({"attack", "--milliseconds", "200"}).attack_milliseconds == 200);
  const Invocation attack = parse_command_line({"attack", "--binary", "/b", "--same-address", "--check"});
  CHECK(attack.command == Command::attack);
  CHECK(attack.roomcast == "/b");
  CHECK(attack.same_address);
  CHECK(attack.check);
  CHECK(refusal({"attack", "--rounds", "3"}) == "attack does not take --rounds");
}

TEST_CASE("an option that the scenario has no use for is refused by name") {
  CHECK(refusal({"echo", "--rooms", "3"}) == "echo does not take --rooms");
  CHECK(refusal({"echo", "--bogus"}) == "unknown option --bogus; see roomcast-bench --help");
}

TEST_CASE("a number is taken at its limits and refused past them") {
  CHECK(refusal({"slow", "--slow-percent", "99"}) == "");
  CHECK(refusal({"slow", "--slow-percent", "100"}) ==
        "--slow-percent takes a number from 0 to 99, not \"100\"");
  CHECK(refusal({"fanout", "--bytes", "60"}) == "");
  CHECK(refusal({"fanout", "--bytes", "59"}) == "--bytes takes a number from 60 to 60000, not \"59\"");
  CHECK(refusal({"fanout", "--bytes", "6e3"}) == "--bytes takes a number from 60 to 60000, not \"6e3\"");
  CHECK(refusal({"fanout", "--bytes"}) == "--bytes needs a value: of a message");
  CHECK(refusal({"fanout", "--subscribers", "10", "--rooms", "10"}) == "");
  CHECK(refusal({"fanout", "--subscribers", "10", "--rooms", "11"}) ==
        "--rooms must not exceed --subscribers");
}

TEST_CASE("a server that runs already is named by its address, and is this machine unless told otherwise") {
  const Invocation local = parse_command_line({"fanout", "--url", "wss://127.0.0.1:8443/", "--pid", "77"});
  REQUIRE(local.target);
  CHECK(local.target->host == "127.0.0.1");
  CHECK(local.target->port == 8443);
  CHECK(local.target->tls);
  CHECK(local.target->pid == 77);
  CHECK(refusal({"fanout", "--url", "ws://192.0.2.1:80"}) ==
        "192.0.2.1 is not this machine: --allow-remote puts it under load all the same");
  CHECK(refusal({"fanout", "--url", "ws://192.0.2.1:80", "--allow-remote"}) == "");
  CHECK(refusal({"fanout", "--url", "ws://localhost:80"}).find("numeric IPv4 address") != std::string::npos);
  CHECK(refusal({"fanout", "--url", "127.0.0.1:80"}).find("--url takes") == 0);
  CHECK(refusal({"fanout", "--url", "ws://127.0.0.1:65536"}) ==
        "the port of --url takes a number from 1 to 65535, not \"65536\"");
  CHECK(refusal({"fanout", "--pid", "77"}) == "--pid goes with --url, and comes after it");
  CHECK(refusal({"fanout", "--url", "ws://127.0.0.1:80", "--server", "ws"}) ==
        "--server and --url exclude each other");
}

TEST_CASE("what does not go together is refused") {
  CHECK(refusal({"fanout", "--way", "sse", "--deflate"}) ==
        "--deflate and --dialect json go with --way websocket");
  CHECK(refusal({"fanout", "--url", "ws://127.0.0.1:80", "--tls"}) ==
        "--tls is for servers that are started here; say wss:// in --url");
}

TEST_CASE("the help names every scenario and option") {
  const std::string help = help_text();
  for (const char* const word :
       {"fanout", "matrix", "storm", "--slow-percent N", "--url URL", "--allow-remote"})
    CHECK_MESSAGE(help.find(word) != std::string::npos, word);
}

}  // namespace command_line_test
