#include "api/batch_request.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "base/digest.h"
#include "base/json.h"
#include "base/json_cursor.h"
#include "base/text.h"
#include "dialect/labels_json.h"

namespace roomcast::api {

namespace {

using base::JsonKind;
using base::JsonValue;

std::string text_of(const JsonValue& value) {
  std::string text;
  value.append_text(text);
  return text;
}

base::Refusal not_json() { return {base::Refusal::Code::invalid_json, "the body must be one JSON value"}; }

base::Refusal too_many_messages(std::uint64_t limit) {
  return {base::Refusal::Code::too_many_messages,
          "more messages, one for each room, than limits.batch_messages allows: " + std::to_string(limit)};
}

/// Reads one element of `messages`.
class MessageReader {
 public:
  MessageReader(std::size_t index, const BatchLimits& limits, const service::Limits& message_limits)
      : index_(index), limits_(limits), message_limits_(message_limits) {}

  /// Passes over the element that `cursor` stands in front of and appends an item for each room, one at
  /// least. Nothing; or why that is no message. Where the text turns out not to be JSON, `cursor` says so.
  [[nodiscard]] std::optional<base::Refusal> read(base::JsonCursor& cursor, std::vector<PublishItem>& items) {
    collect(cursor);
    if (!shape_ && !cursor.has_failed()) {
      PublishItem item{{}, {}, {}, read_payload()};
      read_names(item);
      if (!shape_) read_rooms(item, items);
    }
    return std::move(shape_);
  }

 private:
  enum Name : std::size_t { room, rooms, data, data_base64, from, key, event, tags, count };
  static constexpr std::array<std::string_view, Name::count> names{"room", "rooms", "data",  "data_base64",
                                                                   "from", "key",   "event", "tags"};

  void collect(base::JsonCursor& cursor) {
    if (cursor.kind() != JsonKind::object) {
      if (cursor.value()) misshapen("must be an object");
      return;
    }
    std::size_t members = cursor.enter() ? 0 : batch_members_max;
    while (const auto name = cursor.next_name()) {
      if (++members > batch_members_max) {
        return misshapen("must have at most " + std::to_string(batch_members_max) + " members");
      }
      const auto value = cursor.value();
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (name->equals(names.at(i))) members_.at(i) = value;
      }
    }
  }

  [[nodiscard]] std::optional<JsonValue> find(Name name) const {
    const auto& value = members_.at(name);
    return value && (name == data || !value->is(JsonKind::null)) ? value : std::nullopt;
  }

  void misshapen(std::string_view what) {
    if (shape_) return;
    shape_ = base::bad_request("messages[" + std::to_string(index_) + "]: " + std::string(what));
  }

  std::optional<std::string> string_of(Name name) {
    const auto value = find(name);
    if (!value) return std::nullopt;
    if (value->is(JsonKind::string)) return text_of(*value);
    misshapen(std::string(names.at(name)) + " must be a string");
    return std::nullopt;
  }

  base::Result<service::Payload, base::Refusal> read_payload() {
    const auto value = find(data);
    const auto base64 = string_of(data_base64);
    if (value.has_value() == base64.has_value()) misshapen("needs data or data_base64, one of them");
    if (shape_) return *shape_;
    std::string text;
    service::RawPayload raw;
    // The body is known to be UTF-8 and this far JSON.
    raw.checked = service::Checked::form;
    if (base64) {
      raw.kind = hub::Kind::binary;
      if (!base::base64_decode(*base64, text)) {
        return base::Refusal{base::Refusal::Code::invalid_data, "data_base64 must be base64 with padding"};
      }
      raw.bytes = text;
    } else if (value->is(JsonKind::string)) {
      raw.kind = hub::Kind::text;
      value->append_text(text);
      raw.bytes = text;
    } else {
      raw.kind = hub::Kind::json;
      raw.bytes = value->raw();
    }
    auto labels = dialect::read_labels(find(event), find(tags));
    if (!labels) return base::bad_request(std::string(labels.error()));
    raw.labels = std::move(*labels);
    return service::Payload::check(raw, message_limits_);
  }

  /// What can't be used is not kept: there may be a copy for each of a thousand rooms.
  void read_names(PublishItem& item) {
    const auto judge = [&item](std::optional<base::Refusal> refusal) {
      if (!refusal) return true;
      if (item.payload) item.payload = std::move(*refusal);
      return false;
    };
    const std::string sender = string_of(from).value_or("");
    if (judge(service::check_client_name(sender))) item.from = base::Bytes::copy_of(sender);
    if (auto wanted = string_of(key); wanted && judge(service::check_key(*wanted)))
      item.key = std::move(*wanted);
  }

