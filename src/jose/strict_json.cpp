#include "jose/strict_json.h"

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "base/json_cursor.h"
#include "base/text.h"

namespace roomcast::jose {
namespace {

/// An array or object that is being read.
struct Level {
  bool is_object = false;
  std::vector<std::string> names;
};

bool has_duplicate(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

/// Moves to the next value within `level`; false at its end, which is left, or if the text is invalid.
bool has_next(base::JsonCursor& cursor, Level& level) {
  if (!level.is_object) return cursor.next_element();
  const auto name = cursor.next_name();
  if (!name) return false;
  name->append_text(level.names.emplace_back());
  return true;
}

/// Reads the whole text; false if a member occurs twice. Stops where the text is invalid.
bool has_distinct_members(base::JsonCursor& cursor) {
  std::vector<Level> open;
  do {
    if (!open.empty() && !has_next(cursor, open.back())) {
      if (cursor.has_failed()) return true;
      if (has_duplicate(open.back().names)) return false;
      open.pop_back();
      continue;
    }
    const base::JsonKind kind = cursor.kind();
    if (kind != base::JsonKind::object && kind != base::JsonKind::array) {
      (void)cursor.value();
    } else if (cursor.enter()) {
      open.push_back({kind == base::JsonKind::object, {}});
    }
  } while (!open.empty() && !cursor.has_failed());
  return true;
}

}  // namespace

std::optional<std::string> check_object(std::string_view text) {
  if (!base::is_valid_utf8(text)) return "is not UTF-8";
  base::JsonCursor cursor(text, json_depth_max);
  const bool is_object = cursor.kind() == base::JsonKind::object;
  if (!has_distinct_members(cursor)) return "has a member twice";
  const base::JsonVerdict verdict = cursor.verdict();
  if (verdict == base::JsonVerdict::too_deep)
    return "is nested deeper than " + std::to_string(json_depth_max);
  if (verdict != base::JsonVerdict::valid) return "is not JSON";
  if (!is_object) return "is not a JSON object";
  std::string space;
  if (base::with_whole_characters(text, space).data() != text.data())
    return "has half of a surrogate pair in a string";
  return std::nullopt;
}

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
