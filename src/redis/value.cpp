#include "redis/value.h"

#include <cstddef>

namespace roomcast::redis {

const Value* Value::find(std::string_view key) const {
  if (type != Type::map) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].type == Type::text && items[i].text == key) return &items[i + 1];
  }
  return nullptr;
}

}  // namespace roomcast::redis
