#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store_bench/subject.h"

namespace roomcast::store_bench {

/// What is published.
struct Load {
  enum class Rooms { in_turn, zipf, uniform };

  std::string name;
  std::uint32_t rooms = 1'000;
  Rooms choice = Rooms::in_turn;
  std::size_t payload_bytes = 100;
  std::uint64_t a_second = 0;  ///< 0: as many as the queue takes
  double seconds = 0;          ///< 0: `messages` of them
  std::uint64_t messages = 0;
};

/// What came of it; named, so that a row can be shown of any.
struct Figures {
  double cpu_us = 0;        ///< of the process, a message
  double device_bytes = 0;  ///< that the process has caused to be written, a message
  double p50_ms = 0;        ///< from taking a message to its being on the disk
  double p99_ms = 0;
  double a_second = 0;      ///< messages
  double resident_mib = 0;  ///< the most that the process had of its own, without the kernel's cache
};

/// What `work` returns in a process of its own, so that what it uses is its own, too. The program ends if it
/// fails.
[[nodiscard]] std::vector<double> run_apart(const std::function<std::vector<double>()>& work);

using Maker = std::function<std::unique_ptr<Subject>(const Parts&)>;

/// Runs the load once, in a process of its own, over an empty directory.
[[nodiscard]] Figures run_load(const Load& load, const Maker& maker, const std::string& directory);

/// How long it takes to begin with what is stored.
struct StartFigures {
  double open_ms = 0;
  double first_page_ms = 0;
  double cold_p50_ms = 0;  ///< pages of rooms that were not read before, the files not in memory
  double cold_p99_ms = 0;
  double hot_p99_ms = 0;  ///< the same pages again
  double disk_bytes = 0;  ///< of all files, a message
};
/// Stores that many messages in that many rooms, ends without a clean stop, and starts anew.
[[nodiscard]] StartFigures run_start(std::uint64_t messages, std::uint32_t rooms,
                                     const std::string& directory);

}  // namespace roomcast::store_bench
