#include "config/schema.h"
#include "config/array_elements.h"
#include "config/auth_elements.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace schema_test {

using namespace roomcast::config;

namespace {

const Setting& setting(std::string_view name) {
  const Setting* found = find_setting(name);
  REQUIRE_MESSAGE(found != nullptr, name);
  return *found;
}

/// What `value` is refused with, or "taken".
std::string outcome(std::string_view name, const Value& value) {
  Config config;
  return assign(setting(name), value, config).value_or("taken");
}

Value tables(const std::vector<std::vector<Table::Item>>& items) {
  std::vector<Table> out;
  for (const auto& one : items)
    out.push_back({one, {}});
  return out;
}

/// A value other than the default that the setting takes.
struct OtherValue {
  Value operator()(const Flag& flag) const {
    Config config;
    return !flag.member(config);
  }
  Value operator()(const Whole& whole) const {
    Config config;
    const std::uint64_t now = whole.member(config);
    return static_cast<std::int64_t>(now == whole.max ? whole.min : now + 1);
  }
  Value operator()(const Seconds& seconds) const {
    constexpr double ms_per_s = 1000;
    return seconds.min_ms < 321 ? 0.321 : static_cast<double>(seconds.min_ms + 321) / ms_per_s;
  }
  Value operator()(const OneOf& choice) const {
    return std::string(choice.words[choice.get(Config{}) == 0 ? 1 : 0]);
  }
  Value operator()(const Text&) const { return std::string("other"); }
  Value operator()(const TextList&) const { return std::vector<std::string>{"other", "more"}; }
  Value operator()(const FileMode&) const { return std::string("0600"); }
  Value operator()(const TableList& list) const {
    if (list.keys == certificate_keys) return tables({{{"certificate", "c"}, {"key", "k"}}});
    if (list.keys == room_rule_keys) return tables({{{"match", "a/*"}}});
    if (list.keys == access_rule_keys) {
      return tables({{{"rooms", "a/*"}, {"who", "user"}, {"may", std::vector<std::string>{"join"}}}});
    }
    if (list.keys == api_key_keys)
      return tables({{{"name", "ci"}, {"hash", "sha256:" + std::string(64, 'a')}}});
    return tables({{{"algorithms", std::vector<std::string>{"ES256"}}, {"key_file", "k.pem"}}});
  }
};

}  // namespace

TEST_CASE("the settings that users reach for first are there under their names") {
  for (const char* name : {"listen",
                           "limits.message_bytes",
                           "limits.fragments",
                           "limits.body_bytes",
                           "limits.connections",
                           "limits.connections_per_address",
                           "limits.memory_bytes",
                           "limits.address_memory_bytes",
                           "admin_listen",
                           "limits.queue_bytes",
                           "tls.certificate",
                           "tls.key",
                           "tls.certificates",
                           "web.root",
                           "echo.enabled",
                           "origins",
                           "trusted_proxies",
                           "drain_seconds",
                           "log.level",
                           "log.format",
                           "history.messages",
                           "history.total_bytes",
                           "rooms",
                           "access",
                           "auth.tokens",
                           "auth.keys",
                           "websocket.ping_seconds",
                           "http.head_timeout_seconds"}) {
    CHECK_MESSAGE(find_setting(name) != nullptr, name);
  }
  CHECK(find_setting("limits") == nullptr);
  CHECK(find_setting("") == nullptr);
}

TEST_CASE("the defaults are the documented ones") {
  const Config config;
  CHECK(to_toml(setting("listen"), config) == "[\"http://127.0.0.1:8080\"]");
  CHECK(to_toml(setting("limits.message_bytes"), config) == "65536");
  CHECK(to_toml(setting("limits.queue_bytes"), config) == "1048576");
  CHECK(to_toml(setting("http.head_timeout_seconds"), config) == "10");
  CHECK(to_toml(setting("websocket.ping_seconds"), config) == "25");
  CHECK(to_toml(setting("echo.enabled"), config) == "true");
  CHECK(to_toml(setting("log.level"), config) == "\"info\"");
  CHECK(to_toml(setting("log.format"), config) == "\"text\"");
  CHECK(to_toml(setting("listen_unix_mode"), config) == "\"0660\"");
}

