#include "http/chunk_scanner.h"

#include <algorithm>
#include <string>
#include <utility>

namespace roomcast::http {

HeadScanner::Verdict ChunkScanner::scan(std::string_view bytes, std::size_t& used, std::string& plain) {
  using Verdict = HeadScanner::Verdict;
  used = 0;
  while (used < bytes.size() && state_ < State::trailers) {
    if (state_ == State::data) {
      const auto taken = std::min<std::uint64_t>(left_, bytes.size() - used);
      plain += bytes.substr(used, static_cast<std::size_t>(taken));
      used += static_cast<std::size_t>(taken);
      left_ -= taken;
      if (left_ == 0) state_ = State::data_cr;
    } else {
      step(static_cast<unsigned char>(bytes[used]));
      if (state_ != State::extension && state_ != State::refused) plain += bytes[used];
      ++used;
      ++framing_bytes_;
    }
  }
  if (state_ == State::trailers) {
    std::size_t trailer_bytes = 0;
    const Verdict verdict = trailers_.scan(bytes.substr(used), trailer_bytes);
    plain += bytes.substr(used, trailer_bytes);
    used += trailer_bytes;
    framing_bytes_ += trailer_bytes;
    if (verdict == Verdict::complete) state_ = State::complete;
    if (verdict == Verdict::refused) {
      plain.pop_back();
      refuse(trailers_.problem());
    }
  }
  if (state_ == State::complete) return Verdict::complete;
  return state_ == State::refused ? Verdict::refused : Verdict::need_more;
}

void ChunkScanner::step(unsigned char byte) {
  switch (state_) {
    case State::size:
      return size(byte);
    case State::extension:
      return extension(byte);
    case State::size_lf:
      return expect(byte, '\n', left_ == 0 ? State::trailers : State::data);
    case State::data_cr:
      return expect(byte, '\r', State::data_lf);
    case State::data_lf:
      return expect(byte, '\n', State::size);
    default:
      return;
  }
}

void ChunkScanner::size(unsigned char byte) {
  constexpr std::uint32_t max_digits = 16;
  if (byte == '\r') return finish_size(State::size_lf);
  if (byte == ';') return finish_size(State::extension);
  const auto position = std::string_view("0123456789abcdefABCDEF").find(static_cast<char>(byte));
  if (position == std::string_view::npos || ++digits_ > max_digits) {
    return refuse(base::bad_request("a chunk size is not 1 to 16 hexadecimal digits"));
  }
  const auto digit = static_cast<std::uint64_t>(position < 16 ? position : position - 6);
  left_ = left_ * 16 + digit;
}

void ChunkScanner::finish_size(State next) {
  if (digits_ == 0) return refuse(base::bad_request("a chunk without a size"));
  if (left_ > limits_.body_bytes || total_ > limits_.body_bytes - left_) {
    return refuse({base::Refusal::Code::content_too_large,
                   "the body is longer than limits.body_bytes (" + std::to_string(limits_.body_bytes) + ")"});
  }
  total_ += left_;
  digits_ = 0;
  state_ = next;
}

void ChunkScanner::extension(unsigned char byte) {
  if (byte == '\r') {
    state_ = State::size_lf;
  } else if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
    refuse(base::bad_request("invalid byte in a chunk extension"));
  } else if (++extension_total_ > extension_bytes) {
    refuse(base::bad_request("chunk extensions longer than " + std::to_string(extension_bytes) + " bytes"));
  }
}

void ChunkScanner::expect(unsigned char byte, char wanted, State next) {
  if (byte != static_cast<unsigned char>(wanted))
    return refuse(base::bad_request("a chunk's line does not end in CRLF"));
  state_ = next;
}

void ChunkScanner::refuse(base::Refusal problem) {
  problem_ = std::move(problem);
  state_ = State::refused;
}

}  // namespace roomcast::http
