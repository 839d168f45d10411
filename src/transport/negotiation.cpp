#include "transport/negotiation.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace roomcast::transport {

namespace {

constexpr int full_weight = 1000;
// Elements of a list that are looked at: no client sends as many, and 16 KiB have room for thousands.
constexpr std::size_t elements_max = 100;

/// Takes the part of `list` up to the next `separator` that is in no quoted-string, without the space around.
std::string_view take_until(std::string_view& list, char separator) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < list.size() && (quoted || list[end] != separator); ++end) {
    if (list[end] == '"') quoted = !quoted;
    if (list[end] == '\\' && quoted && end + 1 < list.size()) ++end;
  }
  const std::string_view part = base::trim(list.substr(0, end));
  list.remove_prefix(std::min(end + 1, list.size()));
  return part;
}

/// A weight in thousandths (RFC 9110 section 12.4.2); nothing if it is none.
std::optional<int> parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = (text[0] - '0') * full_weight;
  int place = full_weight / 10;
  for (const char digit : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') return std::nullopt;
    weight += (digit - '0') * place;
    place /= 10;
  }
  return weight <= full_weight ? std::optional(weight) : std::nullopt;
}

/// The weight of the list element `parameters` belong to; nothing if it makes no sense.
std::optional<int> weight_among(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string_view parameter = take_until(parameters, ';');
    const bool is_weight = parameter.size() >= 2 && parameter[1] == '=' &&
                           base::equals_ignoring_case(parameter.substr(0, 1), "q");
    if (is_weight) return parse_weight(parameter.substr(2));
  }
  return full_weight;
}

/// The weights that `list` gives to each of `names`; nothing for those that it does not name. An element
/// whose weight makes no sense is as if it were not there, and so are those behind the first elements_max.
/// One pass for all names.
std::vector<std::optional<int>> weights_of(const std::vector<std::string_view>& names,
                                           std::string_view list) {
  std::vector<std::optional<int>> weights(names.size());
  for (std::size_t n = 0; n < elements_max && !list.empty(); ++n) {
    std::string_view element = take_until(list, ',');
    const std::string_view name = take_until(element, ';');
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!weights[i] && base::equals_ignoring_case(name, names[i])) weights[i] = weight_among(element);
    }
  }
  return weights;
}

const part::RoomTransport* choose_by_type(std::string_view accept, const part::RoomTransports& transports) {
  std::vector<std::string_view> types;
  types.reserve(transports.size());
  for (const part::RoomTransport& transport : transports)
    types.push_back(transport.media_type);
  const auto weights = weights_of(types, accept);
  const part::RoomTransport* best = default_transport(transports);
  int best_weight = 0;
  for (std::size_t i = 0; i < transports.size(); ++i) {
    const int weight = weights[i].value_or(0);
    const bool gives_way = best_weight > 0 && best->is_default && weight == best_weight;
    if (transports[i].media_type.empty() || (weight <= best_weight && !gives_way)) continue;
    best = &transports[i];
    best_weight = weight;
  }
  return best;
}

}  // namespace

const part::RoomTransport* default_transport(const part::RoomTransports& transports) {
  const auto found = std::find_if(transports.begin(), transports.end(),
                                  [](const part::RoomTransport& transport) { return transport.is_default; });
  return found == transports.end() ? nullptr : &*found;
}

const part::RoomTransport* choose(const http::Request& request, const part::RoomTransports& transports) {
  for (const part::RoomTransport& transport : transports) {
    if (!transport.upgrade.empty() && request.headers.has_token("Upgrade", transport.upgrade))
      return &transport;
  }
  const auto wanted = request.query_parameter("transport");
  if (!wanted) return choose_by_type(request.headers.joined("Accept"), transports);
  for (const part::RoomTransport& transport : transports) {
    if (transport.name == *wanted) return &transport;
  }
  return nullptr;
}

bool accepts_gzip(const http::Request& request) {
  const std::string list = request.headers.joined("Accept-Encoding");
  // x-gzip is the same (RFC 9110 section 8.4.1.3).
  const auto weights = weights_of({"gzip", "x-gzip", "*", "identity"}, list);
  const int weight = weights[0] ? *weights[0] : weights[1] ? *weights[1] : weights[2].value_or(0);
  return weight > 0 && weight >= weights[3].value_or(0);
}

void add_room_fields(http::Headers& headers) {
  headers.add("Cache-Control", "no-store");
  headers.add("Vary", "Accept, Accept-Encoding");
}

}  // namespace roomcast::transport
