#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "dialect/message_json.h"
#include "hub/batch.h"

namespace roomcast::dialect {

/// Encodes messages as elements of a JSON array, each with a comma before it: the array is written without
/// the first byte.
class MessageList final : public hub::Encoder {
 public:
  std::size_t encode(std::string_view room, const hub::Message& message, std::string& out) const override {
    out += ',';
    append_message_json(out, room, message);
    return 0;
  }
};

}  // namespace roomcast::dialect
