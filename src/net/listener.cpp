#include "net/listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "net/address.h"
#include "net/socket_stream.h"

namespace roomcast::net {

namespace {

constexpr std::int64_t retry_ms = 100;
constexpr std::int64_t complaint_interval_ms = 10'000;
constexpr int singles_after_one = 8;

FileDescriptor open_reserve() { return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

/// Whether `address` accepts TCP connections from this machine only.
bool is_loopback(const Address& address) {
  CidrList loopback;
  for (const char* block : {"127.0.0.0/8", "::1"})
    (void)loopback.add(block);
  return address.host == "localhost" || loopback.contains(address.host);
}

FileDescriptor accept_from(const ListeningSocket& socket, SocketAddress& peer) {
  return FileDescriptor(::accept4(socket.number(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

}  // namespace

base::Result<std::unique_ptr<Listener>> Listener::start(const Shared& shared, ListeningSocket socket,
                                                        StreamWrapper* tls, const Options& options) {
  std::unique_ptr<Listener> listener(new Listener(shared, std::move(socket), tls, options));
  const int error = shared.sockets.poller.add(*listener, {listener->has_room(), false});
  if (error != 0) {
    return base::Error{"cannot watch " + listener->url() + ": " + std::generic_category().message(error)};
  }
  return listener;
}

Listener::Listener(const Shared& shared, ListeningSocket socket, StreamWrapper* tls, const Options& options)
    : shared_(shared),
      socket_(std::move(socket)),
      tls_(tls),
      options_(options),
      on_loopback_(is_loopback(socket_.address())),
      reserve_(open_reserve()),
      retry_(shared.loop, *this) {
  shared_.admissions.add_listener(*this);
}

Listener::~Listener() {
  shared_.admissions.remove_listener(*this);
  if (options_.preambles != nullptr) options_.preambles->drop(*this);
  // A service manager may hold the socket as well.
  shared_.sockets.poller.remove(*this);
}

std::string Listener::url() const {
  Address address = socket_.address();
  if (tls_ != nullptr) address.scheme = Address::Scheme::https;
  return address.to_url();
}

bool Listener::has_room() const {
  const bool reserve_open = options_.lane == Lane::regular && !shared_.admissions.full(Lane::reserve);
  return reserve_open || !shared_.admissions.full(options_.lane);
}

void Listener::on_timer(loop::Timer& /*timer*/) {
  if (has_room()) return listen(true);
  retry_.start_once(retry_ms);
}

void Listener::listen(bool wanted) { shared_.sockets.poller.change(*this, {wanted, false}); }

void Listener::on_ready(loop::Readiness /*ready*/) {
  // Where connections come one at a time, an accept that finds none costs almost as much as one that does.
  int most = options_.accepts_per_turn;
  if (singles_ > 0) {
    --singles_;
    most = 1;
  }
  for (int i = 0; i < most; ++i) {
    if (!has_room()) {
      ++shared_.stats.paused_full;
      if (full_line_.is_due(shared_.loop.monotonic_ms())) {
        shared_.log.warn("no room even for a short answer: new connections wait",
                         {{"connections", shared_.admissions.connections(options_.lane)},
                          {"reserve", shared_.admissions.connections(Lane::reserve)},
                          {"listener", url()}});
      }
      // A waiting connection may become old enough for eviction, which is not notified.
      retry_.start_once(retry_ms);
      return listen(false);
    }
    if (!accept_one()) {
      if (i == 1) singles_ = singles_after_one;
      return;
    }
  }
}

bool Listener::accept_one() {
  SocketAddress address;
  FileDescriptor socket = accept_from(socket_, address);
  if (!socket.is_open()) return accept_failed(errno);
  admit(std::move(socket), address.to_peer());
  return true;
}

void Listener::admit(FileDescriptor socket, Peer peer) {
  peer.on_loopback = on_loopback_;
  if (options_.preambles == nullptr || !shared_.exempt.contains(peer.address)) {
    return take(std::move(socket), std::move(peer));
  }
  Admission admission = admission_for(peer);
  if (admission.address().empty()) return;
  options_.preambles->add(std::move(socket), std::move(peer), std::move(admission), *this);
}

void Listener::take(FileDescriptor socket, Peer peer) {
  Admission admission = admission_for(peer);
  if (admission.address().empty()) return;
  auto stream = SocketStream::adopt(shared_.sockets, std::move(socket));
  if (!stream) {
    ++shared_.stats.failed;
    shared_.log.warn("a connection could not be taken", {{"error", stream.error().message}});
    return;
  }
  ++shared_.stats.accepted;
  auto wrapped = tls_ == nullptr ? std::move(*stream) : tls_->wrap(std::move(*stream), peer.address);
  shared_.events.on_connection(std::move(wrapped), std::move(peer), std::move(admission));
}

Admission Listener::admission_for(const Peer& peer) {
  AdmissionControl& admissions = shared_.admissions;
  const bool exempt = shared_.exempt.contains(peer.address);
  Admission admission;
  ListenerStats& stats = shared_.stats;
  if (!exempt && options_.lane == Lane::regular && !shared_.events.may_connect(peer.address)) {
    note_refusal(peer, "connection refused by rates.address_connects_per_second", ++stats.refused_by_rate);
    (void)admissions.admit(peer.address, exempt, admission, Lane::refusals);
    return admission;
  }
  const ExceededLimit limit = admissions.admit(peer.address, exempt, admission, options_.lane);
  if (limit == ExceededLimit::none) return admission;
  // A connection that is closed without a response looks like a network failure, after which a browser's
  // EventSource reconnects.
  if (limit != ExceededLimit::connections) {
    const std::string_view why = limit == ExceededLimit::connections_per_address
                                     ? "connection refused by limits.connections_per_address"
                                     : "connection refused by limits.handshakes_per_address";
    note_refusal(peer, why, ++stats.refused_per_address);
    if (options_.lane == Lane::regular)
      (void)admissions.admit(peer.address, exempt, admission, Lane::refusals);
    return admission;
  }
  const bool may_use_reserve = options_.lane == Lane::regular;
  if (!may_use_reserve ||
      admissions.admit(peer.address, exempt, admission, Lane::reserve) != ExceededLimit::none)
    return admission;
  ++shared_.stats.taken_in_reserve;
  if (full_line_.is_due(shared_.loop.monotonic_ms())) {
    shared_.log.warn("limits.connections is reached: newcomers are turned away with 503",
                     {{"connections", admissions.connections()}, {"listener", url()}});
  }
  return admission;
}

void Listener::note_refusal(const Peer& peer, std::string_view why, std::uint64_t refused_so_far) {
  if (!refusal_line_.is_due(shared_.loop.monotonic_ms())) return;
  shared_.log.warn(why, {{"peer", peer.address}, {"refused_so_far", refused_so_far}});
}

bool Listener::accept_failed(int error) {
  switch (error) {
    case EAGAIN:
      return false;
    case EINTR:
    case ECONNABORTED:  // and those below: the client gave up or its network failed meanwhile (accept(2))
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
      return true;
    case EMFILE:
    case ENFILE:
      complain("out of file descriptors: new connections are closed at once", error);
      if (reserve_.is_open()) return shed_one();
      break;
    default:
      ++shared_.stats.failed;
      complain("cannot accept connections for now", error);
      break;
  }
  // The socket stays ready: watching it would only keep the loop busy.
  listen(false);
  retry_.start_once(retry_ms);
  return false;
}

bool Listener::shed_one() {
  reserve_.close();
  SocketAddress address;
  const bool shed = accept_from(socket_, address).is_open();
  if (shed) ++shared_.stats.out_of_descriptors;
  reserve_ = open_reserve();
  return shed;
}

bool Listener::RateLimit::is_due(std::int64_t now_ms) {
  if (now_ms < next_ms_) return false;
  next_ms_ = now_ms + complaint_interval_ms;
  return true;
}

void Listener::complain(std::string_view what, int error) {
  if (!complaint_line_.is_due(shared_.loop.monotonic_ms())) return;
  shared_.log.error(what, {{"listener", url()}, {"error", std::generic_category().message(error)}});
}

}  // namespace roomcast::net
