#include "net/gather.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace roomcast::net::gather_test {

namespace {

using Pieces = std::vector<std::string_view>;

std::string joined(const Pieces& pieces) {
  std::string all;
  for (const auto piece : pieces)
    all += piece;
  return all;
}

/// All parts, concatenated; checks the size of each.
std::string drain(Gather& gather, std::vector<std::size_t>& buffers_per_call) {
  std::string all;
  for (;;) {
    const Gather::Parts parts = gather.next();
    if (parts.bytes == 0) return all;
    std::size_t bytes = 0;
    for (const auto& part : parts.buffers) {
      all.append(static_cast<const char*>(part.iov_base), part.iov_len);
      bytes += part.iov_len;
    }
    CHECK(bytes == parts.bytes);
    buffers_per_call.push_back(parts.buffers.size());
  }
}

}  // namespace

TEST_CASE("gather: nothing, or nothing but empty pieces, needs no call") {
  std::string joining(4'096, '\0');
  Gather none({}, joining);
  CHECK(none.next().bytes == 0);
  const Pieces pieces{"", "", ""};
  Gather empty(pieces, joining);
  CHECK(empty.next().bytes == 0);
}

TEST_CASE("gather: a single piece is sent from where it is, whatever its size") {
  std::string joining(4'096, '\0');
  const Pieces pieces{"tiny"};
  Gather gather(pieces, joining);
  const Gather::Parts parts = gather.next();
  REQUIRE(parts.buffers.size() == 1);
  CHECK(parts.buffers[0].iov_base == pieces[0].data());
}

TEST_CASE("gather: small pieces become one part, large ones stay where they are, in order") {
  std::string joining(65'536, '\0');
  const std::string at_limit(Gather::small_piece_bytes, 'a');
  const std::string past_limit(Gather::small_piece_bytes + 1, 'b');
  const Pieces pieces{"one", "", "two", at_limit, past_limit, "three", "four"};
  Gather gather(pieces, joining);
  const Gather::Parts parts = gather.next();
  REQUIRE(parts.buffers.size() == 3);
  CHECK(parts.buffers[0].iov_len == 6 + at_limit.size());
  CHECK(parts.buffers[1].iov_base == past_limit.data());
  CHECK(parts.buffers[2].iov_len == 9);
  CHECK(parts.bytes == joined(pieces).size());
  CHECK(gather.next().bytes == 0);
}

TEST_CASE("gather: what does not fit goes into further calls, and nothing is lost") {
  std::string joining(4'096, '\0');
  std::vector<std::string> store;
  for (int i = 0; i < 500; ++i) {
    const auto size = static_cast<std::size_t>(i % 7 == 0 ? 3'000 : i % 40);
    store.emplace_back(size, static_cast<char>('a' + i % 26));
  }
  const Pieces pieces(store.begin(), store.end());
  Gather gather(pieces, joining);
  std::vector<std::size_t> parts;
  CHECK((drain(gather, parts) == joined(pieces)));
  for (const auto count : parts)
    CHECK(count <= Gather::max_parts);
  CHECK(parts.size() < 10);
}

TEST_CASE("gather: small pieces beyond the buffer they are joined in make up the next parts") {
  std::string joining(10, '\0');
  const Pieces pieces{"1234567", "890", "ab", "cdef"};
  Gather gather(pieces, joining);
  const Gather::Parts first = gather.next();
  CHECK(first.bytes == 10);
  CHECK(first.buffers.size() == 1);
  const Gather::Parts second = gather.next();
  CHECK(second.bytes == 6);
  CHECK(std::string_view(static_cast<const char*>(second.buffers[0].iov_base), 6) == "abcdef");
  CHECK(gather.next().bytes == 0);
}

TEST_CASE("record gather: pieces become runs of exactly the buffer's size, and a rest") {
  std::string joining(100, '\0');
  const std::string large(250, 'x');
  const Pieces pieces{"", "abc", large, "", "def", ""};
  RecordGather gather(pieces, joining);
  std::string all;
  std::vector<std::size_t> sizes;
  while (!gather.is_done()) {
    const std::string_view run = gather.next();
    all += run;
    sizes.push_back(run.size());
  }
  CHECK(all == joined(pieces));
  CHECK(sizes == std::vector<std::size_t>{100, 100, 56});
  CHECK(gather.next().empty());
}

TEST_CASE("record gather: a large piece is given out in place") {
  std::string joining(100, '\0');
  const std::string large(150, 'x');
  const Pieces pieces{large, "tail"};
  RecordGather gather(pieces, joining);
  CHECK(gather.next().data() == large.data());
  CHECK(gather.next().size() == 54);
}

TEST_CASE("record gather: nothing but empty pieces is done at once") {
  std::string joining(100, '\0');
  const Pieces pieces{"", ""};
  RecordGather gather(pieces, joining);
  CHECK(gather.is_done());
  CHECK(gather.next().empty());
}

}  // namespace roomcast::net::gather_test
