#pragma once

#include <cstddef>
#include <functional>

#include "access/sanctions.h"
#include "base/refusal.h"
#include "base/result.h"

namespace roomcast::part {

/// Bans, mutes and revocations that servers have in common: what is decided on one of them is in force on
/// all, and those that are away or start later get to know of it then. The decisions have one order, so that
/// all servers come to the same.
class SharedSanctions {
 public:
  /// It is kept, and in force here.
  struct Kept {
    access::Sanctions::Id id = 0;  ///< the same on all servers
    std::size_t nodes = 0;         ///< the servers that it was sent to at once, with this one
  };
  using Done = std::function<void(const base::Result<Kept, base::Refusal>&)>;

  class Listener {
   public:
    /// `sanction` has come into force here.
    virtual void on_sanction(const access::Sanction& sanction) = 0;
    /// All that there are have been read: any number may have come into force.
    virtual void on_all_sanctions() = 0;

   protected:
    ~Listener() = default;
  };

  /// Has it be in force everywhere. `done` is called once, at the end of a turn; refused, nothing has
  /// changed, unless it is with `timed_out`. Keep ids in it, not pointers.
  virtual void put(const access::Sanction& sanction, Done done) = 0;
  /// Lifts what is of its kind, for its subject and rooms: `not_found` if there is none.
  virtual void lift(const access::Sanction& like, Done done) = 0;
  /// `listener` outlives its last call.
  virtual void set_listener(Listener& listener) = 0;

 protected:
  ~SharedSanctions() = default;
};

}  // namespace roomcast::part
