#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/close_reason.h"

namespace roomcast::base {

/// The words of a refusal. Those of a string literal are referred to and cost nothing to copy; others are
/// owned.
class RefusalMessage {
 public:
  constexpr RefusalMessage() = default;
  /// `literal` is a string literal: it is not copied.
  template <std::size_t Size>
  constexpr RefusalMessage(const char (&literal)[Size])  // NOLINT: implicit by design, an array by its nature
      : literal_(literal), size_(static_cast<std::uint32_t>(Size - 1)) {}
  RefusalMessage(const std::string& text);  // NOLINT: implicit by design
  RefusalMessage(const RefusalMessage& other);
  RefusalMessage(RefusalMessage&& other) noexcept { swap(other); }
  RefusalMessage& operator=(RefusalMessage other) noexcept {
    swap(other);
    return *this;
  }
  constexpr ~RefusalMessage() {
    if (owned_ != nullptr) std::allocator<char>().deallocate(owned_, size_);
  }

  [[nodiscard]] constexpr std::string_view view() const {
    return {owned_ != nullptr ? owned_ : literal_, size_};
  }
  [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
  constexpr operator std::string_view() const { return view(); }  // NOLINT: implicit by design
  friend bool operator==(const RefusalMessage& a, std::string_view b) { return a.view() == b; }

 private:
  void swap(RefusalMessage& other) noexcept {
    std::swap(literal_, other.literal_);
    std::swap(size_, other.size_);
    std::swap(owned_, other.owned_);
  }

  const char* literal_ = "";
  char* owned_ = nullptr;  // in place of the literal
  std::uint32_t size_ = 0;
};

/// Why something a client asked for is not done: the one way to say no, over HTTP, in answers to requests of
/// a dialect, and at the end of a connection.
///
/// Two things stay apart. ws::Fault is a violation of the WebSocket protocol: it has no code, since nothing
/// but the end of the connection can answer it. config::Problem is a mistake in the configuration, which no
/// client sees.
struct Refusal {
  /// The rows of the table, in its order: by HTTP status.
  enum class Code : std::uint8_t {
    bad_request,
    too_many_parameters,
    bad_room_name,
    bad_client_name,
    bad_path,
    bad_query,
    bad_cursor,
    bad_history,
    bad_wait,
    bad_transport,
    bad_dialect,
    bad_idempotency_key,
    ambiguous_credentials,  ///< more than one way of identifying the client
    invalid_text,
    invalid_json,
    invalid_data,
    json_too_deep,
    http_version,
    connection_header,
    websocket_version_missing,  ///< websocket_version with 400: not given, or more than once
    websocket_key,
    websocket_protocol,
    websocket_extensions,
    bad_subprotocol,
    https_required,
    unauthorized,  ///< the client would have to identify itself
    bad_token,     ///< not a token, or not one that a configured key has signed
    token_expired,
    token_not_yet_valid,
    token_revoked,
    unknown_key,  ///< no key has the `kid` of the token
    wrong_issuer,
    wrong_audience,
    bad_api_key,
    login_failed,
    origin_denied,
    forbidden,  ///< the client is known, and may not
    banned,
    muted,
    publish_only_keys,  ///< rooms.publish_only_keys
    not_found,
    method_not_allowed,
    request_timeout,
    message_too_big,
    content_too_large,
    too_many_messages,
    batch_too_big,
    uri_too_long,
    unsupported_encoding,
    unsupported_media_type,
    expectation_failed,
    host_denied,
    key_reused,  ///< the idempotency key belongs to another message
    upgrade_required,
    websocket_version,
    rate_limited,         ///< past a rate of `rates`; Refusal::retry_ms says when to try again
    too_many_of_address,  ///< too_many_connections with 429: of one address
    headers_too_large,
    internal_error,
    not_implemented,
    too_many_connections,
    room_full,      ///< rooms.members_max
    overloaded,     ///< past a limit of this server; nothing has happened
    unavailable,    ///< what orders or keeps the messages can't be reached; nothing has happened
    timed_out,      ///< no answer came in time: a publish may have happened all the same
    store_busy,     ///< past store.queue_bytes, or too many rooms or pages asked for; nothing was kept
    store_full,     ///< no space on the disk, or store.disk_bytes are used up; nothing was kept
    store_failed,   ///< the disk can't be written or read; nothing was kept
    store_timeout,  ///< past store.ack_timeout_seconds: the message may still be kept, and delivered then
    version_not_supported,
    unknown_type,
    already_subscribed,
    not_subscribed,
    too_many_rooms,
    count_,
  };
  Code code = Code::bad_request;
  RefusalMessage message;      ///< for people; names the limit or the configuration key
  std::uint32_t retry_ms = 0;  ///< when the same request may succeed; 0: see RefusalInfo
};

/// What each way in makes of a refusal.
struct RefusalInfo {
  std::string_view name;       ///< the stable code that clients get, snake_case
  std::uint16_t http;          ///< status of the HTTP answer; 0: no HTTP request is refused for it
  CloseReason close;           ///< where the end of the connection is all that can be said
  bool is_temporary;           ///< the same request may succeed later
  std::uint8_t retry_after_s;  ///< Retry-After of the HTTP answer; 0: none
};

/// The row of the table for `code`.
[[nodiscard]] const RefusalInfo& describe(Refusal::Code code);

/// The syntax of a request is wrong, or open to more than one reading.
[[nodiscard, gnu::cold]] inline Refusal bad_request(RefusalMessage message) {
  return {Refusal::Code::bad_request, std::move(message)};
}

}  // namespace roomcast::base
