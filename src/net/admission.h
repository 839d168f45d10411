#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/admission_record.h"

namespace roomcast::net {

/// Counts one connection against the limits for as long as it exists. Movable; a moved-from admission is
/// empty, and its calls have no effect. Has the size of a pointer, since most connections are idle and hold
/// nothing.
class Admission {
 public:
  Admission() = default;
  Admission(Admission&& other) noexcept : place_(std::exchange(other.place_, 0)) {}
  Admission& operator=(Admission&& other) noexcept {
    std::swap(place_, other.place_);
    return *this;
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  ~Admission();

  /// The key that the connection is counted under: the numeric address of the peer, the block of an IPv6
  /// address, "unix" for a Unix socket. Empty for an empty admission.
  [[nodiscard]] std::string_view address() const;
  [[nodiscard]] Lane lane() const;

  /// Reports the memory that the connection holds beyond its idle size: queues, parts of messages. `holder`
  /// can release it, and stays valid until the next call of hold, wait or release. Costs next to nothing
  /// below 4 KiB, which count as 0.
  void hold(std::size_t bytes, Holder& holder) {
    if (bytes >= AdmissionRecord::least_bytes || has_record()) note(bytes, holder);
  }
  [[nodiscard]] std::size_t held() const { return has_record() ? record().bytes : 0; }

  /// Reports that from now on the connection only waits for a request. When a limit is reached, the
  /// connection that has waited longest is shed: first those that never made a request, unless they were
  /// accepted only just now.
  void wait(Wait what, Holder& holder);
  /// Reports that a request has arrived.
  void stop_waiting();
  [[nodiscard]] bool is_waiting() const { return has_record() && record().is_waiting(); }
  /// Clears what it holds, its waiting and its holder: before the connection is handed over.
  void release();

 private:
  friend class AdmissionControl;
  explicit Admission(AdmissionEntry& entry) : place_(reinterpret_cast<std::uintptr_t>(&entry)) {}
  static constexpr std::uintptr_t record_bit = 1;
  [[nodiscard]] bool has_record() const { return (place_ & record_bit) != 0; }
  [[nodiscard]] AdmissionRecord& record() const {
    return *reinterpret_cast<AdmissionRecord*>(place_ & ~record_bit);  // NOLINT(performance-no-int-to-ptr)
  }
  /// Must not be empty.
  [[nodiscard]] AdmissionEntry& entry() const;
  AdmissionRecord& record_of(Holder& holder);
  void note(std::size_t bytes, Holder& holder);

  std::uintptr_t place_ = 0;  // an AdmissionEntry, or if the lowest bit is set an owned AdmissionRecord
};

/// The limit that refuses a connection.
enum class ExceededLimit : std::uint8_t {
  none,
  connections,
  connections_per_address,
  handshakes_per_address,
};

/// Counts connections in total and per address (limits.connections, limits.connections_per_address), those
/// that have not made a request yet (limits.handshakes_per_address), and the memory they hold. Must outlive
/// its admissions. Unix sockets and exempt addresses (trusted proxies) have no limit per address.
class AdmissionControl {
 public:
  struct Limits {
    std::size_t connections = 0;
    std::size_t connections_per_address = 0;
    std::size_t reserve = 0;     ///< Lane::reserve
    std::size_t operations = 0;  ///< Lane::operations
    /// The memory that the connections of one address may hold together.
    std::size_t bytes_per_address = std::numeric_limits<std::size_t>::max();
    /// How long a silent connection is safe from eviction after it was admitted: its request may be on the
    /// way.
    std::int64_t grace_ms = 0;
    /// IPv6 addresses with this many leading bits in common count as one.
    unsigned ipv6_prefix_bits = 128;
    std::size_t refusals = 0;  ///< Lane::refusals
    std::size_t refusals_per_address = 0;
    /// Of the connections of one address, such as have not sent the head of their first request yet.
    std::size_t handshakes_per_address = std::numeric_limits<std::size_t>::max();
  };

  /// `clock` outlives this; null: no grace.
  explicit AdmissionControl(const Limits& limits, const base::Clock* clock = nullptr);
  AdmissionControl(const AdmissionControl&) = delete;
  AdmissionControl& operator=(const AdmissionControl&) = delete;
  ~AdmissionControl() = default;

  /// Applies to new connections; existing ones are not closed.
  void set_limits(const Limits& limits);
  /// Counts one more connection from `peer_address`, or returns the limit that refuses it (`admission` stays
  /// empty). When a limit is reached, a waiting connection (Admission::wait) is shed instead; for a limit
  /// per address one of that address.
  [[nodiscard]] ExceededLimit admit(std::string_view peer_address, bool exempt_per_address,
                                    Admission& admission, Lane lane = Lane::regular);
  [[nodiscard]] std::size_t connections(Lane lane = Lane::regular) const { return pool(lane).connections; }
  /// Whether no connection can be admitted at the moment, whatever its address. May change as time passes.
  [[nodiscard]] bool full(Lane lane = Lane::regular) const { return pool(lane).is_full(latest_to_go_ms()); }
  /// The number of connections that were shed because they only waited.
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  struct Shed {
    std::size_t bytes = 0;  ///< released memory; 0 if no connection qualified
    std::string address;
  };
  /// The memory that all connections hold, as reported.
  [[nodiscard]] std::size_t held_bytes() const { return held_.bytes(); }
  /// Sheds the connection that holds most (within a factor of two) if that is at least `least_bytes`. It
  /// counts as holding nothing until it reports again.
  Shed shed_largest(std::size_t least_bytes);
  /// Sheds the largest holder of an address whose connections hold more than their share.
  Shed shed_over_share();

  /// Notified when connections can be admitted again after the limit was reached, so that accepting may
  /// resume.
  class Listener {
   public:
    /// Must not admit connections, nor add or remove listeners.
    virtual void on_room_again() = 0;

   protected:
    ~Listener() = default;
  };
  void add_listener(Listener& listener) { listeners_.push_back(&listener); }
  void remove_listener(Listener& listener) { std::erase(listeners_, &listener); }

 private:
  friend class Admission;
  [[nodiscard]] const AdmissionPool& pool(Lane lane) const {
    return pools_.at(static_cast<std::size_t>(lane));
  }
  [[nodiscard]] AdmissionPool& pool(Lane lane) { return pools_.at(static_cast<std::size_t>(lane)); }
  void leave(AdmissionEntry& entry);
  void begin_waiting(AdmissionEntry& entry, AdmissionRecord& record, Wait what);
  void set_held(AdmissionEntry& entry, AdmissionRecord& record, std::size_t bytes);
  void compare_with_share(AdmissionEntry& entry);
  Shed shed(AdmissionRecord& record);
  /// Sheds the connection of `record`. False if it is null.
  bool evict(AdmissionRecord* record);
  [[nodiscard]] std::int64_t now_ms() const { return clock_ == nullptr ? 0 : clock_->monotonic_ms(); }
  [[nodiscard]] std::int64_t latest_to_go_ms() const {
    return now_ms() - (clock_ == nullptr ? 0 : limits_.grace_ms);
  }
  void notify_room_again();

  const base::Clock* clock_;
  Limits limits_;
  std::array<AdmissionPool, lane_count> pools_;
  HolderIndex<AdmissionRecord::OfAll> held_;
  std::vector<AdmissionEntry*> over_share_;  // addresses that hold more than their share
  std::vector<Listener*> listeners_;
  std::uint64_t evicted_ = 0;
};

}  // namespace roomcast::net
