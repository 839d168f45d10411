#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "hub/room_settings.h"

namespace roomcast::hub {

class Member;
class Presence;

/// A room as observers of its membership see it: the base of Room.
class ObservedRoom {
 public:
  ObservedRoom();
  ObservedRoom(const ObservedRoom&) = delete;
  ObservedRoom& operator=(const ObservedRoom&) = delete;

  [[nodiscard]] virtual const std::string& name() const = 0;
  /// With a member that has just joined, without one that has just left.
  [[nodiscard]] virtual std::size_t members() const = 0;
  [[nodiscard]] virtual const RoomSettings& settings() const = 0;
  /// What PresenceTracker keeps about the room; null while no member has a name or watches.
  [[nodiscard]] std::unique_ptr<Presence>& presence() { return presence_; }
  [[nodiscard]] const Presence* presence() const { return presence_.get(); }

 protected:
  ~ObservedRoom();

 private:
  std::unique_ptr<Presence> presence_;
};

/// Follows joins and leaves; see Hub::add_observer. The calls come from within a join or leave: the
/// observer must not join, leave or publish from there.
class MembershipObserver {
 public:
  /// `member` has joined: its interest() has its name and options. The room was empty before if it has one
  /// member now.
  virtual void on_member_joined(ObservedRoom& room, Member& member) = 0;
  /// Subscriber::on_joined is called next: what the member gets of the room begins here.
  virtual void on_member_acknowledged(ObservedRoom& /*room*/, Member& /*member*/) {}
  /// `member` has left. The room is empty now if it has no members.
  virtual void on_member_left(ObservedRoom& room, Member& member) = 0;

 protected:
  ~MembershipObserver() = default;
};

}  // namespace roomcast::hub
