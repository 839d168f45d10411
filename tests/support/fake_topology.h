#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/topology.h"

namespace roomcast::test {

/// A topology whose layout the test sets.
class FakeTopology final : public redis::Topology {
 public:
  /// Divides the slots evenly between servers, in their order.
  static redis::Layout even(const std::vector<redis::ServerAddress>& servers) {
    redis::Layout layout;
    const std::size_t slots = std::size_t{redis::Layout::last_slot} + 1;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      const auto first = static_cast<std::uint16_t>(slots * i / servers.size());
      const auto last = static_cast<std::uint16_t>(slots * (i + 1) / servers.size() - 1);
      layout.shards.push_back({servers[i], {{first, last}}});
    }
    return layout;
  }

  void start(Listener& listener) override {
    listener_ = &listener;
    if (!layout_.shards.empty()) listener.on_layout(layout_);
  }
  void doubt() override { ++doubts; }
  void set(redis::Layout layout) {
    layout_ = std::move(layout);
    if (listener_ != nullptr) listener_->on_layout(layout_);
  }
  void lose(std::string_view why) { listener_->on_topology_lost(why); }

  std::size_t doubts = 0;

 private:
  Listener* listener_ = nullptr;
  redis::Layout layout_;
};

}  // namespace roomcast::test
