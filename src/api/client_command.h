#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address_block.h"

namespace roomcast::api {

/// What an operator has done with clients, as it is sent to all servers that share their rooms.
struct ClientCommand {
  enum class Call : std::uint8_t {
    disconnect,   ///< clients, or all that are in `room`
    kick,         ///< clients from `room`
    subscribe,    ///< a user's clients to `room`
    unsubscribe,  ///< a user's clients from `room`
  };
  Call call = Call::disconnect;
  // Which clients: one of these, or none if the room says it.
  std::string client{};  ///< an id of the list
  std::string user{};
  std::optional<base::AddressBlock> address{};

  std::string room{};
  std::string reason{};  ///< may be empty

  [[nodiscard]] std::string_view name() const;
  /// "user:ada", for people.
  [[nodiscard]] std::string target() const;
  /// Whether all clients have to be gone through, which happens in slices.
  [[nodiscard]] bool is_for_all() const { return client.empty() && user.empty(); }

  /// A JSON object with the members that the API has, and `call`.
  [[nodiscard]] std::string to_json() const;
  /// Nothing if it is not one, or not one of this version.
  [[nodiscard]] static std::optional<ClientCommand> read(std::string_view json);
};

}  // namespace roomcast::api
