#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/batch_request.h"
#include "base/scheduler.h"
#include "base/slot_map.h"
#include "http/exchange.h"
#include "part/context.h"
#include "service/rooms.h"

namespace roomcast::api {

/// `POST /api/publish`: many messages into many rooms with one request (see batch_request.h). All of it is
/// read before anything is published. The answer, `{"results":[…]}`, comes once every message has its
/// outcome, in their order: `{"room","cursor","subscribers"}` or `{"room","error":{"code","message"}}`.
///
/// Few messages of a request are published in a turn, after what other clients ask for, and few are under way
/// at a time, so that one request can't fill the hub's backlog.
///
/// The messages that have not been published are memory held by the connection: when that is closed for it,
/// or breaks, they are dropped.
class PublishBatch final : public http::Handler,
                           public part::Part,
                           private http::ClientWatch,
                           private base::TurnTask {
 public:
  /// All outlive the handler. It refuses everything until its settings have been applied.
  PublishBatch(service::Rooms& rooms, http::DeferredResponses& connections, base::Scheduler& scheduler)
      : rooms_(rooms), connections_(connections), scheduler_(scheduler) {}
  PublishBatch(const PublishBatch&) = delete;
  PublishBatch& operator=(const PublishBatch&) = delete;
  ~PublishBatch() override { scheduler_.forget(*this); }

  void add_routes(part::Routes& routes) override;
  void apply(const config::Config& config) override { limits_ = batch_limits(config); }
  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  /// A request under way.
  struct Request {
    base::SlotId exchange;
    access::Identity identity;
    hub::Source source = 0;
    std::string address;  // of the client
    std::vector<PublishItem> items;
    std::vector<std::string> results;  // JSON, by item; empty: none yet
    std::size_t missing = 0;           // results
    std::size_t next = 0;              // item to be published
    std::size_t under_way = 0;         // published and without a result
    bool has_turn = false;             // it is in turns_
    bool has_author = false;
    hub::Author author;        // of the last item that was published
    base::Bytes authors_name;  // its name, as the request gives it

    [[nodiscard]] const hub::Author& author_of(const PublishItem& item);
  };

  void begin(http::Exchange& exchange, std::vector<PublishItem> items);
  void publish_some(base::SlotId id);
  [[nodiscard]] std::optional<base::Refusal> publish(base::SlotId id, std::size_t index);
  void give_turn(base::SlotId id, Request& request);
  void run_at_turn_end() override;
  void on_client_gone(base::SlotId id) override;
  void on_published(base::SlotId id, std::size_t index, const hub::PublishResult& result);
  void answer(base::SlotId id);

  service::Rooms& rooms_;
  http::DeferredResponses& connections_;
  base::Scheduler& scheduler_;
  BatchLimits limits_{};
  base::SlotMap<std::unique_ptr<Request>> requests_;
  std::deque<base::SlotId> turns_;  // of those that go on, in order
};

[[nodiscard]] std::unique_ptr<part::Part> make_publish_batch(const part::Context& context);

}  // namespace roomcast::api
