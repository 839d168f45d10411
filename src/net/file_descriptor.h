#pragma once

#include <unistd.h>

#include <utility>

namespace roomcast::net {

/// Owns a file descriptor, which its destructor closes.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { close(); }

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  void close() {
    const int number = std::exchange(number_, -1);
    // On Linux the descriptor is released whatever close() returns; it must not be repeated.
    if (number >= 0) (void)::close(number);
  }

 private:
  int number_ = -1;
};

}  // namespace roomcast::net
