#include "app/checks.h"

#include <utility>

#include "app/listeners.h"
#include "auth/origin.h"
#include "http/static_files.h"
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

std::optional<std::string> check_whole(const config::Config& config) {
  const auto certificates = load_certificates(config);
  if (!certificates) return certificates.error().message;
  for (const auto& [key, list] :
       {std::pair("listen", &config.listen), {"admin_listen", &config.admin_listen}}) {
    for (const std::string& text : *list) {
      const auto address = net::Address::parse(text);
      if (address && address->scheme == net::Address::Scheme::https && !*certificates) {
        return std::string(key) + ": " + text + " needs tls.certificate and tls.key";
      }
    }
  }
  if (config.web.root.empty()) return std::nullopt;
  const auto page = http::FileSet::from_directory(config.web.root);
  if (!page) return page.error().message;
  return std::nullopt;
}

}  // namespace roomcast::app
