#pragma once

#include <string_view>

namespace roomcast::config {

/// Whether Kubernetes sets the variable `name` for a Service that is called roomcast or roomcast-ANYTHING:
/// into every container of its namespace go ROOMCAST_SERVICE_HOST, ROOMCAST_SERVICE_PORT,
/// ROOMCAST_SERVICE_PORT_NAME, ROOMCAST_PORT=tcp://10.96.0.7:8080, and ROOMCAST_PORT_8080_TCP with _PROTO,
/// _PORT and _ADDR behind it. A plain ROOMCAST_PORT=8080 is an error of the user's and none of them.
[[nodiscard]] bool is_service_variable(std::string_view name, std::string_view value);

}  // namespace roomcast::config
