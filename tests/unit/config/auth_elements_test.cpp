#include "config/auth_elements.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "config/load.h"
#include "config/print.h"
#include "config/reload.h"
#include "config/schema.h"

namespace auth_elements_test {

using namespace roomcast::config;

namespace {

const std::string hash_digits(64, 'a');

Sources named() {
  Sources sources;
  sources.file = "r.toml";
  return sources;
}

/// What `text` is refused with, or "taken".
std::string outcome(const std::string& text) {
  Sources sources = named();
  sources.checks.who = [](const std::string& who) -> std::optional<std::string> {
    if (who.starts_with("x")) return "wrong";
    return std::nullopt;
  };
  sources.checks.permission = sources.checks.who;
  sources.checks.cookie = sources.checks.who;
  const auto loaded = load_text(text, sources);
  return loaded ? "taken" : to_text(loaded.error());
}

std::string tokens(const std::string& lines) { return outcome("[[auth.tokens]]\n" + lines); }
std::string keys(const std::string& lines) { return outcome("[[auth.keys]]\n" + lines); }
std::string access(const std::string& lines) { return outcome("[[access]]\n" + lines); }

std::string secret_of(std::size_t bytes) { return "secret = \"" + std::string(bytes, 's') + "\"\n"; }

std::string key_named(const std::string& name) {
  return "[[auth.keys]]\nname = \"" + name + "\"\nhash = \"sha256:" + hash_digits + "\"\n";
}

}  // namespace

TEST_CASE("auth and access are read as the documents write them") {
  const auto loaded = load_text(
      "[[auth.tokens]]\n"
      "algorithms = [\"HS256\"]\n"
      "secret = \"at least 32 bytes of text, these are\"\n"
      "issuer = \"https://id.example\"\n"
      "audience = [\"chat\", \"news\"]\n"
      "[[auth.tokens]]\n"
      "algorithms = [\"RS256\", \"EdDSA\"]\n"
      "jwks_url = \"https://id.example/jwks\"\n"
      "[[auth.keys]]\n"
      "name = \"ci\"\n"
      "hash = \"sha256:" +
          std::string(64, 'A') +
          "\"\n"
          "may = [\"publish\"]\n"
          "rooms = [\"ci/**\"]\n"
          "[[access]]\n"
          "rooms = \"inbox/{user}\"\n"
          "who = \"user\"\n"
          "may = [\"join\", \"publish\"]\n"
          "[[access]]\n"
          "rooms = \"**\"\n"
          "who = \"anyone\"\n"
          "may = []\n",
      named());
  if (!loaded) FAIL(to_text(loaded.error()));
  const Config& config = loaded->config;
  REQUIRE(config.auth.tokens.size() == 2);
  CHECK(config.auth.tokens[0] == TokenKeys{{"HS256"},
                                           "at least 32 bytes of text, these are",
                                           "",
                                           "",
                                           "",
                                           "",
                                           "https://id.example",
                                           {"chat", "news"}});
  CHECK(config.auth.tokens[1].jwks_url == "https://id.example/jwks");
  CHECK(config.auth.keys ==
        std::vector<ApiKey>{{"ci", "sha256:" + std::string(64, 'a'), {"publish"}, {"ci/**"}}});
  CHECK(config.access ==
        std::vector<AccessRule>{{"inbox/{user}", "user", {"join", "publish"}}, {"**", "anyone", {}}});
  CHECK(config.auth.leeway_ms == 60'000);
  CHECK(config.auth.authenticate_ms == 10'000);
}

TEST_CASE("a token's keys have exactly one source") {
  const std::string expected =
      "auth.tokens: expected exactly one of secret, secret_file, key_file, jwks_file and jwks_url in every "
      "element, found ";
  CHECK(tokens("algorithms = [\"ES256\"]\n") == "r.toml:1:1: " + expected + "none");
  CHECK(tokens("algorithms = [\"ES256\"]\nkey_file = \"a\"\njwks_file = \"b\"\n") ==
        "r.toml:4:13: " + expected + "key_file and jwks_file");
  for (const char* source : {"key_file", "jwks_file"})
    CHECK(tokens("algorithms = [\"ES256\"]\n" + std::string(source) + " = \"a\"\n") == "taken");
  CHECK(tokens("algorithms = [\"HS256\"]\nsecret_file = \"a\"\n") == "taken");
}

TEST_CASE("algorithms are known ones, and a secret is good for HMAC alone") {
  CHECK(tokens(secret_of(32)) ==
        "r.toml:1:1: auth.tokens: expected algorithms in every element, found one without");
  CHECK(tokens("algorithms = []\n" + secret_of(32)) ==
        "r.toml:1:1: auth.tokens: expected algorithms in every element, found one without");
  CHECK(tokens("algorithms = [\"none\"]\n" + secret_of(32)).ends_with("EdDSA, found \"none\""));
  CHECK(tokens("algorithms = \"HS256\"\n" + secret_of(32)).ends_with("EdDSA, found \"HS256\""));
  CHECK(tokens("algorithms = [1]\n" + secret_of(32)).ends_with("found an array with a number in it"));
  CHECK(tokens("algorithms = [\"HS256\", \"RS256\"]\n" + secret_of(32)) ==
        "r.toml:2:14: auth.tokens: algorithms: RS256 needs key_file, jwks_file or jwks_url: a secret is good "
        "for HS256, HS384 and HS512");
  CHECK(tokens("algorithms = [\"RS256\", \"HS256\"]\nkey_file = \"a\"\n") ==
        "r.toml:2:14: auth.tokens: algorithms: HS256 needs secret or secret_file");
}

TEST_CASE("a secret is as long as its algorithm asks for, and no error shows it") {
  CHECK(tokens("algorithms = [\"HS256\"]\n" + secret_of(32)) == "taken");
  CHECK(tokens("algorithms = [\"HS256\"]\n" + secret_of(31)) ==
        "r.toml:3:10: auth.tokens: secret: expected a text of 32 to 4096 bytes, found a text of 31 bytes");
  CHECK(tokens("algorithms = [\"HS256\"]\n" + secret_of(4096)) == "taken");
  CHECK(tokens("algorithms = [\"HS256\"]\n" + secret_of(4097)).ends_with("found a text of 4097 bytes"));
  CHECK(tokens("algorithms = [\"HS256\", \"HS384\"]\n" + secret_of(48)) == "taken");
  CHECK(tokens("algorithms = [\"HS256\", \"HS384\"]\n" + secret_of(47)) ==
        "r.toml:3:10: auth.tokens: secret: expected at least 48 bytes for HS384, found 47");
  CHECK(tokens("algorithms = [\"HS512\"]\n" + secret_of(64)) == "taken");
  CHECK(tokens("algorithms = [\"HS512\"]\n" + secret_of(63))
            .ends_with("at least 64 bytes for HS512, found 63"));
  CHECK(tokens("secret = 123456\n").ends_with("found something else"));
  CHECK(tokens("secret = [\"123456\"]\n").ends_with("found an array"));
  CHECK(tokens("secret = \"123456\n").find("123456") == std::string::npos);
  CHECK(outcome("[auth]\ntokens = \"123456\"\n").ends_with("found a text"));
}

TEST_CASE("keys come over https, or from this machine") {
  const auto url = [](const std::string& text) {
    return tokens("algorithms = [\"ES256\"]\njwks_url = \"" + text + "\"\n");
  };
  for (const char* good : {"https://id.example", "https://id.example:8443/jwks?x=1",
                           "http://127.0.0.1:9000/jwks", "http://localhost/jwks", "http://[::1]:9000/"}) {
    CAPTURE(good);
    CHECK(url(good) == "taken");
  }
  for (const char* bad :
       {"", "http://id.example/", "http://localhost.example/", "http://127.0.0.1@id.example/",
        "https://user:word@id.example/", "https://", "ftp://id.example/", "id.example", "HTTP://id.example/",
        "http://localhost?@id.example/x y"}) {
    CAPTURE(bad);
    CHECK(url(bad).starts_with(
        "r.toml:3:12: auth.tokens: jwks_url: expected an https:// URL, or an http:// one on"));
  }
}

TEST_CASE("an API key has a name and a hash, and rooms for what it may") {
  const std::string hash = "hash = \"sha256:" + hash_digits + "\"\n";
  CHECK(keys("name = \"a\"\n" + hash) == "taken");
  CHECK(keys("name = \"" + std::string(100, 'n') + "\"\n" + hash) == "taken");
  CHECK(keys("name = \"" + std::string(101, 'n') + "\"\n" + hash)
            .find("name: expected a text, 1 to 100 bytes") != std::string::npos);
  CHECK(keys(hash) == "r.toml:1:1: auth.keys: expected name in every element, found one without");
  CHECK(keys("name = \"a\"\n") == "r.toml:1:1: auth.keys: expected hash in every element, found one without");
  CHECK(keys("name = \"a\"\n" + hash + "may = [\"join\"]\nrooms = [\"a\", \"b/**\"]\n") == "taken");
  CHECK(keys("name = \"a\"\n" + hash + "may = [\"join\"]\n") ==
        "r.toml:1:1: auth.keys: expected may and rooms together, found may alone in the key \"a\"");
  CHECK(keys("name = \"a\"\n" + hash + "rooms = [\"a\"]\n").ends_with("found rooms alone in the key \"a\""));
  CHECK(keys("name = \"a\"\n" + hash + "may = [\"xyz\"]\nrooms = [\"a\"]\n") ==
        "r.toml:4:7: auth.keys: may: \"xyz\": wrong");
  CHECK(keys("name = \"a\"\n" + hash + "key = \"a\"\n") == "r.toml:4:7: auth.keys: unknown key \"key\"");
  for (const std::string& bad : {hash_digits, "sha256:" + hash_digits + "a", "sha256:" + std::string(64, 'g'),
                                 "sha512:" + hash_digits, std::string("rck_123456")}) {
    const std::string refused = keys("name = \"a\"\nhash = \"" + bad + "\"\n");
    CHECK(refused ==
          "r.toml:3:8: auth.keys: hash: expected sha256: and 64 hexadecimal digits, as roomcast keygen "
          "prints it, found a text of " +
              std::to_string(bad.size()) + " bytes");
  }
}

TEST_CASE("names of API keys are unique") {
  CHECK(outcome(key_named("a") + key_named("b")) == "taken");
  CHECK(outcome(key_named("a") + key_named("b") + key_named("a")) ==
        "r.toml:8:8: auth.keys: name: \"a\" is the name of two keys");
}

TEST_CASE("a row of access has all three keys") {
  CHECK(access("rooms = \"a\"\nwho = \"user\"\nmay = []\n") == "taken");
  CHECK(access("rooms = \"a\"\nwho = \"user\"\n") ==
        "r.toml:1:1: access: expected may in every element, found one without");
  CHECK(access("who = \"user\"\nmay = []\n") ==
        "r.toml:1:1: access: expected rooms in every element, found one without");
  CHECK(access("rooms = \"a\"\nmay = []\n") ==
        "r.toml:1:1: access: expected who in every element, found one without");
  CHECK(access("rooms = \"a\"\nwho = \"xuser\"\nmay = []\n") == "r.toml:3:7: access: who: \"xuser\": wrong");
  CHECK(access("rooms = \"a\"\nwho = \"user\"\nmay = [\"join\", \"x\"]\n") ==
        "r.toml:4:7: access: may: \"x\": wrong");
  CHECK(access("room = \"a\"\n") == "r.toml:2:8: access: unknown key \"room\" (did you mean rooms?)");
  CHECK(access("rooms = \"{user}/a/{user}\"\n").find("with {user} at most once") != std::string::npos);
  CHECK(access("rooms = \"" + std::string(200, 'r') + "\"\nwho = \"user\"\nmay = []\n") == "taken");
  CHECK(access("rooms = \"" + std::string(201, 'r') + "\"\nwho = \"user\"\nmay = []\n") != "taken");
  CHECK(outcome("[access]\nrooms = \"a\"\n").find("expected an array of at most 1000 tables") !=
        std::string::npos);
}

TEST_CASE("so many elements are taken, and one more is refused") {
  const auto times = [](std::size_t count, std::string_view name, const std::string& lines) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
      text += "[[" + std::string(name) + "]]\n" + lines;
    return outcome(text);
  };
  const std::string row = "rooms = \"a\"\nwho = \"user\"\nmay = []\n";
  CHECK(times(access_rules_max, "access", row) == "taken");
  CHECK(times(access_rules_max + 1, "access", row).ends_with(", found 1001 tables"));
  const std::string source = "algorithms = [\"ES256\"]\nkey_file = \"a\"\n";
  CHECK(times(token_keys_max, "auth.tokens", source) == "taken");
  CHECK(times(token_keys_max + 1, "auth.tokens", source).ends_with(", found 101 tables"));
  std::string all;
  for (std::size_t i = 0; i < api_keys_max; ++i)
    all += key_named(std::to_string(i));
  CHECK(outcome(all) == "taken");
  CHECK(outcome(all + key_named("more")).ends_with(", found 1001 tables"));
  const std::string key = key_named("a") + "may = [\"join\"]\nrooms = [";
  std::string patterns;
  for (std::size_t i = 0; i < api_key_rooms_max; ++i)
    patterns += "\"r\", ";
  CHECK(outcome(key + patterns + "]\n") == "taken");
  CHECK(outcome(key + patterns + "\"r\"]\n").ends_with("rooms: expected at most 100 patterns, found 101"));
}

TEST_CASE("the names of a cookie and a header field are validated unless they are empty") {
  CHECK(outcome("[auth]\ncookie = \"\"\n") == "taken");
  CHECK(outcome("[auth]\ncookie = \"xa\"\n") == "r.toml:2:10: auth.cookie: \"xa\": wrong");
}

TEST_CASE("secrets are not printed, and a changed one is a change") {
  const std::string keys = "[[auth.keys]]\nname = \"ci\"\nhash = \"sha256:" + hash_digits + "\"\n";
  const std::string tokens = "[[auth.tokens]]\nalgorithms = [\"HS256\"]\n";
  const auto loaded = load_text(keys + tokens + secret_of(32), named());
  const auto changed = load_text(keys + tokens + secret_of(33), named());
  REQUIRE(loaded.ok());
  REQUIRE(changed.ok());
  const std::string printed = print_effective(*loaded);
  CHECK(printed.find("sss") == std::string::npos);
  CHECK(printed.find("aaa") == std::string::npos);
  CHECK(printed.find("tokens = [{ algorithms = [\"HS256\"], secret = \"\xE2\x80\xA6\" }]  # r.toml:") !=
        std::string::npos);
  CHECK(printed.find("keys = [{ name = \"ci\", hash = \"\xE2\x80\xA6\" }]") != std::string::npos);
  const auto list = changes(loaded->config, changed->config);
  REQUIRE(list.size() == 1);
  CHECK(list[0].setting->name == "auth.tokens");
  CHECK(list[0].after.find("sss") == std::string::npos);
  CHECK(list[0].before == list[0].after);
  CHECK(changes(loaded->config, loaded->config).empty());
}

}  // namespace auth_elements_test
