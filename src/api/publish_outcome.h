#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "hub/engine.h"
#include "hub/hub.h"
#include "hub/message.h"

namespace roomcast::api {

/// Why a payload of so many bytes can't be a message, if so: `message_bytes` is limits.message_bytes.
[[nodiscard]] std::optional<base::Refusal> check_payload_size(std::size_t bytes, std::uint64_t message_bytes);

/// Why that payload can't be a message, if so: larger than `message_bytes` (limits.message_bytes), text that
/// is not UTF-8, json that is not one JSON value, either of them JSON nested deeper than `json_depth`
/// (limits.json_depth).
[[nodiscard]] std::optional<base::Refusal> check_payload(hub::Kind kind, std::string_view payload,
                                                         std::uint64_t message_bytes,
                                                         std::uint64_t json_depth);

/// The same for that alone, of valid text or JSON.
[[nodiscard]] std::optional<base::Refusal> check_json_depth(std::string_view payload,
                                                            std::uint64_t json_depth);

/// Appends `{"room","cursor","subscribers"}`, with `"duplicate":true` if the message was there already.
void append_receipt(std::string& out, std::string_view room, const hub::Receipt& receipt);

}  // namespace roomcast::api
