#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

namespace roomcast::bench {

/// When the publishers of a fan-out send.
class Pace {
 public:
  /// Has a publisher send `count` messages at once.
  using Send = std::function<void(std::size_t publisher, std::uint32_t count)>;

  virtual ~Pace() = default;
  /// From now on; each publisher has to send `messages` more.
  virtual void begin(std::uint32_t messages, std::int64_t now_ns) = 0;
  /// All that was sent to a room has arrived everywhere there.
  virtual void on_settled(std::size_t room, std::int64_t now_ns) = 0;
  /// A publisher has got one of its own messages.
  virtual void on_back(std::size_t publisher) = 0;
  /// Has sent what is due. Gives when to come again at the latest; something may happen before.
  virtual std::int64_t keep(std::int64_t now_ns) = 0;
};

/// A room's next message `interval_ns` after the last one was due, and not before that has arrived everywhere
/// in the room: else messages would pile up and be joined, and it would no longer be single deliveries that
/// are measured. The publishers of a room take turns; the rooms are spread over the interval.
class FixedRate final : public Pace {
 public:
  FixedRate(std::size_t rooms, std::size_t publishers_each, std::int64_t interval_ns, Send send);
  void begin(std::uint32_t messages, std::int64_t now_ns) override;
  void on_settled(std::size_t room, std::int64_t now_ns) override;
  void on_back(std::size_t /*publisher*/) override {}
  std::int64_t keep(std::int64_t now_ns) override;

 private:
  struct Room {
    std::uint64_t left = 0;  ///< messages of all its publishers
    std::int64_t due_ns = 0;
  };
  using Due = std::pair<std::int64_t, std::size_t>;  ///< a time, and the room whose turn it is then

  std::size_t publishers_each_;
  std::int64_t interval_ns_;
  Send send_;
  std::vector<Room> rooms_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> next_;
};

/// Each publisher has up to `window` messages on their way, until it has got them back itself. All that have
/// come back by the end of a turn are made up for at once, so that the server may join them.
class Window final : public Pace {
 public:
  Window(std::size_t publishers, std::uint32_t window, Send send);
  void begin(std::uint32_t messages, std::int64_t now_ns) override;
  void on_settled(std::size_t /*room*/, std::int64_t /*now_ns*/) override {}
  void on_back(std::size_t publisher) override;
  std::int64_t keep(std::int64_t now_ns) override;

 private:
  struct Publisher {
    std::uint32_t left = 0;
    std::uint32_t free = 0;  ///< so many more may be on their way
  };

  std::uint32_t window_;
  Send send_;
  std::vector<Publisher> publishers_;
  std::vector<std::size_t> changed_;  ///< whose window has opened
};

}  // namespace roomcast::bench
