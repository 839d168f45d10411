#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "net/address.h"
#include "net/file_descriptor.h"

namespace roomcast::net {

/// A socket that listens, not blocking. The file of a Unix socket it made itself goes when it does.
class ListeningSocket {
 public:
  /// Binds `address` and listens with the system's largest backlog. An IPv6 socket takes IPv6 connections
  /// only, so that 0.0.0.0 and [::] can stand side by side. The file of a Unix socket gets `unix_mode`; one
  /// that a dead process left behind is replaced, one that somebody answers on is an error.
  [[nodiscard]] static base::Result<ListeningSocket> bind(const Address& address, mode_t unix_mode);
  /// Takes over a listening socket made by somebody else, such as systemd; its backlog becomes the largest
  /// too.
  [[nodiscard]] static base::Result<ListeningSocket> adopt(FileDescriptor socket);

  ListeningSocket(ListeningSocket&& other) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept = delete;
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  ~ListeningSocket();

  [[nodiscard]] int number() const { return socket_.number(); }
  /// Where it listens, with the true port. The scheme is http unless it is a Unix socket.
  [[nodiscard]] const Address& address() const { return address_; }

 private:
  explicit ListeningSocket(FileDescriptor socket) : socket_(std::move(socket)) {}
  [[nodiscard]] bool find_address();

  FileDescriptor socket_;
  Address address_;
  bool owns_file_ = false;
  dev_t file_device_ = 0;  // which file it made: another process may have put its own in that place
  ino_t file_inode_ = 0;
};

}  // namespace roomcast::net
