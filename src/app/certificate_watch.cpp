#include "app/certificate_watch.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace roomcast::app {

namespace {

constexpr std::int64_t soon_ms = 14 * CertificateWatch::day_ms;
constexpr std::int64_t parts_of_a_life = 3;

std::string to_utc(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace

std::optional<CertificateWarning> certificate_warning(const net::TlsContext::Expiry& expiry,
                                                      std::int64_t now_ms) {
  using base::LogLevel;
  if (now_ms >= expiry.not_after_ms) {
    return CertificateWarning{LogLevel::error, "certificate has expired", to_utc(expiry.not_after_ms)};
  }
  if (now_ms < expiry.not_before_ms) {
    return CertificateWarning{LogLevel::error, "certificate is not valid yet", to_utc(expiry.not_before_ms)};
  }
  const std::int64_t life_ms = expiry.not_after_ms - expiry.not_before_ms;
  if (expiry.not_after_ms - now_ms >= std::min(soon_ms, life_ms / parts_of_a_life)) return std::nullopt;
  return CertificateWarning{LogLevel::warn, "certificate expires soon", to_utc(expiry.not_after_ms)};
}

CertificateWatch::CertificateWatch(loop::Loop& loop, base::Log& log, std::int64_t interval_ms)
    : loop_(loop), log_(log), interval_ms_(interval_ms), timer_(loop, *this) {}

void CertificateWatch::watch(std::vector<net::TlsContext::Expiry> expiries) {
  expiries_ = std::move(expiries);
  look();
  timer_.stop();
  if (!expiries_.empty()) timer_.start_every(interval_ms_);
}

double CertificateWatch::seconds_left(const net::TlsContext::Expiry& expiry) const {
  return static_cast<double>(expiry.not_after_ms - loop_.wall_ms()) / 1000;
}

void CertificateWatch::look() {
  for (const auto& expiry : expiries_) {
    const auto warning = certificate_warning(expiry, loop_.wall_ms());
    if (!warning) continue;
    log_.write(warning->level, warning->what,
               {base::LogField::whole("file", expiry.certificate), {"at", warning->when}});
  }
}

}  // namespace roomcast::app
