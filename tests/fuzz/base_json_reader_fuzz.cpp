#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/json_cursor.h"
#include "base/json_reader.h"
#include "base/text.h"
#include "check.h"
#include "support/json_walk.h"

using namespace roomcast::base;

namespace {

/// Traverses a value and prints it again, without space between tokens.
void rebuild(const JsonValue& value, std::string& out) {
  if (value.is(JsonKind::object)) {
    out += '{';
    JsonMembers members(value);
    while (const auto member = members.next()) {
      if (out.back() != '{') out += ',';
      out += member->name.raw();
      out += ':';
      rebuild(member->value, out);
    }
    out += '}';
  } else if (value.is(JsonKind::array)) {
    out += '[';
    JsonElements elements(value);
    while (const auto element = elements.next()) {
      if (out.back() != '[') out += ',';
      rebuild(*element, out);
    }
    out += ']';
  } else {
    out += value.raw();
  }
}

void check_string(const JsonValue& value) {
  std::string text;
  value.append_text(text);
  FUZZ_CHECK(text.size() <= value.raw().size());
  FUZZ_CHECK(is_valid_utf8(text));
  FUZZ_CHECK(value.equals(text));
  FUZZ_CHECK(!value.equals(text + "x"));
  std::string written;
  append_json_string(written, text);
  FUZZ_CHECK(JsonValue(written).equals(text));
}

}  // namespace

/// Valid text is traversed without loss; other text is traversed within its bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: reading beyond it is detected.
  const std::string text(reinterpret_cast<const char*>(data), size);
  const JsonValue value{std::string_view(text)};
  JsonCursor cursor(text);
  std::string by_cursor;
  roomcast::test::rebuild(cursor, by_cursor);
  if (is_valid_utf8(text)) FUZZ_CHECK(cursor.verdict() == judge_json(text));
  if (!is_valid_json(text)) {
    // Not deeper than the stack of a sanitizer build permits.
    if (size < 4096) {
      std::string ignored;
      rebuild(value, ignored);
      value.append_text(ignored);
      (void)value.equals("x");
    }
    return 0;
  }
  std::string once;
  rebuild(value, once);
  FUZZ_CHECK(is_valid_json(once));
  FUZZ_CHECK(by_cursor == once);
  std::string twice;
  rebuild(JsonValue(once), twice);
  FUZZ_CHECK(once == twice);
  FUZZ_CHECK(once.size() <= text.size());
  if (value.is(JsonKind::string)) check_string(value);
  if (const auto number = value.to_unsigned(std::numeric_limits<std::uint64_t>::max())) {
    FUZZ_CHECK(std::to_string(*number) == value.raw());
  }
  return 0;
}
