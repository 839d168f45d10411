#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roomcast::ws {

/// Splits the value of a header field (RFC 9110 section 5.6) from the front into tokens and separators.
class TokenScanner {
 public:
  explicit TokenScanner(std::string_view text) : rest_(text) {}

  void skip_space();
  /// Whether `separator` comes next, after optional space; takes it and the space after it.
  bool take(char separator);
  /// Takes the next token; nothing if there is none.
  std::optional<std::string_view> take_token();
  /// Takes the next quoted-string and returns its content, with backslashes; nothing if there is none or it
  /// is not closed.
  std::optional<std::string_view> take_quoted();
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// The configured settings of permessage-deflate (RFC 7692 section 7).
struct DeflatePolicy {
  /// Lets clients that support it refer to their earlier messages: compresses better, and costs about 40 KiB
  /// per connection.
  bool client_context_takeover = false;
  int server_max_window_bits = 15;  ///< 9–15: largest window of the server
  int client_max_window_bits = 15;  ///< 8–15: largest window of clients that support the parameter
};

/// The negotiated parameters. The server never refers to earlier messages (server_no_context_takeover), so
/// that one compressed message serves all receivers.
struct DeflateParameters {
  bool client_context_takeover = false;
  int server_max_window_bits = 15;  ///< 9–15: window bits for the Deflater
  int client_max_window_bits = 15;  ///< 8–15: informative, an Inflater accepts any
};

struct DeflateAnswer {
  DeflateParameters parameters;
  std::string header_value;  ///< of Sec-WebSocket-Extensions in the response
};

/// Parses the Sec-WebSocket-Extensions of a client (all fields joined with ", ") and accepts its first valid
/// offer of permessage-deflate within `policy`; nothing if there is none or `policy` is null. A value that
/// violates the grammar of RFC 6455 section 9.1 is an error (the handshake must fail). Linear in the length
/// of `offers`, which may be empty.
///
/// An offer is declined for an unknown, repeated or invalid parameter (RFC 7692 section 7.1), and for
/// server_max_window_bits=8, which zlib does not support without a zlib header.
[[nodiscard]] base::Result<std::optional<DeflateAnswer>> negotiate_deflate(std::string_view offers,
                                                                           const DeflatePolicy* policy);

}  // namespace roomcast::ws
