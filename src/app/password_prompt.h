#pragma once

#include <string>

#include "base/result.h"

namespace roomcast::app {

/// Asks for a new password at the terminal of standard input, twice and without showing it. An error if both
/// differ. The terminal shows what is typed again afterwards, also after an interrupt.
[[nodiscard]] base::Result<std::string> prompt_for_password();

/// The first line of a descriptor, without its end. At most 4 KiB are read.
[[nodiscard]] base::Result<std::string> read_password_line(int descriptor);

}  // namespace roomcast::app
