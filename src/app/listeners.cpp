#include "app/listeners.h"

#include <string_view>
#include <utility>

#include "app/listen_plan.h"
#include "http/message.h"
#include "http/response_head.h"
#include "net/file_descriptor.h"
#include "net/listening_socket.h"

namespace roomcast::app {

namespace {

/// The response to a plain HTTP request on a TLS port.
std::string answer_without_tls() {
  const auto response = http::Response::error(
      {base::Refusal::Code::https_required, "this port speaks TLS: use https:// or wss://"});
  http::HeadOptions options;
  options.keep_alive = false;
  return http::response_head(response, options).append(response.body.view());
}

// How often a free port is looked for that is free on both loopback addresses.
constexpr int localhost_attempts = 16;

}  // namespace

base::Result<std::shared_ptr<const net::TlsContext>> load_certificates(const config::Config& config) {
  std::vector<net::CertificateFiles> files;
  if (!config.tls.certificate.empty() || !config.tls.key.empty()) {
    files.push_back({config.tls.certificate, config.tls.key});
  }
  for (const config::Certificate& pair : config.tls.certificates)
    files.push_back({pair.certificate, pair.key});
  if (files.empty()) return std::shared_ptr<const net::TlsContext>();
  return net::TlsContext::load(files);
}

Listeners::Listeners(const net::Listener::Shared& shared, net::TlsShared& tls, net::ProxyPreambles& preambles)
    : shared_(shared), tls_(tls), preambles_(preambles) {
  tls_.set_without_tls(
      {answer_without_tls(), [&log = shared.log](std::string_view peer) {
         log.warn("a client speaks without TLS to a TLS port: answered 400", {{"peer", peer}});
       }});
}

std::optional<base::Error> Listeners::open(const config::Config& config,
                                           const std::vector<InheritedSocket>& inherited,
                                           std::shared_ptr<const net::TlsContext> certificates) {
  proxy_protocol_ = config.proxy_protocol;
  if (certificates) wrapper_.emplace(tls_, std::move(certificates));
  for (const InheritedSocket& socket : inherited) {
    auto adopted = net::ListeningSocket::adopt(net::FileDescriptor(socket.fd));
    if (!adopted) return base::Error{"inherited socket " + socket.name + ": " + adopted.error().message};
    const bool secure = socket.name.rfind("https", 0) == 0;
    if (auto error = add(std::move(*adopted), secure, net::Lane::regular)) return error;
  }
  if (inherited.empty()) {
    if (auto error = bind_all(config, net::Lane::regular)) return error;
  }
  return bind_all(config, net::Lane::operations);
}

std::optional<base::Error> Listeners::bind_all(const config::Config& config, net::Lane lane) {
  for (const std::string& text : lane == net::Lane::operations ? config.admin_listen : config.listen) {
    const auto address = net::Address::parse(text);
    if (!address) return base::Error{"cannot listen on " + text + ": " + address.error().message};
    const bool is_localhost = address->host == "localhost";
    if (auto error = is_localhost ? bind_localhost(*address, lane) : bind(*address, config, lane)) {
      return error;
    }
  }
  return std::nullopt;
}

std::optional<base::Error> Listeners::bind(const net::Address& address, const config::Config& config,
                                           net::Lane lane) {
  auto bound = net::ListeningSocket::bind(address, config.listen_unix_mode, ipv4_of(address, config));
  if (bound) return add(std::move(*bound), address.scheme == net::Address::Scheme::https, lane);
  if (address.host != "::" || !bound.error().is_missing()) return base::Error{bound.error().message};
  net::Address ipv4 = address;
  ipv4.host = "0.0.0.0";
  return bind(ipv4, config, lane);
}

std::optional<base::Error> Listeners::bind_localhost(const net::Address& address, net::Lane lane) {
  const bool secure = address.scheme == net::Address::Scheme::https;
  for (int attempts_left = localhost_attempts;; --attempts_left) {
    net::Address one = address;
    one.host = "127.0.0.1";
    auto four = net::ListeningSocket::bind(one, 0);
    if (!four) return base::Error{four.error().message};
    one.host = "::1";
    one.port = four->address().port;
    auto six = net::ListeningSocket::bind(one, 0);
    if (!six && six.error().is_in_use() && address.port == 0 && attempts_left > 1) continue;
    if (!six && !six.error().is_missing()) return base::Error{six.error().message};
    if (auto error = add(std::move(*four), secure, lane)) return error;
    return six ? add(std::move(*six), secure, lane) : std::nullopt;
  }
}

std::optional<base::Error> Listeners::add(net::ListeningSocket socket, bool secure, net::Lane lane) {
  if (secure && !wrapper_) return base::Error{"https needs tls.certificate and tls.key"};
  net::Listener::Options options;
  options.lane = lane;
  if (proxy_protocol_ && lane == net::Lane::regular) options.preambles = &preambles_;
  auto listener = net::Listener::start(shared_, std::move(socket), secure ? &*wrapper_ : nullptr, options);
  if (!listener) return listener.error();
  listeners_.push_back(std::move(*listener));
  return std::nullopt;
}

void Listeners::set_certificates(std::shared_ptr<const net::TlsContext> certificates) {
  if (wrapper_ && certificates) wrapper_->set_context(std::move(certificates));
}

std::string Listeners::urls_of(net::Lane lane) const {
  std::string text;
  for (const auto& listener : listeners_) {
    if (listener->lane() != lane) continue;
    if (!text.empty()) text += ' ';
    text += listener->url();
  }
  return text;
}

}  // namespace roomcast::app
