#include "config/value.h"

#include <array>
#include <charconv>
#include <cstddef>

#include "base/json.h"
#include "base/text.h"

namespace roomcast::config {
namespace {

constexpr std::size_t shown_bytes_max = 60;

struct Describer {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const {
    std::array<char, 32> digits{};
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
  }
  std::string operator()(const std::string& value) const {
    std::string out;
    base::append_json_string(out, value.substr(0, shown_bytes_max));
    if (value.size() > shown_bytes_max) out += " and more";
    return out;
  }
  std::string operator()(const std::vector<std::string>&) const { return "an array"; }
  std::string operator()(const std::vector<Table>&) const { return "an array of tables"; }
  std::string operator()(const Unsuitable& value) const { return value.what; }
};

}  // namespace

Value to_value(const Scalar& scalar) {
  return std::visit([](const auto& value) { return Value(value); }, scalar);
}

bool is_clean(std::string_view text) {
  if (!base::is_valid_utf8(text)) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return true;
}

std::string describe(const Value& value) { return std::visit(Describer{}, value); }

}  // namespace roomcast::config
