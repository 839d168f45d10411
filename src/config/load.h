#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace roomcast::config {

/// A value given by a flag.
struct Override {
  std::string source;                                         ///< the flag, for messages: "--set", "--listen"
  std::string key;                                            ///< dotted name
  std::variant<std::string, std::vector<std::string>> value;  ///< a list is taken as it is, not split
};

/// Validates one text: returns what is wrong with it, or nothing. Null: not validated.
using TextCheck = std::optional<std::string> (*)(const std::string& text);

/// Validators for texts, from the code that parses these (app/checks.h).
struct Checks {
  TextCheck address = nullptr;
  TextCheck origin = nullptr;
  TextCheck network = nullptr;
  TextCheck host = nullptr;
  TextCheck header = nullptr;
  TextCheck cookie = nullptr;
  TextCheck who = nullptr;
  TextCheck permission = nullptr;
  TextCheck redis_server = nullptr;
  TextCheck redis_prefix = nullptr;
  TextCheck node_name = nullptr;
};

/// Everything a configuration is made from; what comes later wins.
struct Sources {
  std::optional<std::string> file;  ///< path of a TOML file
  std::vector<std::string_view>
      environment;                  ///< "NAME=VALUE"; names that don't begin with ROOMCAST_ are skipped
  std::vector<Override> overrides;  ///< the last one for a key wins
  Checks checks;
  std::vector<Override> defaults{};  ///< behind the file: for what nothing else sets
  /// What `file` held, where that could be read only once (Loaded): it is not opened again.
  std::optional<std::string> text_read_once{};
  bool is_reload = false;  ///< `file` is opened only if it is a regular one
};

/// An error that prevents the start, and its place: "roomcast.toml:3:17", "environment ROOMCAST_LOG_LEVEL",
/// "--set".
struct ConfigError {
  std::string where;
  std::string what;
};
using ConfigErrors = std::vector<ConfigError>;

/// One error a line, without a newline at the end.
[[nodiscard]] std::string to_text(const ConfigErrors& errors);

struct Loaded {
  Config config;
  /// For each of settings(), in that order, where its value came from: "default", "roomcast.toml:3",
  /// "environment ROOMCAST_LOG_LEVEL", "--set".
  std::vector<std::string> came_from;
  /// What the file held, if it was a pipe, a terminal or the like, which a second reading would find empty or
  /// wait for.
  std::optional<std::string> text_read_once;
  /// Variables of the environment that were ignored, since Kubernetes sets them for a Service.
  std::vector<std::string> service_variables;
};

/// Reads the sources. All errors are reported at once, in the order of the sources. A file is at most 1 MiB.
[[nodiscard]] base::Result<Loaded, ConfigErrors> load(const Sources& sources);

/// The same with the file's text at hand; `sources.file` is only what it is called in messages.
[[nodiscard]] base::Result<Loaded, ConfigErrors> load_text(std::string_view text, const Sources& sources);

}  // namespace roomcast::config
