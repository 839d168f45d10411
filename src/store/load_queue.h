#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/string_hash.h"
#include "hub/source.h"
#include "store/retention.h"

namespace roomcast::store {

/// Rooms that wait to be loaded. Anybody can ask for any number of rooms, so sources take turns, one room
/// each: whoever asks for one room waits for one of each other source, however many those have waiting. With
/// `waiting_max` rooms waiting, a new one takes the place of the last one of the source that has the most:
/// only sources with about the most are refused anything. A source is a group of addresses (hub::Source), so
/// clients behind a proxy that is not trusted to name them share one.
///
/// Bounded by waiting_max names of rooms, some 800 KiB.
class LoadQueue {
 public:
  static constexpr std::size_t waiting_max = 2'048;

  struct Request {
    std::string room{};
    hub::Source source = 0;
    AgeTime now{};
    std::int64_t wall_ms = 0;
    std::int64_t begun_us = 0;
  };

  /// A room that waits already, for another source, moves to the end of that source's rooms if it is
  /// likely to be loaded earlier there. Returns the room that is refused for want of space: this one or
  /// another.
  [[nodiscard]] std::optional<std::string> add(Request&& request);
  /// The one whose turn it is; nothing if none waits.
  [[nodiscard]] std::optional<Request> take();
  [[nodiscard]] std::size_t size() const { return by_name_.size(); }

 private:
  struct Entry {
    Request request;
    std::uint64_t number = 0;  ///< rising within its source
  };
  using Entries = std::list<Entry>;
  struct Queue {
    Entries entries{};
    std::uint64_t last_number = 0;
  };

  void move(Entries::iterator entry, hub::Source source);
  void remove(std::map<hub::Source, Queue>::iterator queue, Entries::iterator entry);

  std::map<hub::Source, Queue> queues_;  // none is empty
  std::unordered_map<std::string_view, Entries::iterator, base::StringHash> by_name_;
  hub::Source last_ = 0;  // whose turn it was
};

}  // namespace roomcast::store
