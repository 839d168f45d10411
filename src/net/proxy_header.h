#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace roomcast::net {

/// Reads the header of the PROXY protocol, version 1 or 2, with which a proxy begins a connection that it
/// passes on (HAProxy's proxy-protocol.txt, 2020/03/05). Sans-I/O.
class ProxyHeaderReader {
 public:
  enum class Verdict : std::uint8_t { need_more, complete, refused };

  /// Looks at `bytes` up to the end of the header; `used` says how many belonged to it. To be called until
  /// the verdict is another than need_more.
  Verdict read(std::string_view bytes, std::size_t& used);

  /// After Verdict::complete: the client's numeric address in canonical form; empty where the proxy speaks
  /// for itself (LOCAL, a health check) or does not say whose connection it is (UNKNOWN, a Unix socket).
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The client's own leg was encrypted, as PP2_TYPE_SSL says; version 1 cannot say so.
  [[nodiscard]] bool is_secure() const { return is_secure_; }
  /// After Verdict::refused: why. A constant.
  [[nodiscard]] std::string_view fault() const { return fault_; }

  /// A line of version 1, CRLF included, and a header of version 2: addresses and additional fields (TLV).
  static constexpr std::size_t line_bytes_max = 107;
  static constexpr std::size_t header_bytes_max = 4'096;

 private:
  Verdict step(char byte);
  Verdict refuse(std::string_view fault);
  Verdict read_line();
  Verdict read_binary();
  bool read_fields(std::string_view fields);

  std::string header_;  // as much of it as has come
  std::string address_;
  std::uint16_t port_ = 0;
  bool is_secure_ = false;
  std::string_view fault_;
};

}  // namespace roomcast::net
