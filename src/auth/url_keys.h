#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "auth/jwks_source.h"
#include "auth/token_source.h"
#include "jose/algorithm.h"

namespace roomcast::auth {

/// The keys of a `jwks_url`, for the algorithms that they may be used with.
class UrlKeys final : public KeySource, private JwksSource::Waiter::Listener {
 public:
  /// What it needs to fetch; outlives it.
  struct Parts {
    fetch::Client& client;
    base::Deadlines& deadlines;
    base::Scheduler& scheduler;
    base::Log& log;
  };
  /// Begins to fetch at once.
  UrlKeys(const Parts& parts, const std::string& url, jose::AlgorithmSet algorithms);
  ~UrlKeys() override = default;

  [[nodiscard]] const jose::KeySet* current() const override { return keys_.current(); }
  void refresh(std::function<void()> done) override;
  void on_change(std::function<void()> changed) override { changed_ = std::move(changed); }

 private:
  void on_refreshed() override;

  std::function<void()> changed_;
  std::vector<std::function<void()>> waiting_;
  JwksKeys<jose::KeySet> keys_;
  JwksSource::Waiter waiter_;
};

}  // namespace roomcast::auth
