#pragma once

#include "access/policy.h"
#include "access/rates.h"
#include "access/sanctions.h"
#include "base/refusal_tally.h"

namespace roomcast::access {

/// What decides whether a client may do what it asks for, and what has been refused. One for each server.
struct Control {
  Policy policy;
  Rates rates;
  base::RefusalTally refused;
  Sanctions sanctions;
};

}  // namespace roomcast::access
