#include "jose/strict_json.h"

#include "base/json.h"
#include "base/text.h"

namespace roomcast::jose {
std::optional<base::JsonValue> find_member(const base::JsonValue& object, std::string_view name) {
  base::JsonMembers members(object);
  while (const auto member = members.next()) {
    if (member->name.equals(name)) return member->value;
  }
  return std::nullopt;
}

std::optional<std::string> text_of(const base::JsonValue& value) {
  if (!value.is(base::JsonKind::string)) return std::nullopt;
  std::string text;
  value.append_text(text);
  if (text.find('\0') != std::string::npos) return std::nullopt;
  return text;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t bytes_max = 64;
  const bool is_cut = text.size() > bytes_max;
  text = base::cut_between_characters(text, bytes_max);
  std::string out;
  base::append_json_string(out, text);
  if (is_cut) out.insert(out.size() - 1, "…");
  return out;
}

}  // namespace roomcast::jose
