#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "load/client.h"
#include "load/compressed_stamps.h"
#include "load/poller.h"
#include "load/target.h"
#include "load/tls_client.h"

namespace roomcast::bench {

/// What all clients of a crowd share, so that each of them stays small. Owned by the crowd.
struct ClientShare {
  Poller& poller;
  ClientEvents& events;
  Target target;
  ClientKind kind;
  std::function<std::string(std::size_t index)> path;
  std::unique_ptr<TlsClient> tls;                  ///< where the target speaks TLS
  std::unique_ptr<CompressedStamps> compressed{};  ///< where deflate is offered
  std::vector<char> incoming{};                    ///< what a client reads into, one after the other
  std::string outgoing{};                          ///< where frames are laid down before they are written
  std::size_t stamp_place = 0;                     ///< see `read_stamp`
  std::string complaint{};                         ///< the first, see `Crowd::first_complaint`
};

}  // namespace roomcast::bench
