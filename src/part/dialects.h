#pragma once

#include <vector>

#include "hub/batch.h"
#include "session/dialect_choice.h"

namespace roomcast::part {

/// The dialects that clients may choose from, and those that some endpoints speak by themselves.
struct Dialects {
  std::vector<session::DialectChoice> named;  ///< the most wanted first
  const dialect::Dialect& raw;
  const dialect::Dialect& json;
  const dialect::Dialect& echo;
  const hub::Encoder& list_items;  ///< a message as an element of a JSON list, with a comma before it

  /// For a connection to one room: any of them, raw if the client names none.
  [[nodiscard]] session::DialectChoices for_room() const { return {named, &raw}; }
  /// For a connection to many rooms: those that say of each message which room it belongs to. One must be
  /// named.
  [[nodiscard]] session::DialectChoices for_many_rooms() const {
    session::DialectChoices choices{{}, nullptr};
    for (const session::DialectChoice& choice : named) {
      if (choice.dialect->has_envelope()) choices.named.push_back(choice);
    }
    return choices;
  }
};

}  // namespace roomcast::part
