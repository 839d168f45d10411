#include "transport/poll_body.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/gzip.h"
#include "base/json.h"
#include "hub/cursor.h"
#include "transport/compressing.h"

namespace roomcast::transport {

namespace {

constexpr std::size_t gzip_from_bytes = 1024;  // less fits one packet anyway
// What is shorter is put together once for all, and copied behind each head.
constexpr std::size_t short_bytes = 4096;
// The fan-out through a large room takes several turns.
constexpr std::int64_t keep_ms = 500;

base::Bytes before_items(const PollResult& result) {
  std::string head = R"({"room":)";
  base::append_json_string(head, result.room);
  head += R"(,"cursor":")" + hub::to_cursor(result.cursor);
  if (result.gap) {
    head += R"(","gap":{"cursor":")" + hub::to_cursor(result.gap->cursor);
    head += R"(","earliest":")" + hub::to_cursor(result.gap->earliest) + R"("},"messages":[)";
  } else {
    head += R"(","gap":null,"messages":[)";
  }
  return base::Bytes::copy_of(head);
}

/// Without the comma before the first.
base::Bytes listed(const base::Bytes& items) {
  return items.empty() ? items : items.slice(1, items.size() - 1);
}

bool is_same(const base::Bytes& a, const base::Bytes& b) {
  return a.view().data() == b.view().data() && a.size() == b.size();
}

}  // namespace

void PollBodies::write(const PollResult& result, bool gzip, http::Response& response) {
  if (result.items.empty()) {
    response.body = base::Bytes::joined({before_items(result).view(), behind_items_.view()});
    return;
  }
  // The items kept here keep their block from being used again, so equal places are equal bytes, and equal
  // messages end at the same cursor.
  if (!is_same(last_.items, result.items) || last_.gap != result.gap) keep(result);
  if (gzip && gzip_last()) {
    response.headers.add("Content-Encoding", "gzip");
    response.body = last_.gzipped;
  } else if (!last_.whole.empty()) {
    response.body = last_.whole;
  } else {
    response.before_body = last_.before_items;
    response.body = listed(last_.items);
    response.behind_body = behind_items_;
  }
}

void PollBodies::keep(const PollResult& result) {
  last_ = {result.items, result.gap, before_items(result), {}, {}};
  if (last_.items.size() <= short_bytes) {
    last_.whole =
        base::Bytes::joined({last_.before_items.view(), listed(last_.items).view(), behind_items_.view()});
  }
  forget_.set_in(keep_ms);
}

/// Whether the last body is worth compressing, and has been.
bool PollBodies::gzip_last() {
  if (!last_.gzipped.empty()) return true;
  const std::size_t size = last_.before_items.size() + last_.items.size() - 1 + behind_items_.size();
  if (size < gzip_from_bytes || size > compressed_bytes_max || !compressing_.has_some()) return false;
  compressing_.spend_on([this] {
    std::string plain(last_.before_items.view());
    plain += listed(last_.items).view();
    plain += behind_items_.view();
    last_.gzipped = base::Bytes::copy_of(base::gzip(plain));
  });
  return true;
}

}  // namespace roomcast::transport
