#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "access/sanctions.h"
#include "base/result.h"

namespace roomcast::app {

/// A message of the room in which servers agree on sanctions. As JSON, with the sanction as access::to_text
/// writes it:
///
///     {"do":"put","sanction":{...}}
///     {"do":"lift","sanction":{...}}
///     {"do":"keep","of":1234,"sanction":{...}}
struct SanctionChange {
  enum class What : std::uint8_t {
    put,   ///< it comes into force, in the place of one of the same kind for the same subject and rooms
    lift,  ///< that one is lifted
    keep,  ///< the one that was put at the offset `of` is repeated, since that will soon be too far back
  };
  What what = What::put;
  std::uint64_t of = 0;
  access::Sanctions::Id id = 0;  ///< of `keep`
  access::Sanction sanction{};
};

[[nodiscard]] std::string to_text(const SanctionChange& change);
/// The error follows the name of the text, as that of access::read_sanction.
[[nodiscard]] base::Result<SanctionChange> read_sanction_change(std::string_view text);

}  // namespace roomcast::app
