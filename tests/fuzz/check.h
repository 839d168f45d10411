#pragma once

#include <cstdlib>
#include <iostream>

/// Checks a property in every build type: prints the violated one and aborts.
#define FUZZ_CHECK(condition)                                                                     \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      std::cerr << __FILE__ << ':' << __LINE__ << ": does not hold: " << #condition << std::endl; \
      std::abort();                                                                               \
    }                                                                                             \
  } while (false)
