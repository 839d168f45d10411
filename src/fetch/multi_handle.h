#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <memory>
#include <unordered_map>

#include "base/result.h"
#include "fetch/easy_handle.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "loop/poller.h"

namespace roomcast::fetch {

/// libcurl's multi handle on the loop: its sockets are watched by the poller, its timeouts are one timer, and
/// each transfer that has ended is reported to the owner of its easy handle. Without transfers no timer runs
/// and no socket is watched; idle connections are looked at when they are to be used again.
class MultiHandle final : private loop::Timer::Listener {
 public:
  /// Initialises libcurl, which counts that, for as long as the handle exists. The error says what this
  /// libcurl lacks: a look-up of names that does not block (AsynchDNS), or memory.
  [[nodiscard]] static base::Result<std::unique_ptr<MultiHandle>> make(loop::Loop& loop, loop::Poller& poller,
                                                                       std::size_t idle_connections);
  MultiHandle(const MultiHandle&) = delete;
  MultiHandle& operator=(const MultiHandle&) = delete;
  /// All easy handles must have been removed before.
  ~MultiHandle();

  /// Begins the transfer of `easy`, which ends with a call of its owner, not within this call. False if there
  /// is no memory.
  [[nodiscard]] bool add(EasyHandle& easy);
  /// Ends the transfer, if it has not ended. To be called before `easy` is destroyed; also from
  /// Owner::on_done.
  void remove(EasyHandle& easy);

 private:
  class Socket;
  /// The initialisation of libcurl, which libcurl counts: each is undone once.
  class Library {
   public:
    Library() : is_ready_(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {}
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    ~Library() {
      if (is_ready_) curl_global_cleanup();
    }
    [[nodiscard]] bool is_ready() const { return is_ready_; }

   private:
    bool is_ready_;
  };
  struct Free {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  MultiHandle(loop::Loop& loop, loop::Poller& poller);
  static int on_socket(CURL* easy, curl_socket_t descriptor, int what, void* self, void* unused) noexcept;
  static int on_timeout_change(CURLM* multi, long timeout_ms, void* self) noexcept;
  void on_timer(loop::Timer& timer) override;
  [[nodiscard]] bool watch(curl_socket_t descriptor, loop::PollEvents events);
  void unwatch(curl_socket_t descriptor);
  /// Has libcurl handle what has happened to `descriptor`, or its timeouts, and reports what has ended.
  void act(curl_socket_t descriptor, int events);

  Library library_;
  loop::Poller& poller_;
  loop::Timer timer_;
  std::unordered_map<curl_socket_t, std::unique_ptr<Socket>> sockets_;
  std::unique_ptr<CURLM, Free> multi_;  // freed first: it takes its sockets back
};

}  // namespace roomcast::fetch
