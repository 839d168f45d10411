#include "net/dialer.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

namespace roomcast::net {

namespace {

// A silent server is probed after keepalive_idle_s, and given up after two more probes without an answer; one
// that does not acknowledge what it is sent, after the same time.
constexpr int keepalive_idle_s = 15;
constexpr int keepalive_interval_s = 5;
constexpr int keepalive_probes = 3;
constexpr int unacknowledged_ms = 30'000;

// How often a Unix socket is tried whose queue of connections is full: the kernel does not say when it has
// room.
constexpr std::int64_t full_queue_retry_ms = 20;

/// The words of errno, which begin with a capital.
std::string words_of(int error) {
  std::string words = std::generic_category().message(error);
  const bool is_capital = !words.empty() && words.front() >= 'A' && words.front() <= 'Z';
  if (is_capital) words.front() = static_cast<char>(words.front() - 'A' + 'a');
  return words;
}

std::string words_of_lookup(int status) {
  if (status == UV_EAI_NONAME || status == UV_EAI_NODATA) return "no such host name, or it has no address";
  if (status == UV_EAI_AGAIN) return "the name cannot be looked up now: no answer from the name servers";
  return std::string("the name cannot be looked up: ") + uv_strerror(status);
}

/// The address that `host` is the text of, if it is not a name.
std::optional<SocketAddress> numeric_address(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (uv_ip4_addr(host.c_str(), port, &four) == 0) {
    std::memcpy(&address.storage, &four, sizeof four);
    address.size = sizeof four;
    return address;
  }
  if (uv_ip6_addr(host.c_str(), port, &six) != 0) return std::nullopt;
  std::memcpy(&address.storage, &six, sizeof six);
  address.size = sizeof six;
  return address;
}

std::vector<SocketAddress> copy_addresses(const addrinfo* found) {
  std::vector<SocketAddress> addresses;
  for (; found != nullptr && addresses.size() < Dialer::addresses_max; found = found->ai_next) {
    if (found->ai_addrlen > sizeof(sockaddr_storage)) continue;
    SocketAddress& address = addresses.emplace_back();
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
  }
  return addresses;
}

void set_option(int socket, int level, int name, int value) {
  (void)::setsockopt(socket, level, name, &value, sizeof value);
}

void prepare_tcp(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_s);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_s);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, unacknowledged_ms);
}

/// Whether the socket is connected with itself: TCP does that where the port of a server that is not there is
/// one that the system gives to clients, and happens to be given to this one.
bool is_its_own_peer(int socket, const SocketAddress& peer) {
  SocketAddress own;
  if (::getsockname(socket, own.get(), &own.size) != 0 || own.family() == AF_UNIX) return false;
  const Peer here = own.to_peer();
  const Peer there = peer.to_peer();
  return here.port == there.port && here.address == there.address;
}

}  // namespace

