#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "net/address.h"
#include "net/file_descriptor.h"

namespace roomcast::net {

/// A listening socket in non-blocking mode. The file of a Unix socket that it created is removed with it.
class ListeningSocket {
 public:
  /// Whether [::] also accepts IPv4 connections, or leaves them to another socket on the same port.
  enum class Ipv4 : std::uint8_t { too, apart };
  struct BindError {
    std::string message;
    int number = 0;  ///< errno; 0 for other errors
    /// The machine does not have the address, or does not support its family.
    [[nodiscard]] bool is_missing() const;
    [[nodiscard]] bool is_in_use() const;
  };

  /// Binds `address` and listens with the largest backlog of the system. `localhost` is 127.0.0.1. The file
  /// of a Unix socket gets `unix_mode`; one that a dead process left behind is replaced, one that a live
  /// process listens on is an error.
  [[nodiscard]] static base::Result<ListeningSocket, BindError> bind(const Address& address, mode_t unix_mode,
                                                                     Ipv4 ipv4 = Ipv4::too);
  /// Takes over an inherited listening socket, for example from systemd, and sets its backlog to the largest
  /// as well.
  [[nodiscard]] static base::Result<ListeningSocket> adopt(FileDescriptor socket);

  ListeningSocket(ListeningSocket&& other) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept = delete;
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  ~ListeningSocket();

  [[nodiscard]] int number() const { return socket_.number(); }
  /// The address with the actual port. The scheme is http unless it is a Unix socket.
  [[nodiscard]] const Address& address() const { return address_; }

 private:
  explicit ListeningSocket(FileDescriptor socket) : socket_(std::move(socket)) {}
  [[nodiscard]] bool find_address();

  FileDescriptor socket_;
  Address address_;
  bool owns_file_ = false;
  dev_t file_device_ = 0;  // identify the file it created: another process may have replaced it
  ino_t file_inode_ = 0;
};

}  // namespace roomcast::net
