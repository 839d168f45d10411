#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace roomcast::power_cut {

/// What is written into a store, step by step: the same for the same seed, so that who reads the store knows
/// what has to be there.
class Workload {
 public:
  static constexpr std::size_t rooms = 24;

  struct Step {
    struct Message {
      std::size_t room;
      std::uint64_t offset;
      std::string payload;
    };
    std::vector<Message> messages;
    // Of a message of an earlier step, if `removed_offset` is not 0.
    std::size_t removed_room = 0;
    std::uint64_t removed_offset = 0;
  };

  explicit Workload(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] static std::string room_name(std::size_t room) { return "room/" + std::to_string(room); }

  Step next();

 private:
  std::mt19937_64 random_;
  std::vector<std::uint64_t> tops_ = std::vector<std::uint64_t>(rooms);
};

/// What is in the rooms: room and offset → payload.
using Content = std::map<std::pair<std::size_t, std::uint64_t>, std::string>;

/// Does `step` to `content`.
void apply_step(Content& content, const Workload::Step& step);

}  // namespace roomcast::power_cut
