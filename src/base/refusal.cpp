#include "base/refusal.h"

#include <array>
#include <cstring>

namespace roomcast::base {

namespace {

char* copy_of(std::string_view text) {
  char* const copy = std::allocator<char>().allocate(text.size());
  std::memcpy(copy, text.data(), text.size());
  return copy;
}

constexpr std::array<RefusalInfo, static_cast<std::size_t>(Refusal::Code::count_)> refusals{{
    {"bad_request", 400, CloseReason::policy_violation, false, 0},
    {"too_many_parameters", 400, CloseReason::policy_violation, false, 0},
    {"bad_room_name", 400, CloseReason::policy_violation, false, 0},
    {"bad_client_name", 400, CloseReason::policy_violation, false, 0},
    {"bad_path", 400, CloseReason::policy_violation, false, 0},
    {"bad_query", 400, CloseReason::policy_violation, false, 0},
    {"bad_cursor", 400, CloseReason::policy_violation, false, 0},
    {"bad_history", 400, CloseReason::policy_violation, false, 0},
    {"bad_wait", 400, CloseReason::policy_violation, false, 0},
    {"bad_transport", 400, CloseReason::policy_violation, false, 0},
    {"bad_dialect", 400, CloseReason::policy_violation, false, 0},
    {"bad_idempotency_key", 400, CloseReason::policy_violation, false, 0},
    {"ambiguous_credentials", 400, CloseReason::unauthorized, false, 0},
    {"invalid_text", 400, CloseReason::invalid_data, false, 0},
    {"invalid_json", 400, CloseReason::invalid_data, false, 0},
    {"invalid_data", 400, CloseReason::invalid_data, false, 0},
    {"json_too_deep", 400, CloseReason::policy_violation, false, 0},
    {"http_version", 400, CloseReason::policy_violation, false, 0},
    {"connection_header", 400, CloseReason::policy_violation, false, 0},
    {"websocket_version", 400, CloseReason::policy_violation, false, 0},
    {"websocket_key", 400, CloseReason::policy_violation, false, 0},
    {"websocket_protocol", 400, CloseReason::policy_violation, false, 0},
    {"websocket_extensions", 400, CloseReason::policy_violation, false, 0},
    {"bad_subprotocol", 400, CloseReason::policy_violation, false, 0},
    {"https_required", 400, CloseReason::policy_violation, false, 0},
    {"unauthorized", 401, CloseReason::unauthorized, false, 0},
    {"bad_token", 401, CloseReason::unauthorized, false, 0},
    {"token_expired", 401, CloseReason::unauthorized, false, 0},
    {"token_not_yet_valid", 401, CloseReason::unauthorized, false, 0},
    {"token_revoked", 401, CloseReason::unauthorized, false, 0},
    {"unknown_key", 401, CloseReason::unauthorized, false, 0},
    {"wrong_issuer", 401, CloseReason::unauthorized, false, 0},
    {"wrong_audience", 401, CloseReason::unauthorized, false, 0},
    {"bad_api_key", 401, CloseReason::unauthorized, false, 0},
    {"login_failed", 401, CloseReason::unauthorized, false, 0},
    {"origin_denied", 403, CloseReason::policy_violation, false, 0},
    {"forbidden", 403, CloseReason::forbidden, false, 0},
    {"banned", 403, CloseReason::forbidden, false, 0},
    {"muted", 403, CloseReason::forbidden, false, 0},
    {"publish_only_keys", 403, CloseReason::forbidden, false, 0},
    {"not_found", 404, CloseReason::policy_violation, false, 0},
    {"method_not_allowed", 405, CloseReason::policy_violation, false, 0},
    {"request_timeout", 408, CloseReason::policy_violation, true, 0},
    {"message_too_big", 413, CloseReason::message_too_big, false, 0},
    {"content_too_large", 413, CloseReason::message_too_big, false, 0},
    {"too_many_messages", 413, CloseReason::message_too_big, false, 0},
    {"batch_too_big", 413, CloseReason::message_too_big, false, 0},
    {"uri_too_long", 414, CloseReason::policy_violation, false, 0},
    {"unsupported_encoding", 415, CloseReason::unsupported_data, false, 0},
    {"unsupported_media_type", 415, CloseReason::unsupported_data, false, 0},
    {"expectation_failed", 417, CloseReason::policy_violation, false, 0},
    {"host_denied", 421, CloseReason::policy_violation, false, 0},
    {"key_reused", 422, CloseReason::policy_violation, false, 0},
    {"upgrade_required", 426, CloseReason::policy_violation, false, 0},
    {"websocket_version", 426, CloseReason::policy_violation, false, 0},
    {"rate_limited", 429, CloseReason::rate_limited, true, 1},
    {"too_many_connections", 429, CloseReason::overloaded, true, 5},
    {"headers_too_large", 431, CloseReason::policy_violation, false, 0},
    // A handler that failed, most likely for want of memory.
    {"internal_error", 500, CloseReason::internal_error, true, 0},
    {"not_implemented", 501, CloseReason::policy_violation, false, 0},
    {"too_many_connections", 503, CloseReason::overloaded, true, 5},
    {"room_full", 503, CloseReason::overloaded, true, 5},
    {"overloaded", 503, CloseReason::overloaded, true, 1},
    {"unavailable", 503, CloseReason::unavailable, true, 1},
    {"timed_out", 503, CloseReason::unavailable, true, 1},
    {"store_busy", 503, CloseReason::unavailable, true, 1},
    {"store_full", 503, CloseReason::unavailable, true, 10},
    {"store_failed", 503, CloseReason::unavailable, true, 10},
    {"store_timeout", 504, CloseReason::unavailable, true, 1},
    {"version_not_supported", 505, CloseReason::policy_violation, false, 0},
    {"unknown_type", 0, CloseReason::policy_violation, false, 0},
    {"already_subscribed", 0, CloseReason::policy_violation, false, 0},
    {"not_subscribed", 0, CloseReason::policy_violation, false, 0},
    {"too_many_rooms", 0, CloseReason::policy_violation, false, 0},
}};

}  // namespace

RefusalMessage::RefusalMessage(const std::string& text)
    : owned_(copy_of(text)), size_(static_cast<std::uint32_t>(text.size())) {}

RefusalMessage::RefusalMessage(const RefusalMessage& other)
    : literal_(other.literal_),
      owned_(other.owned_ != nullptr ? copy_of(other.view()) : nullptr),
      size_(other.size_) {}

const RefusalInfo& describe(Refusal::Code code) { return refusals.at(static_cast<std::size_t>(code)); }

}  // namespace roomcast::base
