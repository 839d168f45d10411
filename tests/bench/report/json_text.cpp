#include "report/json_text.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace roomcast::bench {

void JsonText::begin(std::string_view key) {
  if (!first_) text_ += ',';
  first_ = false;
  if (key.empty()) return;
  quote(key);
  text_ += ':';
}

void JsonText::quote(std::string_view value) {
  text_ += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  text_ += '"';
}

void JsonText::put(double value) {
  std::array<char, 400> number{};
  if (std::isfinite(value)) std::snprintf(number.data(), number.size(), "%.3f", value);
  text_ += std::isfinite(value) ? number.data() : "null";
}

JsonText& JsonText::open_object(std::string_view key) {
  begin(key);
  text_ += '{';
  first_ = true;
  return *this;
}

JsonText& JsonText::close_object() {
  text_ += '}';
  first_ = false;
  return *this;
}

JsonText& JsonText::open_array(std::string_view key) {
  begin(key);
  text_ += '[';
  first_ = true;
  return *this;
}

JsonText& JsonText::close_array() {
  text_ += ']';
  first_ = false;
  return *this;
}

JsonText& JsonText::member(std::string_view key, std::string_view value) {
  begin(key);
  quote(value);
  return *this;
}

JsonText& JsonText::member(std::string_view key, double value) {
  begin(key);
  put(value);
  return *this;
}

JsonText& JsonText::member(std::string_view key, std::uint64_t value) {
  begin(key);
  text_ += std::to_string(value);
  return *this;
}

JsonText& JsonText::element(double value) {
  begin({});
  put(value);
  return *this;
}

}  // namespace roomcast::bench
