#include "api/publish_batch.h"

#include <utility>

#include "api/publish_format.h"
#include "base/json.h"
#include "base/text.h"

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
  return std::string(base::cut_between_characters(room, echoed_bytes_max)) + "\u2026";
}

std::string failure(std::string_view room, const base::Refusal& refusal) {
  std::string json = R"({"room":)";
  base::append_json_string(json, echo_of(room));
  json += R"(,"error":{"code":)";
  base::append_json_string(json, base::describe(refusal.code).name);
  json += R"(,"message":)";
  base::append_json_string(json, refusal.message);
  if (refusal.retry_ms != 0) json += R"(,"retry_ms":)" + std::to_string(refusal.retry_ms);
  json += "}}";
  return json;
}

base::Result<std::vector<PublishItem>, base::Refusal> read(const http::Request& request,
                                                           const BatchLimits& limits,
                                                           const service::Limits& message_limits) {
  if (!is_json(media_type(request))) {
    return base::Refusal{base::Refusal::Code::unsupported_media_type,
                         "send it with Content-Type: application/json"};
  }
  if (auto refusal = check_encoding(request)) return *std::move(refusal);
  return read_batch(request.body, limits, message_limits);
}

}  // namespace

void PublishBatch::add_routes(part::Routes& routes) {
  routes.add_api({http::Method::post}, "/api/publish", http::Access::clients, *this);
}

void PublishBatch::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  auto items = read(exchange.request(), limits_, rooms_.limits());
  if (items) return begin(exchange, std::move(*items));
  exchange.respond(http::Response::error(items.error()));
}

void PublishBatch::begin(http::Exchange& exchange, std::vector<PublishItem> items) {
  auto made = std::make_unique<Request>();
  Request& request = *made;
  request.identity = exchange.context().identity;
  request.address = exchange.request().client.address;
  request.source = hub::source_of(request.address);
  request.items = std::move(items);
  request.results.resize(request.items.size());
  request.missing = request.items.size();
  // Payloads are shared by the rooms of a message, and are not more than the body that they came in.
  const std::size_t held_bytes =
      exchange.request().body.size() + request.items.size() * (sizeof(PublishItem) + sizeof(std::string));
  const base::SlotId id = requests_.insert(std::move(made));
  request.exchange = exchange.defer_holding(held_bytes, *this, id);
  publish_some(id);
}

void PublishBatch::publish_some(base::SlotId id) {
  Request& request = **requests_.find(id);
  for (std::size_t i = 0; i < items_per_turn && request.next < request.items.size(); ++i) {
    if (request.under_way == items_under_way_max) return;  // a result gives it its next turn
    const std::size_t index = request.next++;
    if (const auto refusal = publish(id, index)) {
      request.results[index] = failure(request.items[index].room, *refusal);
      rooms_.note(refusal->code, request.address, request.identity);
      --request.missing;
    } else {
      ++request.under_way;
    }
  }
  if (request.missing == 0) return answer(id);
  give_turn(id, request);
}

std::optional<base::Refusal> PublishBatch::publish(base::SlotId id, std::size_t index) {
  Request& request = **requests_.find(id);
  const PublishItem& item = request.items[index];
  if (!item.payload) return item.payload.error();
  const service::Caller caller(request.author_of(item), request.identity, request.source, request.address);
  auto accepted = rooms_.accept(caller, item.room, *item.payload, item.key);
  if (!accepted) return accepted.error();
  rooms_.publish(std::move(*accepted),
                 [this, id, index](const hub::PublishResult& result) { on_published(id, index, result); });
  return std::nullopt;
}

const hub::Author& PublishBatch::Request::author_of(const PublishItem& item) {
  const std::string_view name = item.from.view();
  // The rooms of a message share its name.
  const bool is_known = has_author && authors_name.view().data() == name.data();
  if (!is_known) author = service::author_of(identity, name);
  authors_name = item.from;
  has_author = true;
  return author;
}

void PublishBatch::give_turn(base::SlotId id, Request& request) {
  if (request.next == request.items.size() || std::exchange(request.has_turn, true)) return;
  turns_.push_back(id);
  scheduler_.mark_deferred(*this);
}

void PublishBatch::run_at_turn_end() {
  const base::SlotId id = turns_.front();
  turns_.pop_front();
  if (const auto* request = requests_.find(id)) {
    (*request)->has_turn = false;
    publish_some(id);
  }
  if (!turns_.empty()) scheduler_.mark_deferred(*this);
}

void PublishBatch::on_client_gone(base::SlotId id) {
  Request& request = **requests_.find(id);
  request.missing -= request.items.size() - request.next;
  request.items.erase(request.items.begin() + static_cast<std::ptrdiff_t>(request.next), request.items.end());
  request.items.shrink_to_fit();
  request.results.resize(request.next);
  if (request.missing == 0) (void)requests_.take(id);
}

void PublishBatch::on_published(base::SlotId id, std::size_t index, const hub::PublishResult& result) {
  Request& request = **requests_.find(id);
  const std::string& room = request.items[index].room;
  --request.under_way;
  if (result) {
    append_receipt(request.results[index], room, *result);
  } else {
    request.results[index] = failure(room, result.error());
    rooms_.note(result.error().code, request.address, request.identity);
  }
  if (--request.missing == 0) return answer(id);
  give_turn(id, request);
}

void PublishBatch::answer(base::SlotId id) {
  const std::unique_ptr<Request> request = requests_.take(id);
  std::string body = R"({"results":[)";
  for (std::size_t i = 0; i < request->results.size(); ++i) {
    if (i != 0) body += ',';
    body += request->results[i];
  }
  body += "]}\n";
  http::Response response = http::Response::of(200, "application/json", body);
  response.headers.add("Cache-Control", "no-store");
  connections_.respond(request->exchange, std::move(response));
}

std::unique_ptr<part::Part> make_publish_batch(const part::Context& context) {
  return std::make_unique<PublishBatch>(context.rooms, context.responses, context.scheduler);
}

}  // namespace roomcast::api
