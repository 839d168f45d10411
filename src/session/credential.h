#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "access/identity.h"
#include "base/deadlines.h"
#include "session/user_index.h"

namespace roomcast::session {

class Session;
class SessionTable;

/// How long a session may still go on with `identity`, auth.leeway_seconds included: 0 if it has run out, the
/// largest number if it never does.
[[nodiscard]] std::int64_t left_ms(const access::Identity& identity, const SessionTable& table);

/// What a session with an identity has more than an anonymous one, in one piece: the identity, its place
/// among those of the same user, and when it runs out.
///
/// The expiry is a time of the wall clock, which may jump: what is left until then is measured anew whenever
/// the deadline is due, which is every few minutes at least.
class Credential final : private base::Deadline::Listener, public UserIndex::Entry {
 public:
  /// How long before the end the client is warned; half of what is left at the beginning if that is shorter.
  static constexpr std::int64_t warning_ms = 60'000;

  Credential(Session& session, access::Identity identity, base::Deadlines& deadlines)
      : Entry(std::move(identity)), session_(session), deadline_(deadlines, *this) {}

  [[nodiscard]] Session& session() const { return session_; }
  /// Has the session warned and closed in time. `warns`: the client has words for a warning.
  void watch_expiry(bool warns);
  /// The same user or key, with other rights or another expiry. watch_expiry follows.
  void renew(access::Identity identity) { set_identity(std::move(identity)); }
  void stop() { deadline_.clear(); }
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  void on_deadline() override;
  void set_deadline(std::int64_t left_ms);

  Session& session_;
  [[no_unique_address]] base::Deadline deadline_;
  std::uint16_t lead_ms_ = 0;  // of the warning that is still to come; 0: none is
};

}  // namespace roomcast::session
