#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

#include "base/deadlines.h"
#include "base/log.h"
#include "base/scheduler.h"
#include "loop/poller.h"
#include "net/admission.h"
#include "net/byte_stream.h"
#include "net/file_descriptor.h"

namespace roomcast::net {

/// Reads the PROXY protocol header of accepted connections, and not one byte more. Connections without a
/// valid header in time are closed.
class ProxyPreambles {
 public:
  /// Receives connections whose header is complete.
  class Receiver {
   public:
    /// `client` is the client according to the header, or the proxy itself. The admission of the proxy has
    /// been released.
    virtual void on_preamble(FileDescriptor socket, Peer client) = 0;

   protected:
    ~Receiver() = default;
  };

  /// All arguments outlive this. `timeout_ms`: from accept to the end of the header.
  ProxyPreambles(loop::Poller& poller, base::Scheduler& scheduler, base::Deadlines& deadlines, base::Log& log,
                 std::int64_t timeout_ms);
  ProxyPreambles(const ProxyPreambles&) = delete;
  ProxyPreambles& operator=(const ProxyPreambles&) = delete;
  /// Closes all remaining connections.
  ~ProxyPreambles();

  /// Takes over `socket` of the proxy `peer`, which `admission` counts until its header is complete.
  void add(FileDescriptor socket, Peer peer, Admission admission, Receiver& receiver);
  /// Closes the connections for `receiver`, which is about to be destroyed.
  void drop(const Receiver& receiver);
  /// Applies to new connections.
  void set_timeout(std::int64_t timeout_ms) { timeout_ms_ = timeout_ms; }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

 private:
  class Preamble;
  using List = std::list<std::unique_ptr<Preamble>>;
  void finish(List::iterator preamble);

  loop::Poller& poller_;
  base::Scheduler& scheduler_;
  base::Deadlines& deadlines_;
  base::Log& log_;
  std::int64_t timeout_ms_;
  List waiting_;
};

}  // namespace roomcast::net
