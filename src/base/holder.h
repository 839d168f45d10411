#pragma once

namespace roomcast::base {

/// Who can give back what a connection holds of memory.
class Holder {
 public:
  Holder() = default;
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  /// Closes its connection, gives back what it holds and, if it was waiting for a request, its admission too.
  /// Called from accepting, from a timer or at a turn's end, never from within one of its own calls. What it
  /// is may be freed later, not at once.
  virtual void shed() = 0;

 protected:
  ~Holder() = default;
};

}  // namespace roomcast::base
