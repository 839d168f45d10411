#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/close_reason.h"
#include "base/deadlines.h"
#include "base/log.h"
#include "base/scheduler.h"
#include "base/slot_map.h"
#include "service/rooms.h"
#include "session/session.h"

namespace roomcast::session {

struct SessionStats {
  std::uint64_t opened = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(base::CloseReason::count_)> closed{};
};

/// A session that has ended, for the log. Views live for the call.
struct Ended {
  std::string_view dialect;
  std::string_view room;       ///< the room of its connection; empty: none
  std::string_view name;       ///< of the client; may be empty
  std::uint32_t opened_s = 0;  ///< monotonic
  base::CloseReason reason{};
  Traffic traffic;  ///< over all its transports
};

/// What may change by a reload; applies from the next use on.
struct SessionSettings {
  std::int64_t ping_ms;  ///< sent to clients in the welcome
  std::size_t rooms_per_connection;
  std::int64_t drain_ms;  ///< clients come back within about this time when the server stops
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
        settings_(settings) {}
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

  // For sessions.
  [[nodiscard]] const SessionSettings& settings() const { return settings_; }
  /// Null if it has gone.
  [[nodiscard]] Session* find(base::SlotId id);
  [[nodiscard]] base::Scheduler& scheduler() { return scheduler_; }
  [[nodiscard]] base::Deadlines& deadlines() { return deadlines_; }
  [[nodiscard]] std::uint32_t monotonic_seconds() const;
  [[nodiscard]] const WireEncoder& encoder_for(const dialect::Dialect& dialect, const Framing& framing);
  void on_session_closed(base::SlotId id, const Transport& transport, const Ended& ended);

 private:
  service::Rooms& service_;
  base::Scheduler& scheduler_;
  const base::Clock& clock_;
  base::Log& log_;
  base::Deadlines& deadlines_;
  SessionSettings settings_;
  SessionStats stats_;
  std::vector<std::unique_ptr<WireEncoder>> encoders_;
  base::SlotMap<std::unique_ptr<Session>> sessions_;
};

}  // namespace roomcast::session
