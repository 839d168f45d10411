#include "attack/tls_attacks.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "attack/attack_bytes.h"
#include "load/clock.h"
#include "load/link.h"
#include "load/tls_client.h"

namespace roomcast::bench::attacks {

namespace {

constexpr std::size_t piece_bytes = 16'384;  // of ciphertext: what a crowded server reads at once
constexpr std::size_t updates_between_bytes = 31;
constexpr int patience_ms = 1'000;

/// A client whose records are made without being sent, so that many arrive together.
class RecordMaker {
 public:
  RecordMaker(const Target& target, TlsClient& tls, std::size_t updates) : updates_(updates) {
    link_.open(target, &tls);
    Moved moved = Moved::again;
    while ((moved = link_.connect()) == Moved::again) {
      pollfd ready{link_.descriptor(), POLLIN | POLLOUT, 0};
      if (SSL_want_read(link_.native()) != 0) ready.events = POLLIN;
      if (::poll(&ready, 1, patience_ms) <= 0) break;
      link_.refresh();
    }
    is_open_ = moved == Moved::some;
    if (!is_open_) return;
    made_ = BIO_new(BIO_s_mem());
    if (made_ == nullptr) throw std::bad_alloc();
    SSL_set0_wbio(link_.native(), made_);
    SSL_clear_mode(link_.native(), SSL_MODE_RELEASE_BUFFERS);
    const std::string request = upgrade_request("/echo");
    std::size_t written = 0;
    (void)SSL_write_ex(link_.native(), request.data(), request.size(), &written);
  }

  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] int descriptor() const { return link_.descriptor(); }

  [[nodiscard]] bool is_sending() const { return is_open_ && !unsent_.empty(); }

  /// Sends what goes, and throws away what has come.
  void go_on(SwarmTally& tally) {
    char room[16'384];
    ssize_t count = 0;
    while ((count = ::recv(descriptor(), room, sizeof room, MSG_DONTWAIT)) > 0) {
    }
    if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return end(tally);
    count = ::send(descriptor(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return end(tally);
    if (count <= 0) return;
    tally.bytes += static_cast<std::size_t>(count);
    unsent_.remove_prefix(static_cast<std::size_t>(count));
  }

  void make_piece(SwarmTally& tally) {
    while (BIO_ctrl_pending(made_) < piece_bytes) {
      for (std::size_t i = 0; i < updates_; ++i) {
        SSL_key_update(link_.native(), SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(link_.native());
      }
      std::size_t written = 0;
      (void)SSL_write_ex(link_.native(), &frames_[next_++ % frames_.size()], 1, &written);
    }
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(made_, &bytes);
    piece_.assign(bytes, static_cast<std::size_t>(size));
    (void)BIO_reset(made_);
    unsent_ = piece_;
    ++tally.sent;
  }

 private:
  void end(SwarmTally& tally) {
    is_open_ = false;
    ++tally.cut;
  }

  Link link_;
  std::size_t updates_;
  bool is_open_ = false;
  BIO* made_ = nullptr;  // the connection's
  std::string frames_ = frames(Opcode::pong, "", 1);
  std::size_t next_ = 0;  // of their bytes
  std::string piece_;
  std::string_view unsent_;
};

SwarmTally make_records(const Arena& arena, std::size_t connections, std::size_t updates) {
  SwarmTally tally;
  TlsClient tls(false);
  std::vector<std::unique_ptr<RecordMaker>> makers(connections);
  std::vector<pollfd> ready(connections);
  const std::int64_t end_ns = now_ns() + arena.duration_ns;
  while (now_ns() < end_ns) {
    for (auto& maker : makers) {
      if (now_ns() >= end_ns) return tally;
      if (!maker || !maker->is_open()) {
        maker = std::make_unique<RecordMaker>(arena.target, tls, updates);
        if (maker->is_open()) ++tally.opened;
      }
      if (maker->is_open()) maker->make_piece(tally);
    }
    // All of it at once.
    for (bool is_done = false; !is_done && now_ns() < end_ns;) {
      is_done = true;
      for (std::size_t i = 0; i < connections; ++i) {
        RecordMaker& maker = *makers[i];
        if (maker.is_sending()) maker.go_on(tally);
        ready[i] = {maker.is_sending() ? maker.descriptor() : -1, POLLOUT, 0};
        is_done = is_done && !maker.is_sending();
      }
      if (!is_done) (void)::poll(ready.data(), ready.size(), 10);
    }
  }
  return tally;
}

}  // namespace

SwarmTally tiny_tls_records(const Arena& arena, std::size_t connections) {
  return make_records(arena, connections, 0);
}

SwarmTally tls_key_updates(const Arena& arena, std::size_t connections) {
  return make_records(arena, connections, updates_between_bytes);
}

}  // namespace roomcast::bench::attacks
