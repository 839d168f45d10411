#include "ws/utf8.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::ws::utf8_test {

namespace {

bool is_valid(std::string_view text) {
  Utf8Validator validator;
  return validator.feed(text) && validator.is_complete();
}

/// The number of bytes accepted one by one before the validator fails.
std::size_t accepted_bytes(std::string_view text) {
  Utf8Validator validator;
  std::size_t at = 0;
  while (at < text.size() && validator.feed(text.substr(at, 1)))
    ++at;
  return at;
}

/// RFC 3629 section 3, as a formula.
std::string encoded(std::uint32_t code_point) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (code_point < 0x80) return {byte(code_point)};
  if (code_point < 0x800) return {byte(0xC0 | code_point >> 6U), byte(0x80 | (code_point & 0x3F))};
  if (code_point < 0x10000) {
    return {byte(0xE0 | code_point >> 12U), byte(0x80 | (code_point >> 6U & 0x3F)),
            byte(0x80 | (code_point & 0x3F))};
  }
  return {byte(0xF0 | code_point >> 18U), byte(0x80 | (code_point >> 12U & 0x3F)),
          byte(0x80 | (code_point >> 6U & 0x3F)), byte(0x80 | (code_point & 0x3F))};
}

}  // namespace

TEST_CASE("every code point but the surrogates is valid, up to U+10FFFF") {
  for (std::uint32_t code_point = 0; code_point < 0x120000; ++code_point) {
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (is_valid(encoded(code_point)) != (!surrogate && code_point <= 0x10FFFF)) FAIL(code_point);
  }
}

TEST_CASE("invalid text is refused at the very byte that makes it so") {
  struct Row {
    std::string_view text;
    std::size_t valid;
  };
  const std::vector<Row> rows{
      {"\x80", 0},              // continuation without a lead
      {"\xBF", 0},              //
      {"\xC0\x80", 0},          // overlong NUL
      {"\xC1\xBF", 0},          //
      {"\xC2\x41", 1},          // incomplete
      {"\xE0\x9F\xBF", 1},      // overlong
      {"\xE1\x80\x41", 2},      //
      {"\xED\xA0\x80", 1},      // surrogate
      {"\xED\xBF\xBF", 1},      //
      {"\xF0\x8F\xBF\xBF", 1},  // overlong
      {"\xF4\x90\x80\x80", 1},  // past U+10FFFF
      {"\xF5\x80\x80\x80", 0},  //
      {"\xF8\x88\x80\x80\x80", 0},
      {"\xFE", 0},
      {"\xFF", 0},
      {"ascii \xF1\x80\x80\xC0", 9},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(accepted_bytes(row.text) == row.valid);
    CHECK_FALSE(is_valid(row.text));
    // After enough ASCII for the fast path, at each alignment.
    for (std::size_t before = 0; before < 20; ++before) {
      CHECK_FALSE(is_valid(std::string(before, 'a') + std::string(row.text) + std::string(20, 'b')));
    }
  }
}

TEST_CASE("a character may be cut anywhere and is complete only at its end") {
  const std::string_view text = "aß€𐍈z";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(cut);
    Utf8Validator validator;
    CHECK(validator.feed(text.substr(0, cut)));
    const bool within = cut == 2 || cut == 4 || cut == 5 || (cut >= 7 && cut <= 9);
    CHECK(validator.is_complete() == !within);
    CHECK(validator.feed(text.substr(cut)));
    CHECK(validator.is_complete());
  }
}

TEST_CASE("non-characters and NUL are valid") {
  CHECK(is_valid(std::string_view("\0", 1)));
  CHECK(is_valid("\xEF\xBF\xBE"));
  CHECK(is_valid("\xEF\xBF\xBF"));
  CHECK(is_valid("\xEF\xBB\xBF"));
  CHECK(is_valid(""));
}

}  // namespace roomcast::ws::utf8_test
