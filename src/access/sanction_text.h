#pragma once

#include <string>
#include <string_view>

#include "access/sanctions.h"
#include "base/result.h"

namespace roomcast::access {

// Sanctions as texts that a later version of the server can read: JSON, with the members that the API has.
//
//     {"kind":"ban","user":"ada","room":"chat/**","id":7,"until":1700000060,"reason":"spam","by":"key:mod"}

struct KeptSanction {
  Sanctions::Id id = 0;
  Sanction sanction;
};

/// What the text is kept under: 32 hexadecimal digits, the same for two of one kind that are for the same
/// subject and rooms.
[[nodiscard]] std::string name_in_store(const Sanction& sanction);
[[nodiscard]] std::string to_text(Sanctions::Id id, const Sanction& sanction);
/// The error says what is wrong with it, and follows the name of the text: "has no kind". Whatever `to_text`
/// does not write is wrong.
[[nodiscard]] base::Result<KeptSanction> read_sanction(std::string_view text);

}  // namespace roomcast::access
