#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/batch_request.h"
#include "auth/origin.h"
#include "base/slot_map.h"
#include "http/exchange.h"
#include "hub/publish_once.h"

namespace roomcast::api {

/// `POST /api/publish`: many messages into many rooms with one request (see batch_request.h). All of it is
/// read before anything is published. The answer, `{"results":[…]}`, comes once every message has its
/// outcome, in their order: `{"room","cursor","subscribers"}` or `{"room","error":{"code","message"}}`.
class PublishBatch final : public http::Handler {
 public:
  /// All outlive the handler. The answer may be read by pages of the origins that `rules` list. Rules and
  /// limits are read anew for each request.
  PublishBatch(hub::PublishOnce& publisher, http::Connections& connections, const auth::OriginRules& rules,
               const BatchLimits& limits)
      : publisher_(publisher), connections_(connections), rules_(rules), limits_(limits) {}

  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  /// A batch under way.
  struct Batch {
    base::SlotId exchange;
    auth::OriginDecision origin;
    std::vector<std::string> results;  // JSON, by item; empty: none yet
    std::size_t missing = 0;
  };

  void begin(http::Exchange& exchange, auth::OriginDecision origin, const std::vector<BatchItem>& items);
  void on_published(base::SlotId batch, std::size_t index, std::string_view room,
                    const hub::PublishResult& result);
  void answer(base::SlotId id);

  hub::PublishOnce& publisher_;
  http::Connections& connections_;
  const auth::OriginRules& rules_;
  const BatchLimits& limits_;
  base::SlotMap<std::unique_ptr<Batch>> batches_;
};

}  // namespace roomcast::api
