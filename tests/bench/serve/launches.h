#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/server_process.h"
#include "serve/servers.h"

namespace roomcast::bench {

/// How each server is started, on any CPU; nothing when it is not installed here, or `binary` is empty.
[[nodiscard]] std::optional<ServerProcess::Launch> launch_roomcast(const ServerNeeds& needs,
                                                                   const std::filesystem::path& binary);
/// roomcast with the defaults that its users have, but for `settings` ("limits.connections=1000").
[[nodiscard]] ServerProcess::Launch launch_with_defaults(const std::filesystem::path& binary, bool tls,
                                                         const std::vector<std::string>& settings);
[[nodiscard]] std::optional<ServerProcess::Launch> launch_floor(const ServerNeeds& needs, bool join);
[[nodiscard]] std::optional<ServerProcess::Launch> launch_nchan(const ServerNeeds& needs);
[[nodiscard]] std::optional<ServerProcess::Launch> launch_ws(const ServerNeeds& needs);

/// The roomcast beside this program, else the one in PATH; empty when there is none. Never throws.
[[nodiscard]] std::filesystem::path roomcast_binary();
/// nginx, when its nchan module is installed too; else empty. Never throws.
[[nodiscard]] std::filesystem::path nginx_with_nchan();
/// The server for the npm package `ws`, when that is installed and Node is; else empty. Never throws.
[[nodiscard]] std::filesystem::path ws_script();

/// The program of this name in PATH or in the directories of the system's servers; empty when there is none.
[[nodiscard]] std::filesystem::path find_program(std::string_view name);

}  // namespace roomcast::bench
