#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/load.h"
#include "config/print.h"
#include "config/reload.h"

namespace config = roomcast::config;

/// A text is refused with reasons, or accepted; an accepted one is equal after being printed and loaded
/// again, unless it has secrets: these are not printed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t size_max = 4096;  // longer texts find nothing new and cost time
  if (size > size_max) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  config::Sources sources;
  sources.file = "fuzz.toml";
  const auto loaded = config::load_text(text, sources);
  if (!loaded) {
    if (loaded.error().empty() || config::to_text(loaded.error()).empty()) std::abort();
    return 0;
  }
  const std::string printed = config::print_effective(*loaded);
  const config::Config::Auth& auth = loaded->config.auth;
  for (const config::TokenKeys& keys : auth.tokens) {
    if (!keys.secret.empty() && printed.find(keys.secret) != std::string::npos) std::abort();
  }
  if (!auth.tokens.empty() || !auth.keys.empty()) return 0;
  const auto again = config::load_text(printed, sources);
  if (!again || !config::changes(loaded->config, again->config).empty()) std::abort();
  return 0;
}
