#include "store/file_check.h"

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

namespace roomcast::store {

class FileCheck::Job final : public loop::ThreadJob {
 public:
  explicit Job(FileCheck& check) : check_(check), begun_us_(check.loop_.monotonic_us()) {}
  void run() noexcept override {
    if (!check_.is_ending_) damage_ = check_.database_.quick_check();
    check_.is_over_ = true;
  }
  void on_done() override {
    check_.listener_.on_file_checked(damage_, check_.loop_.monotonic_us() - begun_us_);
  }

 private:
  FileCheck& check_;
  std::int64_t begun_us_;
  base::Result<std::string, Fault> damage_{Fault{}};
};

FileCheck::FileCheck(loop::Loop& loop, Listener& listener, Database database)
    : loop_(loop), listener_(listener), database_(std::move(database)), thread_(loop, "store check") {
  thread_.start(std::make_unique<Job>(*this));
}

FileCheck::~FileCheck() {
  is_ending_ = true;
  // An interrupt counts only for what has begun.
  while (!is_over_) {
    database_.interrupt();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace roomcast::store
