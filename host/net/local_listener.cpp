// SPDX-License-Identifier: Apache-2.0
#include "local_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace poplink::host {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

namespace {

/// " (NAME, process NUMBER)" of who listens at the other end; empty: it cannot be known.
std::string peerOf(Local::socket& connected) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connected.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid == 0) return "";
  std::string name;
  std::getline(std::ifstream("/proc/" + std::to_string(peer.pid) + "/comm"), name);
  return " (" + name + (name.empty() ? "" : ", ") + "process " + std::to_string(peer.pid) + ")";
}

/// Makes room at `path`: a dead socket goes away, anything else stays and is an error.
void removeDeadSocket(asio::io_context& context, const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) throw std::runtime_error(path + ": is there and is no socket");
  boost::system::error_code error;
  Local::socket probe(context);
  probe.open();
  probe.non_blocking(true);  // a listener that does not accept is alive, too
  probe.connect(Local::endpoint(path), error);
  if (!error || error == asio::error::would_block)
    throw std::runtime_error(path + ": another program listens there" + (error ? "" : peerOf(probe)));
  if (error != asio::error::connection_refused) throw std::runtime_error(path + ": " + error.message());
  ::unlink(path.c_str());
}

}  // namespace

Local::acceptor listenAt(asio::io_context& context, const std::string& path, std::optional<mode_t> mode) {
  if (path.size() >= sizeof sockaddr_un{}.sun_path)
    throw std::runtime_error(path + ": is too long for the path of a socket");
  removeDeadSocket(context, path);
  const Local::endpoint endpoint(path);
  Local::acceptor acceptor(context);
  boost::system::error_code error;
  acceptor.open(endpoint.protocol());
  // The file gets the mode that the socket has, less the umask.
  if (mode && ::fchmod(acceptor.native_handle(), *mode) != 0) error = {errno, boost::system::system_category()};
  if (!error) acceptor.bind(endpoint, error);
  if (!error && mode && ::chmod(path.c_str(), *mode) != 0) error = {errno, boost::system::system_category()};
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) throw std::runtime_error(path + ": " + error.message());
  return acceptor;
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat status{};
  if (::lstat(path_.c_str(), &status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

SocketFile::~SocketFile() {
  struct stat status{};
  if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_)
    ::unlink(path_.c_str());
}

void makeFolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  struct stat status{};
  if (folder.empty() || ::stat(folder.c_str(), &status) == 0) return;
  // chmod, because the umask of who starts us is none of the folder's business.
  if (::mkdir(folder.c_str(), 0755) != 0 || ::chmod(folder.c_str(), 0755) != 0)
    throw std::runtime_error(folder + ": cannot be made: " + std::generic_category().message(errno));
}

}  // namespace poplink::host
