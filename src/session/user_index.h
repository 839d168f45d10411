#pragma once

#include <cstddef>
#include <deque>
#include <string_view>
#include <utility>

#include "access/identity.h"

namespace roomcast::session {

/// Finds what belongs to a user or an API key by its id, in a time that depends on how much that is. A hash
/// table whose entries are linked through themselves, and which grows by one bucket at a time (linear
/// hashing, Litwin 1980): no insertion takes longer than others. It does not shrink.
class UserIndex {
 public:
  /// Something of a user or a key. Not moved while it is in an index; taken out before it is destroyed.
  class Entry {
   public:
    explicit Entry(access::Identity identity) : identity_(std::move(identity)) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    /// Not anonymous.
    [[nodiscard]] const access::Identity& identity() const { return identity_; }

   protected:
    ~Entry() = default;
    /// `next` is of the same kind and id.
    void set_identity(access::Identity next) { identity_ = std::move(next); }

   private:
    friend class UserIndex;
    access::Identity identity_;
    Entry* next_ = nullptr;
    Entry** link_ = nullptr;  // what refers to this; null: not in an index
  };

  UserIndex() = default;
  UserIndex(const UserIndex&) = delete;
  UserIndex& operator=(const UserIndex&) = delete;

  void add(Entry& entry);
  /// Has no effect if it is not in the index.
  void remove(Entry& entry);
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Calls `visit(Entry&)` for each entry of the user or key, in no particular order. The visitor may remove
  /// the entry that it is given, and no other.
  template <class Visit>
  void for_each(access::Kind kind, std::string_view id, Visit&& visit) const {
    if (buckets_.empty()) return;
    for (Entry* entry = buckets_[bucket_of(kind, id)]; entry != nullptr;) {
      Entry* const next = entry->next_;
      if (entry->identity_.kind() == kind && entry->identity_.id() == id) visit(*entry);
      entry = next;
    }
  }

 private:
  [[nodiscard]] std::size_t bucket_of(access::Kind kind, std::string_view id) const;
  static void link(Entry& entry, Entry*& bucket);
  static void unlink(Entry& entry);
  void add_bucket();

  std::deque<Entry*> buckets_;  // does not move what is in it as it grows
  std::size_t size_ = 0;
};

}  // namespace roomcast::session
