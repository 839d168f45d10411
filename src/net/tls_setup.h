#pragma once

#include <optional>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;

namespace roomcast::net {

/// The reason of the last failed OpenSSL call, from the error queue of the thread, which is cleared: the
/// earliest entry is the cause, later ones only passed it on.
[[nodiscard]] std::string take_openssl_error();

/// Files of a certificate with its chain, leaf first, and of its private key, both PEM.
struct CertificateFiles {
  std::string certificate;
  std::string key;
};

/// What servers and clients have in common: TLS 1.2 and 1.3 with forward secrecy, no renegotiation, no
/// compression, no session cache, no prompts.
void configure_tls(ssl_ctx_st* context);

/// Whether something other than a file exists at `path`, as an error: opening a FIFO would block.
[[nodiscard]] std::optional<base::Error> check_is_file(const std::string& path);

/// Makes `context` use this certificate. An error names the file and what is wrong with it.
[[nodiscard]] std::optional<base::Error> use_certificate(ssl_ctx_st* context, const CertificateFiles& files);

}  // namespace roomcast::net
