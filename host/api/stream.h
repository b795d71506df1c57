// SPDX-License-Identifier: Apache-2.0
// An answer that goes on: one record after the other, for as long as the client listens. Whoever sends what happens
// never waits: what a slow client has no room for is lost, counted, and told with the next record it gets. Whoever
// tells what is there, and has more of it than shall be kept for a client, puts some of it and goes on when that was
// taken: pump().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "message.h"

namespace poplink::host::api {

/// One client's queue. On the thread of the server's io_context, as everything here.
class Stream {
 public:
  enum class Format {
    lines,  ///< application/x-ndjson: an object, a line
    events  ///< text/event-stream (HTML Living Standard, section 9.2): "data: OBJECT", an empty line
  };

  /// `limit`: bytes that wait for the client at most. `wake`: called when there is something to take.
  Stream(Format format, std::size_t limit, std::function<void()> wake)
      : format_(format), limit_(limit), wake_(std::move(wake)) {}
  ~Stream() { close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// An object. Records that were lost in front of it are added to its `lost`, or become it.
  void send(Json record);
  /// The same, but it is never lost: for who looks at waiting() first.
  void put(const Json& record);
  /// Bytes that wait for the client.
  std::size_t waiting() const { return waiting_.size(); }
  /// Called when what has waited is on its way to the client; not within put() or send().
  std::function<void()> on_taken;
  /// Nothing follows. What was lost at the end is told by a record with nothing else in it.
  void end();
  /// Whether somebody listens, and end() was not called.
  bool isOpen() const { return open_; }
  /// Called once, when the client has gone or has all of a stream that has ended; never within send() or end().
  std::function<void()> on_closed;

  // ---- for the session

  Format format() const { return format_; }
  /// What waits, in the stream's format.
  std::string take();
  /// Whether nothing will come behind what waits.
  bool hasEnded() const { return ended_; }
  /// The client has gone, or has everything.
  void close();

 private:
  std::string written(const Json& record) const;

  Format format_;
  std::size_t limit_;
  std::function<void()> wake_;
  std::string waiting_;
  std::uint64_t lost_ = 0;
  bool open_ = true, ended_ = false;
};

/// Clients that get the same records.
class Streams {
 public:
  void add(const std::shared_ptr<Stream>& stream) { streams_.push_back(stream); }
  void send(const Json& record);
  /// Those that still listen.
  std::size_t size();

 private:
  void forgetClosed();
  std::vector<std::weak_ptr<Stream>> streams_;
};

}  // namespace poplink::host::api
