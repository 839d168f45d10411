#include "command_line.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <stdexcept>

namespace roomcast::bench {

namespace {

using Text = std::string_view;

struct CommandRow {
  Text name;
  Command command;
  Text help;
};

constexpr std::array commands = {
    CommandRow{"fanout", Command::fanout, "each message to all of its room; each delivery is counted"},
    CommandRow{"idle", Command::idle, "memory of a connection that waits, the server's and the kernel's"},
    CommandRow{"connect", Command::connect, "connect, handshake, close"},
    CommandRow{"echo", Command::echo, "round trips over /echo"},
    CommandRow{"storm", Command::storm, "all clients cut at once, and back at once"},
    CommandRow{"slow", Command::slow, "a share of the subscribers stops reading"},
    CommandRow{"fair", Command::fair, "what others notice while a large room is fanned out to without pause"},
    CommandRow{"million", Command::million,
               "very many connections that wait, over as many processes as it takes"},
    CommandRow{"matrix", Command::matrix, "all of it, beside the floor and what else is installed"},
    CommandRow{"attack", Command::attack, "what innocent clients notice while others attack the server"},
    CommandRow{"floor", Command::floor, "be the floor: one system call for each delivery, nothing else"},
};

constexpr unsigned bit(Command command) { return 1U << static_cast<unsigned>(command); }

constexpr unsigned loads = bit(Command::fanout) | bit(Command::idle) | bit(Command::connect) |
                           bit(Command::echo) | bit(Command::storm) | bit(Command::slow) | bit(Command::fair);
constexpr unsigned tables = bit(Command::matrix) | bit(Command::attack);
constexpr unsigned runs = loads | bit(Command::million) | bit(Command::matrix);

/// A row is an option that takes a number (`set_number`), a word, or nothing (`argument` is empty).
struct Option {
  Text name;
  Text argument;
  Text help;
  unsigned commands;
  std::uint64_t least;
  std::uint64_t most;
  void (*set_number)(Invocation&, std::uint64_t);
  void (*set_word)(Invocation&, Text);
};

constexpr std::uint64_t million = 1'000'000;

Option number(Text name, Text help, unsigned where, std::uint64_t least, std::uint64_t most,
              void (*set)(Invocation&, std::uint64_t)) {
  return {name, "N", help, where, least, most, set, nullptr};
}

Option word(Text name, Text argument, Text help, unsigned where, void (*set)(Invocation&, Text)) {
  return {name, argument, help, where, 0, 0, nullptr, set};
}

Server server_named(Text name) {
  for (const Server server :
       {Server::roomcast, Server::floor, Server::floor_join, Server::nchan, Server::ws}) {
    if (name_of(server) == name) return server;
  }
  throw std::invalid_argument("--server takes roomcast, floor, floor-join, nchan or ws");
}

std::uint64_t number_in(Text option, Text text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    throw std::invalid_argument(std::string(option) + " takes a number from " + std::to_string(least) +
                                " to " + std::to_string(most) + ", not \"" + std::string(text) + "\"");
  }
  return value;
}

/// ws://, wss://, http:// or https://, a numeric IPv4 address, and a port.
Target target_at(Text url) {
  Target target;
  const std::size_t slashes = url.find("://");
  const Text scheme = url.substr(0, std::min(slashes, url.size()));
  Text rest = slashes == Text::npos ? Text() : url.substr(slashes + 3);
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  const std::size_t colon = rest.rfind(':');
  const bool known = scheme == "ws" || scheme == "wss" || scheme == "http" || scheme == "https";
  target.host = std::string(rest.substr(0, std::min(colon, rest.size())));
  in_addr address{};
  if (!known || colon == Text::npos || inet_pton(AF_INET, target.host.c_str(), &address) != 1) {
    throw std::invalid_argument(
        "--url takes ws://ADDRESS:PORT or wss://ADDRESS:PORT with a numeric IPv4 address");
  }
  target.port = static_cast<std::uint16_t>(number_in("the port of --url", rest.substr(colon + 1), 1, 65535));
  target.tls = scheme == "wss" || scheme == "https";
  return target;
}

Way way_named(Text name) {
  if (name == "websocket") return Way::websocket;
  if (name == "sse") return Way::event_stream;
  if (name == "ndjson") return Way::ndjson;
  if (name == "poll") return Way::long_poll;
  throw std::invalid_argument("--way takes websocket, sse, ndjson or poll");
}

Dialect dialect_named(Text name) {
  if (name == "raw") return Dialect::raw;
  if (name == "json") return Dialect::json;
  throw std::invalid_argument("--dialect takes raw or json");
}

Ending ending_named(Text name) {
  if (name == "close") return Ending::close_frame;
  if (name == "fin") return Ending::fin;
  throw std::invalid_argument("--end takes close or fin");
}

/// The share of slow clients is given in percent.
double share_of(std::uint64_t percent) { return static_cast<double>(percent) / 100; }

std::vector<Option> make_options() {
  using I = Invocation;
  using N = std::uint64_t;
  const unsigned fanout = bit(Command::fanout);
  const unsigned messages = fanout | bit(Command::slow);
  const unsigned sizes = messages | bit(Command::echo) | bit(Command::fair);
  return {
      word("--server", "NAME", "start roomcast (as it is), floor, floor-join, nchan or ws",
           loads | bit(Command::million), [](I& i, Text w) { i.server = server_named(w); }),
      word("--roomcast", "PATH", "the daemon to start; else the one beside this tool, then the one in PATH",
           runs | bit(Command::attack), [](I& i, Text w) { i.roomcast = std::string(w); }),
      word("--binary", "PATH", "the same", bit(Command::attack),
           [](I& i, Text w) { i.roomcast = std::string(w); }),
      word("--url", "URL", "measure a server that runs already, ws://127.0.0.1:8080", loads,
           [](I& i, Text w) { i.target = target_at(w); }),
      number("--pid", "its process, for CPU time and memory", loads, 1, 1U << 30U,
             [](I& i, N n) {
               if (!i.target) throw std::invalid_argument("--pid goes with --url, and comes after it");
               i.target->pid = static_cast<pid_t>(n);
             }),
      word("--allow-remote", "", "let --url be another machine than this one: it will be put under load",
           loads, [](I&, Text) {}),
      word("--tls", "", "start the server with TLS", loads | bit(Command::million) | bit(Command::floor),
           [](I& i, Text) { i.tls = true; }),
      word("--deflate", "", "offer permessage-deflate", fanout | bit(Command::floor),
           [](I& i, Text) { i.common.kind.deflate = true; }),
      word("--join", "", "one send for each subscriber and turn", bit(Command::floor),
           [](I& i, Text) { i.join = true; }),
      word("--way", "WAY", "how subscribers read: websocket, sse, ndjson, poll", fanout | bit(Command::idle),
           [](I& i, Text w) { i.common.kind.way = way_named(w); }),
      word("--dialect", "NAME", "raw, or json for roomcast.v1", fanout | bit(Command::idle),
           [](I& i, Text w) { i.common.kind.dialect = dialect_named(w); }),
      number("--subscribers", "clients that read", messages | bit(Command::fair), 1, million,
             [](I& i, N n) { i.fanout.subscribers = i.slow.subscribers = i.fair.subscribers = n; }),
      number("--rooms", "clients are divided over; connect also takes 0: no room, but /echo",
             fanout | bit(Command::connect), 0, million,
             [](I& i, N n) { i.fanout.rooms = i.connect.rooms = n; }),
      number("--publishers", "of each room", fanout, 1, 60'000, [](I& i, N n) { i.fanout.publishers = n; }),
      number("--bytes", "of a message", sizes, min_message_bytes, 60'000,
             [](I& i, N n) {
               i.fanout.message_bytes = i.slow.message_bytes = i.echo.message_bytes = i.fair.message_bytes =
                   n;
             }),
      number("--messages", "of each publisher", messages, 1, 100 * million,
             [](I& i, N n) { i.fanout.messages = i.slow.messages = n; }),
      number("--interval-us", "between the messages of a room; 0 with fanout: as fast as it goes", messages,
             0, 60 * million,
             [](I& i, N n) { i.fanout.interval_us = i.slow.interval_us = static_cast<std::int64_t>(n); }),
      number("--window", "messages of a publisher on their way when --interval-us is 0", fanout, 1, 100'000,
             [](I& i, N n) { i.fanout.window = n; }),
      number("--connections", "to open", bit(Command::idle) | bit(Command::connect) | bit(Command::million),
             1, 10 * million,
             [](I& i, N n) { i.idle.connections = i.connect.connections = i.million.connections = n; }),
      number("--at-once", "connections that exist at a time", bit(Command::connect), 1, 10'000,
             [](I& i, N n) { i.connect.at_once = n; }),
      word("--end", "HOW", "how clients end a connection: close (a Close frame, its answer, FIN) or fin",
           bit(Command::connect), [](I& i, Text w) { i.connect.ending = ending_named(w); }),
      word("--resume", "", "TLS: come back with a ticket", bit(Command::connect),
           [](I& i, Text) { i.connect.resume = true; }),
      number("--clients", "that take part", bit(Command::echo) | bit(Command::storm), 1, million,
             [](I& i, N n) { i.echo.clients = i.storm.clients = n; }),
      number("--round-trips", "in all", bit(Command::echo), 1, 1000 * million,
             [](I& i, N n) { i.echo.round_trips = n; }),
      number("--slow-percent", "of the subscribers stop reading", bit(Command::slow), 0, 99,
             [](I& i, N n) { i.slow.slow_share = share_of(n); }),
      number("--seconds", "of load, or that each attack lasts", bit(Command::fair) | bit(Command::attack), 1,
             3600,
             [](I& i, N n) {
               i.fair.seconds = static_cast<std::int64_t>(n);
               i.attack_milliseconds = i.fair.seconds * 1000;
             }),
      number("--milliseconds", "that each attack lasts", bit(Command::attack), 1, 3'600'000,
             [](I& i, N n) { i.attack_milliseconds = static_cast<std::int64_t>(n); }),
      word("--same-address", "", "innocents come from the attacker's address, not from one of their own",
           bit(Command::attack), [](I& i, Text) { i.same_address = true; }),
      word("--check", "", "exit with 1 when a goal is missed", bit(Command::attack),
           [](I& i, Text) { i.check = true; }),
      number("--give-up", "seconds after which a run ends with what it has", runs, 1, 3600,
             [](I& i, N n) {
               i.common.give_up_seconds = i.million.give_up_seconds = static_cast<std::int64_t>(n);
             }),
      number("--rounds", "runs of each; medians are shown", loads | bit(Command::matrix), 1, 1000,
             [](I& i, N n) { i.rounds = n; }),
      word("--only", "TEXT", "rows whose name contains this", tables,
           [](I& i, Text w) { i.only = std::string(w); }),
      word("--before", "PATH", "hold the daemon against this other one instead of the floor",
           bit(Command::matrix), [](I& i, Text w) { i.before = std::string(w); }),
      word("--write", "FILE", "put the tables between the marks of this Markdown file", tables,
           [](I& i, Text w) { i.write = std::string(w); }),
      word("--json", "", "print JSON instead of a table", runs | bit(Command::attack),
           [](I& i, Text) { i.json = true; }),
  };
}

const Option& option_named(const std::vector<Option>& options, Text name, const CommandRow& row) {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const Option& o) { return o.name == name; });
  if (found == options.end()) {
    throw std::invalid_argument("unknown option " + std::string(name) + "; see roomcast-bench --help");
  }
  if ((found->commands & bit(row.command)) == 0) {
    throw std::invalid_argument(std::string(row.name) + " does not take " + std::string(name));
  }
  return *found;
}

