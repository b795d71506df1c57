// SPDX-License-Identifier: Apache-2.0
#include "stream.h"

namespace poplink::host::api {

namespace {

std::string compact(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string Stream::written(const Json& record) const {
  return format_ == Format::lines ? compact(record) + "\n" : "data: " + compact(record) + "\n\n";
}

void Stream::send(Json record) {
  if (!open_) return;
  if (lost_ != 0) record["lost"] = record.value("lost", std::uint64_t{0}) + lost_;
  const std::string text = written(record);
  if (!waiting_.empty() && waiting_.size() + text.size() > limit_) {
    // What this one tells of others is lost with it.
    lost_ = record.value("lost", std::uint64_t{0}) + 1;
    return;
  }
  lost_ = 0;
  waiting_ += text;
  wake_();
}

void Stream::put(const Json& record) {
  if (!open_) return;
  waiting_ += written(record);
  wake_();
}

void Stream::end() {
  if (!open_) return;
  open_ = false;
  ended_ = true;
  if (lost_ != 0) waiting_ += written({{"lost", lost_}});
  wake_();
}

std::string Stream::take() {
  if (!waiting_.empty() && on_taken) on_taken();
  return std::exchange(waiting_, {});
}

void Stream::close() {
  open_ = false;
  wake_ = [] {};
  on_taken = nullptr;
  if (const auto closed = std::exchange(on_closed, nullptr)) closed();
}

void Streams::forgetClosed() {
  std::erase_if(streams_, [](const std::weak_ptr<Stream>& one) {
    const auto stream = one.lock();
    return !stream || !stream->isOpen();
  });
}

void Streams::send(const Json& record) {
  forgetClosed();
  for (const auto& one : streams_) {
    if (const auto stream = one.lock()) stream->send(record);
  }
}

std::size_t Streams::size() {
  forgetClosed();
  return streams_.size();
}

}  // namespace poplink::host::api
