#include "fetch/multi_handle.h"

#include <new>
#include <utility>

namespace roomcast::fetch {

class MultiHandle::Socket final : public loop::Pollable {
 public:
  Socket(MultiHandle& multi, curl_socket_t descriptor) : multi_(multi), descriptor_(descriptor) {}
  [[nodiscard]] int descriptor() const override { return descriptor_; }

 private:
  void on_ready(loop::Readiness ready) override {
    int events = 0;
    if (ready.readable) events |= CURL_CSELECT_IN;
    if (ready.writable) events |= CURL_CSELECT_OUT;
    if (ready.failed) events |= CURL_CSELECT_ERR;
    multi_.act(descriptor_, events);  // last: libcurl may take the socket back
  }

  MultiHandle& multi_;
  curl_socket_t descriptor_;
};

base::Result<std::unique_ptr<MultiHandle>> MultiHandle::make(loop::Loop& loop, loop::Poller& poller,
                                                             std::size_t idle_connections) {
  std::unique_ptr<MultiHandle> made(new MultiHandle(loop, poller));
  if (!made->library_.is_ready() || !made->multi_) return base::Error{"libcurl cannot be initialised"};
  const unsigned features = static_cast<unsigned>(curl_version_info(CURLVERSION_NOW)->features);
  if ((features & CURL_VERSION_ASYNCHDNS) == 0) {
    return base::Error{"libcurl was built without AsynchDNS: its look-ups of names would block the server"};
  }
  CURLM* multi = made->multi_.get();
  const bool is_set_up =
      curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &MultiHandle::on_socket) == CURLM_OK &&
      curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, made.get()) == CURLM_OK &&
      curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &MultiHandle::on_timeout_change) == CURLM_OK &&
      curl_multi_setopt(multi, CURLMOPT_TIMERDATA, made.get()) == CURLM_OK &&
      curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(idle_connections)) == CURLM_OK;
  if (!is_set_up) return base::Error{"libcurl does not take the options of its multi handle"};
  return made;
}

MultiHandle::MultiHandle(loop::Loop& loop, loop::Poller& poller)
    : poller_(poller), timer_(loop, *this), multi_(library_.is_ready() ? curl_multi_init() : nullptr) {}

MultiHandle::~MultiHandle() {
  multi_.reset();
  // Sockets that libcurl has not taken back.
  for (auto& [descriptor, socket] : sockets_)
    poller_.remove(*socket);
}

bool MultiHandle::add(EasyHandle& easy) {
  return curl_multi_add_handle(multi_.get(), easy.native()) == CURLM_OK;
}

void MultiHandle::remove(EasyHandle& easy) { (void)curl_multi_remove_handle(multi_.get(), easy.native()); }

int MultiHandle::on_socket(CURL* /*easy*/, curl_socket_t descriptor, int what, void* self,
                           void* /*unused*/) noexcept {
  auto& multi = *static_cast<MultiHandle*>(self);
  if (what == CURL_POLL_REMOVE) {
    multi.unwatch(descriptor);
    return 0;
  }
  const loop::PollEvents events{(what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0};
  return multi.watch(descriptor, events) ? 0 : -1;
}

bool MultiHandle::watch(curl_socket_t descriptor, loop::PollEvents events) {
  try {
    std::unique_ptr<Socket>& socket = sockets_[descriptor];
    if (socket) {
      poller_.change(*socket, events);
      return true;
    }
    socket = std::make_unique<Socket>(*this, descriptor);
    if (poller_.add(*socket, events) == 0) return true;
  } catch (const std::bad_alloc&) {
    // As if the poller had no resources.
  }
  sockets_.erase(descriptor);
  return false;
}

void MultiHandle::unwatch(curl_socket_t descriptor) {
  const auto found = sockets_.find(descriptor);
  if (found == sockets_.end()) return;
  poller_.remove(*found->second);
  sockets_.erase(found);
}

int MultiHandle::on_timeout_change(CURLM* /*multi*/, long timeout_ms, void* self) noexcept {
  auto& multi = *static_cast<MultiHandle*>(self);
  if (timeout_ms < 0) {
    multi.timer_.stop();
  } else {
    multi.timer_.start_once(timeout_ms);
  }
  return 0;
}

void MultiHandle::on_timer(loop::Timer& /*timer*/) { act(CURL_SOCKET_TIMEOUT, 0); }

void MultiHandle::act(curl_socket_t descriptor, int events) {
  int running = 0;
  (void)curl_multi_socket_action(multi_.get(), descriptor, events, &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    char* easy = nullptr;
    if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &easy) != CURLE_OK) continue;
    // The message is gone once the owner removes the handle.
    reinterpret_cast<EasyHandle*>(easy)->owner().on_done(code);
  }
}

}  // namespace roomcast::fetch
