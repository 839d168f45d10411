#include "engine/redis_calls.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace roomcast::engine {

namespace {

using redis::Value;
using FaultCode = RedisFault::Code;

constexpr int hexadecimal = 16;
constexpr int decimal = 10;
constexpr std::size_t message_bytes_max = 200;

struct Word {
  std::string_view word;
  FaultCode code;
};
constexpr std::array<Word, 17> words{{
    {"STALE", FaultCode::stale},
    {"DOUBT", FaultCode::doubt},
    {"KEYREUSED", FaultCode::key_reused},
    {"NOTFOUND", FaultCode::not_found},
    {"LATE", FaultCode::late},
    {"UNKNOWN", FaultCode::unknown},
    {"NOSCRIPT", FaultCode::no_script},
    {"OOM", FaultCode::out_of_memory},
    {"READONLY", FaultCode::not_primary},
    {"MOVED", FaultCode::not_primary},
    {"ASK", FaultCode::not_primary},
    {"LOADING", FaultCode::not_primary},
    {"MASTERDOWN", FaultCode::not_primary},
    {"CLUSTERDOWN", FaultCode::not_primary},
    {"TRYAGAIN", FaultCode::not_primary},
    {"NOREPLICAS", FaultCode::not_primary},
    {"MISCONF", FaultCode::not_primary},
}};

std::optional<std::uint64_t> number_of(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> number_of(const Value& value) {
  if (value.type == Value::Type::integer && value.integer >= 0)
    return static_cast<std::uint64_t>(value.integer);
  if (value.type == Value::Type::text) return number_of(value.text, decimal);
  return std::nullopt;
}

std::optional<hub::Position> position_of(const Value& epoch, const Value& offset) {
  const auto first = number_of(epoch.text, hexadecimal);
  const auto second = number_of(offset);
  if (!first || *first == 0 || !second) return std::nullopt;
  return hub::Position{*first, *second};
}

RedisFault unexpected_answer() { return {FaultCode::garbled, "an answer that roomcast does not know", 0}; }

/// Offsets and texts by turns.
template <class Item>
std::optional<std::vector<Item>> pairs_of(const Value& list) {
  if (!list.is_list() || list.items.size() % 2 != 0) return std::nullopt;
  std::vector<Item> items;
  items.reserve(list.items.size() / 2);
  for (std::size_t i = 0; i < list.items.size(); i += 2) {
    const auto offset = number_of(list.items[i]);
    if (!offset || list.items[i + 1].type != Value::Type::text) return std::nullopt;
    items.push_back({*offset, list.items[i + 1].text});
  }
  return items;
}

}  // namespace

std::string in_hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4U];
    text += digits[static_cast<unsigned char>(byte) & 0xFU];
  }
  return text;
}

RedisFault read_redis_fault(std::string_view error) {
  RedisFault fault{FaultCode::refused, std::string(error.substr(0, message_bytes_max)), 0};
  const auto found = std::find_if(words.begin(), words.end(), [&](const Word& one) {
    return error.starts_with(one.word) && error.substr(one.word.size()).starts_with(' ');
  });
  if (found != words.end()) {
    fault.code = found->code;
  } else if (error.find("-OOM ") != std::string_view::npos) {
    fault.code = FaultCode::out_of_memory;
  } else if (error.find("-READONLY ") != std::string_view::npos) {
    fault.code = FaultCode::not_primary;
  }
  if (fault.code != FaultCode::doubt) return fault;
  std::string_view rest = error.substr(error.find(' ') + 1);
  rest = rest.substr(0, rest.find(' '));
  fault.wait_ms = static_cast<std::int64_t>(number_of(rest, decimal).value_or(0));
  return fault;
}

base::Result<RedisPublished, RedisFault> read_published(const Value& reply) {
  if (reply.is_error()) return read_redis_fault(reply.text);
  if (!reply.is_list() || reply.items.size() != 4) return unexpected_answer();
  const auto last = position_of(reply.items[0], reply.items[1]);
  const auto nodes = number_of(reply.items[2]);
  const auto is_duplicate = number_of(reply.items[3]);
  if (!last || last->offset == 0 || !nodes || !is_duplicate) return unexpected_answer();
  return RedisPublished{*last, *nodes, *is_duplicate != 0};
}

base::Result<RedisLogState, RedisFault> read_log_state(const Value& reply) {
  if (reply.is_error()) return read_redis_fault(reply.text);
  if (!reply.is_list() || reply.items.size() != 7) return unexpected_answer();
  const auto top = position_of(reply.items[0], reply.items[1]);
  const auto floor = number_of(reply.items[2]);
  auto lineage = read_lineage(reply.items[3].text);
  const auto doubt = number_of(reply.items[4]);
  auto batches = pairs_of<RedisLogState::Batch>(reply.items[5]);
  auto amended = pairs_of<RedisLogState::Amended>(reply.items[6]);
  if (!top || !floor || *floor > top->offset || !lineage || !doubt || !batches || !amended)
    return unexpected_answer();
  return RedisLogState{*top,
                       *floor,
                       std::move(*lineage),
                       static_cast<std::int64_t>(*doubt),
                       std::move(*batches),
                       std::move(*amended)};
}

std::optional<hub::Lineage> read_lineage(std::string_view text) {
  std::vector<hub::Ancestor> ancestors;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t dash = one.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto epoch = number_of(one.substr(0, dash), hexadecimal);
    const auto end = number_of(one.substr(dash + 1), decimal);
    if (!epoch || *epoch == 0 || !end) return std::nullopt;
    if (!ancestors.empty() && *end < ancestors.back().end) return std::nullopt;
    ancestors.push_back({*epoch, *end});
  }
  return hub::Lineage(std::move(ancestors));
}

}  // namespace roomcast::engine
