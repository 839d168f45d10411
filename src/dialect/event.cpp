#include "dialect/event.h"

#include <array>

namespace roomcast::dialect {

std::string_view name_of(const Event& event) {
  constexpr std::array<std::string_view, std::variant_size_v<Event>> names{
      "welcome",       "ok",       "ok",         "ok",           "ok",      "ok",   "gap",   "join",
      "leave",         "presence", "deleted",    "replaced",     "cleared", "pong", "error", "bye",
      "authenticated", "expires",  "subscribed", "unsubscribed", "direct"};
  return names.at(event.index());
}

}  // namespace roomcast::dialect