void share_common(Invocation& invocation) {
  for (Common* common : {&invocation.fanout.common, &invocation.idle.common, &invocation.connect.common,
                         &invocation.echo.common, &invocation.storm.common, &invocation.slow.common,
                         &invocation.fair.common}) {
    *common = invocation.common;
  }
}

void check_together(const Invocation& invocation, bool remote_allowed) {
  if (invocation.server && invocation.target)
    throw std::invalid_argument("--server and --url exclude each other");
  if (invocation.target && invocation.tls) {
    throw std::invalid_argument("--tls is for servers that are started here; say wss:// in --url");
  }
  if (invocation.target && !remote_allowed && invocation.target->host.rfind("127.", 0) != 0) {
    throw std::invalid_argument(invocation.target->host +
                                " is not this machine: --allow-remote puts it under load all the same");
  }
  if (invocation.common.kind.way != Way::websocket &&
      (invocation.common.kind.deflate || invocation.common.kind.dialect == Dialect::json)) {
    throw std::invalid_argument("--deflate and --dialect json go with --way websocket");
  }
  if (invocation.command == Command::fanout && invocation.fanout.rooms == 0) {
    throw std::invalid_argument("--rooms takes a number from 1 on with fanout");
  }
  if (invocation.command == Command::fanout && invocation.fanout.rooms > invocation.fanout.subscribers) {
    throw std::invalid_argument("--rooms must not exceed --subscribers");
  }
}

}  // namespace

