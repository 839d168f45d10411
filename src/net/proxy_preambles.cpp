#include "net/proxy_preambles.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "net/proxy_header.h"

namespace roomcast::net {

/// One connection until its header is complete.
class ProxyPreambles::Preamble final : public base::Disposable,
                                       private loop::Pollable,
                                       private Holder,
                                       private base::Deadline::Listener {
 public:
  Preamble(ProxyPreambles& owner, FileDescriptor socket, Peer peer, Admission admission, Receiver& receiver)
      : owner_(owner),
        socket_(std::move(socket)),
        peer_(std::move(peer)),
        admission_(std::move(admission)),
        receiver_(&receiver),
        deadline_(owner.deadlines_, *this) {}
  Preamble(const Preamble&) = delete;
  Preamble& operator=(const Preamble&) = delete;
  ~Preamble() override { end(); }

  /// False if the socket cannot be watched. `place`: its position in the list of the owner.
  bool start(List::iterator place, std::int64_t timeout_ms) {
    place_ = place;
    if (owner_.poller_.add(*this, {true, false}) != 0) return false;
    is_watched_ = true;
    deadline_.set_in(timeout_ms);
    admission_.wait(Wait::first_request, *this);
    return true;
  }
  [[nodiscard]] const Receiver* receiver() const { return receiver_; }
  /// Stops all calls, and releases the admission.
  void end() {
    if (std::exchange(is_watched_, false)) owner_.poller_.remove(*this);
    deadline_.clear();
    admission_.release();
    admission_ = {};
  }

 private:
  [[nodiscard]] int descriptor() const override { return socket_.number(); }

  void on_ready(loop::Readiness /*ready*/) override {
    // Peeked first, then read only as far as it belongs to the header: the rest belongs to the next reader.
    std::array<char, ProxyHeaderReader::header_bytes_max> bytes;
    const ssize_t size = ::recv(socket_.number(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return close("the connection ended before its PROXY protocol header");
    std::size_t used = 0;
    const auto verdict = reader_.read({bytes.data(), static_cast<std::size_t>(size)}, used);
    (void)::recv(socket_.number(), bytes.data(), used, MSG_DONTWAIT);
    if (verdict == ProxyHeaderReader::Verdict::refused) return close(reader_.fault());
    if (verdict == ProxyHeaderReader::Verdict::complete) hand_on();
  }

  void on_deadline() override { close("the PROXY protocol header took too long"); }
  void shed() override { finish(); }

  void hand_on() {
    Peer client = std::move(peer_);
    if (!reader_.address().empty()) {
      client.address = reader_.address();
      client.port = reader_.port();
    }
    client.is_secure = reader_.is_secure();
    client.is_forwarded = true;
    finish();
    receiver_->on_preamble(std::move(socket_), std::move(client));
  }

  void close(std::string_view why) {
    owner_.log_.warn(
        "connection of a trusted proxy closed",
        {{"peer", peer_.address},
         {"reason", why},
         {"hint", "proxy_protocol is on: trusted_proxies have to send a PROXY protocol header"}});
    finish();
    socket_.close();
  }

  /// Ends it; it is freed at the end of the turn.
  void finish() {
    end();
    owner_.finish(place_);
  }

  ProxyPreambles& owner_;
  FileDescriptor socket_;
  Peer peer_;
  Admission admission_;
  Receiver* receiver_;
  base::Deadline deadline_;
  ProxyHeaderReader reader_;
  List::iterator place_;
  bool is_watched_ = false;
};

ProxyPreambles::ProxyPreambles(loop::Poller& poller, base::Scheduler& scheduler, base::Deadlines& deadlines,
                               base::Log& log, std::int64_t timeout_ms)
    : poller_(poller), scheduler_(scheduler), deadlines_(deadlines), log_(log), timeout_ms_(timeout_ms) {}

ProxyPreambles::~ProxyPreambles() = default;

void ProxyPreambles::add(FileDescriptor socket, Peer peer, Admission admission, Receiver& receiver) {
  auto made =
      std::make_unique<Preamble>(*this, std::move(socket), std::move(peer), std::move(admission), receiver);
  const auto place = waiting_.insert(waiting_.end(), std::move(made));
  if (!(*place)->start(place, timeout_ms_)) waiting_.erase(place);
}

void ProxyPreambles::drop(const Receiver& receiver) {
  std::erase_if(waiting_, [&receiver](const auto& preamble) { return preamble->receiver() == &receiver; });
}

void ProxyPreambles::finish(List::iterator preamble) {
  scheduler_.free_later(std::move(*preamble));
  waiting_.erase(preamble);
}

}  // namespace roomcast::net
