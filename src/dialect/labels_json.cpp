#include "dialect/labels_json.h"

#include <utility>
#include <vector>

#include "base/json.h"

namespace roomcast::dialect {

namespace {

using base::JsonKind;
using base::JsonValue;

constexpr std::string_view event_problem =
    "event must be a string of 1 to 64 bytes of UTF-8 without control characters";
constexpr std::string_view tags_problem =
    "tags must be an object of at most 16 strings, names and values together at most 1024 bytes";

/// Reads no more than the limits allow, and one more; false if it is not an object of strings.
bool read_tags(const JsonValue& object, std::vector<hub::Tag>& tags) {
  if (!object.is(JsonKind::object)) return false;
  base::JsonMembers members(object);
  while (const auto member = members.next()) {
    if (!member->value.is(JsonKind::string) || tags.size() > hub::Labels::tags_max) return false;
    hub::Tag& tag = tags.emplace_back();
    member->name.append_text(tag.key);
    member->value.append_text(tag.value);
  }
  return hub::Labels::are_within_limits(tags);
}

}  // namespace

base::Result<hub::Labels, std::string_view> read_labels(const std::optional<JsonValue>& event,
                                                        const std::optional<JsonValue>& tags) {
  if (!event && !tags) return hub::Labels();
  std::string name;
  if (event) {
    if (!event->is(JsonKind::string)) return event_problem;
    event->append_text(name);
    if (!hub::Labels::is_event_name(name)) return event_problem;
  }
  std::vector<hub::Tag> found;
  if (tags && !read_tags(*tags, found)) return tags_problem;
  return hub::Labels(name, std::move(found));
}

void append_labels_members(std::string& out, const hub::Labels& labels) {
  if (labels.empty()) return;
  if (!labels.event().empty()) {
    out += R"(,"event":)";
    base::append_json_string(out, labels.event());
  }
  if (labels.tags().empty()) return;
  out += R"(,"tags":{)";
  for (const hub::Tag& tag : labels.tags()) {
    if (out.back() != '{') out += ',';
    base::append_json_string(out, tag.key);
    out += ':';
    base::append_json_string(out, tag.value);
  }
  out += '}';
}

}  // namespace roomcast::dialect
