#pragma once

namespace roomcast::base {

/// Releases the memory that a connection holds on request (see net::Admission).
class Holder {
 public:
  Holder() = default;
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  /// Closes the connection, releases what it holds and, if it was waiting for a request, its admission as
  /// well. Called while accepting, by a timer or at the end of a turn, never from within a call of the
  /// holder. The object itself may be freed later.
  virtual void shed() = 0;

 protected:
  ~Holder() = default;
};

}  // namespace roomcast::base
