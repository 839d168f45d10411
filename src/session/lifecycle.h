#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadlines.h"
#include "dialect/dialect.h"
#include "session/session.h"

namespace roomcast::session {

/// What only some sessions have: the conversation of a dialect that keeps state for each client, the time
/// until the client has to be admitted, a heartbeat made of payloads, and the traffic of transports that were
/// replaced.
class Session::Lifecycle {
 public:
  Lifecycle(Session& session, base::Deadlines& deadlines);
  Lifecycle(const Lifecycle&) = delete;
  Lifecycle& operator=(const Lifecycle&) = delete;

  /// Null for a dialect that makes none.
  [[nodiscard]] dialect::Conversation* conversation() { return conversation_.get(); }
  void set_conversation(std::unique_ptr<dialect::Conversation> conversation) {
    conversation_ = std::move(conversation);
  }

  /// Keeps what the client asked for until it is admitted. After `options.admission_ms` the session is closed
  /// with policy_violation, or with unauthorized if the client itself was to authenticate.
  void await_admission(const Options& options);
  /// The room and the parameters to join it with. Once.
  struct Admission {
    std::string room;  ///< empty: none
    hub::Interest interest;
  };
  [[nodiscard]] Admission take_admission();

  /// Starts the heartbeat, if that is made of payloads.
  void start_heartbeat(const dialect::Heartbeat& heartbeat);
  /// Something came from the client.
  void on_message();
  void on_heartbeat_answered();
  /// Whether nothing of it is needed.
  [[nodiscard]] bool is_idle() const {
    const Traffic& past = former_traffic_;
    return !conversation_ && !admission_ && heartbeat_.means != dialect::Heartbeat::Means::payload &&
           past.messages_in == 0 && past.bytes_in == 0 && past.bytes_out == 0;
  }
  /// No deadline ends the session, or is to be set, from here on.
  void stop();

  /// Of transports that the session had before.
  [[nodiscard]] const Traffic& former_traffic() const { return former_traffic_; }
  void add_traffic(const Traffic& traffic) { former_traffic_ += traffic; }

 private:
  struct AdmissionTimeout final : base::Deadline::Listener {
    explicit AdmissionTimeout(Session& owner) : session(owner) {}
    void on_deadline() override;
    Session& session;
  };
  struct HeartbeatTimer final : base::Deadline::Listener {
    explicit HeartbeatTimer(Lifecycle& owner) : lifecycle(owner) {}
    void on_deadline() override { lifecycle.on_heartbeat_due(); }
    Lifecycle& lifecycle;
  };
  void on_heartbeat_due();

  Session& session_;
  std::unique_ptr<dialect::Conversation> conversation_;
  std::optional<Admission> admission_;
  dialect::Heartbeat heartbeat_;
  bool awaits_answer_ = false;  // to the last ping
  Traffic former_traffic_;
  AdmissionTimeout admission_timeout_;
  HeartbeatTimer heartbeat_timer_;
  base::Deadline admission_deadline_;
  base::Deadline heartbeat_deadline_;
};

}  // namespace roomcast::session
