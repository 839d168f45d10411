#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hub/author.h"

namespace roomcast::hub {

/// The members that a room has on one server, as other servers are told.
struct NodeMembers {
  /// More names than this are not told, whatever PresenceLimits::crowd is: what is written at each change is
  /// the whole list.
  static constexpr std::size_t names_max = 1'000;

  std::vector<Author> names;  ///< in the order of ByMember; none if there are more than are told
  std::size_t named = 0;      ///< how many there are
  std::size_t nameless = 0;   ///< connections without a name

  [[nodiscard]] bool lists_names() const { return names.size() == named; }
  [[nodiscard]] bool empty() const { return named == 0 && nameless == 0; }
};

/// What another server says about its members of a room.
struct NodeChange {
  enum class What : std::uint8_t {
    all,      ///< `joined` are all its members, or none if it tells only their number
    changed,  ///< to what it has said before
    gone,     ///< nothing: it is not there any more, and its members have the grace time to come back
  };
  What what = What::all;
  std::vector<Author> joined{};  ///< in the order of ByMember; also one that shows another name
  std::vector<Author> left{};
  std::size_t named = 0;  ///< afterwards
  std::size_t nameless = 0;
};

}  // namespace roomcast::hub
