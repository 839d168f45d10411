#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity.h"
#include "base/refusal.h"
#include "base/result.h"
#include "part/routes.h"

namespace roomcast::config {
struct Config;
}
namespace roomcast::metrics {
class Exposition;
}

namespace roomcast::part {

/// What a part has given up when memory is short.
struct ShedMemory {
  std::size_t bytes = 0;
  std::string_view what;  ///< log line, a constant: "memory is short: rooms forget half of their history"
};

/// Why the client with that identity can't be served any more, if so.
using ClientCheck = std::function<std::optional<base::Refusal>(const access::Identity&)>;

/// A part of the server: an endpoint, a transport, or one of the components that these use. It provides what
/// it has of the following, and the rest of the server goes through the list of all parts (app/parts.cpp)
/// instead of knowing them. All calls come from the loop's thread, in the order of that list.
class Part {
 public:
  Part() = default;
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  virtual ~Part() = default;

  /// Called once, at the start, after all parts have been made.
  virtual void add_routes(Routes& /*routes*/) {}
  /// Called once, at the start: ways to read a room, among which `GET /rooms/{room}` chooses.
  virtual void add_transports(RoomTransports& /*transports*/) {}

  /// Reads the files that `config` names, at the start and at each reload, before anything is applied. An
  /// error refuses the start or the reload.
  [[nodiscard]] virtual std::optional<base::Error> load(const config::Config& /*config*/) {
    return std::nullopt;
  }
  /// Takes over the settings that a reload may change; they have been checked. Called at the start as well.
  virtual void apply(const config::Config& /*config*/) {}

  /// What clients may has changed, such as by a ban: ends those of its clients that are no sessions and may
  /// no longer be in their rooms, or that `also` refuses, which may be empty. In slices.
  virtual void reconsider_clients(const ClientCheck& /*also*/) {}

  /// Adds its metrics; changes nothing.
  virtual void collect(metrics::Exposition& /*out*/) const {}

  /// A line, with its newline, for the body of /readyz while the server takes clients; empty: none.
  [[nodiscard]] virtual std::string readiness() const { return {}; }
  /// Whether the server should get new clients, as far as the part knows: /readyz is 503 otherwise.
  [[nodiscard]] virtual bool is_ready() const { return true; }

  /// Memory is nearly used up: gives up what can be spared. Nothing if there is none. What clients hold is
  /// accounted for by net::Admission and shed before.
  virtual ShedMemory shed_memory() { return {}; }

  /// The server has been asked to stop and serves on until it is drained.
  virtual void on_stopping() {}
  /// The listeners are closed: ends what is idle. `close_some` follows.
  virtual void begin_drain() {}
  /// Clients that close_some is to close, over the drain time.
  [[nodiscard]] virtual std::size_t clients() const { return 0; }
  /// Asks up to `count` clients to come back, those that have not been asked yet. Returns how many that were.
  virtual std::size_t close_some(std::size_t /*count*/) { return 0; }
  /// Connections that the server waits for, up to the drain's time limit, before it ends.
  [[nodiscard]] virtual std::size_t connections() const { return 0; }
  /// Ends all clients that are left, without a word: the server is about to be destroyed.
  virtual void abort_all() {}
};

using Parts = std::vector<std::unique_ptr<Part>>;

inline void reconsider_clients(const Parts& parts, const ClientCheck& also) {
  for (const auto& part : parts)
    part->reconsider_clients(also);
}

}  // namespace roomcast::part
