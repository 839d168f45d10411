#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;
struct evp_md_st;

namespace roomcast::bench::floor {

/// What the floor reads in a request head: what it cannot answer without. The views point into the head.
struct FloorRequest {
  std::string_view path;        ///< without its query; empty when this is no request
  std::string_view key;         ///< of Sec-WebSocket-Key; empty when there is none
  std::string_view extensions;  ///< of the first Sec-WebSocket-Extensions
};

/// How many bytes of `input` are a request head, up to and with its empty line; 0 when that has not come yet.
[[nodiscard]] std::size_t head_bytes(std::string_view input);

[[nodiscard]] FloorRequest read_head(std::string_view head);

/// Whether permessage-deflate is offered in a form that the floor's answer to it would be an answer to: with
/// no wish for a smaller window of the server (RFC 7692 section 7.1.2.1).
[[nodiscard]] bool offers_deflate(std::string_view extensions);

/// Answers requests for a WebSocket.
class FloorHandshake {
 public:
  FloorHandshake();

  /// The 101, with permessage-deflate (no context takeover on either side) or without.
  [[nodiscard]] std::string switching_protocols(std::string_view key, bool deflate);

 private:
  struct Free {
    void operator()(evp_md_st* algorithm) const;
    void operator()(evp_md_ctx_st* context) const;
  };
  void append_accept_key(std::string& out, std::string_view key);

  std::unique_ptr<evp_md_st, Free> sha1_;  ///< looking it up costs more than using it
  std::unique_ptr<evp_md_ctx_st, Free> digest_;
};

}  // namespace roomcast::bench::floor
