#include "session/credential.h"

#include <algorithm>
#include <limits>

#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

namespace {

// How long a jump of the wall clock, or time in which the machine slept, may go unnoticed.
constexpr std::int64_t recheck_ms = 300'000;

}  // namespace

std::int64_t left_ms(const access::Identity& identity, const SessionTable& table) {
  constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t last_s = never / 2'000;
  const std::int64_t expires_s = identity.expires_s();
  if (expires_s <= 0 || expires_s > last_s) return never;
  return std::max<std::int64_t>(0, expires_s * 1'000 + table.settings().leeway_ms - table.wall_ms());
}

void Credential::watch_expiry(bool warns) {
  if (identity().expires_s() == 0) return stop();
  const std::int64_t left = left_ms(identity(), session_.table());
  lead_ms_ = warns ? static_cast<std::uint16_t>(std::min(warning_ms, left / 2)) : std::uint16_t{0};
  set_deadline(left);
}

void Credential::set_deadline(std::int64_t left_ms) {
  deadline_.set_in(std::min(std::max<std::int64_t>(0, left_ms - lead_ms_), recheck_ms));
}

void Credential::on_deadline() {
  const std::int64_t left = left_ms(identity(), session_.table());
  if (left == 0) return session_.close(base::CloseReason::unauthorized, "token expired");
  if (lead_ms_ != 0 && left <= lead_ms_) {
    lead_ms_ = 0;
    session_.announce_expiry(left);
  }
  set_deadline(left);
}

std::size_t Credential::held_bytes() const {
  constexpr std::size_t deadline_bytes = 16;  // its place among all
  return sizeof(*this) + deadline_bytes + identity().held_bytes();
}

}  // namespace roomcast::session
