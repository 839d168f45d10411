#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "access/identity.h"
#include "base/bytes.h"
#include "base/refusal.h"
#include "base/result.h"
#include "hub/labels.h"
#include "hub/message.h"

namespace roomcast::service {

/// The client that a call is made for.
struct Caller {
  access::Identity identity{};  ///< anonymous, or what it has proven
  base::Bytes name;             ///< the name that it asked for, not checked yet; may be empty
  hub::Source source = 0;       ///< the group of addresses that it belongs to; 0: unknown
};

/// What may be published; applies from the next message on.
struct Limits {
  std::uint64_t message_bytes;  ///< limits.message_bytes
  std::uint64_t json_depth;     ///< limits.json_depth: of JSON, and of text that reads as JSON
};

/// What the caller has already checked of a payload, so that it is not read twice.
enum class Checked : std::uint8_t {
  nothing,
  form,  ///< text is valid UTF-8, json is one JSON value
  all,   ///< and json is not nested too deep, and has no lone surrogates (base::with_whole_characters)
};

/// A payload as it came.
struct RawPayload {
  hub::Kind kind = hub::Kind::text;
  std::string_view bytes;
  Checked checked = Checked::nothing;
  hub::Labels labels{};  ///< its event name and tags, within their limits
};

/// A payload that may be published, with its labels. Copies share its bytes.
class Payload {
 public:
  /// Copies `raw`, unless it is larger than `limits.message_bytes`, is not what its kind says, or is JSON
  /// nested deeper than `limits.json_depth`.
  [[nodiscard]] static base::Result<Payload, base::Refusal> check(const RawPayload& raw,
                                                                  const Limits& limits);

  [[nodiscard]] hub::Kind kind() const { return kind_; }
  [[nodiscard]] const base::Bytes& bytes() const { return bytes_; }
  [[nodiscard]] const hub::Labels& labels() const { return labels_; }

 private:
  Payload(hub::Kind kind, base::Bytes bytes, hub::Labels labels)
      : kind_(kind), bytes_(std::move(bytes)), labels_(std::move(labels)) {}

  hub::Kind kind_;
  base::Bytes bytes_;
  hub::Labels labels_;
};

// Why a name can't be that of a room or client, or an idempotency key, if so: see hub/room_name.h.
[[nodiscard]] std::optional<base::Refusal> check_room_name(std::string_view room);
[[nodiscard]] std::optional<base::Refusal> check_client_name(std::string_view name);
[[nodiscard]] std::optional<base::Refusal> check_key(std::string_view key);

}  // namespace roomcast::service
