#include "hub/presence_place.h"

#include <memory>

namespace roomcast::hub {

namespace {

const base::NameBlock* block_at(std::uintptr_t address) {
  return reinterpret_cast<const base::NameBlock*>(address);
}

}  // namespace

Author PresencePlace::author() const {
  if (const Watcher* const watching = watcher()) return watching->author;
  return Author(base::NameRef(block_at(bits_)));
}

void PresencePlace::set(const Author& author, bool is_watcher) {
  clear();
  if (is_watcher) {
    bits_ = reinterpret_cast<std::uintptr_t>(std::make_unique<Watcher>(Watcher{author}).release()) | watches;
  } else if (!author.empty()) {
    author.block()->retain();
    bits_ = reinterpret_cast<std::uintptr_t>(author.block());
  }
}

void PresencePlace::clear() {
  if (Watcher* const watching = watcher()) {
    const std::unique_ptr<Watcher> freed(watching);
  } else if (bits_ != 0) {
    block_at(bits_)->release();
  }
  bits_ = 0;
}

}  // namespace roomcast::hub