  void read_rooms(const PublishItem& item, std::vector<PublishItem>& items) {
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
      if (items.size() >= limits_.messages) {
        shape_ = too_many_messages(limits_.messages);
        return;
      }
      append(item, text_of(*element), items);
    }
    // Each message counts against limits.batch_messages at least once.
    if (items.size() == first) return misshapen("rooms must name a room");
    check_rooms_differ(std::span(items).subspan(first));
  }

  /// Otherwise one payload could be as much as a thousand.
  void check_rooms_differ(std::span<const PublishItem> items) {
    std::vector<std::string_view> rooms_named;
    rooms_named.reserve(items.size());
    for (const PublishItem& item : items)
      rooms_named.push_back(item.room);
    std::sort(rooms_named.begin(), rooms_named.end());
    if (std::adjacent_find(rooms_named.begin(), rooms_named.end()) != rooms_named.end())
      misshapen("rooms must not name a room twice");
  }

  static void append(const PublishItem& item, std::string name, std::vector<PublishItem>& items) {
    items.emplace_back(item).room = std::move(name);
  }

  std::size_t index_;
  const BatchLimits& limits_;
  const service::Limits& message_limits_;
  std::array<std::optional<JsonValue>, Name::count> members_;
  std::optional<base::Refusal> shape_;
};

/// Reads the body from front to back, once, and stops at the first thing that makes it none or is one too
/// many: what is refused costs no more than what has been looked at.
class BodyReader {
 public:
  BodyReader(std::string_view body, const BatchLimits& limits, const service::Limits& message_limits)
      : cursor_(body), limits_(limits), message_limits_(message_limits) {}

  base::Result<std::vector<PublishItem>, base::Refusal> read() {
    if (cursor_.kind() == JsonKind::object) {
      read_root();
    } else {
      cursor_.value();
    }
    if (problem_) return std::move(*problem_);
    if (cursor_.verdict() != base::JsonVerdict::valid) return not_json();
    if (!has_messages_) return base::bad_request("the body must be an object with a list called messages");
    return std::move(items_);
  }

 private:
  void read_root() {
    std::size_t members = cursor_.enter() ? 0 : batch_members_max;
    while (const auto name = cursor_.next_name()) {
      if (++members > batch_members_max) {
        problem_ =
            base::bad_request("the body must have at most " + std::to_string(batch_members_max) + " members");
      } else if (name->equals("messages")) {
        read_messages();
      } else {
        cursor_.value();
      }
      if (problem_) return;
    }
  }

  void read_messages() {
    items_.clear();
    bytes_ = 0;
    has_messages_ = cursor_.kind() == JsonKind::array;
    if (!has_messages_) {
      cursor_.value();
      return;
    }
    bool more = cursor_.enter();
    for (std::size_t i = 0; more && cursor_.next_element(); ++i) {
      const std::size_t judged = items_.size();
      if (judged >= limits_.messages) {
        problem_ = too_many_messages(limits_.messages);
      } else {
        problem_ = MessageReader(i, limits_, message_limits_).read(cursor_, items_);
        count_bytes(judged);
      }
      more = !problem_;
    }
  }

  void count_bytes(std::size_t first) {
    for (; first < items_.size(); ++first)
      bytes_ += items_[first].payload ? items_[first].payload->bytes().size() : 0;
    if (problem_ || bytes_ <= limits_.bytes) return;
    problem_ = base::Refusal{
        base::Refusal::Code::batch_too_big,
        "more bytes of payloads, each counted for each of its rooms, than limits.batch_bytes allows: " +
            std::to_string(limits_.bytes)};
  }

  base::JsonCursor cursor_;
  const BatchLimits& limits_;
  const service::Limits& message_limits_;
  std::vector<PublishItem> items_;
  std::uint64_t bytes_ = 0;
  bool has_messages_ = false;
  std::optional<base::Refusal> problem_;
};

}  // namespace

BatchLimits batch_limits(const config::Config& config) {
  return {config.limits.batch_messages, config.limits.batch_bytes};
}

base::Result<std::vector<PublishItem>, base::Refusal> read_batch(std::string_view body,
                                                                 const BatchLimits& limits,
                                                                 const service::Limits& message_limits) {
  if (!base::is_valid_utf8(body)) return not_json();
  return BodyReader(body, limits, message_limits).read();
}

}  // namespace roomcast::api
