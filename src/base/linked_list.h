#pragma once

namespace roomcast::base {

/// A node of an intrusive doubly linked list. An item that is in several lists at a time derives from one for
/// each, each with its own `Tag`. Items leave their lists when they are destroyed.
template <class Tag>
class Linked {
 public:
  Linked() = default;
  Linked(const Linked&) = delete;
  Linked& operator=(const Linked&) = delete;
  ~Linked() { unlink(); }

  [[nodiscard]] bool is_linked() const { return next_ != this; }
  /// Has no effect if the item is in no list.
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

/// Items in insertion order. Does not own them, and does not allocate.
template <class Item, class Tag>
class LinkedList {
 public:
  [[nodiscard]] bool empty() const { return !head_.is_linked(); }
  /// The first item, or null.
  [[nodiscard]] Item* front() const { return empty() ? nullptr : static_cast<Item*>(head_.next_); }
  /// The last item, or null.
  [[nodiscard]] Item* back() const { return empty() ? nullptr : static_cast<Item*>(head_.previous_); }
  /// The item after `item`, which is in this list, or null.
  [[nodiscard]] Item* after(const Item& item) const {
    const Linked<Tag>& link = item;
    return link.next_ == &head_ ? nullptr : static_cast<Item*>(link.next_);
  }
  /// Appends `item`, which leaves the list it was in.
  void push_back(Item& item) {
    Linked<Tag>& link = item;
    link.unlink();
    link.previous_ = head_.previous_;
    link.next_ = &head_;
    head_.previous_->next_ = &link;
    head_.previous_ = &link;
  }
  /// Appends all items of `other`, in their order, which is empty then. Takes the same time for any number.
  void take_all(LinkedList& other) {
    if (other.empty()) return;
    other.head_.next_->previous_ = head_.previous_;
    other.head_.previous_->next_ = &head_;
    head_.previous_->next_ = other.head_.next_;
    head_.previous_ = other.head_.previous_;
    other.head_.previous_ = &other.head_;
    other.head_.next_ = &other.head_;
  }

 private:
  Linked<Tag> head_;
};

}  // namespace roomcast::base
