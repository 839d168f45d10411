#include "net/linger.h"

#include <span>
#include <string_view>
#include <utility>

namespace roomcast::net {

class Linger::Closing final : public base::Disposable,
                              private ByteStream::Events,
                              private base::Deadline::Listener {
 public:
  Closing(Linger& linger, std::unique_ptr<ByteStream> stream, WriteQueue queue, Admission admission,
          bool peer_has_ended)
      : linger_(linger),
        admission_(std::move(admission)),
        stream_(std::move(stream)),
        queue_(std::move(queue)),
        discard_bytes_(linger.limits_.discard_bytes),
        deadline_(linger.deadlines_, *this),
        ended_(peer_has_ended) {}

  void start(List::iterator self) {
    self_ = self;
    deadline_.set_in(linger_.limits_.timeout_ms);
    stream_->set_events(*this);
    stream_->resume_reading();
    send();
    if (shut_down_ && ended_) finish();
  }
  /// Its events are ignored from now on: it is about to be destroyed.
  void stop() {
    stopped_ = true;
    deadline_.clear();
    stream_->pause_reading();
  }

 private:
  void send() {
    if (queue_.flush(*stream_) && !std::exchange(shut_down_, true)) stream_->shutdown();
  }
  void finish() {
    if (!stopped_) linger_.finish(self_);
  }

  void on_bytes(std::span<char> bytes) override {
    if (bytes.size() > discard_bytes_) return finish();
    discard_bytes_ -= bytes.size();
  }
  void on_end() override {
    ended_ = true;
    if (shut_down_) finish();
  }
  void on_writable() override {
    if (stopped_) return;
    send();
    if (shut_down_ && ended_) finish();
  }
  void on_error(std::string_view /*why*/) override { finish(); }
  void on_deadline() override { finish(); }

  Linger& linger_;
  Admission admission_;
  std::unique_ptr<ByteStream> stream_;
  WriteQueue queue_;
  std::size_t discard_bytes_;
  base::Deadline deadline_;
  List::iterator self_;
  bool ended_;  // the peer has ended
  bool shut_down_ = false;
  bool stopped_ = false;
};

Linger::Linger(base::Scheduler& scheduler, base::Deadlines& deadlines, Limits limits)
    : scheduler_(scheduler), deadlines_(deadlines), limits_(limits), look_(deadlines, *this) {}

Linger::~Linger() = default;

void Linger::add(std::unique_ptr<ByteStream> stream, WriteQueue queue, Admission admission,
                 bool peer_has_ended) {
  if (!closing_.empty() && closing_.size() >= limits_.connections) finish(closing_.begin());
  auto& added = closing_.emplace_back(std::make_unique<Closing>(*this, std::move(stream), std::move(queue),
                                                                std::move(admission), peer_has_ended));
  added->start(std::prev(closing_.end()));
}

void Linger::add_finished(std::unique_ptr<ByteStream> stream, Admission admission) {
  if (!stream->shutdown_unwatched()) return add(std::move(stream), {}, std::move(admission));
  finished_.push_back(std::move(stream));
  if (finished_.size() > limits_.finished) {
    finished_.pop_front();
    if (finished_before_ > 0) --finished_before_;
  }
  if (!look_.is_set()) look_.set_in(limits_.finished_ms);
}

void Linger::on_deadline() {
  for (; finished_before_ > 0; --finished_before_)
    finished_.pop_front();
  finished_before_ = finished_.size();
  if (finished_before_ > 0) look_.set_in(limits_.finished_ms);
}

void Linger::finish(List::iterator closing) {
  (*closing)->stop();
  scheduler_.free_later(std::move(*closing));
  closing_.erase(closing);
}

}  // namespace roomcast::net
