#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace roomcast::auth {

/// The configured `hosts`: the names under which this server may be addressed. A page of any site can make a
/// name of its own resolve to this server (DNS rebinding) and would then be of the same origin; the Host
/// field reveals that.
class HostRules {
 public:
  /// Entries: a name ("chat.example") or numeric address without port, all names below a domain
  /// ("*.chat.example"), or "*" (any). An error names the entry.
  static base::Result<HostRules> parse(const std::vector<std::string>& entries);

  /// Whether the Host of `request`, whose client is known, is allowed. Always for requests through a trusted
  /// proxy or a Unix socket, and for localhost and numeric addresses, which do not depend on DNS. All others
  /// must be listed; if none is listed, only listeners on loopback addresses refuse them.
  [[nodiscard]] bool allow(const http::Request& request) const;

 private:
  [[nodiscard]] bool lists(std::string_view host) const;

  // Longer fields, which no client sends, are examined each time.
  static constexpr std::size_t last_allowed_bytes_max = 300;

  std::vector<std::string> names_;    // lower case
  std::vector<std::string> domains_;  // of wildcards, with a leading dot
  bool any_ = false;
  // The last Host field that these rules allowed, as received: nearly all clients use the same one, and the
  // verdict on it depends on nothing else.
  mutable std::string last_allowed_;
};

/// Whether `host` is below `domain`, which begins with a dot (".example.org"), by at least one label.
[[nodiscard]] bool is_subdomain(std::string_view host, std::string_view domain);

}  // namespace roomcast::auth
