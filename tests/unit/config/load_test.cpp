#include "config/load.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"

namespace load_test {

using namespace roomcast::config;

namespace {

Sources named(std::vector<std::string_view> environment = {}, std::vector<Override> overrides = {}) {
  return {"r.toml", std::move(environment), std::move(overrides), {}, {}, {}, false};
}

/// All that is wrong, one problem a line, or "loaded".
std::string outcome(std::string_view text, const Sources& sources = named()) {
  const auto loaded = load_text(text, sources);
  return loaded.ok() ? "loaded" : to_text(loaded.error());
}

const std::string& came_from(const Loaded& loaded, std::string_view name) {
  return loaded.came_from[static_cast<std::size_t>(find_setting(name) - settings().data())];
}

/// A file of its own for the test, removed afterwards.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text) { std::ofstream(path_, std::ios::binary) << text; }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::remove(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/roomcast-config-test-" + std::to_string(getpid()) + ".toml";
};

}  // namespace

TEST_CASE("without any source everything is at its default") {
  const auto loaded = load({});
  REQUIRE(loaded.ok());
  CHECK(loaded->config.listen == std::vector<std::string>{"http://127.0.0.1:8080"});
  CHECK(loaded->config.limits.message_bytes == 65'536);
  CHECK(loaded->came_from.size() == settings().size());
  for (const std::string& source : loaded->came_from)
    CHECK(source == "default");
}

TEST_CASE("a file sets values and is named with the line as their source") {
  const auto loaded = load_text(
      "listen = [\"https://[::]:8443\", \"unix:/run/r.sock\"]\n"
      "drain_seconds = 0\n"
      "[limits]\n"
      "message_bytes = 16_777_216\n"
      "[log]\n"
      "level = \"debug\"\n"
      "[[tls.certificates]]\n"
      "certificate = \"a.pem\"\n"
      "key = \"a.key\"\n",
      named());
  REQUIRE(loaded.ok());
  CHECK(loaded->config.listen == std::vector<std::string>{"https://[::]:8443", "unix:/run/r.sock"});
  CHECK(loaded->config.drain_ms == 0);
  CHECK(loaded->config.limits.message_bytes == 16'777'216);
  CHECK(loaded->config.log.level == roomcast::base::LogLevel::debug);
  CHECK(loaded->config.tls.certificates == std::vector<Certificate>{{"a.pem", "a.key"}});
  CHECK(came_from(*loaded, "limits.message_bytes") == "r.toml:4");
  CHECK(came_from(*loaded, "limits.fragments") == "default");
}

TEST_CASE("the environment wins over the file, flags over the environment, the last flag over the first") {
  const std::string_view file =
      "[limits]\nmessage_bytes = 1\nfragments = 1\nbody_bytes = 1\nuri_bytes = 100\n";
  const auto loaded = load_text(file, named({"ROOMCAST_LIMITS_FRAGMENTS=2", "ROOMCAST_LIMITS_BODY_BYTES=2",
                                             "ROOMCAST_LIMITS_URI_BYTES=200"},
                                            {{"--set", "limits.body_bytes", "3"},
                                             {"--set", "limits.uri_bytes", "300"},
                                             {"--set", "limits.uri_bytes", "400"}}));
  REQUIRE(loaded.ok());
  CHECK(loaded->config.limits.message_bytes == 1);
  CHECK(loaded->config.limits.fragments == 2);
  CHECK(loaded->config.limits.body_bytes == 3);
  CHECK(loaded->config.limits.uri_bytes == 400);
  CHECK(came_from(*loaded, "limits.message_bytes") == "r.toml:2");
  CHECK(came_from(*loaded, "limits.fragments") == "environment ROOMCAST_LIMITS_FRAGMENTS");
  CHECK(came_from(*loaded, "limits.body_bytes") == "--set");
}

TEST_CASE("a list given by flags is taken as it is, with commas in it") {
  const auto loaded = load_text("", named({"ROOMCAST_LISTEN=127.0.0.1:1, 127.0.0.1:2"},
                                          {{"--listen", "listen", std::vector<std::string>{"unix:/a,b"}}}));
  REQUIRE(loaded.ok());
  CHECK(loaded->config.listen == std::vector<std::string>{"unix:/a,b"});
  CHECK(came_from(*loaded, "listen") == "--listen");
}

TEST_CASE("a wrong value is refused with file, line, column, what was expected and what was found") {
  CHECK(outcome("[limits]\nmessage_bytes = \"64k\"\n") ==
        "r.toml:2:17: limits.message_bytes: expected a whole number of bytes, 1 to 268435456, found \"64k\"");
  CHECK(outcome("echo = { enabled = 1 }\n") == "r.toml:1:20: echo.enabled: expected true or false, found 1");
  CHECK(outcome("drain_seconds = -1\n") ==
        "r.toml:1:17: drain_seconds: expected a number of seconds, 0 to 86400, found -1");
  CHECK(outcome("[log]\nlevel = \"loud\"") ==
        "r.toml:2:9: log.level: expected \"trace\", \"debug\", \"info\", \"warn\" or \"error\", found "
        "\"loud\"");
}

TEST_CASE("an unknown key is refused with the nearest one") {
  CHECK(outcome("[limits]\nmesage_bytes = 1\n") ==
        "r.toml:2:16: unknown key \"limits.mesage_bytes\" (did you mean limits.message_bytes?)");
  CHECK(outcome("message_bytes = 1\n") ==
        "r.toml:1:17: unknown key \"message_bytes\" (did you mean limits.message_bytes?)");
  CHECK(outcome("[limit]\nfragments = 1\n") ==
        "r.toml:2:13: unknown key \"limit.fragments\" (did you mean limits.fragments?)");
  CHECK(outcome("[something.else]\n") == "r.toml:1:1: unknown key \"something.else\"");
  CHECK(outcome("\"a\\nb\" = 1\n") == "r.toml:1:10: unknown key \"a\\nb\"");
}

TEST_CASE("an empty section is no mistake, a section that is a value is one") {
  CHECK(outcome("[limits]\n[tls]\n") == "loaded");
  CHECK(outcome("limits = 5\n") ==
        "r.toml:1:10: limits is a section, expected keys in it, such as limits.message_bytes");
  CHECK(outcome("[log.level]\n").find("log.level: expected \"trace\"") != std::string::npos);
}

TEST_CASE("what is not TOML is refused with its line") {
  const std::string problem = outcome("\n\nlisten\n");
  CHECK(problem.find(": not valid TOML: ") != std::string::npos);
  CHECK(problem.starts_with("r.toml:3:"));
}

TEST_CASE("an unknown variable of ours is refused with the nearest one, those of others are skipped") {
  CHECK(outcome("", named({"PATH=/bin", "ROOMCASTING=1", "ROOMCAST=1", "roomcast_log_level=loud"})) ==
        "loaded");
  CHECK(
      outcome("", named({"ROOMCAST_LOG_LEVLE=debug"})) ==
      "environment ROOMCAST_LOG_LEVLE: there is no setting of this name (did you mean ROOMCAST_LOG_LEVEL?)");
  CHECK(outcome("", named({"ROOMCAST_PORT=80"}))
            .starts_with("environment ROOMCAST_PORT: there is no setting of this name"));
}

TEST_CASE("a wrong value in the environment or a flag is refused with its source") {
  CHECK(
      outcome("", named({"ROOMCAST_LIMITS_FRAGMENTS=many"})) ==
      "environment ROOMCAST_LIMITS_FRAGMENTS: limits.fragments: expected a whole number, 1 to 1000000, found "
      "\"many\"");
  CHECK(outcome("", named({}, {{"--set", "log.format", "xml"}})) ==
        "--set: log.format: expected \"text\" or \"json\", found \"xml\"");
  CHECK(outcome("", named({}, {{"--set", "log.fromat", "json"}})) ==
        "--set: unknown key \"log.fromat\" (did you mean log.format?)");
  CHECK(outcome("", named({"ROOMCAST_TLS_CERTIFICATES=a.pem"})) ==
        "environment ROOMCAST_TLS_CERTIFICATES: tls.certificates: expected an array of at most 1000 "
        "tables with certificate and key (only in a file), found a text");
}

TEST_CASE("all problems of all sources are reported at once, in the order of the sources") {
  CHECK(outcome("lisen = []\n[limits]\nfragments = 0\n",
                named({"ROOMCAST_X=1"}, {{"--set", "log.level", "loud"}})) ==
        "r.toml:1:9: unknown key \"lisen\" (did you mean listen?)\n"
        "r.toml:3:13: limits.fragments: expected a whole number, 1 to 1000000, found 0\n"
        "environment ROOMCAST_X: there is no setting of this name\n"
        "--set: log.level: expected \"trace\", \"debug\", \"info\", \"warn\" or \"error\", found \"loud\"");
}

TEST_CASE("a certificate without a key, or a key without a certificate, is refused where it was set") {
  CHECK(outcome("[tls]\ncertificate = \"a.pem\"\n") ==
        "r.toml:2: tls.certificate is set, but tls.key is not");
  CHECK(outcome("", named({"ROOMCAST_TLS_KEY=a.key"})) ==
        "environment ROOMCAST_TLS_KEY: tls.key is set, but tls.certificate is not");
  CHECK(outcome("[tls]\ncertificate = \"a.pem\"\n", named({}, {{"--set", "tls.key", "a.key"}})) == "loaded");
}

TEST_CASE("texts of lists are validated by the code that parses them") {
  const TextCheck refuse_bad = [](const std::string& text) -> std::optional<std::string> {
    if (text == "bad") return "is bad";
    return std::nullopt;
  };
  Sources sources =
      named({"ROOMCAST_ORIGINS=bad"}, {{"--listen", "listen", std::vector<std::string>{"good", "bad"}}});
  CHECK(outcome("trusted_proxies = [\"bad\"]\n", sources) == "loaded");
  sources.checks = {refuse_bad, refuse_bad, refuse_bad};
  CHECK(outcome("trusted_proxies = [\"bad\"]\n", sources) ==
        "r.toml:1:19: trusted_proxies: \"bad\": is bad\n"
        "environment ROOMCAST_ORIGINS: origins: \"bad\": is bad\n"
        "--listen: listen: \"bad\": is bad");
  sources.checks = {refuse_bad, nullptr, nullptr};
  CHECK(outcome("trusted_proxies = [\"bad\"]\n", sources) == "--listen: listen: \"bad\": is bad");
}

TEST_CASE("a file is read from disk and called by the path it was given") {
  const TemporaryFile file("[log]\nlevel = \"warn\"\nformt = 1\n");
  Sources sources;
  sources.file = file.path();
  const auto loaded = load(sources);
  REQUIRE_FALSE(loaded.ok());
  CHECK(to_text(loaded.error()) ==
        file.path() + ":3:9: unknown key \"log.formt\" (did you mean log.format?)");
}

TEST_CASE("a file that is missing or a directory is a problem, together with all others") {
  Sources sources = named({"ROOMCAST_X=1"});
  sources.file = "/nonexistent/roomcast.toml";
  auto loaded = load(sources);
  REQUIRE_FALSE(loaded.ok());
  CHECK(to_text(loaded.error()) ==
        "/nonexistent/roomcast.toml: cannot be opened: No such file or directory\n"
        "environment ROOMCAST_X: there is no setting of this name");
  sources = named();
  sources.file = "/tmp";
  loaded = load(sources);
  REQUIRE_FALSE(loaded.ok());
  CHECK(to_text(loaded.error()) == "/tmp: cannot be read: Is a directory");
}

TEST_CASE("a file of 1 MiB is read, one byte more is refused") {
  constexpr std::size_t mib = 1024 * 1024;
  for (const std::size_t size : {mib, mib + 1}) {
    const TemporaryFile file("#" + std::string(size - 1, ' '));
    Sources sources;
    sources.file = file.path();
    const auto loaded = load(sources);
    CHECK(loaded.ok() == (size == mib));
    if (!loaded) CHECK(to_text(loaded.error()) == file.path() + ": is larger than 1048576 bytes");
  }
}

TEST_CASE("a mistake in an element of an array of tables is reported where it stands") {
  const std::string file =
      "[[rooms]]\n"
      "match = \"chat/**\"\n"
      "history_messages = 5\n"
      "\n"
      "[[rooms]]\n";
  CHECK(outcome(file + "match = \"news\"\nhistory_bytes = 1\n") == "loaded");
  CHECK(outcome(file + "match = \"news\"\n  history_byte = 1\n") ==
        "r.toml:7:18: rooms: unknown key \"history_byte\" (did you mean history_bytes?)");
  CHECK(outcome(file + "history_messages = -1\nmatch = \"news\"\n") ==
        "r.toml:6:20: rooms: history_messages: expected a whole number, 0 to 1000000, found -1");
  CHECK(outcome(file + "match = \"\"\n").starts_with("r.toml:6:9: rooms: match: expected a pattern"));
  CHECK(outcome(file + "history_bytes = 1\n") ==
        "r.toml:5:1: rooms: expected match in every element, found one without");
  CHECK(outcome("rooms = [{ match = \"a\" }, { history_bytes = 1 }]") ==
        "r.toml:1:27: rooms: expected match in every element, found one without");
  CHECK(outcome("[[tls.certificates]]\ncertificate = \"a\"\nkey = 5\n") ==
        "r.toml:3:7: tls.certificates: key: expected the path of a PEM file, found 5");
}

TEST_CASE("one pair of brackets where two are meant is said to be that") {
  CHECK(outcome("[rooms]\nmatch = \"a\"\n") ==
        "r.toml:2:9: rooms: expected " + expectation(*find_setting("rooms")) + ", found a table");
}

TEST_CASE("variables of a Kubernetes Service are ignored and listed") {
  const auto loaded =
      load_text("", named({"ROOMCAST_SERVICE_HOST=10.96.0.7", "ROOMCAST_PORT=tcp://10.96.0.7:8080"}));
  REQUIRE(loaded.ok());
  CHECK(loaded->service_variables == std::vector<std::string>{"ROOMCAST_SERVICE_HOST", "ROOMCAST_PORT"});
}

TEST_CASE("defaults given from outside come behind the file, and are checked like it") {
  Sources sources = named();
  sources.defaults = {{"--default", "listen", "127.0.0.1:1"}, {"--default", "limits.fragments", "7"}};
  const auto loaded = load_text("[limits]\nfragments = 5\n", sources);
  REQUIRE(loaded.ok());
  CHECK(loaded->config.listen == std::vector<std::string>{"127.0.0.1:1"});
  CHECK(loaded->config.limits.fragments == 5);
  CHECK(came_from(*loaded, "listen") == "--default");
  sources.defaults = {{"--default", "limits.fragments", "0"}};
  CHECK(outcome("", sources).starts_with("--default: limits.fragments: expected"));
}

TEST_CASE("a pipe is read once, and a reload takes the text from then") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const std::string_view text = "[limits]\nfragments = 5\n";
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  Sources sources;
  sources.file = "/dev/fd/" + std::to_string(ends[0]);
  const auto first = load(sources);
  REQUIRE(first.ok());
  CHECK(first->text_read_once == text);
  sources.text_read_once = first->text_read_once;
  sources.is_reload = true;
  const auto again = load(sources);
  ::close(ends[0]);
  REQUIRE(again.ok());
  CHECK(again->config.limits.fragments == 5);
}

TEST_CASE("a reload opens nothing but regular files") {
  const TemporaryFile file("[limits]\nfragments = 5\n");
  Sources sources;
  sources.file = file.path();
  sources.is_reload = true;
  REQUIRE(load(sources).ok());
  CHECK_FALSE(load(sources)->text_read_once);
  std::remove(file.path().c_str());
  REQUIRE(::mkfifo(file.path().c_str(), 0600) == 0);
  const auto fifo = load(sources);
  REQUIRE_FALSE(fifo.ok());
  CHECK(to_text(fifo.error()) == file.path() + ": is not a regular file any more");
}

}  // namespace load_test
