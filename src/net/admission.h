#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/string_hash.h"

namespace roomcast::net {

class AdmissionControl;

/// One connection counted against the caps for as long as this lives. Movable; empty when moved from.
class Admission {
 public:
  Admission() = default;
  Admission(Admission&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  Admission& operator=(Admission&& other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  ~Admission();

  /// The peer's numeric address, "unix" for a Unix socket; empty for an empty admission.
  [[nodiscard]] std::string_view address() const;

 private:
  friend class AdmissionControl;
  /// All connections from one address.
  struct Count {
    AdmissionControl& control;
    std::uint32_t connections = 0;
  };
  using Entry = std::pair<const std::string, Count>;
  explicit Admission(Entry& entry) : entry_(&entry) {}
  Entry* entry_ = nullptr;
};

enum class Refusal : std::uint8_t { none, connections, connections_per_address };

/// Counts connections in all and per address (limits.connections, limits.connections_per_address). Must
/// outlive its admissions. Unix sockets and exempt addresses (trusted proxies) have no cap per address.
class AdmissionControl {
 public:
  struct Limits {
    std::size_t connections = 0;
    std::size_t connections_per_address = 0;
  };

  explicit AdmissionControl(Limits limits) : limits_(limits) {}
  AdmissionControl(const AdmissionControl&) = delete;
  AdmissionControl& operator=(const AdmissionControl&) = delete;
  ~AdmissionControl() = default;

  /// Holds for connections to come; nobody is disconnected.
  void set_limits(Limits limits);
  /// Counts one more connection from `address`, or says which cap refuses it (`admission` stays empty).
  [[nodiscard]] Refusal admit(std::string_view address, bool exempt_per_address, Admission& admission);
  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] bool full() const { return connections_ >= limits_.connections; }

  /// Told when a connection ends after the cap had been reached, so that accepting may go on.
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
  void leave(Admission::Entry& entry);

  Limits limits_;
  std::size_t connections_ = 0;
  std::unordered_map<std::string, Admission::Count, base::StringHash, std::equal_to<>> by_address_;
  std::vector<Listener*> listeners_;
};

}  // namespace roomcast::net
