#pragma once

#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "measurement.h"
#include "scenario/scenarios.h"
#include "serve/servers.h"

namespace roomcast::bench {

/// What a row's figures are divided by, in the same round.
enum class Base {
  none,
  send,    ///< the floor that makes one send for each delivery
  join,    ///< the floor that makes one send for each subscriber and turn
  raw,     ///< roomcast itself, raw WebSocket
  before,  ///< another roomcast, for all rows that have a base (`--before`)
};

/// One figure of a row.
struct Value {
  std::string_view name;  ///< with its unit: "us per delivery"
  double goal = 0;        ///< at most; of the ratio where the row has a base
  double (*of)(const Measurement&) = nullptr;
};

struct Row {
  std::string_view name;
  ServerNeeds needs;
  ClientKind kind;
  Base base = Base::none;
  bool peers = false;  ///< nchan and ws take part where they are installed; not where they would take minutes
  Measurement (*run)(const Target&, const Common&) = nullptr;
  std::vector<Value> values;
};

/// All that `./dev bench` measures, in the order of the table.
[[nodiscard]] std::vector<Row> matrix_rows();

}  // namespace roomcast::bench
