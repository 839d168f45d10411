#pragma once

#include <memory>
#include <utility>

#include "base/result.h"

struct uv_handle_s;

namespace roomcast::loop {

/// Starts closing `handle` and has `free_body` called with it once libuv has let go of it. Clears its `data`.
void close_handle(uv_handle_s* handle, void (*free_body)(uv_handle_s*));

struct HandleCloser {
  template <class T>
  void operator()(T* handle) const {
    // The owner's destructor (and constructors) belong where the libuv type is known.
    static_assert(requires(T complete) { complete.data; });
    close_handle(reinterpret_cast<uv_handle_s*>(handle),
                 [](uv_handle_s* closed) { delete reinterpret_cast<T*>(closed); });
  }
};

/// Owns an initialised libuv handle (`T` is uv_timer_s, uv_poll_s, …) on the heap. Dropping it closes it: no
/// callback of it comes afterwards, and libuv frees the memory when it is done with it. `data` of the handle
/// points to its owner.
template <class T>
using Handle = std::unique_ptr<T, HandleCloser>;

/// A handle initialised by `init(T*)`, one of the uv_*_init functions with its arguments bound, or libuv's
/// (negative) error number. `data` is set to `owner`.
template <class T, class Init>
[[nodiscard]] base::Result<Handle<T>, int> make_handle(void* owner, const Init& init) {
  auto body = std::make_unique<T>();
  const int status = init(body.get());
  if (status != 0) return status;
  body->data = owner;
  return Handle<T>(body.release());
}

}  // namespace roomcast::loop
