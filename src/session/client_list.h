#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "access/identity.h"
#include "base/address_block.h"
#include "base/slot_map.h"

namespace roomcast::session {

class SessionTable;

/// Which clients are asked for: those that match all that is set.
struct ClientFilter {
  struct Of {
    access::Kind kind = access::Kind::user;
    std::string_view id;
  };
  std::optional<Of> of{};  ///< the user or key
  std::optional<base::AddressBlock> address{};
  std::optional<std::string_view> room{};
};

/// Some of the clients, by the index of their ids.
struct ClientPage {
  std::vector<base::SlotId> clients;
  std::optional<std::uint32_t> next{};  ///< where to go on; nothing: these were the last
};

/// The clients that match, from the index `from` on: at most `most`, and no more than are found in well below
/// a millisecond, so that a page with a `next` may have fewer or none. For a user or key it takes as long as
/// that has clients.
[[nodiscard]] ClientPage list_clients(SessionTable& table, const ClientFilter& filter, std::uint32_t from,
                                      std::size_t most);

}  // namespace roomcast::session
