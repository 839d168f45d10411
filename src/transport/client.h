#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/admission.h"

namespace roomcast::transport {

/// The peer of a connection: its place in the limits and its address.
class Client {
 public:
  /// `address` as the client's proxies report it, or that of the socket.
  Client(net::Admission admission, std::string address) : admission_(std::move(admission)) {
    if (address != admission_.address()) address_ = std::make_unique<const std::string>(std::move(address));
  }

  [[nodiscard]] std::string_view address() const { return address_ ? *address_ : admission_.address(); }
  /// For the object that closes the connection. The address may be lost with it.
  [[nodiscard]] net::Admission take_admission() {
    admission_.release();
    return std::move(admission_);
  }
  /// See net::Admission::hold.
  void hold(std::size_t bytes, net::Holder& holder) { admission_.hold(bytes, holder); }

 private:
  net::Admission admission_;
  std::unique_ptr<const std::string>
      address_;  // only where it is not the one that is counted: behind a proxy, IPv6
};

}  // namespace roomcast::transport
