#include "dialect/json_request.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/digest.h"
#include "base/json.h"
#include "dialect/labels_json.h"
#include "hub/cursor.h"
#include "hub/room_name.h"

namespace roomcast::dialect {

namespace {

using base::JsonKind;
using base::JsonValue;
using Code = base::Refusal::Code;

// In the order of JsonRequest::Name.
constexpr std::array<std::string_view, 13> names{"id",       "type", "room",        "since", "history",
                                                 "presence", "data", "data_base64", "key",   "limit",
                                                 "event",    "tags", "token"};

}  // namespace

const std::array<JsonRequest::Type, 7> JsonRequest::types{{
    {"subscribe", &JsonRequest::subscribe},
    {"unsubscribe", &JsonRequest::unsubscribe},
    {"publish", &JsonRequest::publish},
    {"presence", &JsonRequest::ask_presence},
    {"history", &JsonRequest::ask_history},
    {"ping", &JsonRequest::ping},
    {"authenticate", &JsonRequest::authenticate},
}};

JsonRequest::JsonRequest(std::string_view text) {
  static_assert(names.size() == static_cast<std::size_t>(Name::count_));
  const JsonValue object(text);
  if (!object.is(JsonKind::object)) fail(Code::bad_request, "a request must be a JSON object");
  collect(object);
  check_id();
}

void JsonRequest::run(CommandHandler& handler) {
  const auto type = find(Name::type);
  if (!type || !type->is(JsonKind::string)) fail(Code::bad_request, "a request needs a type, as a string");
  if (refusal_) return refuse(*refusal_, handler);
  const auto* const found =
      std::find_if(types.begin(), types.end(), [&](const Type& known) { return type->equals(known.name); });
  if (found == types.end()) {
    return refuse({Code::unknown_type,
                   "type must be subscribe, unsubscribe, publish, presence, history, ping or authenticate"},
                  handler);
  }
  const Command command = (this->*found->read)();
  if (refusal_) return refuse(*refusal_, handler);
  handler.run(command);
}

void JsonRequest::refuse(const base::Refusal& refusal, CommandHandler& handler) const {
  handler.refuse(id_, refusal);
}

void JsonRequest::collect(const JsonValue& object) {
  base::JsonMembers members(object);
  std::size_t count = 0;
  while (const auto member = members.next()) {
    if (++count > json_request_members_max) {
      return fail(Code::bad_request, "a request must have at most 64 members");
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (member->name.equals(names.at(i))) members_.at(i) = member->value;
    }
  }
}

void JsonRequest::check_id() {
  const auto id = find(Name::id);
  if (!id) return;
  if (!id->is(JsonKind::number) && !id->is(JsonKind::string)) {
    return fail(Code::bad_request, "id must be a number or a string");
  }
  if (id->raw().size() > json_request_id_bytes_max) {
    return fail(Code::bad_request, "id must take at most 64 bytes, quotes and escapes included");
  }
  id_ = id->raw();
}

std::optional<JsonValue> JsonRequest::find(Name name) const {
  const auto& member = members_.at(static_cast<std::size_t>(name));
  return member && member->is(JsonKind::null) ? std::nullopt : member;
}

void JsonRequest::fail(Code code, base::RefusalMessage message) {
  if (!refusal_) refusal_ = base::Refusal{code, std::move(message)};
}

std::optional<std::string_view> JsonRequest::room() {
  const auto member = find(Name::room);
  if (!member) return std::nullopt;
  if (!member->is(JsonKind::string)) fail(Code::bad_request, "room must be a string");
  member->append_text(room_);
  return room_;
}

std::optional<hub::Position> JsonRequest::since() {
  const auto member = find(Name::since);
  if (!member) return std::nullopt;
  std::string text;
  member->append_text(text);
  const auto position = hub::parse_cursor(text);
  if (!position) fail(Code::bad_cursor, "since must be a cursor as this server gives them");
  return position;
}

std::optional<std::size_t> JsonRequest::whole(Name name, base::RefusalMessage otherwise) {
  const auto member = find(name);
  if (!member) return std::nullopt;
  const auto count = member->to_unsigned(std::numeric_limits<std::size_t>::max());
  if (!count) fail(Code::bad_request, std::move(otherwise));
  return count;
}

bool JsonRequest::presence() {
  const auto member = find(Name::presence);
  if (!member) return false;
  const auto flag = member->to_bool();
  if (!flag) fail(Code::bad_request, "presence must be true or false");
  return flag.value_or(false);
}

std::optional<std::string_view> JsonRequest::key() {
  const auto member = find(Name::key);
  if (!member) return std::nullopt;
  member->append_text(key_);
  if (!hub::check_idempotency_key(key_)) {
    fail(Code::bad_request, "key must be a string of 1 to 200 printable ASCII characters");
  }
  return key_;
}

void JsonRequest::read_payload(Publish& command) {
  // null is a value as good as any.
  const auto& data = members_.at(static_cast<std::size_t>(Name::data));
  const auto binary = find(Name::data_base64);
  if (data.has_value() == binary.has_value()) {
    return fail(Code::bad_request, "publish needs one of data and data_base64");
  }
  if (data && !data->is(JsonKind::string)) {
    command.kind = hub::Kind::json;
    command.payload = base::with_whole_characters(data->raw(), payload_);
    return;
  }
  if (data) {
    command.kind = hub::Kind::text;
    data->append_text(payload_);
  } else {
    command.kind = hub::Kind::binary;
    if (!binary->is(JsonKind::string)) fail(Code::bad_request, "data_base64 must be a string");
    std::string text;
    binary->append_text(text);
    if (!base::base64_decode(text, payload_)) {
      fail(Code::invalid_data, "data_base64 must be whole, padded base64 (RFC 4648 section 4)");
    }
  }
  command.payload = payload_;
}

Command JsonRequest::subscribe() {
  const hub::Interest interest{since(), whole(Name::history, "history must be a whole number of messages")};
  return Subscribe{id_, room(), interest, presence()};
}

Command JsonRequest::unsubscribe() { return Unsubscribe{id_, room()}; }

Command JsonRequest::publish() {
  Publish command{id_, room(), {}, {}, key(), {}};
  read_payload(command);
  auto labels = read_labels(find(Name::event), find(Name::tags));
  if (!labels) fail(Code::bad_request, std::string(labels.error()));
  if (labels) command.labels = std::move(*labels);
  return command;
}

Command JsonRequest::ask_presence() {
  if (id_.empty()) fail(Code::bad_request, "presence needs an id: the reply is all it does");
  return AskPresence{id_, room()};
}

Command JsonRequest::ask_history() {
  if (id_.empty()) fail(Code::bad_request, "history needs an id: the reply is all it does");
  return AskHistory{id_, room(), since(), whole(Name::limit, "limit must be a whole number of messages")};
}

Command JsonRequest::ping() { return Ping{id_}; }

Command JsonRequest::authenticate() {
  const auto token = find(Name::token);
  if (token && token->is(JsonKind::string)) token->append_text(token_);
  if (token_.empty()) fail(Code::bad_request, "authenticate needs a token, as a string");
  return Authenticate{id_, token_};
}

}  // namespace roomcast::dialect
