#include "base/name_block.h"

#include <algorithm>
#include <new>

namespace roomcast::base {

namespace {

/// A block with nothing else in it.
class PlainBlock final : public NameBlock {
 public:
  explicit PlainBlock(const Texts& texts) : NameBlock(texts) {}
};

}  // namespace

NameBlock::Texts::Texts(std::size_t head_bytes, std::string_view whole_name, std::string_view whole_principal)
    : name(whole_name.substr(0, name_bytes_max)),
      principal(whole_principal.substr(0, principal_bytes_max)),
      principal_at(head_bytes),
      name_at(head_bytes + principal.size()),
      end(name_at + name.size()) {
  const std::size_t colon = principal.find(':');
  if (colon == std::string_view::npos || principal.substr(colon + 1) != name) return;
  name_at = principal_at + colon + 1;
  end = principal_at + principal.size();
}

void NameBlock::Texts::copy_to(char* block) const {
  std::copy(principal.begin(), principal.end(), block + principal_at);
  std::copy(name.begin(), name.end(), block + name_at);
}

void* NameBlock::allocate(std::size_t bytes) { return ::operator new(bytes); }

void NameBlock::free_block(const NameBlock* block) { ::operator delete(const_cast<NameBlock*>(block)); }

std::size_t NameBlock::bytes() const {
  return std::max<std::size_t>(name_at_ + name_bytes_, principal_at_ + principal_bytes_);
}

NameRef::NameRef(std::string_view name, std::string_view principal) {
  if (!name.empty() || !principal.empty()) block_ = NameBlock::make<PlainBlock>(name, principal);
}

}  // namespace roomcast::base