std::string DialTarget::to_text() const {
  if (!path.empty()) return "unix:" + path;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

struct Dialer::Lookup {
  uv_getaddrinfo_t request{};
  Dialer& dialer;
  Attempt* attempt;  // null once it has left
};

Dialer::Dialer(const Parts& parts) : parts_(parts) {}

Dialer::~Dialer() {
  assert(left_lookups_ == lookups_.size());
  while (!lookups_.empty())
    uv_run(parts_.loop.native(), UV_RUN_ONCE);
}

std::unique_ptr<Dialer::Attempt> Dialer::dial(const DialTarget& target, std::int64_t timeout_ms,
                                              Listener& listener) {
  return std::make_unique<Attempt>(*this, target, timeout_ms, listener);
}

int Dialer::look_up(Attempt& attempt) {
  std::unique_ptr<Lookup> lookup(new Lookup{{}, *this, &attempt});
  lookup->request.data = lookup.get();
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  const std::string port = std::to_string(attempt.target_.port);
  const int status = uv_getaddrinfo(parts_.loop.native(), &lookup->request, on_looked_up,
                                    attempt.target_.host.c_str(), port.c_str(), &wanted);
  if (status != 0) return status;
  attempt.lookup_ = lookup.get();
  lookups_.push_back(std::move(lookup));
  return 0;
}

void Dialer::leave(Lookup& lookup) {
  lookup.attempt = nullptr;
  ++left_lookups_;
  // Fails if it runs already.
  (void)uv_cancel(reinterpret_cast<uv_req_t*>(&lookup.request));
}

void Dialer::on_looked_up(uv_getaddrinfo_s* request, int status, addrinfo* found) noexcept {
  const auto* lookup = static_cast<Lookup*>(request->data);
  Dialer& dialer = lookup->dialer;
  Attempt* attempt = lookup->attempt;
  std::vector<SocketAddress> addresses = copy_addresses(found);
  uv_freeaddrinfo(found);
  std::erase_if(dialer.lookups_, [&](const auto& one) { return one.get() == lookup; });
  if (attempt == nullptr) {
    --dialer.left_lookups_;
    return;
  }
  attempt->lookup_ = nullptr;
  if (addresses.empty()) return attempt->on_lookup_failed(status != 0 ? status : UV_EAI_NONAME);
  attempt->try_addresses(std::move(addresses));
}

Dialer::Attempt::Attempt(Dialer& dialer, DialTarget target, std::int64_t timeout_ms,
                         Dialer::Listener& listener)
    : dialer_(dialer),
      listener_(listener),
      target_(std::move(target)),
      share_ms_(std::max<std::int64_t>(timeout_ms, 1)),
      end_ms_(dialer.parts_.deadlines.now_ms() + share_ms_),
      deadline_(dialer.parts_.deadlines, *this),
      timer_(dialer.parts_.loop, *this) {
  deadline_.set_in(share_ms_);
  timer_.start_once(0);
}

Dialer::Attempt::~Attempt() { stop(); }

void Dialer::Attempt::on_timer(loop::Timer& /*timer*/) {
  if (addresses_.empty()) return begin();
  connect();
}

void Dialer::Attempt::begin() {
  if (!target_.path.empty()) {
    if (target_.path.size() >= sizeof(sockaddr_un::sun_path)) {
      return fail("the path of a Unix socket has at most " +
                  std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
    }
    return try_addresses({SocketAddress::from({Address::Scheme::unix_socket, "", 0, target_.path})});
  }
  // libuv takes what stands before the NUL.
  if (target_.host.find('\0') != std::string::npos) return fail("there is a NUL in the host name");
  if (const auto address = numeric_address(target_.host, target_.port)) return try_addresses({*address});
  if (dialer_.left_lookups_ >= left_lookups_max) {
    return fail("earlier look-ups of names have not come back yet, " + std::to_string(left_lookups_max) +
                " of them");
  }
  const int status = dialer_.look_up(*this);
  if (status != 0) on_lookup_failed(status);
}

void Dialer::Attempt::on_lookup_failed(int status) { fail(words_of_lookup(status)); }

void Dialer::Attempt::try_addresses(std::vector<SocketAddress> addresses) {
  addresses_ = std::move(addresses);
  if (addresses_.size() > 1) limit_address();
  connect();
}

void Dialer::Attempt::limit_address() {
  const auto left = static_cast<std::int64_t>(addresses_.size() - tried_);
  const std::int64_t left_ms = end_ms_ - dialer_.parts_.deadlines.now_ms();
  share_ms_ = std::max<std::int64_t>(left_ms / left, 1);
  deadline_.set_in(share_ms_);
}

void Dialer::Attempt::connect() {
  const SocketAddress& address = addresses_[tried_];
  socket_ = FileDescriptor(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.is_open()) return on_address_failed(words_of(errno));
  if (address.family() != AF_UNIX) prepare_tcp(socket_.number());
  if (::connect(socket_.number(), address.get(), address.size) == 0) return on_connected();
  if (errno == EAGAIN) {
    socket_.close();
    return timer_.start_once(full_queue_retry_ms);
  }
  if (errno != EINPROGRESS) return on_address_failed(words_of(errno));
  const int error = dialer_.parts_.sockets.poller.add(*this, {false, true});
  if (error != 0) return on_address_failed("cannot watch a socket: " + words_of(error));
  is_watched_ = true;
}

void Dialer::Attempt::on_ready(loop::Readiness /*ready*/) {
  int error = 0;
  socklen_t size = sizeof error;
  (void)::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return on_address_failed(words_of(error));
  on_connected();
}

void Dialer::Attempt::on_connected() {
  if (is_its_own_peer(socket_.number(), addresses_[tried_])) return on_address_failed(words_of(ECONNREFUSED));
  stop_watching();
  auto stream = SocketStream::adopt(dialer_.parts_.sockets, std::move(socket_));
  if (!stream) return fail(stream.error().message);
  stop();
  listener_.on_dialled(std::move(*stream));
}

void Dialer::Attempt::on_deadline() {
  if (addresses_.empty()) {
    return fail("the name was not looked up within " + std::to_string(share_ms_) + " ms");
  }
  const std::string time = std::to_string(share_ms_) + " ms";
  on_address_failed(socket_.is_open() ? "no answer within " + time
                                      : "its queue of connections was full for " + time);
}

void Dialer::Attempt::on_address_failed(const std::string& cause) {
  stop_watching();
  socket_.close();
  if (!causes_.empty()) causes_ += ", ";
  causes_ += cause;
  if (addresses_.size() > 1) causes_ += " (" + addresses_[tried_].to_peer().address + ")";
  if (++tried_ == addresses_.size()) return fail(causes_);
  limit_address();
  timer_.start_once(0);
}

void Dialer::Attempt::stop_watching() {
  // The descriptor may go on to be watched for a stream.
  if (std::exchange(is_watched_, false)) dialer_.parts_.sockets.poller.remove(*this);
}

void Dialer::Attempt::stop() {
  if (lookup_ != nullptr) dialer_.leave(*std::exchange(lookup_, nullptr));
  stop_watching();
  socket_.close();
  deadline_.clear();
  timer_.stop();
}

void Dialer::Attempt::fail(const std::string& cause) {
  stop();
  listener_.on_dial_failed(target_.to_text() + ": " + cause);
}

}  // namespace roomcast::net
