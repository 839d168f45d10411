#include "session/credential.h"

#include <algorithm>
#include <string_view>

#include "base/deadlines.h"
#include "session/session.h"
#include "session/session_table.h"

namespace roomcast::session {

namespace {

// What runs out within this time has a deadline: before the recheck after the next one, with the warning.
constexpr std::int64_t soon_ms = Credential::recheck_ms + 3 * Credential::warning_ms;

constexpr std::string_view token_expired = "token expired";

}  // namespace

std::int64_t left_ms(const access::Identity& identity, const SessionTable& table) {
  return identity.left_ms(table.wall_ms(), table.settings().leeway_ms);
}

/// The deadlines of the warning and of the end.
class Credential::Expiry final : private base::Deadline::Listener {
 public:
  Expiry(Credential& owner, std::int64_t left_ms, bool warns)
      : owner_(owner),
        lead_ms_(warns ? std::min(warning_ms, left_ms / 2) : 0),
        deadline_(owner.session().table().deadlines(), *this) {
    set_deadline(left_ms);
  }

 private:
  void on_deadline() override {
    Session& session = owner_.session();
    const std::int64_t left = left_ms(owner_.identity(), session.table());
    if (left == 0) return session.close(base::CloseReason::unauthorized, token_expired);
    const bool is_to_warn = lead_ms_ != 0 && left <= lead_ms_;
    if (is_to_warn) lead_ms_ = 0;
    set_deadline(left);
    // Last, since this may close the session, which frees this.
    if (is_to_warn) session.announce_expiry(left);
  }
  void set_deadline(std::int64_t left) {
    deadline_.set_in(std::min(std::max<std::int64_t>(0, left - lead_ms_), recheck_ms));
  }

  Credential& owner_;
  std::int64_t lead_ms_;  // of the warning that is still to come; 0: none is
  base::Deadline deadline_;
};

Credential::Credential(Session& session, access::Identity identity)
    : Entry(std::move(identity)), session_(session) {}

Credential::~Credential() = default;

void Credential::watch_expiry(bool warns) {
  expiry_.reset();
  if (identity().expires_s() == 0) return;
  const std::int64_t left = left_ms(identity(), session_.table());
  if (left > soon_ms) return session_.table().watch_expiries();
  expiry_ = std::make_unique<Expiry>(*this, left, warns);
}

void Credential::recheck_expiry(bool warns) {
  if (expiry_ != nullptr) return;
  if (left_ms(identity(), session_.table()) == 0)
    return session_.close(base::CloseReason::unauthorized, token_expired);
  watch_expiry(warns);
}

void Credential::stop() { expiry_.reset(); }

std::size_t Credential::held_bytes() const {
  constexpr std::size_t deadline_bytes = 16;  // its place among all
  return sizeof(*this) + (expiry_ ? sizeof(Expiry) + deadline_bytes : 0) + identity().held_bytes();
}

}  // namespace roomcast::session
