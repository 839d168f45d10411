#pragma once

namespace roomcast::power_cut {

/// From now on this program's connections to SQLite are opened with synchronous=NORMAL where the store asks
/// for FULL: commits are synced with the next checkpoint only. A test of power cuts that finds nothing then
/// is no test.
void sync_less();

}  // namespace roomcast::power_cut
