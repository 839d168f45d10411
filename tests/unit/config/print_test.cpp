#include "config/print.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

#include "config/reload.h"
#include "config/schema.h"

namespace print_test {

using namespace roomcast::config;

namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Sources named() {
  Sources sources;
  sources.file = "r.toml";
  return sources;
}

}  // namespace

TEST_CASE("config/roomcast.toml is what roomcast --print-reference toml prints") {
  CHECK_MESSAGE(file_text("config/roomcast.toml") == print_reference_toml(),
                "run: roomcast --print-reference toml > config/roomcast.toml");
}

TEST_CASE("the reference sets nothing as it is, and the defaults once uncommented") {
  const std::string reference = print_reference_toml();
  const auto untouched = load_text(reference, named());
  REQUIRE(untouched.ok());
  for (const std::string& source : untouched->came_from)
    CHECK(source == "default");

  std::string uncommented;
  std::istringstream lines(reference);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    const bool is_value =
        line.starts_with("# ") && equals != std::string::npos && line.find(' ', 2) == equals;
    uncommented += (is_value ? line.substr(2) : line) + "\n";
  }
  const auto loaded = load_text(uncommented, named());
  if (!loaded) FAIL(to_text(loaded.error()));
  for (const std::string& source : loaded->came_from)
    CHECK(source != "default");
  CHECK(changes(Config{}, loaded->config).empty());
}

TEST_CASE("the references name every key") {
  const std::string toml = print_reference_toml();
  const std::string markdown = print_reference_markdown();
  for (const Setting& setting : settings()) {
    CHECK(toml.find("\n# " + std::string(key_of(setting)) + " = ") != std::string::npos);
    CHECK(markdown.find("\n| `" + std::string(setting.name) + "` | ") != std::string::npos);
  }
  CHECK(markdown.find(
            "| `limits.message_bytes` | `65536` | a whole number of bytes, 1 to 268435456 | at reload | "
            "Largest message over WebSocket, after decompression and with all its fragments. |\n") !=
        std::string::npos);
}

TEST_CASE("the configuration in force is printed with the source of every value") {
  Sources sources = named();
  sources.environment = {"ROOMCAST_LOG_LEVEL=debug"};
  sources.overrides = {{"--listen", "listen", std::vector<std::string>{"unix:/run/r.sock"}}};
  const auto loaded = load_text("[limits]\n\nfragments = 7\n", sources);
  REQUIRE(loaded.ok());
  const std::string text = print_effective(*loaded);
  CHECK(text.starts_with("listen = [\"unix:/run/r.sock\"]  # --listen\n"));
  CHECK(text.find("\n[limits]\nmessage_bytes = 65536  # default\nfragments = 7  # r.toml:3\n") !=
        std::string::npos);
  CHECK(text.find("\n[log]\nlevel = \"debug\"  # environment ROOMCAST_LOG_LEVEL\n") != std::string::npos);
}

TEST_CASE("what is printed says the same when it is loaded again") {
  const auto loaded = load_text(
      "origins = [\"https://a\", \"https://b\"]\n"
      "drain_seconds = 0.25\n"
      "listen_unix_mode = \"0600\"\n"
      "rooms = [{ match = \"chat/*\", history_age_seconds = 0.5 }, { match = \"\\\"\" }]\n"
      "[web]\nroot = \"/srv/\\\"q\\\" \\\\ \xC3\xA4 # x\"\n"
      "[echo]\nenabled = false\n"
      "[[tls.certificates]]\ncertificate = \"a \\\"\"\nkey = \"b\"\n"
      "[[tls.certificates]]\ncertificate = \"c\"\nkey = \"d\"\n",
      named());
  REQUIRE(loaded.ok());
  const auto again = load_text(print_effective(*loaded), named());
  if (!again) FAIL(to_text(again.error()));
  CHECK(changes(loaded->config, again->config).empty());
  CHECK(changes(Config{}, again->config).size() == 7);
}

TEST_CASE("a line break in a file's name does not break the print into lines") {
  Sources sources;
  sources.file = "a\nlisten = [\"evil\"]";
  const auto loaded = load_text("drain_seconds = 1\n", sources);
  REQUIRE(loaded.ok());
  CHECK(print_effective(*loaded).find("drain_seconds = 1  # a\\nlisten") != std::string::npos);
}

}  // namespace print_test
