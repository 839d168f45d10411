// The values of a reader do not depend on how its input is cut, limits hold, and memory is bounded by what
// has arrived, not by what is announced.
//
// The input: one byte of limits, one that determines the pieces, the rest is what a server sends.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "redis/resp_reader.h"

using namespace roomcast::redis;

namespace {

RespReader::Limits read_limits(std::uint8_t bits) {
  RespReader::Limits limits;
  if ((bits & 1U) != 0) limits.value_bytes = 100;
  if ((bits & 2U) != 0) limits.depth = 2;
  if ((bits & 4U) != 0) limits.items = 10;
  return limits;
}

struct Measure {
  std::size_t items = 0;
  std::size_t depth = 0;
};

void append(std::string& out, const Value& value, std::string_view read, Measure& measure,
            std::size_t depth) {
  out += static_cast<char>(value.type);
  out += std::to_string(value.integer) + ' ' + std::to_string(value.text.size()) + ' ';
  out += value.text;
  out += std::to_string(value.items.size());
  if (value.is_list() || value.type == Value::Type::map) measure.depth = std::max(measure.depth, depth + 1);
  FUZZ_CHECK(value.type != Value::Type::push || (depth == 0 && !value.items.empty()));
  FUZZ_CHECK(value.type != Value::Type::map || value.items.size() % 2 == 0);
  // Every text is a part of the input.
  FUZZ_CHECK(read.find(value.text) != std::string_view::npos);
  measure.items += value.items.size();
  for (const Value& item : value.items)
    append(out, item, read, measure, depth + 1);
}

template <class NextSize>
std::vector<std::string> read_all(std::string_view wire, const RespReader::Limits& limits,
                                  NextSize next_size) {
  RespReader reader(limits);
  std::vector<std::string> values;
  std::size_t read = 0;
  for (std::size_t at = 0; at < wire.size();) {
    const auto size = std::min<std::size_t>(wire.size() - at, next_size());
    const std::vector<char> piece(wire.begin() + static_cast<std::ptrdiff_t>(at),
                                  wire.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
    reader.add({piece.data(), piece.size()});
    while (const Value* value = reader.next()) {
      Measure measure;
      append(values.emplace_back(), *value, wire, measure, 0);
      FUZZ_CHECK(reader.error().empty());
      FUZZ_CHECK(reader.value_bytes() > 0 && reader.value_bytes() <= limits.value_bytes);
      FUZZ_CHECK(measure.items <= limits.items);
      FUZZ_CHECK(measure.depth <= limits.depth);
      read += reader.value_bytes();
      FUZZ_CHECK(read <= at);
    }
    // A byte can be a third of a value; buffers grow by doubling.
    FUZZ_CHECK(reader.held_bytes() <= 4'096 + 128 * at);
  }
  FUZZ_CHECK(!reader.has_rest() || reader.error().empty());
  values.emplace_back(reader.error().empty() ? "more" : "error");
  return values;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const RespReader::Limits limits = read_limits(data[0]);
  const std::string_view wire(reinterpret_cast<const char*>(data) + 2, size - 2);

  const auto whole = read_all(wire, limits, [&] { return wire.size(); });
  FUZZ_CHECK(read_all(wire, limits, [] { return std::size_t{1}; }) == whole);
  std::uint32_t state = data[1];
  FUZZ_CHECK(read_all(wire, limits, [&] {
               state = state * 1664525U + 1013904223U;
               return std::size_t{1} + (state >> 24U) % 40;
             }) == whole);
  return 0;
}
