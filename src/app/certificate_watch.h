#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "net/tls_context.h"

namespace roomcast::app {

/// A certificate that has expired, is about to, or is not valid yet.
struct CertificateWarning {
  base::LogLevel level = base::LogLevel::warn;
  std::string_view what;  ///< a constant: "certificate has expired"
  std::string when;       ///< in UTC: "2026-11-29T13:48:05Z"
};

/// Nothing as long as it has 14 days left, or a third of its life where that is shorter.
[[nodiscard]] std::optional<CertificateWarning> certificate_warning(const net::TlsContext::Expiry& expiry,
                                                                    std::int64_t now_ms);

/// Logs which certificates have expired or are about to: when they are taken into use, and daily.
class CertificateWatch final : private loop::Timer::Listener {
 public:
  static constexpr std::int64_t day_ms = 86'400'000;

  /// `loop` and `log` outlive this.
  CertificateWatch(loop::Loop& loop, base::Log& log, std::int64_t interval_ms = day_ms);

  /// Replaces the certificates that are watched, and logs about them at once.
  void watch(std::vector<net::TlsContext::Expiry> expiries);
  [[nodiscard]] const std::vector<net::TlsContext::Expiry>& expiries() const { return expiries_; }
  /// Until `expiry`; negative behind it.
  [[nodiscard]] double seconds_left(const net::TlsContext::Expiry& expiry) const;

 private:
  void on_timer(loop::Timer& /*timer*/) override { look(); }
  void look();

  loop::Loop& loop_;
  base::Log& log_;
  std::int64_t interval_ms_;
  std::vector<net::TlsContext::Expiry> expiries_;
  loop::Timer timer_;
};

}  // namespace roomcast::app
