#pragma once

namespace roomcast::base {

/// A place in a doubly linked list, for items that are in several lists at a time: derive once for each list,
/// each time with a `Tag` of its own. An item leaves its list by itself when it is destroyed.
template <class Tag>
class Linked {
 public:
  Linked() = default;
  Linked(const Linked&) = delete;
  Linked& operator=(const Linked&) = delete;
  ~Linked() { unlink(); }

  [[nodiscard]] bool is_linked() const { return next_ != this; }
  /// Does nothing if it is in no list.
  void unlink() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = this;
    next_ = this;
  }

 private:
  template <class Item, class OfTag>
  friend class LinkedList;
  Linked* previous_ = this;
  Linked* next_ = this;
};

/// Items in the order in which they were added. Owns none of them and allocates nothing.
template <class Item, class Tag>
class LinkedList {
 public:
  [[nodiscard]] bool empty() const { return !head_.is_linked(); }
  /// The first one, or null.
  [[nodiscard]] Item* front() const { return empty() ? nullptr : static_cast<Item*>(head_.next_); }
  /// Adds `item` at the end; it leaves the list that it was in.
  void push_back(Item& item) {
    Linked<Tag>& link = item;
    link.unlink();
    link.previous_ = head_.previous_;
    link.next_ = &head_;
    head_.previous_->next_ = &link;
    head_.previous_ = &link;
  }

 private:
  Linked<Tag> head_;
};

}  // namespace roomcast::base
