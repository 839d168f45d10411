#include "transport/poll_body.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/gzip.h"
#include "base/json.h"
#include "hub/cursor.h"

namespace roomcast::transport {

namespace {

constexpr std::size_t gzip_from_bytes = 1024;   // fits one packet anyway
constexpr std::size_t gzip_to_bytes = 262'144;  // takes some three milliseconds
// A byte takes about 12 ns: so many in a millisecond leave most of it to others, and one large body may go
// ahead.
constexpr std::size_t gzip_bytes_per_ms = 16'384;
constexpr std::int64_t allowance_ms = gzip_to_bytes / gzip_bytes_per_ms;
// The walk through a large room takes several turns.
constexpr std::int64_t keep_ms = 500;

base::FrameRef write(const PollResult& result) {
  std::string head = R"({"room":)";
  base::append_json_string(head, result.room);
  head += R"(,"cursor":")" + hub::to_cursor(result.cursor);
  if (result.gap) {
    head += R"(","gap":{"cursor":")" + hub::to_cursor(result.gap->cursor);
    head += R"(","earliest":")" + hub::to_cursor(result.gap->earliest) + R"("},"messages":[)";
  } else {
    head += R"(","gap":null,"messages":[)";
  }
  std::string_view items = result.items.view();
  if (!items.empty()) items.remove_prefix(1);
  return base::FrameRef::joined({head, items, "]}\n"});
}

bool is_same(const base::FrameRef& a, const base::FrameRef& b) {
  return a.view().data() == b.view().data() && a.size() == b.size();
}

}  // namespace

PollBodies::Body PollBodies::make(const PollResult& result, bool gzip) {
  if (result.items.empty()) return {write(result), false};
  // The items kept here keep their block from being used again, so equal places are equal bytes, and equal
  // messages end at the same cursor.
  if (!is_same(last_.items, result.items) || last_.gap != result.gap) {
    last_ = {result.items, result.gap, write(result), {}};
    forget_.set_in(keep_ms);
  }
  const std::size_t size = last_.plain.size();
  if (!gzip || size < gzip_from_bytes || size > gzip_to_bytes) return {last_.plain, false};
  if (last_.gzipped.empty() && !has_time_for(size)) return {last_.plain, false};
  if (last_.gzipped.empty()) last_.gzipped = base::FrameRef::copy_of(base::gzip(last_.plain.view()));
  return {last_.gzipped, true};
}

bool PollBodies::has_time_for(std::size_t bytes) {
  const std::int64_t now_ms = deadlines_.now_ms();
  const bool is_long_ago = allowance_at_ms_ < now_ms - allowance_ms;
  const std::int64_t passed_ms = is_long_ago ? allowance_ms : now_ms - allowance_at_ms_;
  gzip_allowance_ =
      std::min(gzip_allowance_ + static_cast<std::size_t>(passed_ms) * gzip_bytes_per_ms, gzip_to_bytes);
  allowance_at_ms_ = now_ms;
  if (bytes > gzip_allowance_) return false;
  gzip_allowance_ -= bytes;
  return true;
}

}  // namespace roomcast::transport
