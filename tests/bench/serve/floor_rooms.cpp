#include "serve/floor_rooms.h"

#include "serve/floor_deflate.h"
#include "serve/floor_frames.h"

namespace roomcast::bench::floor {

std::size_t Audience::join(const Link& link) {
  members_.push_back(link);
  return members_.size() - 1;
}

int Audience::leave(std::size_t place) {
  const Link last = members_.back();
  members_.pop_back();
  if (place == members_.size()) return -1;
  members_[place] = last;
  return last.fd;
}

void Audience::send_out() {
  if (laid_down_.empty()) return;
  for (const Link& member : members_)
    send_all(member, laid_down_);
  laid_down_.clear();
}

void Room::lay_down(std::uint8_t opcode, std::string_view message, FloorDeflate& deflate) {
  if (!plain.empty()) append_frame(plain.laid_down(), opcode, false, message);
  if (!compressed.empty()) append_frame(compressed.laid_down(), opcode, true, deflate.compress(message));
}

void Room::send_out() {
  plain.send_out();
  compressed.send_out();
}

}  // namespace roomcast::bench::floor
