#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"
#include "config/value.h"

namespace roomcast::config {

// The kinds of settings: each has the member of Config that holds the value, and its range.

struct Flag {
  bool& (*member)(Config&);
};
struct Whole {
  std::uint64_t& (*member)(Config&);
  std::uint64_t min;
  std::uint64_t max;
  std::string_view unit;  ///< "bytes", or empty for a plain number
};
/// Given in seconds, fractions allowed; kept in milliseconds.
struct Seconds {
  std::int64_t& (*member)(Config&);
  std::int64_t min_ms;
  std::int64_t max_ms;
};
/// One of a list of words; the place in the list is the value of the enumeration.
struct OneOf {
  std::size_t (*get)(const Config&);
  void (*set)(Config&, std::size_t);
  std::span<const std::string_view> words;
};
/// What texts are, for their validators (Checks in config/load.h).
enum class TextForm : std::uint8_t {
  address,
  origin,
  network,
  host,
  header,
  cookie,
  who,
  permission,
  redis_server,  ///< may have a password in it, which is not printed
  redis_prefix,
  node_name,
};
/// Text without control characters; may be empty.
struct Text {
  std::string& (*member)(Config&);
  std::optional<TextForm> form{};  ///< unless it is empty
};
struct TextList {
  std::vector<std::string>& (*member)(Config&);
  TextForm form;
  bool may_be_empty = true;
};
/// Permission bits of a file, given as octal digits in a text.
struct FileMode {
  std::uint32_t& (*member)(Config&);
};
/// Whether secrets are written as they are, to be compared, or replaced, to be read by people.
enum class Secrets : std::uint8_t { redacted, shown };
/// An array of tables, `[[name]]` in a file: a vector whose elements are read and written by functions of
/// config/array_elements.h and config/auth_elements.h.
struct TableList {
  std::size_t max;        ///< elements
  std::string (*keys)();  ///< of an element, in words
  /// Nothing has changed if there is an error.
  std::optional<ElementError> (*read)(const std::vector<Table>& tables, Config& config);
  std::string (*write)(const Config& config, Secrets secrets);
  void (*copy)(const Config& from, Config& to);
  /// What the texts under a key of an element are; null: not validated.
  std::optional<TextForm> (*form)(std::string_view key) = nullptr;
};

/// Most rules for rooms. Each new room is held against one after the other, and a reload takes some 50 to 100
/// microseconds for each.
inline constexpr std::size_t room_rules_max = 1'000;
inline constexpr std::size_t certificates_max = 1'000;
inline constexpr std::size_t token_keys_max = 100;
inline constexpr std::size_t api_keys_max = 1'000;
inline constexpr std::size_t access_rules_max = 1'000;

/// Whether a changed value takes effect at a reload (SIGHUP) or at the next start only.
enum class Apply : std::uint8_t { reload, restart };

/// One row of the table. Everything else about a key is derived from it.
struct Setting {  // NOLINT(clang-analyzer-optin.performance.Padding): in the order in which a row reads
  std::string_view name;  ///< dotted: "limits.message_bytes"; at most one dot
  std::variant<Flag, Whole, Seconds, OneOf, Text, TextList, FileMode, TableList> kind;
  Apply apply;
  std::string_view doc;   ///< one line for the reference
  bool per_room = false;  ///< whether an element of `rooms` can override it
};

/// The table. Keys outside a section come first, then section by section: the order of a TOML file.
[[nodiscard]] std::span<const Setting> settings();

/// The row called `name`, or null.
[[nodiscard]] const Setting* find_setting(std::string_view name);

/// Part of the name before the dot, empty if there is none, and the part after it.
[[nodiscard]] std::string_view section_of(const Setting& setting);
[[nodiscard]] std::string_view key_of(const Setting& setting);

/// "limits.message_bytes" is ROOMCAST_LIMITS_MESSAGE_BYTES in the environment.
[[nodiscard]] std::string environment_name(const Setting& setting);

/// The value that `text`, from the environment or a flag, stands for. A list is separated by commas. Text
/// that does not suit the setting stays text, for `assign` to refuse.
[[nodiscard]] Value parse_text(const Setting& setting, std::string_view text);

/// Puts `value` into `config` if its type and range suit the setting. Otherwise changes nothing and returns
/// what was expected and what was found, and in `place` where, if it is something within the value.
[[nodiscard]] std::optional<std::string> assign(const Setting& setting, const Value& value, Config& config,
                                                Place* place = nullptr);

/// What the setting takes, in words: "a whole number of bytes, 1 to 268435456".
[[nodiscard]] std::string expectation(const Setting& setting);

/// The setting's value in `config` as TOML, unless `secrets` says otherwise without secrets.
[[nodiscard]] std::string to_toml(const Setting& setting, const Config& config,
                                  Secrets secrets = Secrets::redacted);

/// Makes the setting in `to` what it is in `from`.
void copy_setting(const Setting& setting, const Config& from, Config& to);

}  // namespace roomcast::config
