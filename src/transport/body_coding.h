#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ws/deflate.h"

namespace roomcast::transport {

/// How the content of an endless HTTP body travels: compressed or not, in chunks or not. What becomes of a
/// piece of content depends on that piece alone, so that the same bytes go to every client.
///
/// With gzip (RFC 1952) the header goes once, at the start, and every piece is a run of DEFLATE blocks that
/// ends on a byte and refers to nothing before it, as Z_FULL_FLUSH leaves them: it can be inflated as soon as
/// it is there. The stream has no trailer. That would be a checksum over all that this one client has got,
/// which the server does not have, as content is compressed once for all clients; and a live stream is cut
/// more often than it ends. Browsers, curl and fetch of Node take such an end as they take a cut: what came
/// before it counts. The end of a session is announced within the content (`bye`).
class BodyCoding {
 public:
  enum class Length : std::uint8_t {
    chunked,      ///< RFC 9112 section 7.1
    until_close,  ///< for HTTP/1.0, which has no chunks
  };

  /// `deflater`: compresses with gzip; null: does not. It must outlive this, and may be shared.
  BodyCoding(Length length, ws::Deflater* deflater) : length_(length), deflater_(deflater) {}

  /// Appends what goes before all content.
  void append_start(std::string& out) const;
  [[nodiscard]] bool compresses() const { return deflater_ != nullptr; }
  /// Appends the wire form of `content`; nothing for nothing.
  void append(std::string_view content, std::string& out) const;
  /// The same without compressing it: with gzip as stored blocks (RFC 1951 section 3.2.4).
  void append_stored(std::string_view content, std::string& out) const;
  /// Appends what goes behind all content.
  void append_end(std::string& out) const;

 private:
  void append_coded(std::string_view bytes, std::string& out) const;

  Length length_;
  ws::Deflater* deflater_;
};

}  // namespace roomcast::transport
