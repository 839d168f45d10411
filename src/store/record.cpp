#include "store/record.h"

namespace roomcast::store {}  // namespace roomcast::store
