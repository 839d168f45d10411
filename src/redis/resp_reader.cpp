#include "redis/resp_reader.h"

#include <algorithm>
#include <span>
#include <utility>

namespace roomcast::redis {

namespace {

// Larger buffers are given back once their value is done with.
constexpr std::size_t kept_buffer_bytes = std::size_t{256} << 10U;
constexpr std::size_t kept_values = 4'096;

template <class Buffer>
void release(Buffer& buffer, std::size_t kept) {
  if (buffer.capacity() > kept) {
    Buffer().swap(buffer);
  } else {
    buffer.clear();
  }
}

}  // namespace

void RespReader::add(std::string_view bytes) {
  if (!error_.empty()) return;
  drop_returned();
  // Only if at least half of it goes: what is moved is paid for by what has gone.
  if (start_ > 0 && start_ >= bytes_.size() / 2) {
    bytes_.erase(0, start_);
    start_ = 0;
  }
  bytes_.append(bytes);
}

const Value* RespReader::next() {
  if (!error_.empty()) return nullptr;
  drop_returned();
  if (!scan()) {
    if (!error_.empty()) {
      release(bytes_, 0);
      release(tokens_, 0);
      release(values_, 0);
      start_ = 0;
      at_ = 0;
    }
    return nullptr;
  }
  if (values_.size() < tokens_.size()) values_.resize(std::max(tokens_.size(), std::size_t{16}));
  built_tokens_ = 0;
  built_values_ = 1;
  build(values_.front());
  returned_bytes_ = std::exchange(at_, 0);
  searched_ = 0;
  items_ = 0;
  return values_.data();
}

std::size_t RespReader::held_bytes() const {
  return bytes_.capacity() + open_.capacity() * sizeof(Open) + tokens_.capacity() * sizeof(Token) +
         values_.capacity() * sizeof(Value);
}

void RespReader::drop_returned() {
  if (returned_bytes_ == 0) return;
  start_ += std::exchange(returned_bytes_, 0);
  release(tokens_, kept_values);
  if (values_.capacity() > kept_values) release(values_, kept_values);
  if (start_ < bytes_.size()) return;
  release(bytes_, kept_buffer_bytes);
  start_ = 0;
}

/// Makes the next token into `value`, with all its items: those of an aggregate stand together.
void RespReader::build(Value& value) {
  const Token& token = tokens_[built_tokens_++];
  value.type = token.type;
  value.integer = token.integer;
  value.text = {};
  value.items = {};
  switch (token.type) {
    case Value::Type::array:
    case Value::Type::set:
    case Value::Type::map:
    case Value::Type::push: {
      const std::span<Value> items = std::span(values_).subspan(built_values_, token.size);
      built_values_ += token.size;
      value.items = items;
      for (Value& item : items)
        build(item);
      break;
    }
    default:
      value.text = std::string_view(bytes_).substr(start_ + token.begin, token.size);
  }
}

}  // namespace roomcast::redis
