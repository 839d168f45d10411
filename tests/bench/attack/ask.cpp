#include "attack/ask.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "load/clock.h"
#include "load/http_answer.h"
#include "load/link.h"
#include "load/poller.h"
#include "load/tls_client.h"

namespace roomcast::bench {

namespace {

class Exchange final : public Pollable {
 public:
  Exchange(const Target& target, std::string_view request) : unsent_(request) {
    if (target.tls) tls_ = std::make_unique<TlsClient>(false);
    link_.open(target, tls_.get());
    poller_.watch(link_.descriptor(), *this);
  }

  Answer wait(std::int64_t deadline_ns) {
    poller_.run_until([this] { return over_; }, deadline_ns);
    return whole_ ? answer_ : Answer();
  }

 private:
  void on_ready(std::uint32_t /*events*/) override {
    link_.refresh();
    if (!connected_) {
      const Moved moved = link_.connect();
      if (moved == Moved::again) return;
      connected_ = moved == Moved::some;
      over_ = !connected_;
    }
    while (!over_ && !unsent_.empty()) {
      const Move move = link_.write(unsent_);
      if (move.how == Moved::again) break;
      if (move.how != Moved::some) break;  // an answer may be there all the same
      unsent_.remove_prefix(move.bytes);
    }
    while (!over_) {
      std::array<char, 65536> room{};
      const Move move = link_.read(room);
      if (move.how == Moved::again) return;
      if (move.how != Moved::some) over_ = true;
      take({room.data(), move.bytes});
    }
  }

  void take(std::string_view bytes) {
    if (!body_) {
      head_.append(bytes);
      const HttpAnswer head = take_answer_head(head_);
      if (head.used == 0) return;
      answer_.status = head.status;
      body_ = head.body;
      whole_ = over_ = body_->is_over();
      bytes = std::string_view(head_).substr(head.used);
    }
    while (!bytes.empty() && !whole_) {
      const HttpBody::Piece piece = body_->take(bytes);
      answer_.body.append(piece.content);
      bytes.remove_prefix(piece.used);
      whole_ = piece.over;
      over_ = over_ || piece.over || piece.bad;
    }
  }

  Poller poller_;
  std::unique_ptr<TlsClient> tls_;
  Link link_;
  std::string_view unsent_;
  std::string head_;
  std::optional<HttpBody> body_;
  Answer answer_;
  bool connected_ = false;
  bool whole_ = false;
  bool over_ = false;
};

}  // namespace

Answer ask(const Target& target, std::string_view request, int patience_ms) {
  return Exchange(target, request).wait(now_ns() + patience_ms * ms_ns);
}

}  // namespace roomcast::bench
