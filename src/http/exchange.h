#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "access/identity.h"
#include "base/slot_map.h"
#include "http/message.h"
#include "net/admission.h"
#include "net/byte_stream.h"
#include "net/write_queue.h"

namespace roomcast::http {

/// The origin of the page that makes a request (RFC 6454), judged by `origins`.
enum class OriginVerdict : std::uint8_t {
  not_a_browser,  ///< no Origin field: allowed, no CORS fields
  same_origin,    ///< allowed, no CORS fields
  listed,         ///< in `origins`: allowed, its pages may read the response
  denied,         ///< any other origin
};

/// The decisions of the gate about a request before it is handled. Kept until the response, also a deferred
/// one.
struct RequestContext {
  /// The Origin field of a listed page, which may read the response; null for all other requests.
  std::unique_ptr<const std::string> reader{};
  OriginVerdict origin = OriginVerdict::not_a_browser;
  bool credentials = false;       ///< pages of `reader` may send cookies and HTTP authentication
  bool varies_by_origin = false;  ///< the response may differ for another Origin
  bool is_identified = false;     ///< the gate has decided who the client is: `identity`
  access::Identity identity{};    ///< of the client; anonymous until it is identified
};

/// A connection that HTTP has handed over: its bytes belong to the new owner.
struct HandOver {
  std::unique_ptr<net::ByteStream> stream;
  net::WriteQueue unsent;    ///< output still to be sent first (usually none)
  std::string leftover;      ///< bytes after the request head that were already read
  net::Admission admission;  ///< counts the connection; drop it when it ends
  std::string peer;          ///< client address for the log
};

/// Notified when the client of a deferred response has left.
class ClientWatch {
 public:
  /// The client of the response that was deferred for `waiter` has left, and the id is stale. Called at most
  /// once, and not after the response.
  virtual void on_client_gone(base::SlotId waiter) = 0;

 protected:
  ~ClientWatch() = default;
};

/// A request that is waiting for its response. Exists for the call of Handler::handle; to answer later keep
/// the id and call DeferredResponses::respond.
class Exchange {
 public:
  [[nodiscard]] virtual const Request& request() const = 0;
  /// The decisions about the request; only the gate changes them.
  [[nodiscard]] virtual RequestContext& context() = 0;
  /// Sends the response. Exactly one of respond, take_over and the defer functions is called, once.
  virtual void respond(Response response) = 0;
  /// Promises one response by `DeferredResponses::respond(id, …)`. The id becomes stale if the client leaves
  /// before.
  [[nodiscard]] virtual base::SlotId defer() = 0;
  /// Like defer, for a response that may take long: `watch`, which outlives the connection, is notified if
  /// the client leaves before it. A client that only closes its sending half counts as having left.
  [[nodiscard]] virtual base::SlotId defer_for(ClientWatch& watch, base::SlotId waiter) = 0;
  /// Like defer, for a response until which `bytes` of memory are kept for the client and count as held by
  /// its connection: when the connection is shed because of them, or breaks, `watch` releases them. A client
  /// that only closes its sending half has not left.
  [[nodiscard]] virtual base::SlotId defer_holding(std::size_t bytes, ClientWatch& watch,
                                                   base::SlotId waiter) = 0;
  /// For the gate alone, in Gate::admit: a verdict has to come from elsewhere first. The request is kept, and
  /// handled anew once DeferredResponses::resume has been called; what is in context() by then stays.
  [[nodiscard]] virtual base::SlotId wait_for_gate() = 0;
  /// Adds the fields of the gate (CORS) to the `headers` of a head for take_over. respond does that itself.
  virtual void add_gate_fields(Headers& headers) const = 0;
  /// Writes `head` (a complete response head with its empty line) and hands the stream over, with reading
  /// enabled. The HTTP connection ends; the new owner calls ByteStream::set_events. Only within
  /// Handler::handle; `DeferredResponses::take_over` is for later.
  [[nodiscard]] virtual HandOver take_over(std::string_view head) = 0;

 protected:
  ~Exchange() = default;
};

/// Sends deferred responses.
class DeferredResponses {
 public:
  /// Numeric address of the client of the exchange `id`, or "unix", as the request had it; empty if the
  /// client has left. A view that lives until the response.
  [[nodiscard]] virtual std::string_view client_address(base::SlotId id) = 0;
  /// Sends the response of the exchange `id`; has no effect if its client has left.
  virtual void respond(base::SlotId id, Response response) = 0;
  /// The gate has its verdict on the exchange `id` (Exchange::wait_for_gate): `change` is given the context,
  /// and the request is handled anew at the end of the turn. Returns false if its client has left.
  virtual bool resume(base::SlotId id, const std::function<void(RequestContext&)>& change) = 0;
  /// Like Exchange::take_over for the exchange `id`, whose request was freed: `head` was made from copies.
  /// Nothing if the client has left or has closed its sending half, which the new owner of the stream would
  /// not notice any more.
  [[nodiscard]] virtual std::optional<HandOver> take_over(base::SlotId id, std::string_view head) = 0;

 protected:
  ~DeferredResponses() = default;
};

/// Converts the response to a refused request to another form, for clients that cannot handle an error.
/// Called for each such response before the gate completes it.
using RefusalForm = std::function<void(const Request& request, Response& response)>;

/// Which requests may use a route.
enum class Access : std::uint8_t {
  open,       ///< all: the origin of the page does not matter
  origin,     ///< all but pages of other origins that `origins` does not list
  clients,    ///< the same, and the gate finds out who the client is
  operators,  ///< the same, and not for anonymous clients
};

/// Handles the requests of a route.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;
  /// `rest` is the part that the trailing `{…}` of the route matched, percent-decoded once; empty for a fixed
  /// route.
  virtual void handle(Exchange& exchange, std::string_view rest) = 0;
};

}  // namespace roomcast::http
