#pragma once

#include <optional>

#include "config/config.h"
#include "config/value.h"

namespace roomcast::config {

/// Reads one element of `tls.certificates`.
[[nodiscard]] std::optional<Mistake> read_certificate(const Table& table, Certificate& certificate);

}  // namespace roomcast::config
