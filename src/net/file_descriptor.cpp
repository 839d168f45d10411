#include "net/file_descriptor.h"

#include <unistd.h>

namespace roomcast::net {

void FileDescriptor::close() {
  const int number = std::exchange(number_, -1);
  // On Linux the descriptor is gone whatever close() answers; there is nothing to repeat.
  if (number >= 0) (void)::close(number);
}

}  // namespace roomcast::net
