#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/hosts.h"
#include "auth/origin.h"
#include "http/request_policy.h"

namespace roomcast::auth {

/// `hosts` and `origins` for all requests: refuses another Host (421, RFC 9110 section 15.5.20), and lets the
/// pages of listed origins read every answer.
class Policy final : public http::RequestPolicy {
 public:
  /// Both outlive the policy and are read anew for each request.
  Policy(const HostRules& hosts, const OriginRules& origins) : hosts_(hosts), origins_(origins) {}

  [[nodiscard]] std::optional<http::Problem> objection(const http::Request& request) const override;
  [[nodiscard]] bool has_readers() const override { return !origins_.empty(); }
  [[nodiscard]] std::string reader_of(const http::Request& request) const override;
  void complete(const http::Request& request, std::string_view reader, http::Headers& headers) const override;

 private:
  const HostRules& hosts_;
  const OriginRules& origins_;
};

}  // namespace roomcast::auth
