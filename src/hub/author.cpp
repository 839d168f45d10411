#include "hub/author.h"

#include <algorithm>
#include <string>

namespace roomcast::hub {

namespace {

constexpr char instead_of_nul = '\x01';

base::NameRef without_nul(std::string_view name, std::string_view principal) {
  if (name.find('\0') == std::string_view::npos) return {name, principal};
  std::string text(name);
  std::replace(text.begin(), text.end(), '\0', instead_of_nul);
  return {text, principal};
}

}  // namespace

Author::Author(std::string_view name, std::string_view principal) : name_(without_nul(name, principal)) {}

std::size_t Author::held_bytes() const {
  constexpr std::size_t allocation_overhead = 16;
  return empty() ? 0 : block()->bytes() + allocation_overhead;
}

bool ByMember::operator()(const Author& a, const Author& b) const {
  const std::string_view of_a = a.principal();
  const std::string_view of_b = b.principal();
  return of_a.empty() && of_b.empty() ? a.name() < b.name() : of_a < of_b;
}

}  // namespace roomcast::hub
