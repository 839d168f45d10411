// Values coming out of a Config: as TOML, in words, and from one Config to another.

#include <string>

#include "base/json.h"
#include "config/schema.h"

namespace roomcast::config {
namespace {

/// Rows hold one accessor for reading and writing; reading through it changes nothing.
template <class Kind>
const auto& read(const Kind& kind, const Config& config) {
  return kind.member(const_cast<Config&>(config));
}

/// JSON strings are TOML basic strings: every escape that is written means the same in both.
std::string quote(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

std::string seconds_text(std::int64_t ms) {
  std::string out = std::to_string(ms / 1000);
  if (ms % 1000 == 0) return out;
  const std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
  return out + "." + fraction.substr(0, fraction.find_last_not_of('0') + 1);
}

std::string mode_text(std::uint32_t bits) {
  std::string out = "0";
  for (unsigned shift = 9; shift > 0; shift -= 3)
    out += static_cast<char>('0' + (bits >> (shift - 3) & 7U));
  return out;
}

template <class Items, class Writer>
std::string array_text(const Items& items, const Writer& writer) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ", ";
    out += writer(item);
  }
  return out + "]";
}

/// The address of a server without what stands before its host: user and password.
std::string without_password(std::string_view url) {
  const std::size_t at = url.rfind('@');
  const std::size_t scheme = url.find("://");
  if (at == std::string_view::npos || scheme == std::string_view::npos || at < scheme)
    return std::string(url);
  constexpr std::size_t slashes = 3;
  return std::string(url.substr(0, scheme + slashes)) + "\xE2\x80\xA6" + std::string(url.substr(at));
}

struct TomlWriter {
  const Config& config;
  Secrets secrets;

  std::string operator()(const Flag& flag) const { return read(flag, config) ? "true" : "false"; }
  std::string operator()(const Whole& whole) const { return std::to_string(read(whole, config)); }
  std::string operator()(const Seconds& seconds) const { return seconds_text(read(seconds, config)); }
  std::string operator()(const OneOf& choice) const { return quote(choice.words[choice.get(config)]); }
  std::string operator()(const Text& text) const { return quote(read(text, config)); }
  std::string operator()(const FileMode& mode) const { return quote(mode_text(read(mode, config))); }
  std::string operator()(const TextList& list) const {
    if (secrets == Secrets::shown || list.form != TextForm::redis_server)
      return array_text(read(list, config), quote);
    return array_text(read(list, config),
                      [](const std::string& url) { return quote(without_password(url)); });
  }
  std::string operator()(const TableList& list) const { return list.write(config, secrets); }
};

struct Expectation {
  std::string operator()(const Flag&) const { return "true or false"; }
  std::string operator()(const Whole& whole) const {
    return "a whole number" + (whole.unit.empty() ? std::string() : " of " + std::string(whole.unit)) + ", " +
           std::to_string(whole.min) + " to " + std::to_string(whole.max);
  }
  std::string operator()(const Seconds& seconds) const {
    return "a number of seconds, " + seconds_text(seconds.min_ms) + " to " + seconds_text(seconds.max_ms);
  }
  std::string operator()(const OneOf& choice) const {
    std::string out;
    for (std::size_t i = 0; i < choice.words.size(); ++i) {
      if (i > 0) out += i + 1 == choice.words.size() ? " or " : ", ";
      out += quote(choice.words[i]);
    }
    return out;
  }
  std::string operator()(const Text&) const { return "text in UTF-8 without control characters"; }
  std::string operator()(const TextList& list) const {
    return list.may_be_empty ? "an array of texts, none of them empty"
                             : "an array of at least one text, none of them empty";
  }
  std::string operator()(const FileMode&) const { return "octal digits in quotes, \"0000\" to \"0777\""; }
  std::string operator()(const TableList& list) const {
    return "an array of at most " + std::to_string(list.max) + " tables with " + list.keys() +
           " (only in a file)";
  }
};

struct Copier {
  const Config& from;
  Config& to;

  void operator()(const OneOf& choice) const { choice.set(to, choice.get(from)); }
  void operator()(const TableList& list) const { list.copy(from, to); }
  template <class Kind>
  void operator()(const Kind& kind) const {
    kind.member(to) = read(kind, from);
  }
};

}  // namespace

std::string expectation(const Setting& setting) { return std::visit(Expectation{}, setting.kind); }

std::string to_toml(const Setting& setting, const Config& config, Secrets secrets) {
  return std::visit(TomlWriter{config, secrets}, setting.kind);
}

void copy_setting(const Setting& setting, const Config& from, Config& to) {
  std::visit(Copier{from, to}, setting.kind);
}

}  // namespace roomcast::config
