#include "service/checks.h"

#include <string>

#include "base/json.h"
#include "base/text.h"
#include "hub/room_name.h"

namespace roomcast::service {

namespace {

using base::JsonVerdict;
using base::Refusal;
using Code = Refusal::Code;

std::optional<Refusal> check_size(std::size_t bytes, std::uint64_t message_bytes) {
  if (bytes <= message_bytes) return std::nullopt;
  return Refusal{Code::message_too_big, "the message has " + std::to_string(bytes) +
                                            " bytes, limits.message_bytes allows " +
                                            std::to_string(message_bytes)};
}

std::optional<Refusal> check_depth(std::string_view payload, std::uint64_t json_depth) {
  if (!base::is_json_deeper_than(payload, json_depth)) return std::nullopt;
  return Refusal{Code::json_too_deep, "the message is JSON nested deeper than limits.json_depth allows: " +
                                          std::to_string(json_depth)};
}

std::optional<Refusal> check_unread_json(std::string_view payload, std::uint64_t json_depth) {
  // Sound JSON, as nearly all is, is read once.
  if (base::judge_json(payload, json_depth) == JsonVerdict::valid) return std::nullopt;
  if (base::judge_json(payload) == JsonVerdict::broken) {
    return Refusal{Code::invalid_json, "an application/json body must be one JSON value"};
  }
  return check_depth(payload, json_depth);
}

std::optional<Refusal> check_form(const RawPayload& raw, const Limits& limits) {
  const bool is_unread = raw.checked == Checked::nothing;
  switch (raw.kind) {
    case hub::Kind::binary:
      return std::nullopt;
    case hub::Kind::text:
      if (is_unread && !base::is_valid_utf8(raw.bytes)) {
        return Refusal{Code::invalid_text, "a text/* body must be UTF-8"};
      }
      return check_depth(raw.bytes, limits.json_depth);
    case hub::Kind::json:
      if (raw.checked == Checked::all) return std::nullopt;
      return is_unread ? check_unread_json(raw.bytes, limits.json_depth)
                       : check_depth(raw.bytes, limits.json_depth);
  }
  return std::nullopt;
}

template <class Check>
std::optional<Refusal> refused_as(Code code, const Check& check) {
  if (check) return std::nullopt;
  return Refusal{code, check.error().message};
}

}  // namespace

base::Result<Payload, Refusal> Payload::check(const RawPayload& raw, const Limits& limits) {
  if (auto refusal = check_size(raw.bytes.size(), limits.message_bytes)) return *std::move(refusal);
  if (auto refusal = check_form(raw, limits)) return *std::move(refusal);
  if (raw.kind != hub::Kind::json || raw.checked == Checked::all)
    return Payload(raw.kind, base::Bytes::copy_of(raw.bytes), raw.labels);
  std::string space;
  return Payload(raw.kind, base::Bytes::copy_of(base::with_whole_characters(raw.bytes, space)), raw.labels);
}

hub::Author author_of(const access::Identity& identity, std::string_view name) {
  if (identity.is_anonymous()) return hub::Author(name);
  const bool has_own_name = identity.kind() == access::Kind::user || name.empty();
  if (has_own_name) return hub::Author(identity.name_block());
  return {name, identity.principal()};
}

std::optional<Refusal> check_room_name(std::string_view room) {
  return refused_as(Code::bad_room_name, hub::check_room_name(room));
}

std::optional<Refusal> check_client_name(std::string_view name) {
  if (name.empty()) return std::nullopt;  // most clients have none
  return refused_as(Code::bad_client_name, hub::check_client_name(name));
}

std::optional<Refusal> check_key(std::string_view key) {
  return refused_as(Code::bad_idempotency_key, hub::check_idempotency_key(key));
}

}  // namespace roomcast::service
