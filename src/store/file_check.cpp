#include "store/file_check.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "store/history_slices.h"

namespace roomcast::store {

class FileCheck::Job final : public loop::ThreadJob {
 public:
  explicit Job(FileCheck& check) : check_(check), begun_us_(check.loop_.monotonic_us()) {}
  void run() noexcept override {
    const base::Result<std::string, Fault> damage = check_.check();
    outcome_.damage = damage ? *damage : damage.error().message;
    outcome_.is_sliced = check_.phase_.exchange(Phase::over) == Phase::slices;
  }
  void on_done() override {
    outcome_.took_us = check_.loop_.monotonic_us() - begun_us_;
    check_.listener_.on_file_checked(outcome_);
  }

 private:
  FileCheck& check_;
  std::int64_t begun_us_;
  Outcome outcome_;
};

FileCheck::FileCheck(loop::Loop& loop, Listener& listener, Database database)
    : loop_(loop), listener_(listener), database_(std::move(database)), thread_(loop, "store check") {
  thread_.start(std::make_unique<Job>(*this));
}

FileCheck::~FileCheck() {
  is_ending_ = true;
  // An interrupt counts only for what has begun.
  while (phase_ != Phase::over) {
    database_.interrupt();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void FileCheck::go_on_in_slices() {
  wants_slices_ = true;
  if (phase_ == Phase::whole) database_.interrupt();
}

base::Result<std::string, Fault> FileCheck::check() {
  if (is_ending_) return std::string();
  if (!wants_slices_) {
    base::Result<std::string, Fault> found = database_.quick_check();
    // One that was interrupted may also say that the pages it has not seen are not in use.
    if (!wants_slices_ || (found && found->empty())) return found;
  }
  phase_ = Phase::slices;
  return check_slices();
}

base::Result<std::string, Fault> FileCheck::check_slices() {
  base::Result<HistorySlices, Fault> slices = HistorySlices::prepare(database_);
  if (!slices) return std::move(slices.error());
  bool has_failed = false;
  while (!is_ending_) {
    const auto begun = std::chrono::steady_clock::now();
    const base::Result<bool, Fault> has_more = slices->read_next();
    // The interrupt may have come late: once more, then.
    if (!has_more && std::exchange(has_failed, true)) return has_more.error();
    if (!has_more) continue;
    if (!*has_more) break;
    has_failed = false;
    // As long as it took, so that the WAL is not in use all the time and the disk is there for others.
    std::this_thread::sleep_for(std::chrono::steady_clock::now() - begun);
  }
  return std::string();
}

}  // namespace roomcast::store
