#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/floor_link.h"

namespace roomcast::bench::floor {

class FloorDeflate;

/// The members of a room that get the same bytes.
class Audience {
 public:
  /// Gives the member's place, which changes only as `leave` says.
  std::size_t join(const Link& link);
  /// The last member gets the place of the one that leaves: gives its descriptor, -1 when none has moved.
  int leave(std::size_t place);
  [[nodiscard]] bool empty() const { return members_.empty(); }

  /// Where the next frames for all are laid down.
  [[nodiscard]] std::string& laid_down() { return laid_down_; }
  /// Sends what was laid down to each member, once.
  void send_out();

 private:
  std::vector<Link> members_;
  std::string laid_down_;
};

/// A room; once made it stays. A form of a message is made only if a member needs it.
struct Room {
  Audience plain;
  Audience compressed;

  void lay_down(std::uint8_t opcode, std::string_view message, FloorDeflate& deflate);
  void send_out();
};

}  // namespace roomcast::bench::floor
