#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <string>

namespace roomcast::test {

/// Redirects standard error to a file.
class CapturedStderr {
 public:
  CapturedStderr() : file_(std::tmpfile()), saved_(::dup(STDERR_FILENO)) {
    ::dup2(fileno(file_), STDERR_FILENO);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  ~CapturedStderr() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    std::fclose(file_);
  }

  std::string text() {
    std::string out(static_cast<std::size_t>(::lseek(fileno(file_), 0, SEEK_END)), '\0');
    const auto got = ::pread(fileno(file_), out.data(), out.size(), 0);
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }

 private:
  std::FILE* file_;
  int saved_;
};

}  // namespace roomcast::test
