#include "api/batch_request.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "api/publish_outcome.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/json_reader.h"
#include "hub/publish_once.h"
#include "hub/room_name.h"

namespace roomcast::api {

namespace {

using base::JsonKind;
using base::JsonValue;

std::string text_of(const JsonValue& value) {
  std::string text;
  value.append_text(text);
  return text;
}

/// Reads one element of `messages`.
class MessageReader {
 public:
  MessageReader(std::size_t index, const JsonValue& object, const BatchLimits& limits)
      : index_(index), limits_(limits) {
    base::JsonMembers members(object);
    while (const auto member = members.next()) {
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (member->name.equals(names.at(i))) members_.at(i) = member->value;
      }
    }
  }

  /// Appends an item for each room. Nothing; or why that is no message.
  [[nodiscard]] std::optional<http::Problem> read(std::vector<BatchItem>& items) {
    BatchItem item;
    read_payload(item);
    read_names(item);
    if (!shape_) read_rooms(item, items);
    return std::move(shape_);
  }

 private:
  enum Name : std::size_t { room, rooms, data, data_base64, from, key, count };
  static constexpr std::array<std::string_view, Name::count> names{"room",        "rooms", "data",
                                                                   "data_base64", "from",  "key"};

  [[nodiscard]] std::optional<JsonValue> find(Name name) const {
    const auto& value = members_.at(name);
    return value && (name == data || !value->is(JsonKind::null)) ? value : std::nullopt;
  }

  void misshapen(std::string_view what) {
    if (shape_) return;
    shape_ = http::bad_request("messages[" + std::to_string(index_) + "]: " + std::string(what));
  }

  std::optional<std::string> string_of(Name name) {
    const auto value = find(name);
    if (!value) return std::nullopt;
    if (value->is(JsonKind::string)) return text_of(*value);
    misshapen(std::string(names.at(name)) + " must be a string");
    return std::nullopt;
  }

  void read_payload(BatchItem& item) {
    const auto value = find(data);
    const auto base64 = string_of(data_base64);
    if (value.has_value() == base64.has_value()) return misshapen("needs data or data_base64, one of them");
    std::string payload;
    if (base64) {
      item.draft.kind = hub::Kind::binary;
      if (!base::base64_decode(*base64, payload)) {
        item.problem = http::Problem{400, "invalid_data", "data_base64 must be base64 with padding"};
      }
    } else if (value->is(JsonKind::string)) {
      item.draft.kind = hub::Kind::text;
      value->append_text(payload);
    } else {
      item.draft.kind = hub::Kind::json;
      payload = value->raw();
    }
    if (!item.problem) item.problem = check_payload(item.draft.kind, payload, limits_.message_bytes);
    if (!item.problem) item.draft.payload = base::FrameRef::copy_of(payload);
  }

  void read_names(BatchItem& item) {
    const std::string sender = string_of(from).value_or("");
    const auto is_name = hub::check_client_name(sender);
    if (!is_name && !item.problem)
      item.problem = http::Problem{400, "bad_client_name", is_name.error().message};
    item.draft.from = base::FrameRef::copy_of(sender);
    const auto wanted = string_of(key);
    if (!wanted) return;
    const auto is_key = hub::check_idempotency_key(*wanted);
    if (!is_key && !item.problem)
      item.problem = http::Problem{400, "bad_idempotency_key", is_key.error().message};
    item.key = *wanted;
  }

  void read_rooms(const BatchItem& item, std::vector<BatchItem>& items) {
    const auto one = string_of(room);
    const auto list = find(rooms);
    if (shape_) return;
    if (one.has_value() == list.has_value()) return misshapen("needs room or rooms, one of them");
    if (one) return append(item, *one, items);
    if (!list->is(JsonKind::array)) return misshapen("rooms must be a list");
    base::JsonElements elements(*list);
    const std::size_t first = items.size();
    while (const auto element = elements.next()) {
      if (!element->is(JsonKind::string)) return misshapen("rooms must be strings");
      // One too many is enough to know.
      if (items.size() > limits_.messages) return;
      append(item, text_of(*element), items);
    }
    check_rooms_differ(std::span(items).subspan(first));
  }

  /// Otherwise one payload could be as much as a thousand.
  void check_rooms_differ(std::span<const BatchItem> items) {
    std::vector<std::string_view> rooms_named;
    rooms_named.reserve(items.size());
    for (const BatchItem& item : items)
      rooms_named.push_back(item.room);
    std::sort(rooms_named.begin(), rooms_named.end());
    if (std::adjacent_find(rooms_named.begin(), rooms_named.end()) != rooms_named.end())
      misshapen("rooms must not name a room twice");
  }

  static void append(const BatchItem& item, std::string name, std::vector<BatchItem>& items) {
    BatchItem& added = items.emplace_back(item);
    const auto is_name = hub::check_room_name(name);
    if (!is_name && !added.problem)
      added.problem = http::Problem{400, "bad_room_name", is_name.error().message};
    added.room = std::move(name);
  }

  std::size_t index_;
  const BatchLimits& limits_;
  std::array<std::optional<JsonValue>, Name::count> members_;
  std::optional<http::Problem> shape_;
};

std::optional<JsonValue> find_messages(const JsonValue& root) {
  std::optional<JsonValue> messages;
  base::JsonMembers members(root);
  while (const auto member = members.next()) {
    if (member->name.equals("messages")) messages = member->value;
  }
  return messages && messages->is(JsonKind::array) ? messages : std::nullopt;
}

}  // namespace

base::Result<std::vector<BatchItem>, http::Problem> read_batch(std::string_view body,
                                                               const BatchLimits& limits) {
  if (!base::is_valid_json(body))
    return http::Problem{400, "invalid_json", "the body must be one JSON value"};
  const auto messages = find_messages(JsonValue(body));
  if (!messages) return http::bad_request("the body must be an object with a list called messages");
  std::vector<BatchItem> items;
  std::size_t judged = 0;
  std::uint64_t bytes = 0;
  base::JsonElements elements(*messages);
  for (std::size_t i = 0; const auto element = elements.next(); ++i) {
    if (!element->is(JsonKind::object)) {
      return http::bad_request("messages[" + std::to_string(i) + "]: must be an object");
    }
    if (auto problem = MessageReader(i, *element, limits).read(items)) return std::move(*problem);
    if (items.size() > limits.messages) {
      return http::Problem{413, "too_many_messages",
                           "more messages, one for each room, than limits.batch_messages allows: " +
                               std::to_string(limits.messages)};
    }
    for (; judged < items.size(); ++judged)
      bytes += items[judged].draft.payload.size();
    if (bytes > limits.bytes) {
      return http::Problem{
          413, "batch_too_big",
          "more bytes of payloads, each counted for each of its rooms, than limits.batch_bytes "
          "allows: " +
              std::to_string(limits.bytes)};
    }
  }
  return items;
}

}  // namespace roomcast::api
