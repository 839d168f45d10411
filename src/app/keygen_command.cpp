#include "app/keygen_command.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "access/permission.h"
#include "app/command_arguments.h"
#include "auth/users_file.h"
#include "base/digest.h"
#include "base/name_pattern.h"
#include "base/text.h"
#include "config/value.h"

namespace roomcast::app {

namespace {

constexpr std::array<std::string_view, 3> keygen_flags{"--name", "--may", "--rooms"};
constexpr std::array<std::string_view, 2> keygen_switches{"--help", "-h"};
constexpr std::string_view keygen_help =
    R"(Usage: roomcast keygen [--name NAME] [--may PERMISSION,...] [--rooms PATTERN,...]

Prints a new API key for a backend, which sends it as Authorization: Bearer KEY, and behind it
the lines for the configuration. Those contain only a hash, so the key can't be had from them.
Without flags it is called backend and may publish in all rooms. Permissions: join, publish,
presence, history, moderate, admin.
)";

int keygen_fail(const std::string& what) {
  std::fprintf(stderr, "roomcast keygen: %s\n", what.c_str());
  return 2;
}

/// A TOML string.
std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string toml_list(const std::vector<std::string_view>& texts) {
  std::string out = "[";
  for (const std::string_view text : texts)
    out.append(out.size() > 1 ? ", " : "").append(toml_text(text));
  return out + ']';
}

std::string or_else(const std::string& value, std::string_view otherwise) {
  return value.empty() ? std::string(otherwise) : value;
}

}  // namespace

std::string make_api_key() {
  std::string random;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t bits = base::random_u64();
    random.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  std::string key = "rck_";
  base::append_base64url(key, random);
  return key;
}

std::string api_key_hash(std::string_view key) { return "sha256:" + base::sha256_hex(key); }

int run_keygen_command(std::span<const std::string_view> arguments) {
  const auto read = read_arguments(arguments, keygen_flags, keygen_switches);
  if (!read) return keygen_fail(read.error().message);
  if (read->has("--help") || read->has("-h")) {
    std::fputs(keygen_help.data(), stdout);
    return 0;
  }
  if (!read->words.empty()) return keygen_fail("unexpected argument " + read->words.front());
  const std::string name = or_else(read->value("--name"), "backend");
  if (auth::check_user_id(name))
    return keygen_fail("the name of a key is 1 to 100 letters, digits and . _ @ + -");
  const std::string may_text = or_else(read->value("--may"), "publish");
  const std::vector<std::string_view> may = base::list_elements(may_text);
  for (const std::string_view one : may) {
    if (!access::permission_from(one)) {
      return keygen_fail("--may takes join, publish, presence, history, moderate and admin, not '" +
                         std::string(one) + "'");
    }
  }
  const std::string rooms_text = or_else(read->value("--rooms"), "**");
  const std::vector<std::string_view> rooms = base::list_elements(rooms_text);
  for (const std::string_view one : rooms) {
    if (one.empty() || one.size() > base::NamePattern::bytes_max || !config::is_clean(one))
      return keygen_fail("--rooms takes patterns of 1 to 200 bytes, separated by commas");
  }
  const std::string key = make_api_key();
  std::printf("%s\n\n[[auth.keys]]\nname = %s\nhash = %s\nmay = %s\nrooms = %s\n", key.c_str(),
              toml_text(name).c_str(), toml_text(api_key_hash(key)).c_str(), toml_list(may).c_str(),
              toml_list(rooms).c_str());
  return 0;
}

}  // namespace roomcast::app
