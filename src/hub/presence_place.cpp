#include "hub/presence_place.h"

#include <memory>

namespace roomcast::hub {

Author PresencePlace::author() const {
  if (const Watcher* const watching = watcher()) return watching->author;
  return Author(base::NameRef(block()));
}

void PresencePlace::set(const Author& author, bool is_watcher) {
  clear();
  if (is_watcher) {
    at_ = reinterpret_cast<char*>(std::make_unique<Watcher>(Watcher{author}).release()) + watches;
  } else if (!author.empty()) {
    author.block()->retain();
    at_ = reinterpret_cast<char*>(const_cast<base::NameBlock*>(author.block()));
  }
}

void PresencePlace::rename(const Author& author) {
  if (Watcher* const watching = watcher()) {
    watching->author = author;
  } else {
    set(author, false);
  }
}

void PresencePlace::clear() {
  const std::unique_ptr<Watcher> freed(watcher());
  if (const base::NameBlock* const released = block()) released->release();
  at_ = nullptr;
}

}  // namespace roomcast::hub
