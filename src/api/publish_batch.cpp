#include "api/publish_batch.h"

#include <utility>

#include "api/publish_outcome.h"
#include "auth/cors.h"
#include "base/ascii.h"
#include "base/json.h"

namespace roomcast::api {

namespace {

std::string failure(std::string_view room, const http::Problem& problem) {
  std::string json = R"({"room":)";
  base::append_json_string(json, room);
  json += R"(,"error":{"code":)";
  base::append_json_string(json, problem.code);
  json += R"(,"message":)";
  base::append_json_string(json, problem.message);
  json += "}}";
  return json;
}

bool is_json(const http::Request& request) {
  const std::string_view type = request.headers.get("Content-Type").value_or("");
  return base::equals_ignoring_case(type.substr(0, type.find_first_of("; \t")), "application/json");
}

base::Result<std::vector<BatchItem>, http::Problem> read(const http::Request& request,
                                                         const BatchLimits& limits) {
  if (!is_json(request)) {
    return http::Problem{415, "unsupported_media_type", "send application/json"};
  }
  if (request.headers.get("Content-Encoding").value_or("identity") != "identity") {
    return http::Problem{415, "unsupported_encoding", "a body is taken as it is: send no Content-Encoding"};
  }
  return read_batch(request.body, limits);
}

}  // namespace

void PublishBatch::handle(http::Exchange& exchange, std::string_view /*rest*/) {
  const http::Request& request = exchange.request();
  auth::OriginDecision origin = auth::check_origin(request, rules_);
  const auto items = read(request, limits_);
  if (items) return begin(exchange, std::move(origin), *items);
  http::Response response = http::Response::error(items.error());
  auth::add_cors(response.headers, origin);
  exchange.respond(std::move(response));
}

void PublishBatch::begin(http::Exchange& exchange, auth::OriginDecision origin,
                         const std::vector<BatchItem>& items) {
  const hub::Source source = hub::source_of(exchange.request().client.address);
  auto made = std::make_unique<Batch>();
  Batch& batch = *made;
  batch.exchange = exchange.defer();
  batch.origin = std::move(origin);
  batch.results.resize(items.size());
  const base::SlotId id = batches_.insert(std::move(made));
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].problem) {
      batch.results[i] = failure(items[i].room, *items[i].problem);
    } else {
      ++batch.missing;
    }
  }
  if (batch.missing == 0) return answer(id);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const BatchItem& item = items[i];
    if (item.problem) continue;
    hub::Draft draft = item.draft;
    draft.source = source;
    publisher_.publish(item.room, std::move(draft), item.key,
                       [this, id, i, room = item.room](const hub::PublishResult& result) {
                         on_published(id, i, room, result);
                       });
  }
}

void PublishBatch::on_published(base::SlotId id, std::size_t index, std::string_view room,
                                const hub::PublishResult& result) {
  Batch& batch = **batches_.find(id);
  if (result) {
    append_receipt(batch.results[index], room, *result);
  } else {
    batch.results[index] = failure(room, problem_of(result.error()));
  }
  if (--batch.missing == 0) answer(id);
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
  auth::add_cors(response.headers, batch->origin);
  connections_.respond(batch->exchange, std::move(response));
}

}  // namespace roomcast::api
