#include "config/print.h"

#include <cstddef>
#include <string_view>

#include "base/json.h"
#include "config/schema.h"

namespace roomcast::config {
namespace {

/// File names are the user's: as a comment they must stay on their line.
std::string on_one_line(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out.substr(1, out.size() - 2);
}

/// Appends the header of the section that `setting` is the first of.
void append_section(std::string& out, const Setting& setting, std::string_view& section) {
  if (section_of(setting) == section) return;
  section = section_of(setting);
  out += "\n[" + std::string(section) + "]\n";
}

std::string_view applied(const Setting& setting) {
  return setting.apply == Apply::reload ? "at reload" : "at restart";
}

/// `text` with what Markdown would take for the end of a cell escaped.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string print_effective(const Loaded& loaded) {
  std::string out;
  std::string_view section;
  for (std::size_t i = 0; i < settings().size(); ++i) {
    const Setting& setting = settings()[i];
    append_section(out, setting, section);
    out += std::string(key_of(setting)) + " = " + to_toml(setting, loaded.config) + "  # " +
           on_one_line(loaded.came_from[i]) + "\n";
  }
  return out;
}

std::string print_reference_toml() {
  std::string out =
      "# Every setting of roomcast, commented out at its default. Generated: roomcast --print-reference "
      "toml.\n"
      "# A setting can also be given as an environment variable (limits.message_bytes is\n"
      "# ROOMCAST_LIMITS_MESSAGE_BYTES) or a flag (--set limits.message_bytes=65536): flags win over the\n"
      "# environment, the environment wins over this file. SIGHUP reloads; a bad file changes nothing.\n";
  const Config defaults;
  std::string_view section;
  for (const Setting& setting : settings()) {
    append_section(out, setting, section);
    out += "\n# " + std::string(setting.doc) + "\n# Takes " + expectation(setting) + ". Applied " +
           std::string(applied(setting)) + ".\n# " + std::string(key_of(setting)) + " = " +
           to_toml(setting, defaults) + "\n";
  }
  return out;
}

std::string print_reference_markdown() {
  std::string out =
      "| key | default | takes | applied | meaning |\n"
      "| --- | --- | --- | --- | --- |\n";
  const Config defaults;
  for (const Setting& setting : settings()) {
    out += "| `" + std::string(setting.name) + "` | `" + cell(to_toml(setting, defaults)) + "` | " +
           cell(expectation(setting)) + " | " + std::string(applied(setting)) + " | " + cell(setting.doc) +
           " |\n";
  }
  return out;
}

}  // namespace roomcast::config
