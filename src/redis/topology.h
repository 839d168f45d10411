#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/server_address.h"

namespace roomcast::redis {

/// Which server is the primary of which slots.
struct Layout {
  static constexpr std::uint16_t last_slot = 16'383;

  struct Shard {
    /// Of its primary. It says how the server is spoken to as well (TCP or TLS); credentials and database are
    /// those of who connects.
    ServerAddress address;
    std::vector<std::pair<std::uint16_t, std::uint16_t>> slots;  ///< ranges, each by its first and its last

    friend bool operator==(const Shard&, const Shard&) = default;
  };

  std::vector<Shard> shards;

  /// One server that has all slots.
  [[nodiscard]] static Layout of_one(ServerAddress address) {
    return {{{std::move(address), {{std::uint16_t{0}, last_slot}}}}};
  }
  friend bool operator==(const Layout&, const Layout&) = default;
};

/// Finds out which servers are primaries, and goes on looking. Whether a server that it names is one, and can
/// be used, is for who connects to find out: the handshake asks the server itself.
class Topology {
 public:
  class Listener {
   public:
    /// The layout is known, or is another one now: primaries that are not in it are to be left at once.
    /// `layout` is valid within the call. The topology is not to be destroyed within it.
    virtual void on_layout(const Layout& layout) = 0;
    /// Nobody can say any more what the layout is; the last one stays in force. For the log; not repeated for
    /// each attempt.
    virtual void on_topology_lost(std::string_view why) = 0;

   protected:
    ~Listener() = default;
  };

  Topology() = default;
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;
  virtual ~Topology() = default;

  /// Once. `listener` outlives the topology, and may be called within.
  virtual void start(Listener& listener) = 0;
  /// The layout may be out of date: a server is gone, or says that it is no primary. Asks again soon, and
  /// does not call the listener within. May be called as often as there is reason to.
  virtual void doubt() = 0;
};

/// One server that has all slots, whatever becomes of it.
class SingleTopology final : public Topology {
 public:
  explicit SingleTopology(ServerAddress address) : layout_(Layout::of_one(std::move(address))) {}

  void start(Listener& listener) override { listener.on_layout(layout_); }
  void doubt() override {}

 private:
  Layout layout_;
};

}  // namespace roomcast::redis
