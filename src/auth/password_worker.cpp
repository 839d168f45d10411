#include "auth/password_worker.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

namespace roomcast::auth {

namespace {

void wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace

class PasswordWorker::Check final : public loop::ThreadJob {
 public:
  Check(PasswordWorker& worker, base::SlotId id, PasswordHash hash, std::string password)
      : worker_(worker), id_(id), hash_(std::move(hash)), password_(std::move(password)) {}
  ~Check() override { wipe(password_); }

  void run() noexcept override {
    try {
      matches_ = hash_.matches(password_);
    } catch (const std::exception&) {
      matches_.reset();  // no memory
    }
  }
  void on_done() override { worker_.on_checked(id_, matches_); }

 private:
  PasswordWorker& worker_;
  base::SlotId id_;
  PasswordHash hash_;
  std::string password_;
  std::optional<bool> matches_;
};

std::optional<base::SlotId> PasswordWorker::check(PasswordHash hash, std::string password, Done done) {
  if (waiting_.size() >= limits_.waiting) {
    ++stats_.refused;
    wipe(password);
    return std::nullopt;
  }
  const base::SlotId id = tasks_.insert({std::move(done), std::move(hash), std::move(password)});
  waiting_.push_back(id);
  start_some();
  return id;
}

void PasswordWorker::cancel(base::SlotId id) {
  Task* const task = tasks_.find(id);
  if (task == nullptr) return;
  task->done = nullptr;
  if (!task->hash) return;  // it runs
  ++stats_.cancelled;
  wipe(task->password);
  waiting_.erase(std::find(waiting_.begin(), waiting_.end(), id));
  (void)tasks_.take(id);
}

void PasswordWorker::start_some() {
  while (!waiting_.empty() && pool_.size() < limits_.at_a_time) {
    const base::SlotId id = waiting_.front();
    waiting_.pop_front();
    Task& task = *tasks_.find(id);
    pool_.start(std::make_unique<Check>(*this, id, *std::move(task.hash), std::move(task.password)));
    task.hash.reset();
  }
}

void PasswordWorker::on_checked(base::SlotId id, std::optional<bool> matches) {
  ++stats_.checked;
  const Task task = tasks_.take(id);
  start_some();
  if (task.done) task.done(matches);
}

}  // namespace roomcast::auth
