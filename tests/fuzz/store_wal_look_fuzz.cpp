#include <cstddef>
#include <cstdint>
#include <string_view>

#include "check.h"
#include "store/wal_look.h"

using namespace roomcast;

namespace {

store::WalState look_in_pieces(std::string_view bytes, std::size_t piece) {
  store::WalLook look;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    look.feed(part);
    bytes.remove_prefix(part.size());
  }
  return look.finish();
}

}  // namespace

/// The same is found in whatever pieces the file is read, and a file that is cut has no more commits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  using Kind = store::WalState::Kind;
  const store::WalState whole = look_in_pieces(bytes, size + 1);
  FUZZ_CHECK((whole.kind == Kind::damaged) == (whole.commits_behind >= 2));
  FUZZ_CHECK(whole.kind != Kind::clean || (whole.commits > 0 && whole.commits_behind == 0));
  FUZZ_CHECK(whole.kind != Kind::none || (whole.commits == 0 && whole.commits_behind == 0));
  FUZZ_CHECK(whole.broken_byte <= size);

  const std::size_t piece = size == 0 ? 1 : 1 + data[size - 1];
  const store::WalState again = look_in_pieces(bytes, piece);
  FUZZ_CHECK(again.kind == whole.kind && again.commits == whole.commits);
  FUZZ_CHECK(again.broken_frame == whole.broken_frame && again.broken_byte == whole.broken_byte);
  FUZZ_CHECK(again.commits_behind == whole.commits_behind);

  const store::WalState cut = look_in_pieces(bytes.substr(0, size / 2), piece);
  FUZZ_CHECK(cut.commits <= whole.commits);
  return 0;
}
