#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roomcast::ws {

/// Takes a header field's value apart from the front (RFC 9110 section 5.6): tokens and what stands between.
class TokenScanner {
 public:
  explicit TokenScanner(std::string_view text) : rest_(text) {}

  void skip_space();
  /// Whether `separator` comes next, after optional space; if so it and the space after it are taken.
  bool take(char separator);
  /// The token that comes next; nothing if there is none.
  std::optional<std::string_view> take_token();
  /// What is between the quotes of the quoted-string that comes next, its backslashes still in it; nothing if
  /// there is none or it has no end.
  std::optional<std::string_view> take_quoted();
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// What the operator allows of permessage-deflate (RFC 7692 section 7).
struct DeflatePolicy {
  /// Lets a client that does not rule it out refer to its earlier messages: compresses better, and costs
  /// about 40 KiB a connection.
  bool client_context_takeover = false;
  int server_max_window_bits = 15;  ///< 9–15: largest window that the server compresses with
  int client_max_window_bits = 15;  ///< 8–15: largest window that a client may use if it can be told
};

/// What was agreed on. The server never refers to earlier messages (server_no_context_takeover), so that one
/// compressed message serves every receiver.
struct DeflateParameters {
  bool client_context_takeover = false;
  int server_max_window_bits = 15;  ///< 9–15: window bits of the Deflater to be used
  int client_max_window_bits = 15;  ///< 8–15: for information, an Inflater takes any
};

struct DeflateAnswer {
  DeflateParameters parameters;
  std::string header_value;  ///< for Sec-WebSocket-Extensions of the response
};

/// Reads the Sec-WebSocket-Extensions of a client, all fields joined with ", ", and answers its first offer
/// of permessage-deflate that is sound and within `policy`; nothing if there is none or `policy` is null. A
/// value that breaks the grammar of RFC 6455 section 9.1 is an error (the handshake must fail). Linear in the
/// length of `offers`, which may be empty.
///
/// An offer is declined for an unknown, repeated or wrongly valued parameter (RFC 7692 section 7.1), and for
/// server_max_window_bits=8, which zlib cannot do without a zlib header.
[[nodiscard]] base::Result<std::optional<DeflateAnswer>> negotiate_deflate(std::string_view offers,
                                                                           const DeflatePolicy* policy);

}  // namespace roomcast::ws
