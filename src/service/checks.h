#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "access/identity.h"
#include "base/bytes.h"
#include "base/refusal.h"
#include "base/result.h"
#include "hub/author.h"
#include "hub/labels.h"
#include "hub/message.h"

namespace roomcast::service {

/// How others see a client of that identity that asks to be called `name`, which may be empty and has not
/// been checked. A user is shown under the name of its identity, whatever it asks for; a key under `name`, or
/// its own where it asks for none.
[[nodiscard]] hub::Author author_of(const access::Identity& identity, std::string_view name);

/// The client that a call is made for.
struct Caller {
  Caller() = default;
  /// `name`: see author_of.
  Caller(access::Identity identity_, std::string_view name, hub::Source source_,
         std::string_view address_ = {}, hub::SubscriberId session_ = 0)
      : identity(std::move(identity_)),
        author(author_of(identity, name)),
        source(source_),
        address(address_),
        session(session_) {}
  /// One whose author is known: it is made once for all messages of a client.
  Caller(hub::Author author_, access::Identity identity_, hub::Source source_, std::string_view address_ = {},
         hub::SubscriberId session_ = 0)
      : identity(std::move(identity_)),
        author(std::move(author_)),
        source(source_),
        address(address_),
        session(session_) {}

  access::Identity identity;      ///< anonymous, or what it has proven
  hub::Author author;             ///< as author_of makes it; its name has not been checked
  hub::Source source = 0;         ///< the group of addresses that it belongs to; 0: unknown
  std::string_view address;       ///< numeric, or "unix"; empty: unknown; valid for the call
  hub::SubscriberId session = 0;  ///< 0: none
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