TEST_CASE("names are unique, have a line of documentation, and sections stand together") {
  std::set<std::string_view> names;
  std::set<std::string> environment;
  std::set<std::string_view> sections;
  std::string_view section;
  for (const Setting& row : settings()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(environment.insert(environment_name(row)).second);
    CHECK(row.doc.ends_with("."));
    CHECK(row.doc.find('\n') == std::string_view::npos);
    CHECK(key_of(row).find('.') == std::string_view::npos);
    if (section_of(row) == section) continue;
    section = section_of(row);
    CHECK(sections.insert(section).second);
  }
}

TEST_CASE("the name in the environment is the key in capitals") {
  CHECK(environment_name(setting("limits.message_bytes")) == "ROOMCAST_LIMITS_MESSAGE_BYTES");
  CHECK(environment_name(setting("listen")) == "ROOMCAST_LISTEN");
}

TEST_CASE("every setting changes its own member and no other, and can be copied") {
  for (const Setting& changed : settings()) {
    CAPTURE(changed.name);
    Config config;
    CHECK_FALSE(assign(changed, std::visit(OtherValue{}, changed.kind), config).has_value());
    for (const Setting& row : settings()) {
      CAPTURE(row.name);
      CHECK((to_toml(row, config) == to_toml(row, Config{})) == (&row != &changed));
    }
    Config copy;
    copy_setting(changed, config, copy);
    CHECK(to_toml(changed, copy) == to_toml(changed, config));
  }
}

TEST_CASE("every default lies within its range and every whole number is taken at its ends, not past them") {
  for (const Setting& row : settings()) {
    const auto* whole = std::get_if<Whole>(&row.kind);
    if (whole == nullptr) continue;
    CAPTURE(row.name);
    Config config;
    CHECK(whole->member(config) >= whole->min);
    CHECK(whole->member(config) <= whole->max);
    const auto min = static_cast<std::int64_t>(whole->min);
    const auto max = static_cast<std::int64_t>(whole->max);
    CHECK_FALSE(assign(row, min, config).has_value());
    CHECK(whole->member(config) == whole->min);
    CHECK_FALSE(assign(row, max, config).has_value());
    CHECK(whole->member(config) == whole->max);
    CHECK(assign(row, min - 1, config).has_value());
    CHECK(assign(row, max + 1, config).has_value());
    CHECK(whole->member(config) == whole->max);
  }
}

TEST_CASE("every duration is taken at its ends, not past them") {
  for (const Setting& row : settings()) {
    const auto* seconds = std::get_if<Seconds>(&row.kind);
    if (seconds == nullptr) continue;
    CAPTURE(row.name);
    Config config;
    CHECK(seconds->member(config) >= seconds->min_ms);
    CHECK(seconds->member(config) <= seconds->max_ms);
    const auto in_seconds = [](std::int64_t ms) { return static_cast<double>(ms) / 1000; };
    CHECK_FALSE(assign(row, in_seconds(seconds->min_ms), config).has_value());
    CHECK(seconds->member(config) == seconds->min_ms);
    CHECK_FALSE(assign(row, in_seconds(seconds->max_ms), config).has_value());
    CHECK(seconds->member(config) == seconds->max_ms);
    CHECK(assign(row, in_seconds(seconds->min_ms - 1), config).has_value());
    CHECK(assign(row, in_seconds(seconds->max_ms + 1), config).has_value());
    CHECK(seconds->member(config) == seconds->max_ms);
  }
}

