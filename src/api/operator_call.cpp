#include "api/operator_call.h"

#include <algorithm>

#include "api/publish_format.h"
#include "base/json.h"
#include "base/json_cursor.h"
#include "base/text.h"
#include "hub/source.h"

namespace roomcast::api {

namespace {

using base::JsonKind;

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

bool is_among(const base::JsonValue& name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&name](std::string_view known) { return name.equals(known); });
}

std::string text_of_value(const base::JsonValue& value) {
  std::string text;
  value.append_text(text);
  return text;
}

}  // namespace

// --- Arguments ---

Arguments Arguments::of_body(const http::Request& request, std::initializer_list<std::string_view> names) {
  Arguments arguments;
  if (!is_json(media_type(request))) {
    arguments.refuse({base::Refusal::Code::unsupported_media_type,
                      "send the arguments with Content-Type: application/json"});
  } else if (request.body.size() > body_bytes_max) {
    arguments.refuse({base::Refusal::Code::content_too_large, "the arguments take more than 16384 bytes"});
  } else if (!base::is_valid_utf8(request.body)) {
    arguments.refuse({base::Refusal::Code::invalid_json, "the body must be one JSON value"});
  } else {
    arguments.read(request.body, names);
  }
  return arguments;
}

void Arguments::read(std::string_view body, std::initializer_list<std::string_view> names) {
  base::JsonCursor cursor(body);
  if (cursor.kind() != JsonKind::object || !cursor.enter()) {
    if (base::is_valid_json(body)) return refuse(base::bad_request("the body must be an object"));
    return refuse({base::Refusal::Code::invalid_json, "the body must be one JSON value"});
  }
  while (const auto name = cursor.next_name()) {
    const auto value = cursor.value();
    if (!value) break;
    const std::string called = text_of_value(*name);
    if (!is_among(*name, names)) {
      refuse(base::bad_request("there is no argument called " + called.substr(0, text_bytes_max)));
    } else if (has(called)) {
      refuse(base::bad_request(called + " is given twice"));
    } else if (value->is(JsonKind::string)) {
      values_.emplace(called, Value{text_of_value(*value), false});
    } else if (value->is(JsonKind::number)) {
      values_.emplace(called, Value{std::string(value->raw()), true});
    } else if (!value->is(JsonKind::null)) {
      refuse(base::bad_request(called + " must be a text or a number"));
    }
  }
  if (cursor.verdict() == base::JsonVerdict::valid) return;
  problem_ = base::Refusal{base::Refusal::Code::invalid_json, "the body must be one JSON value"};
}

Arguments Arguments::of_query(const http::Request& request, std::initializer_list<std::string_view> names) {
  Arguments arguments;
  arguments.of_query_ = true;
  for (const std::string_view name : names) {
    const auto value = request.query_parameter(name);
    if (value) arguments.values_.emplace(name, Value{*value, base::is_digits(*value)});
  }
  return arguments;
}

std::optional<std::string> Arguments::text(std::string_view name, std::size_t bytes_max) {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  const Value& value = found->second;
  const std::string called(name);
  if (value.is_number && !of_query_) {
    refuse(base::bad_request(called + " must be a text"));
  } else if (value.text.empty() || value.text.size() > bytes_max) {
    refuse(base::bad_request(called + " must have 1 to " + std::to_string(bytes_max) + " bytes"));
  } else if (!base::is_valid_utf8(value.text) || has_control_character(value.text)) {
    refuse(base::bad_request(called + " must be UTF-8 without control characters"));
  } else {
    return value.text;
  }
  return std::nullopt;
}

std::string Arguments::required(std::string_view name) {
  if (!has(name)) refuse(base::bad_request(std::string(name) + " is missing"));
  return text(name).value_or("");
}

std::optional<std::uint64_t> Arguments::number(std::string_view name, std::uint64_t max) {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  if (found->second.is_number) {
    if (const auto number = base::JsonValue(found->second.text).to_unsigned(max)) return number;
  }
  refuse(base::bad_request(std::string(name) + " must be a whole number, 0 to " + std::to_string(max)));
  return std::nullopt;
}

std::size_t limit_of(Arguments& arguments) {
  constexpr std::size_t most = 1'000;
  constexpr std::size_t usual = 100;
  const auto limit = arguments.number("limit", most);
  if (limit == 0U) arguments.refuse(base::bad_request("limit must be 1 to 1000"));
  return static_cast<std::size_t>(limit.value_or(usual));
}

// --- Who calls, and answers ---

service::Caller caller_of(http::Exchange& exchange) {
  const std::string& address = exchange.request().client.address;
  return {exchange.context().identity, "", hub::source_of(address), address};
}

http::Response json_answer(std::string json) {
  json += '\n';
  http::Response response = http::Response::of(200, "application/json", json);
  response.headers.add("Cache-Control", "no-store");
  return response;
}

http::Response refusal_answer(const base::Refusal& refusal) {
  http::Response response = http::Response::error(refusal);
  response.headers.add("Cache-Control", "no-store");
  return response;
}

void append_member(std::string& json, std::string_view name, std::string_view value) {
  if (json.back() != '{') json += ',';
  base::append_json_string(json, name);
  json += ':';
  base::append_json_string(json, value);
}

void append_member(std::string& json, std::string_view name, std::uint64_t value) {
  if (json.back() != '{') json += ',';
  base::append_json_string(json, name);
  json += ':' + std::to_string(value);
}

void append_nodes(std::string& json, const part::CommandBus::Outcome& outcome) {
  append_member(json, "nodes", outcome.nodes);
  append_member(json, "silent_nodes", outcome.silent_nodes);
}

void append_next(std::string& json, const std::optional<std::string>& next) {
  json += R"(],"next":)";
  if (next) {
    base::append_json_string(json, *next);
  } else {
    json += "null";
  }
  json += '}';
}

// --- Audit ---

void Audit::note(const service::Caller& caller, std::string_view call, std::string_view target,
                 const std::optional<base::Refusal>& refusal, std::string_view reason) const {
  using base::LogField;
  const std::string by = caller.identity.principal();
  const std::string_view outcome = refusal ? base::describe(refusal->code).name : std::string_view("ok");
  const base::LogFields fields{{"by", by},         {"address", caller.address},        {"call", call},
                               {"target", target}, LogField::if_any("reason", reason), {"outcome", outcome}};
  if (refusal) return log_.info("audit", fields);
  log_.record("audit", fields);
}

}  // namespace roomcast::api
