#include "transport/negotiation.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

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
template <std::size_t Size>
std::array<std::optional<int>, Size> weights_of(const std::array<std::string_view, Size>& names,
                                                std::string_view list) {
  std::array<std::optional<int>, Size> weights;
  for (std::size_t n = 0; n < elements_max && !list.empty(); ++n) {
    std::string_view element = take_until(list, ',');
    const std::string_view name = take_until(element, ';');
    for (std::size_t i = 0; i < Size; ++i) {
      if (!weights.at(i) && base::equals_ignoring_case(name, names.at(i)))
        weights.at(i) = weight_among(element);
    }
  }
  return weights;
}

std::optional<Choice> parse_choice(std::string_view name) {
  if (name == "websocket") return Choice::websocket;
  if (name == "sse") return Choice::event_stream;
  if (name == "stream") return Choice::ndjson;
  if (name == "poll") return Choice::poll;
  return std::nullopt;
}

Choice choose_by_type(std::string_view accept) {
  constexpr std::array choices{Choice::event_stream, Choice::ndjson, Choice::poll};
  const auto weights =
      weights_of<choices.size()>({"text/event-stream", "application/x-ndjson", "application/json"}, accept);
  Choice best = Choice::poll;
  int best_weight = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const int weight = weights.at(i).value_or(0);
    if (weight <= best_weight) continue;
    best = choices.at(i);
    best_weight = weight;
  }
  return best;
}

}  // namespace

std::optional<Choice> choose(const http::Request& request) {
  if (request.headers.has_token("Upgrade", "websocket")) return Choice::websocket;
  if (const auto transport = request.query_parameter("transport")) return parse_choice(*transport);
  return choose_by_type(request.headers.joined("Accept"));
}

bool accepts_gzip(const http::Request& request) {
  const std::string list = request.headers.joined("Accept-Encoding");
  // x-gzip is the same (RFC 9110 section 8.4.1.3).
  const auto [gzip, x_gzip, any, identity] = weights_of<4>({"gzip", "x-gzip", "*", "identity"}, list);
  const int weight = gzip ? *gzip : x_gzip ? *x_gzip : any.value_or(0);
  return weight > 0 && weight >= identity.value_or(0);
}

}  // namespace roomcast::transport
