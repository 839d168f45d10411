#pragma once

#include <cstdlib>
#include <iostream>

/// A property that must hold in every build type: says which one does not, and aborts.
#define FUZZ_CHECK(condition)                                                                     \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      std::cerr << __FILE__ << ':' << __LINE__ << ": does not hold: " << #condition << std::endl; \
      std::abort();                                                                               \
    }                                                                                             \
  } while (false)
