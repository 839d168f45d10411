#include "load/event_text.h"

namespace roomcast::bench {

namespace {

/// The value of the field `name` of an event stream's line, without the one space before it.
bool take_field(std::string_view line, std::string_view name, std::string_view& value) {
  if (!line.starts_with(name)) return false;
  line.remove_prefix(name.size());
  if (!line.empty() && line.front() != ':') return false;
  if (!line.empty()) line.remove_prefix(1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  value = line;
  return true;
}

}  // namespace

TextItem take_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return {};
  std::string_view line = bytes.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return {end + 1, false, line};
}

TextItem take_event(std::string_view bytes) {
  TextItem event;
  std::string_view name;
  bool has_data = false;
  for (std::size_t used = 0;;) {
    const TextItem line = take_line(bytes.substr(used));
    if (line.used == 0) return {};
    used += line.used;
    std::string_view data;
    if (line.text.empty()) {
      event.used = used;
      event.is_event = has_data && (name.empty() || name == "message");
      return event;
    }
    if (take_field(line.text, "data", data)) {
      if (!has_data) event.text = data;
      has_data = true;
    } else {
      take_field(line.text, "event", name);
    }
  }
}

bool is_of_type(std::string_view envelope, std::string_view type) {
  constexpr std::string_view before = R"({"type":")";
  if (!envelope.starts_with(before)) return false;
  envelope.remove_prefix(before.size());
  return envelope.starts_with(type) && envelope.substr(type.size()).starts_with('"');
}

}  // namespace roomcast::bench
