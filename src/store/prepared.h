#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/database.h"

namespace roomcast::store {

/// Prepares several statements, until the first fault.
class Prepared {
 public:
  /// The database must outlive it, and what is taken.
  explicit Prepared(Database& database) : database_(database) {}

  void add(std::string_view sql) {
    if (fault_) return;
    base::Result<Statement, Fault> statement = database_.prepare(sql);
    if (statement) {
      statements_.push_back(std::move(*statement));
    } else {
      fault_ = std::move(statement.error());
    }
  }
  [[nodiscard]] std::optional<Fault>& fault() { return fault_; }
  /// Without a fault only. `index`: in the order in which they were added.
  [[nodiscard]] Statement take(std::size_t index) { return std::move(statements_[index]); }

 private:
  Database& database_;
  std::vector<Statement> statements_;
  std::optional<Fault> fault_;
};

}  // namespace roomcast::store