TEST_CASE("limits can be set as high as protocol test suites need") {
  CHECK(outcome("limits.message_bytes", std::int64_t{64 * 1024 * 1024}) == "taken");
  CHECK(outcome("limits.fragments", std::int64_t{65'537}) == "taken");
  CHECK(outcome("drain_seconds", std::int64_t{0}) == "taken");
}

TEST_CASE("a whole number of the wrong type or size is refused with what was expected and found") {
  const std::string expected = "expected a whole number of bytes, 1 to 268435456, found ";
  CHECK(outcome("limits.message_bytes", std::int64_t{0}) == expected + "0");
  CHECK(outcome("limits.message_bytes", std::int64_t{-1}) == expected + "-1");
  CHECK(outcome("limits.message_bytes", std::numeric_limits<std::int64_t>::max()) ==
        expected + "9223372036854775807");
  CHECK(outcome("limits.message_bytes", std::string("64k")) == expected + "\"64k\"");
  CHECK(outcome("limits.message_bytes", 1.5) == expected + "1.5");
  CHECK(outcome("limits.message_bytes", true) == expected + "true");
  CHECK(outcome("limits.message_bytes", std::vector<std::string>{}) == expected + "an array");
  CHECK(outcome("limits.message_bytes", Unsuitable{"a table"}) == expected + "a table");
  CHECK(outcome("limits.fragments", std::int64_t{0}) == "expected a whole number, 1 to 1000000, found 0");
}

TEST_CASE("a duration may be whole or fractional seconds and is kept in milliseconds") {
  Config config;
  CHECK_FALSE(assign(setting("websocket.ping_seconds"), 0.25, config).has_value());
  CHECK(config.websocket.ping_ms == 250);
  CHECK_FALSE(assign(setting("websocket.ping_seconds"), std::int64_t{3}, config).has_value());
  CHECK(config.websocket.ping_ms == 3000);
  const std::string expected = "expected a number of seconds, 0.001 to 86400, found ";
  CHECK(outcome("websocket.ping_seconds", std::int64_t{0}) == expected + "0");
  CHECK(outcome("websocket.ping_seconds", -0.5) == expected + "-0.5");
  CHECK(outcome("websocket.ping_seconds", std::numeric_limits<double>::quiet_NaN()) == expected + "nan");
  CHECK(outcome("websocket.ping_seconds", std::numeric_limits<double>::infinity()) == expected + "inf");
  CHECK(outcome("websocket.ping_seconds", std::numeric_limits<std::int64_t>::min()) ==
        expected + "-9223372036854775808");
  CHECK(outcome("websocket.ping_seconds", std::string("10s")) == expected + "\"10s\"");
  CHECK(outcome("websocket.ping_seconds", true) == expected + "true");
}

TEST_CASE("durations are written as short as they can be read back") {
  Config config;
  const Setting& drain = setting("drain_seconds");
  const std::pair<std::int64_t, std::string_view> cases[] = {
      {0, "0"},    {1, "0.001"},      {10, "0.01"},         {1500, "1.5"},
      {2000, "2"}, {60'050, "60.05"}, {86'400'000, "86400"}};
  for (const auto& [ms, text] : cases) {
    config.drain_ms = ms;
    CHECK(to_toml(drain, config) == text);
  }
}

TEST_CASE("a flag is true or false and nothing else") {
  CHECK(outcome("echo.enabled", false) == "taken");
  CHECK(outcome("echo.enabled", std::int64_t{1}) == "expected true or false, found 1");
  CHECK(outcome("echo.enabled", std::string("maybe")) == "expected true or false, found \"maybe\"");
}

TEST_CASE("a choice is one of its words") {
  Config config;
  CHECK_FALSE(assign(setting("log.level"), std::string("error"), config).has_value());
  CHECK(config.log.level == roomcast::base::LogLevel::error);
  CHECK_FALSE(assign(setting("log.level"), std::string("trace"), config).has_value());
  CHECK(config.log.level == roomcast::base::LogLevel::trace);
  CHECK_FALSE(assign(setting("log.format"), std::string("json"), config).has_value());
  CHECK(config.log.format == roomcast::base::LogFormat::json);
  CHECK(outcome("log.level", std::string("loud")) ==
        "expected \"trace\", \"debug\", \"info\", \"warn\" or \"error\", found \"loud\"");
  CHECK(outcome("log.format", std::string("")) == "expected \"text\" or \"json\", found \"\"");
  CHECK(outcome("log.format", std::int64_t{1}) == "expected \"text\" or \"json\", found 1");
}

TEST_CASE("text may be empty but has no control characters and is UTF-8") {
  CHECK(outcome("web.root", std::string()) == "taken");
  CHECK(outcome("web.root", std::string("/srv/\xC3\xA4 b")) == "taken");
  const std::string expected = "expected text in UTF-8 without control characters, found ";
  CHECK(outcome("web.root", std::string("a\nb")) == expected + "\"a\\nb\"");
  CHECK(outcome("web.root", std::string("a\0b", 3)) == expected + "\"a\\u0000b\"");
  CHECK(outcome("web.root", std::string("\x7F")) == expected + "\"\\u007f\"");
  CHECK(outcome("web.root", std::string("\xFF")) == expected + "\"\xEF\xBF\xBD\"");
  CHECK(outcome("web.root", std::int64_t{5}) == expected + "5");
}

TEST_CASE("a long wrong value is cut in the message") {
  CHECK(outcome("log.format", std::string(60, 'x')).ends_with("found \"" + std::string(60, 'x') + "\""));
  CHECK(outcome("log.format", std::string(61, 'x'))
            .ends_with("found \"" + std::string(60, 'x') + "\" and more"));
}

TEST_CASE("a list is an array of texts, possibly none, none of them empty") {
  CHECK(outcome("origins", std::vector<std::string>{}) == "taken");
  CHECK(outcome("origins", std::vector<std::string>{"https://a", "https://b"}) == "taken");
  const std::string expected = "expected an array of texts, none of them empty, found ";
  CHECK(outcome("origins", std::vector<std::string>{"https://a", ""}) == expected + "\"\"");
  CHECK(outcome("origins", std::vector<std::string>{"a\rb"}) == expected + "\"a\\rb\"");
  CHECK(outcome("origins", std::string("https://a")) == expected + "\"https://a\"");
  CHECK(outcome("origins", std::vector<Table>(1)) == expected + "an array of tables");
}

TEST_CASE("a list that must not be empty says so") {
  CHECK(outcome("listen", std::vector<std::string>{"a"}) == "taken");
  const std::string expected = "expected an array of at least one text, none of them empty, found ";
  CHECK(outcome("listen", std::vector<std::string>{}) == expected + "none");
  CHECK(outcome("listen", std::vector<std::string>{""}) == expected + "\"\"");
}

TEST_CASE("a file mode is octal digits in quotes, up to 0777") {
  Config config;
  for (const auto& [text, bits] :
       {std::pair<const char*, std::uint32_t>{"0660", 0660}, {"0", 0}, {"777", 0777}}) {
    CHECK_FALSE(assign(setting("listen_unix_mode"), std::string(text), config).has_value());
    CHECK(config.listen_unix_mode == bits);
  }
  const std::string expected = "expected octal digits in quotes, \"0000\" to \"0777\", found ";
  for (const char* text : {"1000", "8", "", "rw", "0x1", "-1"}) {
    CHECK(outcome("listen_unix_mode", std::string(text)) == expected + "\"" + text + "\"");
  }
  CHECK(outcome("listen_unix_mode", std::int64_t{660}) == expected + "660");
}

TEST_CASE("certificates are tables with both a certificate and a key") {
  Config config;
  CHECK_FALSE(assign(setting("tls.certificates"),
                     tables({{{"certificate", "a.pem"}, {"key", "a.key"}},
                             {{"key", "b.key"}, {"certificate", "b.pem"}}}),
                     config)
                  .has_value());
  CHECK(config.tls.certificates == std::vector<Certificate>{{"a.pem", "a.key"}, {"b.pem", "b.key"}});
  CHECK(outcome("tls.certificates", tables({{{"certificate", "a"}}})) ==
        "expected both certificate and key in every element, found one without key");
  CHECK(outcome("tls.certificates", tables({{{"key", "a"}}})) ==
        "expected both certificate and key in every element, found one without certificate");
  CHECK(outcome("tls.certificates", tables({{{"cert", "a"}, {"key", "b"}}})) == "unknown key \"cert\"");
  CHECK(outcome("tls.certificates", tables({{{"certificate", "a\n"}, {"key", "b"}}})) ==
        "certificate: expected the path of a PEM file, found \"a\\n\"");
  CHECK(outcome("tls.certificates", tables({{{"certificate", "a"}, {"key", std::int64_t{5}}}})) ==
        "key: expected the path of a PEM file, found 5");
  CHECK(outcome("tls.certificates", std::string("a.pem")) ==
        "expected an array of at most 1000 tables with certificate and key (only in a file), found a text");
  CHECK(outcome("tls.certificates", std::vector<std::string>{"a.pem"}) ==
        "expected an array of at most 1000 tables with certificate and key (only in a file), found an array");
  CHECK_FALSE(assign(setting("tls.certificates"), std::vector<std::string>{}, config).has_value());
  CHECK(config.tls.certificates.empty());
}

TEST_CASE("what is refused changes nothing") {
  for (const Setting& row : settings()) {
    CAPTURE(row.name);
    Config config;
    CHECK(assign(row, Unsuitable{"a date or time"}, config).has_value());
    CHECK(to_toml(row, config) == to_toml(row, Config{}));
  }
}

TEST_CASE("text from the environment or a flag becomes what the setting takes") {
  const auto parsed = [](std::string_view name, std::string_view text) {
    Config config;
    const auto problem = assign(setting(name), parse_text(setting(name), text), config);
    return problem ? *problem : to_toml(setting(name), config);
  };
  CHECK(parsed("limits.message_bytes", "16777216") == "16777216");
  CHECK(parsed("drain_seconds", "0.5") == "0.5");
  CHECK(parsed("drain_seconds", "2") == "2");
  CHECK(parsed("log.level", "debug") == "\"debug\"");
  CHECK(parsed("web.root", "/srv/a,b") == "\"/srv/a,b\"");
  CHECK(parsed("listen_unix_mode", "0666") == "\"0666\"");
  CHECK(parsed("origins", "") == "[]");
  CHECK(parsed("origins", "https://a, https://b ,https://c") ==
        "[\"https://a\", \"https://b\", \"https://c\"]");
  for (const char* yes : {"true", "on", "yes", "1"})
    CHECK(parsed("echo.enabled", yes) == "true");
  for (const char* no : {"false", "off", "no", "0"})
    CHECK(parsed("echo.enabled", no) == "false");
}

TEST_CASE("text from the environment or a flag that does not suit is refused as it was written") {
  const auto refused = [](std::string_view name, std::string_view text) {
    return outcome(name, parse_text(setting(name), text)).ends_with(", found " + describe(std::string(text)));
  };
  for (const char* text : {"", " 1", "1 ", "+1", "0x10", "64k", "1e3", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK(refused("limits.message_bytes", text));
  }
  for (const char* text : {"", "1s", "1,5", " 1"})
    CHECK(refused("drain_seconds", text));
  for (const char* text : {"", "TRUE", "2", "enabled"})
    CHECK(refused("echo.enabled", text));
  CHECK(outcome("origins", parse_text(setting("origins"), "a,,b")).ends_with("found \"\""));
  CHECK(outcome("drain_seconds", parse_text(setting("drain_seconds"), "nan")).ends_with("found nan"));
}

}  // namespace schema_test
