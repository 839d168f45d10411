#include "base/json_object.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/json_cursor.h"
#include "base/text.h"

namespace roomcast::base {
namespace {

class ObjectReader {
 public:
  explicit ObjectReader(std::string_view text) : text_(text), cursor_(text, json_object_depth_max) {
    constexpr std::size_t members_usual = 16;
    object_.members.reserve(members_usual);
    names_.reserve(members_usual);
  }

  /// Reads the whole text, or up to where it is invalid. False if an object has a member twice.
  [[nodiscard]] bool read() {
    pass_value();
    while (!open_.empty() && !cursor_.has_failed()) {
      if (has_next()) {
        pass_value();
      } else if (!cursor_.has_failed() && !leave()) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] JsonVerdict verdict() const { return cursor_.verdict(); }
  [[nodiscard]] JsonObject take() { return std::move(object_); }

 private:
  /// An array or object that is being read.
  struct Level {
    bool is_object = false;
    std::size_t names = 0;  // where those of its members begin in names_
  };

  /// Moves to the next value of the innermost level; false at its end, or if the text is invalid.
  bool has_next() {
    if (!open_.back().is_object) return cursor_.next_element();
    const auto name = cursor_.next_name();
    if (!name) return false;
    names_.push_back(text_of(*name));
    if (open_.size() == 1) {
      object_.members.push_back({names_.back(), JsonValue({})});
      value_at_ = cursor_.position();
    }
    return true;
  }

  std::string_view text_of(const JsonValue& name) {
    const std::string_view raw = name.raw();
    if (raw.find('\\') == std::string_view::npos) return raw.substr(1, raw.size() - 2);
    name.append_text(object_.unescaped.emplace_front());
    return object_.unescaped.front();
  }

  /// Reads a value, or only enters it.
  void pass_value() {
    const JsonKind kind = cursor_.kind();
    if (kind != JsonKind::object && kind != JsonKind::array) {
      if (cursor_.value()) end_value();
    } else if (cursor_.enter()) {
      open_.push_back({kind == JsonKind::object, names_.size()});
    }
  }

  void end_value() {
    if (open_.size() == 1 && open_.front().is_object)
      object_.members.back().value = JsonValue(text_.substr(value_at_, cursor_.position() - value_at_));
  }

  /// Ends the innermost level; false if it has a member twice.
  bool leave() {
    const auto first = names_.begin() + static_cast<std::ptrdiff_t>(open_.back().names);
    std::sort(first, names_.end());
    if (std::adjacent_find(first, names_.end()) != names_.end()) return false;
    names_.erase(first, names_.end());
    open_.pop_back();
    end_value();
    return true;
  }

  std::string_view text_;
  JsonCursor cursor_;
  JsonObject object_;
  std::size_t value_at_ = 0;  // where the value of its last member begins
  std::vector<Level> open_;
  std::vector<std::string_view> names_;  // of the members of all levels
};

}  // namespace

Result<JsonObject> read_json_object(std::string_view text) {
  if (!is_valid_utf8(text)) return Error{"is not UTF-8"};
  ObjectReader reader(text);
  if (!reader.read()) return Error{"has a member twice"};
  const JsonVerdict verdict = reader.verdict();
  if (verdict == JsonVerdict::too_deep)
    return Error{"is nested deeper than " + std::to_string(json_object_depth_max)};
  if (verdict != JsonVerdict::valid) return Error{"is not JSON"};
  if (!JsonValue(text).is(JsonKind::object)) return Error{"is not a JSON object"};
  std::string space;
  if (with_whole_characters(text, space).data() != text.data())
    return Error{"has half of a surrogate pair in a string"};
  return reader.take();
}

std::optional<JsonValue> JsonObject::find(std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [name](const Member& member) { return member.name == name; });
  return found == members.end() ? std::nullopt : std::optional(found->value);
}

}  // namespace roomcast::base
