#include "app/listeners.h"

#include <utility>

#include "net/address.h"
#include "net/file_descriptor.h"
#include "net/listening_socket.h"

namespace roomcast::app {

namespace {

constexpr const char* refusal =
    "HTTP/1.1 429 Too Many Requests\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 106\r\n"
    "Connection: close\r\n\r\n"
    R"({"error":{"code":"too_many_connections","message":"limits.connections_per_address has been reached now"}})"
    "\n";

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

std::optional<base::Error> Listeners::open(const config::Config& config,
                                           const std::vector<InheritedSocket>& inherited,
                                           std::shared_ptr<const net::TlsContext> certificates) {
  if (certificates) wrapper_.emplace(tls_, std::move(certificates));
  for (const InheritedSocket& socket : inherited) {
    auto adopted = net::ListeningSocket::adopt(net::FileDescriptor(socket.fd));
    if (!adopted) return base::Error{"inherited socket " + socket.name + ": " + adopted.error().message};
    const bool secure = socket.name.rfind("https", 0) == 0;
    if (auto error = add(std::move(*adopted), secure, net::Lane::regular)) return error;
  }
  if (inherited.empty()) {
    if (auto error = bind_all(config.listen, config.listen_unix_mode, net::Lane::regular)) return error;
  }
  return bind_all(config.admin_listen, config.listen_unix_mode, net::Lane::operations);
}

std::optional<base::Error> Listeners::bind_all(const std::vector<std::string>& addresses,
                                               std::uint32_t unix_mode, net::Lane lane) {
  for (const std::string& text : addresses) {
    const auto address = net::Address::parse(text);
    if (!address) return base::Error{"cannot listen on " + text + ": " + address.error().message};
    auto bound = net::ListeningSocket::bind(*address, unix_mode);
    if (!bound) return bound.error();
    const bool secure = address->scheme == net::Address::Scheme::https;
    if (auto error = add(std::move(*bound), secure, lane)) return error;
  }
  return std::nullopt;
}

std::optional<base::Error> Listeners::add(net::ListeningSocket socket, bool secure, net::Lane lane) {
  if (secure && !wrapper_) return base::Error{"https needs tls.certificate and tls.key"};
  net::Listener::Options options;
  options.lane = lane;
  options.refusal = refusal;
  auto listener =
      net::Listener::start(shared_, std::move(socket), secure ? &*wrapper_ : nullptr, std::move(options));
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
