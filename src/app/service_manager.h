#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::app {

/// A listening socket that the service manager opened for us. The caller owns the descriptor from here on.
struct InheritedSocket {
  int fd = -1;
  std::string name;  ///< FileDescriptorName= of the socket unit; empty if there is none
};

/// Takes over the sockets of socket activation (sd_listen_fds(3)): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES.
/// Empty if there are none or they are meant for another process. The descriptors become close-on-exec, and
/// the variables are removed from the environment, so that no child takes them for its own.
[[nodiscard]] std::vector<InheritedSocket> take_inherited_sockets();

/// Talks to the service manager by the protocol of sd_notify(3). Does nothing if none listens. Reads
/// NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID when made, and removes them from the environment.
class ServiceManager {
 public:
  ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;
  ~ServiceManager();

  /// Whether a service manager listens.
  [[nodiscard]] bool is_present() const { return fd_ >= 0; }

  /// Each sends a message and returns whether it was sent (true if no service manager listens). Never blocks:
  /// messages that the service manager has no room for are queued, the last 16 at most. `status` is one line
  /// for people and may be empty.
  bool ready(std::string_view status);
  /// To be followed by `ready` when the reload is over, whether it succeeded or not.
  bool reloading(std::string_view status);
  bool stopping(std::string_view status);
  bool status(std::string_view status);
  bool feed_watchdog();

  /// Whether messages wait; call `send_unsent` now and then until none do.
  [[nodiscard]] bool has_unsent() const { return !unsent_.empty(); }
  void send_unsent();

  /// How often to call feed_watchdog: half of what the service manager waits. Nothing if it doesn't watch.
  [[nodiscard]] std::optional<std::int64_t> watchdog_interval_ms() const { return watchdog_interval_ms_; }

 private:
  enum class Outcome : std::uint8_t { sent, no_room, failed };
  bool send(std::string_view state, std::string_view status);
  [[nodiscard]] Outcome send_now(const std::string& message) const;

  int fd_ = -1;
  std::string address_;  // as in sun_path: a path, or a NUL and an abstract name
  std::optional<std::int64_t> watchdog_interval_ms_;
  std::vector<std::string> unsent_;  // oldest first
};

}  // namespace roomcast::app