Invocation parse_command_line(const std::vector<std::string_view>& arguments, const Progress& progress) {
  Invocation invocation;
  invocation.common.progress = invocation.million.progress = progress;
  if (arguments.empty() || arguments.front() == "--help" || arguments.front() == "-h") return invocation;
  if (arguments.front() == "--version") {
    invocation.command = Command::version;
    return invocation;
  }
  const auto row = std::find_if(commands.begin(), commands.end(),
                                [&](const CommandRow& c) { return c.name == arguments.front(); });
  if (row == commands.end()) {
    throw std::invalid_argument("unknown scenario " + std::string(arguments.front()) +
                                "; see roomcast-bench --help");
  }
  invocation.command = row->command;
  const std::vector<Option> options = make_options();
  bool remote_allowed = false;
  for (std::size_t at = 1; at < arguments.size(); ++at) {
    if (arguments[at] == "--help" || arguments[at] == "-h") return Invocation();
    const Option& option = option_named(options, arguments[at], *row);
    if (option.name == "--allow-remote") remote_allowed = true;
    Text value;
    if (!option.argument.empty()) {
      if (++at == arguments.size()) {
        throw std::invalid_argument(std::string(option.name) + " needs a value: " + std::string(option.help));
      }
      value = arguments[at];
    }
    if (option.set_number != nullptr) {
      option.set_number(invocation, number_in(option.name, value, option.least, option.most));
    } else {
      option.set_word(invocation, value);
    }
  }
  check_together(invocation, remote_allowed);
  share_common(invocation);
  return invocation;
}

std::string help_text() {
  std::string text =
      "Usage: roomcast-bench SCENARIO [OPTION...]\n\n"
      "Puts a server under load, counts every delivery, and says what one cost in the server's CPU time.\n"
      "Without --url it starts a server of its own, on one CPU, and works from another.\n\nScenarios:\n";
  const auto line = [&text](const std::string& left, Text right) {
    text +=
        "  " + left + std::string(left.size() < 22 ? 22 - left.size() : 1, ' ') + std::string(right) + "\n";
  };
  for (const CommandRow& row : commands)
    line(std::string(row.name), row.help);
  text += "\nOptions (each where it makes sense):\n";
  for (const Option& option : make_options()) {
    line(std::string(option.name) + (option.argument.empty() ? "" : " ") + std::string(option.argument),
         option.help);
  }
  text +=
      "  --help, --version\n\nExits with 0 when all that was expected has arrived, 1 when not, 2 for bad "
      "options.\n";
  return text;
}

}  // namespace roomcast::bench
