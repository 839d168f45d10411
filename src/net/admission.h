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

/// One connection counted against the caps for as long as this lives. Movable; empty when moved from, and
/// every call does nothing then. A pointer in size: most connections wait, and hold nothing.
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

  /// What the connection is counted by: the peer's numeric address, of IPv6 its block, "unix" for a Unix
  /// socket; empty for an empty admission.
  [[nodiscard]] std::string_view address() const;
  [[nodiscard]] Lane lane() const;

  /// What the connection holds now beyond its size when idle: queues, parts of messages. `holder` is who can
  /// give it back, and stays valid until the next call of this kind or `release`. Costs next to nothing while
  /// it is below 4 KiB, which counts as nothing.
  void hold(std::size_t bytes, Holder& holder) {
    if (bytes >= AdmissionRecord::least_bytes || has_record()) note(bytes, holder);
  }
  [[nodiscard]] std::size_t held() const { return has_record() ? record().bytes : 0; }

  /// The connection has nothing to do but to wait for a request, from now on: at the caps the one that has
  /// waited longest is told to shed, those that never asked for anything before all others, unless they came
  /// only just now.
  void wait(Wait what, Holder& holder);
  /// It has one.
  void stop_waiting();
  [[nodiscard]] bool is_waiting() const { return has_record() && record().is_waiting(); }
  /// It holds nothing and does not wait, and the holder is forgotten: before it is handed over.
  void release();

 private:
  friend class AdmissionControl;
  explicit Admission(AdmissionEntry& entry) : place_(reinterpret_cast<std::uintptr_t>(&entry)) {}
  static constexpr std::uintptr_t record_bit = 1;
  [[nodiscard]] bool has_record() const { return (place_ & record_bit) != 0; }
  [[nodiscard]] AdmissionRecord& record() const {
    return *reinterpret_cast<AdmissionRecord*>(place_ & ~record_bit);  // NOLINT(performance-no-int-to-ptr)
  }
  /// Not of an empty one.
  [[nodiscard]] AdmissionEntry& entry() const;
  AdmissionRecord& record_of(Holder& holder);
  void note(std::size_t bytes, Holder& holder);

  std::uintptr_t place_ = 0;  // an AdmissionEntry; with the lowest bit set an AdmissionRecord, which is owned
};

enum class Refusal : std::uint8_t { none, connections, connections_per_address };

/// Counts connections in all and per address (limits.connections, limits.connections_per_address), and what
/// they hold. Must outlive its admissions. Unix sockets and exempt addresses (trusted proxies) have no cap
/// per address.
class AdmissionControl {
 public:
  struct Limits {
    std::size_t connections = 0;
    std::size_t connections_per_address = 0;
    std::size_t reserve = 0;     ///< Lane::reserve
    std::size_t operations = 0;  ///< Lane::operations
    /// What the connections of one address may hold together.
    std::size_t bytes_per_address = std::numeric_limits<std::size_t>::max();
    /// For how long after it was admitted a silent connection keeps its place: its request may be on the way.
    std::int64_t grace_ms = 0;
    /// IPv6 addresses that have so many leading bits in common count as one.
    unsigned ipv6_prefix_bits = 128;
    std::size_t refusals = 0;  ///< Lane::refusals
    std::size_t refusals_per_address = 0;
  };

  /// `clock` outlives this; without one there is no grace.
  explicit AdmissionControl(const Limits& limits, const base::Clock* clock = nullptr);
  AdmissionControl(const AdmissionControl&) = delete;
  AdmissionControl& operator=(const AdmissionControl&) = delete;
  ~AdmissionControl() = default;

  /// Holds for connections to come; nobody is disconnected.
  void set_limits(const Limits& limits);
  /// Counts one more connection from `peer_address`, or says which cap refuses it (`admission` stays empty).
  /// At a cap a connection that waits (Admission::wait) makes room: for the cap per address one of that
  /// address.
  [[nodiscard]] Refusal admit(std::string_view peer_address, bool exempt_per_address, Admission& admission,
                              Lane lane = Lane::regular);
  [[nodiscard]] std::size_t connections(Lane lane = Lane::regular) const { return pool(lane).connections; }
  /// Whether nobody can be admitted there for now, whatever the address. May end by the mere passing of time.
  [[nodiscard]] bool full(Lane lane = Lane::regular) const { return pool(lane).is_full(latest_to_go_ms()); }
  /// How many were told to shed because they only waited.
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  struct Shed {
    std::size_t bytes = 0;  ///< what was held; 0: there was nobody
    std::string address;
  };
  /// What all connections hold together, as far as they have said so.
  [[nodiscard]] std::size_t held_bytes() const { return held_.bytes(); }
  /// Tells whoever holds most, up to a factor of two, to shed, if that is at least `least_bytes`. It counts
  /// as holding nothing until it says otherwise.
  Shed shed_largest(std::size_t least_bytes);
  /// The same for the largest holder of an address whose connections hold more than their share.
  Shed shed_over_share();

  /// Told when somebody can be admitted again after nobody could, so that accepting may go on.
  class Listener {
   public:
    /// Must not admit anything, nor add or remove listeners, from within.
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
  /// Has it make room. False if it is null.
  bool evict(AdmissionRecord* record);
  [[nodiscard]] std::int64_t now_ms() const { return clock_ == nullptr ? 0 : clock_->monotonic_ms(); }
  [[nodiscard]] std::int64_t latest_to_go_ms() const {
    return now_ms() - (clock_ == nullptr ? 0 : limits_.grace_ms);
  }
  void tell_of_room();

  const base::Clock* clock_;
  Limits limits_;
  std::array<AdmissionPool, lane_count> pools_;
  HolderIndex<AdmissionRecord::OfAll> held_;
  std::vector<AdmissionEntry*> over_share_;  // addresses that hold more than theirs
  std::vector<Listener*> listeners_;
  std::uint64_t evicted_ = 0;
};

}  // namespace roomcast::net
