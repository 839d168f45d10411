#pragma once

#include "access/policy.h"

namespace roomcast::access {

/// What decides whether a client may do what it asks for. One for each server.
struct Control {
  Policy policy;
};

}  // namespace roomcast::access
