#include "loop/handle.h"

#include <uv.h>

namespace roomcast::loop {

void close_handle(uv_handle_s* handle, void (*free_body)(uv_handle_s*)) {
  handle->data = nullptr;
  uv_close(handle, free_body);
}

}  // namespace roomcast::loop
