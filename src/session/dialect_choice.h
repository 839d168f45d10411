#pragma once

#include <string_view>
#include <vector>

#include "dialect/dialect.h"

namespace roomcast::session {

/// A dialect and the subprotocol by which clients select it (Sec-WebSocket-Protocol).
struct DialectChoice {
  std::string_view subprotocol;
  const dialect::Dialect* dialect;
};

/// The dialects of one endpoint, in order of preference.
struct DialectChoices {
  std::vector<DialectChoice> named;
  const dialect::Dialect* otherwise;  ///< for clients that offer no subprotocol; null: they are refused

  /// Null if the endpoint does not support it.
  [[nodiscard]] const dialect::Dialect* find(std::string_view subprotocol) const {
    for (const DialectChoice& choice : named) {
      if (choice.subprotocol == subprotocol) return choice.dialect;
    }
    return otherwise;
  }
};

}  // namespace roomcast::session
