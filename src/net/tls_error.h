#pragma once

#include <string>

namespace roomcast::net {

/// Why the last OpenSSL call failed, in words, from the thread's error queue, which is emptied: the earliest
/// entry is the cause, the others are who passed it on.
[[nodiscard]] std::string take_openssl_error();

}  // namespace roomcast::net
