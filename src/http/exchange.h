#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/slot_map.h"
#include "http/message.h"
#include "net/admission.h"
#include "net/byte_stream.h"
#include "net/write_queue.h"

namespace roomcast::http {

/// Where the page that makes a request comes from (RFC 6454), and what `origins` says of it.
enum class OriginVerdict : std::uint8_t {
  not_a_browser,  ///< no Origin: allowed, CORS says nothing
  same_origin,    ///< allowed, CORS says nothing
  listed,         ///< an origin in `origins`: allowed, its pages may read the answer
  denied,         ///< another origin, which is not in `origins`
};

/// What the gate has decided about a request before its handler sees it. Kept until the answer, also a
/// deferred one.
struct RequestContext {
  /// The Origin of a listed page, which may read the answer, as the browser sent it; null for all others.
  std::unique_ptr<const std::string> reader{};
  OriginVerdict origin = OriginVerdict::not_a_browser;
  bool credentials = false;       ///< the reader's pages may send cookies and HTTP authentication along
  bool varies_by_origin = false;  ///< a request with another Origin may be answered differently
};

/// A connection given up by HTTP: from here on its bytes belong to somebody else.
struct HandOver {
  std::unique_ptr<net::ByteStream> stream;
  net::WriteQueue unsent;    ///< what the client is still owed (usually nothing): goes before all else
  std::string leftover;      ///< bytes the client sent behind the request head, already read
  net::Admission admission;  ///< keeps the connection counted against the caps; drop it when it ends
  std::string peer;          ///< client address for the log
};

/// Who wants to know that nobody waits for a deferred answer any more.
class ClientWatch {
 public:
  /// The client of the answer that was deferred for `waiter` has gone, and the answer's id is stale. Called
  /// at most once, and not once it has been answered.
  virtual void on_client_gone(base::SlotId waiter) = 0;

 protected:
  ~ClientWatch() = default;
};

/// One request waiting for its one answer. Lives for the call of Handler::handle; what answers later keeps
/// the id and answers through Connections::respond.
class Exchange {
 public:
  [[nodiscard]] virtual const Request& request() const = 0;
  /// What has been decided about the request; the gate's to change.
  [[nodiscard]] virtual RequestContext& context() = 0;
  /// Answers. Exactly one of respond, take_over and those that defer is called, once.
  virtual void respond(Response response) = 0;
  /// Promises an answer, once, by `Connections::respond(id, …)`. The client may go away before: the id is
  /// stale then.
  [[nodiscard]] virtual base::SlotId defer() = 0;
  /// The same for an answer that may be long in coming: `watch`, which outlives the connection, is told if
  /// the client goes away before it. A client that only closes its sending half counts as gone too.
  [[nodiscard]] virtual base::SlotId defer_for(ClientWatch& watch, base::SlotId waiter) = 0;
  /// The same for an answer until which `bytes` of memory are kept for the client, which are counted as held
  /// by its connection: when that is ended for them, or breaks, `watch` lets go of them. A client that only
  /// closes its sending half is not gone.
  [[nodiscard]] virtual base::SlotId defer_holding(std::size_t bytes, ClientWatch& watch,
                                                   base::SlotId waiter) = 0;
  /// Adds to the `headers` of a head for take_over what the gate adds to every answer (CORS). respond does it
  /// by itself.
  virtual void add_gate_fields(Headers& headers) const = 0;
  /// Writes `head` (a complete response head with its empty line) and hands the stream over, reading. The
  /// exchange and its HTTP connection are out of the story; the new owner calls ByteStream::set_events.
  /// Only from within Handler::handle; `Connections::take_over` is for later.
  [[nodiscard]] virtual HandOver take_over(std::string_view head) = 0;

 protected:
  ~Exchange() = default;
};

/// Deferred answers.
class Connections {
 public:
  /// Answers the exchange `id`; does nothing if its client has gone.
  virtual void respond(base::SlotId id, Response response) = 0;
  /// The same as Exchange::take_over for the exchange `id`, whose request has been shed: what `head` needs of
  /// it was copied before. Nothing if the client has gone, or has closed its sending half, which the new
  /// owner of the stream would not be told any more.
  [[nodiscard]] virtual std::optional<HandOver> take_over(base::SlotId id, std::string_view head) = 0;

 protected:
  ~Connections() = default;
};

/// Gives the answer to a refused request another form, where its client could make nothing of an error.
/// Called for every answer that is one, before the gate completes it.
using RefusalForm = void (*)(const Request& request, Response& response);

/// Who may use a route.
enum class Access : std::uint8_t {
  open,    ///< anybody: no rule about the page's origin
  origin,  ///< whoever is no page of another origin, and pages of those that `origins` lists
};

/// What the router finds for a request.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;
  /// `rest` is what the route's trailing `{…}` matched, percent-decoded once; empty for a fixed route.
  virtual void handle(Exchange& exchange, std::string_view rest) = 0;
};

}  // namespace roomcast::http
