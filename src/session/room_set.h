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

/// The rooms that a client has asked for, beside the one of its connection, and whose turn it is to replay.
class RoomSet {
 public:
  struct Subscription {
    std::unique_ptr<hub::Membership> membership;
    base::Bytes reply_to;       ///< id of the request, until that is answered; empty: no reply is wanted
    bool is_confirmed = false;  ///< the room has its place
  };

  /// `home`: the room of the connection, empty if it has none; `in_home`: the membership in that, if any.
  RoomSet(std::string_view home, hub::Membership* in_home);

  /// The room of the connection, also when the client has left it.
  [[nodiscard]] const std::string& home() const { return home_; }

  [[nodiscard]] std::size_t size() const { return rooms_.size(); }
  /// Null if the client is not there.
  [[nodiscard]] Subscription* find(std::string_view room);
  void add(Subscription subscription);
  /// The caller drops what it gets, or nothing is left.
  [[nodiscard]] Subscription take(std::string_view room);

  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& [room, subscription] : rooms_)
      visit(*subscription.membership);
  }

  /// The room has its place, and perhaps more to replay than goes at once.
  void add_replay(hub::Membership& membership);
  /// A membership is about to go.
  void forget_replay(const hub::Membership& membership);
  /// One of those that still catch up, each in turn; null if there is none.
  [[nodiscard]] hub::Membership* next_replay();

 private:
  std::string home_;
  // The names are the hub's.
  std::unordered_map<std::string_view, Subscription, base::StringHash, std::equal_to<>> rooms_;
  std::vector<hub::Membership*> replays_;  // whose turn it is next first
};

}  // namespace roomcast::session
