#include "base/allocation_count.h"

#include <doctest/doctest.h>
#include <malloc.h>
#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace allocation_count_test {

using namespace roomcast;

namespace {

std::size_t by_walking() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::ptrdiff_t grown_since(std::size_t before) {
  return static_cast<std::ptrdiff_t>(base::allocated_bytes()) - static_cast<std::ptrdiff_t>(before);
}

}  // namespace

TEST_SUITE_BEGIN("allocation count" * doctest::skip(!base::counts_allocations()));

TEST_CASE("allocation count: it is what mallinfo2 finds by walking, within a tenth") {
  std::vector<std::unique_ptr<std::string>> small;
  for (int i = 0; i < 100'000; ++i)
    small.push_back(std::make_unique<std::string>(static_cast<std::size_t>(i % 300), 'x'));
  const auto close_to_mallinfo = [] {
    const auto counted = static_cast<double>(base::allocated_bytes());
    const auto walked = static_cast<double>(by_walking());
    CAPTURE(counted);
    CAPTURE(walked);
    return counted > walked * 0.9 && counted < walked * 1.1;
  };
  CHECK(close_to_mallinfo());
  for (std::size_t i = 0; i < small.size(); i += 2)
    small[i].reset();
  CHECK(close_to_mallinfo());
  const std::string large(50'000'000, 'x');
  CHECK(close_to_mallinfo());
}

TEST_CASE("allocation count: every way to allocate is counted, and what is freed is forgotten") {
  const std::size_t before = base::allocated_bytes();
  constexpr std::size_t size = 1'000'000;
  struct alignas(256) Aligned {
    char bytes[size / 256 * 256];
  };
  auto* aligned = new Aligned;
  aligned->bytes[0] = 'x';
  void* plain = std::malloc(size);
  void* zeroed = std::calloc(10, size / 10);
  void* grown = std::realloc(std::malloc(10), size);
  void* page = nullptr;
  REQUIRE(::posix_memalign(&page, 4096, size) == 0);
  void* other = std::aligned_alloc(64, size / 64 * 64);
  char* text = ::strdup(std::string(size, 'x').c_str());
  CHECK(grown_since(before) >= 7 * 999'000);
  CHECK(grown_since(before) <= 7 * 1'010'000);
  delete aligned;
  for (void* block : {plain, zeroed, grown, page, other, static_cast<void*>(text)})
    std::free(block);
  CHECK(std::abs(grown_since(before)) < 1'000);
}

TEST_CASE("allocation count: what a library allocates is counted too") {
  const std::size_t before = base::allocated_bytes();
  z_stream stream{};
  REQUIRE(deflateInit(&stream, 6) == Z_OK);
  CHECK(grown_since(before) > 200'000);
  deflateEnd(&stream);
  CHECK(std::abs(grown_since(before)) < 1'000);
}

TEST_CASE("allocation count: a block of another thread's is counted, to within 64 KiB") {
  const std::size_t before = base::allocated_bytes();
  std::string theirs;
  std::thread([&theirs] { theirs.assign(10'000'000, 'x'); }).join();
  CHECK(std::abs(grown_since(before) - 10'000'000) < 200'000);
  std::string().swap(theirs);
  CHECK(std::abs(grown_since(before)) < 200'000);
}

TEST_CASE("allocation count: an alignment that is none is refused, a size that cannot be too") {
  void* block = nullptr;
  CHECK(::posix_memalign(&block, 3, 100) == EINVAL);
  CHECK(::posix_memalign(&block, 0, 100) == EINVAL);
  const std::size_t before = base::allocated_bytes();
  volatile std::size_t huge = SIZE_MAX / 2;
  CHECK(std::calloc(huge, 4) == nullptr);
  CHECK(std::malloc(huge) == nullptr);
  CHECK(std::abs(grown_since(before)) < 1'000);
}

TEST_SUITE_END();

}  // namespace allocation_count_test
