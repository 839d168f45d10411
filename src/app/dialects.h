#pragma once

#include <cstddef>

#include "config/config.h"
#include "dialect/echo.h"
#include "dialect/json.h"
#include "dialect/message_list.h"
#include "dialect/raw.h"
#include "part/dialects.h"

namespace roomcast::app {

/// Owns the dialects. A new one is a member here and a line in `offered_`.
class Dialects {
 public:
  Dialects() = default;
  Dialects(const Dialects&) = delete;
  Dialects& operator=(const Dialects&) = delete;

  [[nodiscard]] const part::Dialects& offered() const { return offered_; }
  void apply(const config::Config& config) {
    // The payload stands one level deep in a request.
    json_.set_depth_max(static_cast<std::size_t>(config.limits.json_depth) + 1);
  }

 private:
  dialect::Raw raw_;
  dialect::Json json_;
  dialect::Echo echo_;
  dialect::MessageList list_items_;
  part::Dialects offered_{{
                              {"roomcast.v1", &json_},
                              {"roomcast.raw.v1", &raw_},
                          },
                          raw_,
                          json_,
                          echo_,
                          list_items_};
};

}  // namespace roomcast::app
