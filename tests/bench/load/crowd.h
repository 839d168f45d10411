#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "load/client.h"
#include "load/poller.h"
#include "load/target.h"

namespace roomcast::bench {

/// What a scenario wants to hear of a crowd. All do nothing unless overridden.
class CrowdListener {
 public:
  /// A client starts to connect: where the clock of a handshake begins.
  virtual void on_start(Client& /*client*/) {}
  virtual void on_open(Client& /*client*/) {}
  /// `stamp` is nothing when the message is not of this load.
  virtual void on_message(Client& /*client*/, const std::optional<Stamp>& /*stamp*/) {}
  virtual void on_pong(Client& /*client*/) {}
  /// The client is idle; `Crowd::start` may be called for it, from here too.
  virtual void on_closed(Client& /*client*/, Ended /*ended*/) {}

 protected:
  ~CrowdListener() = default;
};

struct CrowdSettings {
  ClientKind kind;
  std::size_t clients = 0;    ///< at most; the memory for them is taken at once, less than 200 bytes each
  std::size_t at_once = 256;  ///< most that are connecting or in their handshake at a time
  bool resume_tls = false;    ///< offer the newest ticket
  /// The path a client asks for, by its index: "/rooms/bench". A query is added where its way needs one.
  std::function<std::string(std::size_t index)> path;
};

/// Many clients of one kind to one target. Several crowds may share a poller: publishers beside event
/// streams.
class Crowd final : private ClientEvents {
 public:
  /// Raises this process's limit of descriptors as far as it may. Throws std::runtime_error, with the limit's
  /// name, when that is not enough for all clients of all crowds that there are. All three have to outlive
  /// it.
  Crowd(Poller& poller, const Target& target, CrowdSettings settings, CrowdListener& listener);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  /// Closes all at once, without events. Not to be called out of a callback.
  ~Crowd();

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Client& operator[](std::size_t index) { return clients_[index]; }

  /// Has clients 0 to `count` - 1 opened, as many of them as are idle: at once while fewer than `at_once` are
  /// under way, the others as those get done. It returns before they are.
  void start_first(std::size_t count);
  /// The same for one; it has to be idle and not to be waiting for its turn already.
  void start(std::size_t index);
  /// `Client::cut` for all; clients that wait to be started are not started.
  void cut_all();

  /// Clients that are open now.
  [[nodiscard]] std::size_t open() const { return open_; }
  /// Clients that are waiting to be started, connecting or in their handshake.
  [[nodiscard]] std::size_t under_way() const { return waiting_.size() + handshakes_; }
  /// Since the beginning: handshakes that were done, that were refused, and open clients that the server cut.
  [[nodiscard]] std::uint64_t opened() const { return opened_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] std::uint64_t cut() const { return cut_; }
  /// What the first refused or cut client met, for the report: "HTTP/1.1 503 Service Unavailable". Empty when
  /// none was.
  [[nodiscard]] const std::string& first_complaint() const;

 private:
  void on_open(Client& client) override;
  void on_message(Client& client, const std::optional<Stamp>& stamp) override;
  void on_pong(Client& client) override;
  void on_closed(Client& client, Ended ended, bool was_open) override;
  void start_waiting();

  Poller& poller_;
  std::unique_ptr<ClientShare> share_;
  CrowdListener& listener_;
  std::size_t at_once_;
  std::vector<std::uint32_t> waiting_;  ///< to be started, the next one last
  std::size_t handshakes_ = 0;
  std::size_t open_ = 0;
  std::uint64_t opened_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t cut_ = 0;
  std::unique_ptr<Client[]> clients_;
  std::size_t size_ = 0;
};

}  // namespace roomcast::bench
