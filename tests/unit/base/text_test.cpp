#include "base/text.h"

#include <doctest/doctest.h>

#include <string>

namespace text_test {

using roomcast::base::cut_between_characters;
using roomcast::base::has_control_character;

TEST_CASE("text: control characters are C0, DEL and C1") {
  for (const char* text : {"", "Ada", "\u00e9\u00a0", "\u2028", "\u4e2d"})
    CHECK_FALSE(has_control_character(text));
  for (const char* text : {"a\n", "\t", "\x1f", "\x7f", "\u0080", "a\u009f"})
    CHECK(has_control_character(text));
  CHECK(has_control_character(std::string(1, '\0')));
}

TEST_CASE("text: it is cut between characters, and only if it is too long") {
  CHECK(cut_between_characters("abc", 3) == "abc");
  CHECK(cut_between_characters("abc", 2) == "ab");
  CHECK(cut_between_characters("a\u4e2d", 4) == "a\u4e2d");
  for (const std::size_t size : {1U, 2U, 3U})
    CHECK(cut_between_characters("a\u4e2d", size) == "a");
  CHECK(cut_between_characters("\u4e2d", 2).empty());
  CHECK(cut_between_characters("abc", 0).empty());
}

}  // namespace text_test
