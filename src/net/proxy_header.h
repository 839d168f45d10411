#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace roomcast::net {

/// Parses the header of the PROXY protocol, version 1 or 2, that a proxy sends at the beginning of a
/// connection (HAProxy's proxy-protocol.txt, 2020/03/05). Sans-I/O.
class ProxyHeaderReader {
 public:
  enum class Verdict : std::uint8_t { need_more, complete, refused };

  /// Reads `bytes` up to the end of the header; `used` is set to the number of bytes that belong to it. To be
  /// called until the verdict is not need_more.
  Verdict read(std::string_view bytes, std::size_t& used);

  /// After Verdict::complete: the numeric address of the client in canonical form; empty if the proxy
  /// connects for itself (LOCAL, a health check) or does not know the client (UNKNOWN, a Unix socket).
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Whether the client's connection to the proxy is encrypted (PP2_TYPE_SSL); version 1 cannot express that.
  [[nodiscard]] bool is_secure() const { return is_secure_; }
  /// After Verdict::refused: the reason, a constant.
  [[nodiscard]] std::string_view fault() const { return fault_; }

  /// The size limits of a version 1 line with CRLF, and of a version 2 header: addresses and additional
  /// fields (TLV).
  static constexpr std::size_t line_bytes_max = 107;
  static constexpr std::size_t header_bytes_max = 4'096;

 private:
  Verdict step(char byte);
  Verdict refuse(std::string_view fault);
  Verdict read_line();
  Verdict read_binary();
  bool read_fields(std::string_view fields);

  std::string header_;  // the bytes received so far
  std::string address_;
  std::uint16_t port_ = 0;
  bool is_secure_ = false;
  std::string_view fault_;
};

}  // namespace roomcast::net
