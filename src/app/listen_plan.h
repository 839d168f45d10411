#pragma once

#include <optional>
#include <string>

#include "config/config.h"
#include "net/address.h"
#include "net/listening_socket.h"

namespace roomcast::app {

/// Whether the IPv4 side of `[::]` is to be left alone, since `listen` or `admin_listen` has an IPv4 address
/// with the same port.
[[nodiscard]] net::ListeningSocket::Ipv4 ipv4_of(const net::Address& address, const config::Config& config);

/// Two of the addresses in `listen` and `admin_listen` that cannot both be bound, in words; nothing if all
/// can.
[[nodiscard]] std::optional<std::string> listen_conflict(const config::Config& config);

}  // namespace roomcast::app
