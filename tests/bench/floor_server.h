#pragma once

namespace roomcast::bench {

/// The least a server can do: accepts, answers any request head with a fixed 101, and for every frame a
/// client sends makes one send(2) of it, unmasked, to every connection. Listens on a free port of 127.0.0.1,
/// prints `http://127.0.0.1:PORT` on standard error like roomcast does, and serves until it is killed.
[[noreturn]] void run_floor_server();

}  // namespace roomcast::bench
