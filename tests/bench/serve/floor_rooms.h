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

/// Those of a room who get the same bytes.
class Audience {
 public:
  /// Gives the member's place, which changes only as `leave` says.
  std::size_t join(const Link& link);
  /// The last member gets the place of the one that leaves: gives its descriptor, -1 when nobody has moved.
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

/// A room; once made it stays. The forms of a message are made only for those who are there.
struct Room {
  Audience plain;
  Audience compressed;

  void lay_down(std::uint8_t opcode, std::string_view message, FloorDeflate& deflate);
  void send_out();
};

}  // namespace roomcast::bench::floor
