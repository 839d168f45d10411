#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/policy.h"
#include "check.h"

using namespace roomcast::access;

namespace {

/// Whether `name` matches, found by trying all ways (those that lead nowhere are noted).
bool glob(std::string_view pattern, std::string_view name) {
  std::vector<bool> fits(name.size() + 1, false);  // whether the rest of the pattern matches from there on
  fits[name.size()] = true;
  for (std::size_t p = pattern.size(); p > 0; --p) {
    const char c = pattern[p - 1];
    std::vector<bool> before(name.size() + 1, false);
    if (c == '*') {
      const bool is_double = p > 1 && pattern[p - 2] == '*';
      if (is_double) --p;
      for (std::size_t i = name.size() + 1; i-- > 0;)
        before[i] = fits[i] || (i < name.size() && (is_double || name[i] != '/') && before[i + 1]);
    } else {
      for (std::size_t i = 0; i < name.size(); ++i)
        before[i] = name[i] == c && fits[i + 1];
    }
    fits = std::move(before);
  }
  return fits[0];
}

bool model(std::string_view pattern, std::string_view id, std::string_view room) {
  const std::size_t at = pattern.find(RoomsOfRow::user);
  if (at == std::string_view::npos) return glob(pattern, room);
  const bool has_stars = pattern.find('*') != std::string_view::npos;
  if (id.empty() || (has_stars && id.find('/') != std::string_view::npos)) return false;
  for (std::size_t i = 0; i + id.size() <= room.size(); ++i) {
    if (room.substr(i, id.size()) == id && glob(pattern.substr(0, at), room.substr(0, i)) &&
        glob(pattern.substr(at + RoomsOfRow::user.size()), room.substr(i + id.size())))
      return true;
  }
  return false;
}

}  // namespace

/// Lines: a room, the id of a user, and patterns of rows. The first that matches is found as without an
/// index.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t lines_max = 20;
  constexpr std::size_t line_bytes_max = 60;
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < size; ++i) {
    const char c = static_cast<char>(data[i]);
    if (c != '\n') {
      lines.back() += c;
    } else {
      lines.emplace_back();
    }
  }
  if (lines.size() < 3 || lines.size() > lines_max) return 0;
  for (const std::string& line : lines) {
    if (line.size() > line_bytes_max) return 0;
  }
  const std::string& room = lines[0];
  std::vector<Row> rows;
  std::size_t expected = SIZE_MAX;
  for (std::size_t i = 2; i < lines.size(); ++i) {
    rows.push_back({lines[i], "user", PermissionSet::ordinary()});
    if (expected == SIZE_MAX && model(lines[i], lines[1], room)) expected = i - 2;
  }
  Profile profile;
  profile.id = lines[1];
  const Identity identity(std::move(profile));
  const auto policy = Policy::make(rows);
  FUZZ_CHECK(policy.ok());
  FUZZ_CHECK(policy->decide(identity, room).row.value_or(SIZE_MAX) == expected);
  FUZZ_CHECK(policy->permits(identity, Permission::join, room) == (expected != SIZE_MAX));
  return 0;
}
