#pragma once

#include <string_view>
#include <vector>

#include "dialect/dialect.h"

namespace roomcast::session {

/// A dialect under the name by which clients ask for it (Sec-WebSocket-Protocol).
struct DialectChoice {
  std::string_view subprotocol;
  const dialect::Dialect* dialect;
};

/// What one endpoint speaks, the most wanted first.
struct DialectChoices {
  std::vector<DialectChoice> named;
  const dialect::Dialect* otherwise;  ///< for clients that ask for none of them; null: they are refused

  /// Null if it is not spoken here.
  [[nodiscard]] const dialect::Dialect* find(std::string_view subprotocol) const {
    for (const DialectChoice& choice : named) {
      if (choice.subprotocol == subprotocol) return choice.dialect;
    }
    return otherwise;
  }
};

}  // namespace roomcast::session
