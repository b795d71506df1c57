// SPDX-License-Identifier: Apache-2.0
// Unix sockets that programs of this host find by their path (unix(7)).
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <optional>
#include <string>

namespace poplink::host {

/// Listens at `path`; a dead socket left there is replaced; a live one (the text says whose), or any other file, is an
/// error and stays. The caller removes the file. `mode`: of the file, whatever the umask is, and never wider on the
/// way; nothing: as the umask says. Two programs that start at the same moment over a dead socket are not kept apart.
/// Throws std::runtime_error.
boost::asio::local::stream_protocol::acceptor listenAt(boost::asio::io_context& context, const std::string& path,
                                                       std::optional<mode_t> mode = std::nullopt);

/// The file of a socket that listens, removed at the end unless another has taken its place.
class SocketFile {
 public:
  /// `path`: where a socket of ours was just made.
  explicit SocketFile(std::string path);
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// Makes the folder of `path` (mode 0755) when only that is missing. Throws std::runtime_error.
void makeFolderOf(const std::string& path);

}  // namespace poplink::host
