#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "net/address.h"
#include "net/file_descriptor.h"

namespace roomcast::net {

/// A socket that listens, not blocking. The file of a Unix socket it made itself goes when it does.
class ListeningSocket {
 public:
  /// Whether [::] takes IPv4 connections too, or leaves them to another socket on the same port.
  enum class Ipv4 : std::uint8_t { too, apart };
  struct BindError {
    std::string message;
    int number = 0;  ///< errno; 0 if it was none
    /// The machine does not have the address, or knows no addresses of this family.
    [[nodiscard]] bool is_missing() const;
    [[nodiscard]] bool is_in_use() const;
  };

  /// Binds `address` and listens with the system's largest backlog. `localhost` is 127.0.0.1 here. The file
  /// of a Unix socket gets `unix_mode`; one that a dead process left behind is replaced, one that somebody
  /// answers on is an error.
  [[nodiscard]] static base::Result<ListeningSocket, BindError> bind(const Address& address, mode_t unix_mode,
                                                                     Ipv4 ipv4 = Ipv4::too);
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
