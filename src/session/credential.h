#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "access/identity.h"
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
/// The expiry is a time of the wall clock, which may jump: what is left until then is measured anew every few
/// minutes (SessionTable::watch_expiries). Only an identity that runs out soon has a deadline of its own.
class Credential final : public UserIndex::Entry {
 public:
  /// How long before the end the client is warned; half of what is left at the beginning if that is shorter.
  static constexpr std::int64_t warning_ms = 60'000;
  /// How long a jump of the wall clock, or time in which the machine slept, may go unnoticed.
  static constexpr std::int64_t recheck_ms = 300'000;

  Credential(Session& session, access::Identity identity);
  ~Credential();

  [[nodiscard]] Session& session() const { return session_; }
  /// Has the session warned and closed in time. `warns`: the client has words for a warning.
  void watch_expiry(bool warns);
  /// The same for one that is being watched: to be called every recheck_ms. May close the session.
  void recheck_expiry(bool warns);
  /// The same user or key, with other rights or another expiry. watch_expiry follows.
  void renew(access::Identity identity) { set_identity(std::move(identity)); }
  void stop();
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  class Expiry;

  Session& session_;
  std::unique_ptr<Expiry> expiry_;  // once it runs out soon
};

}  // namespace roomcast::session
