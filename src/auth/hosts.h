#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace roomcast::auth {

/// The configured `hosts`: the names under which this server may be addressed. A page of any site can have
/// its own name lead to this server (DNS rebinding) and would be of the same origin then; the Host field
/// gives it away.
class HostRules {
 public:
  /// Entries: a name ("chat.example") or numeric address without port, all names below a domain
  /// ("*.chat.example"), or "*" (any). An error names the entry.
  static base::Result<HostRules> parse(const std::vector<std::string>& entries);

  /// Whether the Host of `request`, whose client is known, is one of this server. Always for what a trusted
  /// proxy passes on or comes over a Unix socket, and for localhost and numeric addresses, which DNS has no
  /// say in. Everything else must be listed; where nothing is, only listeners that others can reach take it.
  [[nodiscard]] bool allow(const http::Request& request) const;

 private:
  [[nodiscard]] bool lists(std::string_view host) const;

  std::vector<std::string> names_;    // lower case
  std::vector<std::string> domains_;  // of wildcards, with their leading dot
  bool any_ = false;
};

}  // namespace roomcast::auth
