#include "base/text.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace utf8_test {

using roomcast::base::is_valid_utf8;

TEST_CASE("empty text is valid UTF-8, with and without a pointer") {
  CHECK(is_valid_utf8(""));
  CHECK(is_valid_utf8(std::string_view()));
}

TEST_CASE("the first and last character of every length is valid UTF-8") {
  CHECK(is_valid_utf8(std::string_view("\0", 1)));
  CHECK(is_valid_utf8("\x7F"));
  CHECK(is_valid_utf8("\xC2\x80"));
  CHECK(is_valid_utf8("\xDF\xBF"));
  CHECK(is_valid_utf8("\xE0\xA0\x80"));
  CHECK(is_valid_utf8("\xED\x9F\xBF"));
  CHECK(is_valid_utf8("\xEE\x80\x80"));
  CHECK(is_valid_utf8("\xEF\xBF\xBF"));
  CHECK(is_valid_utf8("\xF0\x90\x80\x80"));
  CHECK(is_valid_utf8("\xF4\x8F\xBF\xBF"));
}

TEST_CASE("overlong forms, surrogates and code points past U+10FFFF are not UTF-8") {
  CHECK_FALSE(is_valid_utf8("\xC0\x80"));
  CHECK_FALSE(is_valid_utf8("\xC1\xBF"));
  CHECK_FALSE(is_valid_utf8("\xE0\x9F\xBF"));
  CHECK_FALSE(is_valid_utf8("\xF0\x8F\xBF\xBF"));
  CHECK_FALSE(is_valid_utf8("\xED\xA0\x80"));
  CHECK_FALSE(is_valid_utf8("\xED\xBF\xBF"));
  CHECK_FALSE(is_valid_utf8("\xF4\x90\x80\x80"));
  CHECK_FALSE(is_valid_utf8("\xF5\x80\x80\x80"));
  CHECK_FALSE(is_valid_utf8("\xFF"));
}

TEST_CASE("a character cut short or a stray continuation byte is not UTF-8, wherever it stands") {
  for (std::size_t before = 0; before < 130; ++before) {
    const std::string plain(before, 'a');
    CAPTURE(before);
    CHECK(is_valid_utf8(plain + "\xE2\x82\xAC"));
    CHECK_FALSE(is_valid_utf8(plain + "\xE2\x82"));
    CHECK_FALSE(is_valid_utf8(plain + "\xE2"));
    CHECK_FALSE(is_valid_utf8(plain + "\x82"));
    CHECK_FALSE(is_valid_utf8(plain + "\xE2\x82" + plain + "a"));
  }
}

}  // namespace utf8_test
