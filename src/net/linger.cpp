#include "net/linger.h"

#include <span>
#include <string_view>
#include <utility>

namespace roomcast::net {

class Linger::Closing final : public base::Disposable,
                              private ByteStream::Events,
                              private base::Deadline::Listener,
                              private base::Holder {
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

  void belong_to(List& list) {
    list_ = &list;
    self_ = std::prev(list.end());
  }
  void start() {
    deadline_.set_in(linger_.limits_.timeout_ms);
    stream_->set_events(*this);
    stream_->resume_reading();
    send();
    if (shut_down_ && ended_) finish();
  }
  void start_finished() {
    is_unwatched_ = stream_->shutdown_unwatched();
    if (!is_unwatched_) return start();
    deadline_.set_in(linger_.limits_.finished_ms);
    admission_.wait(Wait::next_request, *this);
  }
  /// Its events are ignored from now on: it is about to be destroyed.
  void stop() {
    stopped_ = true;
    deadline_.clear();
    if (!is_unwatched_) stream_->pause_reading();
  }

 private:
  void send() {
    if (queue_.flush(*stream_) && !std::exchange(shut_down_, true)) stream_->shutdown();
  }
  void finish() {
    if (!stopped_) linger_.finish(*list_, self_);
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
  void shed() override {
    admission_ = {};  // at once: another connection waits for it
    finish();
  }

  Linger& linger_;
  Admission admission_;
  std::unique_ptr<ByteStream> stream_;
  WriteQueue queue_;
  std::size_t discard_bytes_;
  base::Deadline deadline_;
  List* list_ = nullptr;
  List::iterator self_;
  bool ended_;  // the peer has ended
  bool shut_down_ = false;
  bool stopped_ = false;
  bool is_unwatched_ = false;
};

Linger::Linger(base::Scheduler& scheduler, base::Deadlines& deadlines, Limits limits)
    : scheduler_(scheduler), deadlines_(deadlines), limits_(limits) {}

Linger::~Linger() = default;

void Linger::add(std::unique_ptr<ByteStream> stream, WriteQueue queue, Admission admission,
                 bool peer_has_ended) {
  insert(closing_, std::make_unique<Closing>(*this, std::move(stream), std::move(queue), std::move(admission),
                                             peer_has_ended))
      .start();
}

void Linger::add_finished(std::unique_ptr<ByteStream> stream, Admission admission) {
  insert(finished_,
         std::make_unique<Closing>(*this, std::move(stream), WriteQueue(), std::move(admission), false))
      .start_finished();
}

Linger::Closing& Linger::insert(List& list, std::unique_ptr<Closing> added) {
  if (!list.empty() && list.size() >= limits_.connections) finish(list, list.begin());
  list.push_back(std::move(added));
  list.back()->belong_to(list);
  return *list.back();
}

void Linger::finish(List& list, List::iterator closing) {
  (*closing)->stop();
  scheduler_.free_later(std::move(*closing));
  list.erase(closing);
}

}  // namespace roomcast::net
