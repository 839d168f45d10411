#pragma once

#include "app/core_parts.h"
#include "part/context.h"

namespace roomcast::app {

/// Makes every part there is and adds it to `parts`, in the order of the list.
void make_parts(const Core& core, const part::Context& context, part::Parts& parts);

}  // namespace roomcast::app
