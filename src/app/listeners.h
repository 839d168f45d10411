#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/service_manager.h"
#include "base/result.h"
#include "config/config.h"
#include "net/address.h"
#include "net/listener.h"
#include "net/proxy_preambles.h"
#include "net/tls_context.h"
#include "net/tls_shared.h"

namespace roomcast::app {

/// The certificates that `config` names: tls.certificate with tls.key first, then tls.certificates. The
/// pointer is null if it names none.
[[nodiscard]] base::Result<std::shared_ptr<const net::TlsContext>> load_certificates(
    const config::Config& config);

/// All sockets that the server listens on: those the service manager opened, otherwise those of `listen`; and
/// those of `admin_listen`. `[::]` is every address, IPv4 ones too (app/listen_plan.h), also where the
/// machine knows IPv4 only. `localhost` is 127.0.0.1 and, where there is one, ::1, with the same port.
class Listeners {
 public:
  /// All outlive the listeners. `preambles` is used where config.proxy_protocol is on.
  Listeners(const net::Listener::Shared& shared, net::TlsShared& tls, net::ProxyPreambles& preambles);
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  /// Opens all of them; an error names the first that could not be opened. `inherited` replaces config.listen
  /// if it is not empty, but not admin_listen; a socket whose name begins with "https" speaks TLS.
  [[nodiscard]] std::optional<base::Error> open(const config::Config& config,
                                                const std::vector<InheritedSocket>& inherited,
                                                std::shared_ptr<const net::TlsContext> certificates);
  /// Stops listening; connections live on.
  void close() { listeners_.clear(); }

  /// Certificates for connections to come; ignored where there were none at the start.
  void set_certificates(std::shared_ptr<const net::TlsContext> certificates);
  /// Null where no certificates are configured.
  [[nodiscard]] const net::TlsContext* certificates() const {
    return wrapper_ ? &wrapper_->context() : nullptr;
  }
  /// Every bound URL, separated by spaces.
  [[nodiscard]] std::string urls() const { return urls_of(net::Lane::regular); }
  /// The same of `admin_listen`; empty if there are none.
  [[nodiscard]] std::string admin_urls() const { return urls_of(net::Lane::operations); }

 private:
  [[nodiscard]] std::optional<base::Error> bind_all(const config::Config& config, net::Lane lane);
  [[nodiscard]] std::optional<base::Error> bind(const net::Address& address, const config::Config& config,
                                                net::Lane lane);
  [[nodiscard]] std::optional<base::Error> bind_localhost(const net::Address& address, net::Lane lane);
  [[nodiscard]] std::optional<base::Error> add(net::ListeningSocket socket, bool secure, net::Lane lane);
  [[nodiscard]] std::string urls_of(net::Lane lane) const;

  net::Listener::Shared shared_;
  net::TlsShared& tls_;
  net::ProxyPreambles& preambles_;
  bool proxy_protocol_ = false;
  std::optional<net::TlsWrapper> wrapper_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
};

}  // namespace roomcast::app
