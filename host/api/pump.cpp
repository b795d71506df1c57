// SPDX-License-Identifier: Apache-2.0
#include "pump.h"

#include <boost/asio/post.hpp>

namespace poplink::host::api {

namespace {

/// Kept by the stream, so that it goes with it.
class Pump : public std::enable_shared_from_this<Pump> {
 public:
  Pump(boost::asio::io_context& context, const std::shared_ptr<Stream>& stream, std::function<Pumped(Stream&)> slice)
      : context_(context), stream_(stream), slice_(std::move(slice)) {}

  void wake() {
    if (std::exchange(posted_, true)) return;
    boost::asio::post(context_, [self = weak_from_this()] {
      if (const auto pump = self.lock()) pump->run();
    });
  }

 private:
  void run() {
    posted_ = false;
    const auto stream = stream_.lock();
    if (!stream || !stream->isOpen() || stream->waiting() >= kPumpBytes) return;
    switch (slice_(*stream)) {
      case Pumped::more:
        wake();
        break;
      case Pumped::all:
        stream->end();
        break;
      case Pumped::cut:
        break;
    }
  }

  boost::asio::io_context& context_;
  std::weak_ptr<Stream> stream_;
  std::function<Pumped(Stream&)> slice_;
  bool posted_ = false;
};

}  // namespace

void pump(boost::asio::io_context& context, const std::shared_ptr<Stream>& stream,
          std::function<Pumped(Stream&)> slice) {
  const auto made = std::make_shared<Pump>(context, stream, std::move(slice));
  stream->on_taken = [made] { made->wake(); };
  made->wake();
}

}  // namespace poplink::host::api
