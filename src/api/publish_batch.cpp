#include "api/publish_batch.h"

#include <utility>

#include "api/media_type.h"
#include "api/publish_outcome.h"
#include "base/json.h"

namespace roomcast::api {

namespace {

// Some ten microseconds' worth.
constexpr std::size_t items_per_turn = 32;
constexpr std::size_t items_under_way_max = 64;

// What an answer repeats of a name that is none: more than any room's name has.
constexpr std::size_t echoed_bytes_max = 256;

/// The name as the answer repeats it: what is too long ends in an ellipsis.
std::string echo_of(std::string_view room) {
  if (room.size() <= echoed_bytes_max) return std::string(room);
  std::size_t end = echoed_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(room[end]) & 0xC0U) == 0x80)
    --end;
  return std::string(room.substr(0, end)) + "\u2026";
}

std::string failure(std::string_view room, const base::Refusal& refusal) {
  std::string json = R"({"room":)";
  base::append_json_string(json, echo_of(room));
  json += R"(,"error":{"code":)";
  base::append_json_string(json, base::describe(refusal.code).name);
  json += R"(,"message":)";
  base::append_json_string(json, refusal.message);
  json += "}}";
  return json;
}

base::Result<std::vector<BatchItem>, base::Refusal> read(const http::Request& request,
                                                         const BatchLimits& limits,
                                                         const service::Limits& message_limits) {
  if (!is_json(media_type(request))) {
    return base::Refusal{base::Refusal::Code::unsupported_media_type,
                         "send it with Content-Type: application/json"};
  }
  if (request.headers.get("Content-Encoding").value_or("identity") != "identity") {
    return base::Refusal{base::Refusal::Code::unsupported_encoding,
                         "a body is taken as it is: send no Content-Encoding"};
  }
  return read_batch(request.body, limits, message_limits);
}

}  // namespace

void PublishBatch::add_routes(part::Routes& routes) {
  routes.add({http::Method::post}, "/api/publish", http::Access::origin, *this);
}

void PublishBatch::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  auto items = read(exchange.request(), limits_, rooms_.limits());
  if (items) return begin(exchange, std::move(*items));
  exchange.respond(http::Response::error(items.error()));
}

void PublishBatch::begin(http::Exchange& exchange, std::vector<BatchItem> items) {
  auto made = std::make_unique<Batch>();
  Batch& batch = *made;
  batch.source = hub::source_of(exchange.request().client.address);
  batch.items = std::move(items);
  batch.results.resize(batch.items.size());
  batch.missing = batch.items.size();
  // Payloads are shared by the rooms of a message, and are not more than the body that they came in.
  const std::size_t held_bytes =
      exchange.request().body.size() + batch.items.size() * (sizeof(BatchItem) + sizeof(std::string));
  const base::SlotId id = batches_.insert(std::move(made));
  batch.exchange = exchange.defer_holding(held_bytes, *this, id);
  publish_some(id);
}

void PublishBatch::publish_some(base::SlotId id) {
  Batch& batch = **batches_.find(id);
  for (std::size_t i = 0; i < items_per_turn && batch.next < batch.items.size(); ++i) {
    if (batch.under_way == items_under_way_max) return;  // a result gives it its next turn
    const std::size_t index = batch.next++;
    if (const auto refusal = publish(id, index)) {
      batch.results[index] = failure(batch.items[index].room, *refusal);
      --batch.missing;
    } else {
      ++batch.under_way;
    }
  }
  if (batch.missing == 0) return answer(id);
  give_turn(id, batch);
}

std::optional<base::Refusal> PublishBatch::publish(base::SlotId id, std::size_t index) {
  Batch& batch = **batches_.find(id);
  const BatchItem& item = batch.items[index];
  if (!item.payload) return item.payload.error();
  auto accepted = rooms_.accept({item.from, batch.source}, item.room, *item.payload, item.key);
  if (!accepted) return accepted.error();
  rooms_.publish(std::move(*accepted),
                 [this, id, index](const hub::PublishResult& result) { on_published(id, index, result); });
  return std::nullopt;
}

void PublishBatch::give_turn(base::SlotId id, Batch& batch) {
  if (batch.next == batch.items.size() || std::exchange(batch.has_turn, true)) return;
  turns_.push_back(id);
  scheduler_.mark_deferred(*this);
}

void PublishBatch::flush() {
  const base::SlotId id = turns_.front();
  turns_.pop_front();
  if (const auto* batch = batches_.find(id)) {
    (*batch)->has_turn = false;
    publish_some(id);
  }
  if (!turns_.empty()) scheduler_.mark_deferred(*this);
}

void PublishBatch::on_client_gone(base::SlotId id) {
  Batch& batch = **batches_.find(id);
  batch.missing -= batch.items.size() - batch.next;
  batch.items.erase(batch.items.begin() + static_cast<std::ptrdiff_t>(batch.next), batch.items.end());
  batch.items.shrink_to_fit();
  batch.results.resize(batch.next);
  if (batch.missing == 0) (void)batches_.take(id);
}

void PublishBatch::on_published(base::SlotId id, std::size_t index, const hub::PublishResult& result) {
  Batch& batch = **batches_.find(id);
  const std::string& room = batch.items[index].room;
  --batch.under_way;
  if (result) {
    append_receipt(batch.results[index], room, *result);
  } else {
    batch.results[index] = failure(room, result.error());
  }
  if (--batch.missing == 0) return answer(id);
  give_turn(id, batch);
}

void PublishBatch::answer(base::SlotId id) {
  const std::unique_ptr<Batch> batch = batches_.take(id);
  std::string body = R"({"results":[)";
  for (std::size_t i = 0; i < batch->results.size(); ++i) {
    if (i != 0) body += ',';
    body += batch->results[i];
  }
  body += "]}\n";
  http::Response response = http::Response::of(200, "application/json", body);
  response.headers.add("Cache-Control", "no-store");
  connections_.respond(batch->exchange, std::move(response));
}

std::unique_ptr<part::Part> make_publish_batch(const part::Context& context) {
  return std::make_unique<PublishBatch>(context.rooms, context.responses, context.scheduler);
}

}  // namespace roomcast::api
