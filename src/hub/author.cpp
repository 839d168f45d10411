#include "hub/author.h"

#include <algorithm>
#include <string>

namespace roomcast::hub {

namespace {

constexpr char instead_of_nul = '\x01';

std::string without_nul(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '\0', instead_of_nul);
  return text;
}

}  // namespace

Author::Author(std::string_view name) : text_(base::Bytes::copy_of(name)) {
  if (name.find('\0') != std::string_view::npos) text_ = base::Bytes::copy_of(without_nul(name));
}

Author::Author(std::string_view name, std::string_view principal) {
  constexpr std::string_view between("\0", 1);
  text_ = base::Bytes::joined({without_nul(name), between, principal});
}

bool ByMember::operator()(const Author& a, const Author& b) const {
  const std::string_view of_a = a.principal();
  const std::string_view of_b = b.principal();
  return of_a.empty() && of_b.empty() ? a.name() < b.name() : of_a < of_b;
}

}  // namespace roomcast::hub
