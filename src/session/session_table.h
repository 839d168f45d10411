#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/authenticator.h"
#include "base/clock.h"
#include "base/close_reason.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "base/scheduler.h"
#include "base/slot_map.h"
#include "service/rooms.h"
#include "session/credential.h"
#include "session/session.h"
#include "session/sweep.h"
#include "session/user_index.h"

namespace roomcast::session {

struct SessionStats {
  std::uint64_t opened = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(base::CloseReason::count_)> closed{};
};

/// A session that has ended, for the log. Views live for the call.
struct Ended {
  std::string_view dialect;
  std::string_view room;       ///< the room of its connection; empty: none
  std::string_view name;       ///< that the client asked for; may be empty
  std::string_view principal;  ///< "user:ada", "key:ci"; empty: anonymous
  std::uint32_t opened_s = 0;  ///< monotonic
  base::CloseReason reason{};
  Traffic traffic;  ///< over all its transports
};

/// What may change by a reload; applies from the next use on.
struct SessionSettings {
  std::int64_t ping_ms;  ///< sent to clients in the welcome
  std::size_t rooms_per_connection;
  std::int64_t drain_ms;       ///< clients come back within about this time when the server stops
  std::int64_t leeway_ms = 0;  ///< auth.leeway_seconds: how much longer an identity is good for than it says
  std::int64_t authenticate_ms = 0;  ///< auth.authenticate_seconds: see Options::admission_ms
};

/// Owns every session until it is freed, and the encoders that sessions share.
class SessionTable final {
 public:
  /// All outlive the table.
  SessionTable(service::Rooms& service, base::Scheduler& scheduler, const base::Clock& clock, base::Log& log,
               base::Deadlines& deadlines, const SessionSettings& settings)
      : service_(service),
        scheduler_(scheduler),
        clock_(clock),
        log_(log),
        deadlines_(deadlines),
        settings_(settings),
        sweeps_(*this, scheduler, clock),
        expiry_watch_(*this),
        expiries_due_(deadlines, expiry_watch_) {}
  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;
  ~SessionTable();

  /// Makes a session of a client that service::Rooms::check_join has let in, or that is yet to be admitted
  /// (Options::admission_ms). Returns its id. The dialect must outlive the table.
  base::SlotId open(std::unique_ptr<Transport> transport, const dialect::Dialect& dialect,
                    const Options& options);

  [[nodiscard]] std::size_t size() const { return sessions_.size(); }
  [[nodiscard]] const SessionStats& stats() const { return stats_; }

  /// Closes up to `count` sessions that are not closing yet; returns how many there were to close.
  std::size_t close_some(std::size_t count, base::CloseReason reason);
  /// Ends all sessions at once, without notice to their clients.
  void abort_all();

  void set_settings(const SessionSettings& settings) { settings_ = settings; }
  [[nodiscard]] service::Rooms& service() { return service_; }

  // --- Identities ---

  /// What finds out whose the token of an `authenticate` is; outlives the table. Null, as at first: no tokens
  /// are taken.
  void set_authenticator(access::Authenticator* authenticator) { authenticator_ = authenticator; }
  [[nodiscard]] access::Authenticator* authenticator() const { return authenticator_; }
  /// Has every session checked against the access policy, which has changed, in slices: see
  /// Session::reconsider_rights.
  void reconsider_rights() { sweeps_.add_rights(); }
  /// Calls `visit` for every session, in slices; it may close that one, or have it leave rooms.
  void sweep(std::function<void(Session&)> visit) { sweeps_.add(std::move(visit)); }
  /// Closes those for which `check` has a refusal, in slices.
  void close_if(std::function<std::optional<base::Refusal>(const Session&)> check);
  /// Calls `visit(Session&)` for each session of the user or key that has not begun to close. It may close
  /// that one and no other. Takes as long as there are such sessions.
  template <class Visit>
  void for_user(access::Kind kind, std::string_view id, Visit&& visit) {
    users_.for_each(kind, id,
                    [&](UserIndex::Entry& entry) { visit(static_cast<Credential&>(entry).session()); });
  }
  [[nodiscard]] std::size_t count_of_user(access::Kind kind, std::string_view id) const;
  /// Why `identity` can't have another session, if so.
  [[nodiscard]] std::optional<base::Refusal> check_connection(const access::Identity& identity) const;
  /// Sends `message` to all of the user's clients; returns to how many.
  std::size_t send_to_user(std::string_view user, DirectMessage& message);

  // For sessions.
  [[nodiscard]] const SessionSettings& settings() const { return settings_; }
  /// Null if it has gone.
  [[nodiscard]] Session* find(base::SlotId id);
  [[nodiscard]] base::Scheduler& scheduler() { return scheduler_; }
  [[nodiscard]] base::Deadlines& deadlines() { return deadlines_; }
  [[nodiscard]] std::uint32_t monotonic_seconds() const;
  [[nodiscard]] std::int64_t wall_ms() const { return clock_.wall_ms(); }
  [[nodiscard]] UserIndex& users() { return users_; }
  /// There are identities that run out later: has Session::recheck_expiry called for all sessions, in slices,
  /// Credential::recheck_ms from the first call on.
  void watch_expiries();

  // To go through the sessions in parts, see base::SlotMap.
  [[nodiscard]] std::uint32_t slots() const { return sessions_.slots(); }
  [[nodiscard]] Session* at_slot(std::uint32_t index) {
    const auto* const found = sessions_.at_slot(index);
    return found == nullptr ? nullptr : found->get();
  }
  [[nodiscard]] std::int64_t monotonic_ms() const { return clock_.monotonic_ms(); }
  [[nodiscard]] const WireEncoder& encoder_for(const dialect::Dialect& dialect, const Framing& framing);
  void on_session_closed(base::SlotId id, const Transport& transport, const Ended& ended);

 private:
  struct ExpiryWatch final : base::Deadline::Listener {
    explicit ExpiryWatch(SessionTable& owner) : table(owner) {}
    void on_deadline() override;
    SessionTable& table;
  };

  service::Rooms& service_;
  base::Scheduler& scheduler_;
  const base::Clock& clock_;
  base::Log& log_;
  base::Deadlines& deadlines_;
  SessionSettings settings_;
  SessionStats stats_;
  access::Authenticator* authenticator_ = nullptr;
  UserIndex users_;
  Sweeps sweeps_;
  ExpiryWatch expiry_watch_;
  base::Deadline expiries_due_;
  std::vector<std::unique_ptr<WireEncoder>> encoders_;
  base::SlotMap<std::unique_ptr<Session>> sessions_;
};

}  // namespace roomcast::session
