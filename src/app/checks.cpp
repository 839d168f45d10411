#include "app/checks.h"

#include "auth/origin.h"
#include "net/address.h"
#include "net/cidr.h"

namespace roomcast::app {

config::Checks configuration_checks() {
  config::Checks checks;
  checks.address = [](const std::string& text) -> std::optional<std::string> {
    const auto address = net::Address::parse(text);
    if (address) return std::nullopt;
    return address.error().message;
  };
  checks.origin = [](const std::string& text) -> std::optional<std::string> {
    const auto rules = auth::OriginRules::parse({text});
    if (rules) return std::nullopt;
    return rules.error().message;
  };
  checks.network = [](const std::string& text) -> std::optional<std::string> {
    net::CidrList list;
    const auto error = list.add(text);
    if (!error) return std::nullopt;
    return error->message;
  };
  return checks;
}

}  // namespace roomcast::app
