#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/string_hash.h"
#include "hub/membership.h"

namespace roomcast::session {

/// The rooms that a client has subscribed to, besides the room of its connection, and the order in which they
/// replay history.
class RoomSet {
 public:
  struct Subscription {
    std::unique_ptr<hub::Membership> membership;
    base::Bytes reply_to;       ///< id of the request, until it is answered; empty: no reply is expected
    bool is_confirmed = false;  ///< the subscription has been acknowledged
    bool is_by_server = false;  ///< the client has not asked for it
  };

  /// `home`: the room of the connection, empty if it has none; `in_home`: the membership in that, if any.
  RoomSet(std::string_view home, hub::Membership* in_home);

  /// The room of the connection, even after the client has left it.
  [[nodiscard]] const std::string& home() const { return home_; }

  [[nodiscard]] std::size_t size() const { return rooms_.size(); }
  /// Null if the client is not subscribed to it.
  [[nodiscard]] Subscription* find(std::string_view room);
  [[nodiscard]] bool contains(std::string_view room) const { return rooms_.contains(room); }
  void add(Subscription subscription);
  /// Removes the subscription and returns it; without a membership if there was none.
  [[nodiscard]] Subscription take(std::string_view room);

  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [room, subscription] : rooms_)
      visit(*subscription.membership);
  }

  template <class Visit>
  void for_each_name(Visit&& visit) const {
    for (const auto& [room, subscription] : rooms_)
      visit(room);
  }

  /// The membership has joined, and may have more than one page to replay.
  void add_replay(hub::Membership& membership);
  /// Removes a membership that is about to be destroyed.
  void forget_replay(const hub::Membership& membership);
  /// The next membership that is still catching up, round robin; null if there is none.
  [[nodiscard]] hub::Membership* next_replay();

 private:
  std::string home_;
  // The names are the hub's.
  std::unordered_map<std::string_view, Subscription, base::StringHash, std::equal_to<>> rooms_;
  std::vector<hub::Membership*> replays_;  // the next one first
};

}  // namespace roomcast::session
