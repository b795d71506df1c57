// SPDX-License-Identifier: Apache-2.0
#include "host_interface.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace poplink::sim {

namespace {

constexpr int kLargestMtu = 9202;  // a frame of 9216 bytes

HostInterfaceError systemError(const std::string& what) {
  return HostInterfaceError(what + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// This thread is in another network namespace until the scope ends.
class InNamespace {
 public:
  explicit InNamespace(const std::string& path) : home_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    if (path.empty()) return;
    const Descriptor there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (there.get() < 0) throw systemError("network namespace " + path);
    if (::setns(there.get(), CLONE_NEWNET) != 0) throw systemError("entering network namespace " + path);
    moved_ = true;
  }
  ~InNamespace() {
    if (moved_) static_cast<void>(::setns(home_.get(), CLONE_NEWNET));
  }
  InNamespace(const InNamespace&) = delete;
  InNamespace& operator=(const InNamespace&) = delete;

 private:
  Descriptor home_;
  bool moved_ = false;
};

ifreq requestFor(const std::string& name) {
  ifreq request{};
  if (name.empty() || name.size() >= IFNAMSIZ)
    throw HostInterfaceError("'" + name + "' is no name for an interface (1 to 15 characters)");
  std::memcpy(request.ifr_name, name.data(), name.size());
  return request;
}

/// Control calls on an interface of the current namespace.
void bringUp(const std::string& name) {
  const Descriptor control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = requestFor(name);
  request.ifr_mtu = kLargestMtu;
  static_cast<void>(::ioctl(control.get(), SIOCSIFMTU, &request));  // best effort: the user sets what the test needs
  request = requestFor(name);
  if (::ioctl(control.get(), SIOCGIFFLAGS, &request) != 0) throw systemError("interface " + name);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (::ioctl(control.get(), SIOCSIFFLAGS, &request) != 0) throw systemError("bringing up interface " + name);
}

class Tap : public HostInterface {
 public:
  explicit Tap(const std::string& name) : fd_(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)) {
    if (fd_.get() < 0) throw systemError("TAP " + name + ": /dev/net/tun");
    ifreq request = requestFor(name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (::ioctl(fd_.get(), TUNSETIFF, &request) != 0) throw systemError("TAP " + name);
    bringUp(name);
  }
  int descriptor() const override { return fd_.get(); }
  const char* kind() const override { return "TAP"; }
  std::span<const std::uint8_t> take(std::span<std::uint8_t> buffer) override {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    return buffer.first(got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  bool give(std::span<const std::uint8_t> frame) override {
    return ::write(fd_.get(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
  }

 private:
  Descriptor fd_;
};

/// Runs `ip` in the current namespace; the text of its failure.
std::string runIp(std::vector<std::string> arguments) {
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return std::strerror(errno);
  const Descriptor reader(out[0]);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], STDERR_FILENO);
    std::vector<char*> argv;
    arguments.insert(arguments.begin(), "ip");
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execvp("ip", argv.data());
    ::_exit(127);
  }
  ::close(out[1]);
  std::string text;
  char part[256];
  for (ssize_t got = 0; (got = ::read(reader.get(), part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(got));
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) return text.empty() ? "cannot run ip" : text;
  return "";
}

/// veth pair in the current namespace: `name` is the host's end, `name`-card ours.
class PacketInterface : public HostInterface {
 public:
  PacketInterface(const std::string& name, const std::string& netns) : netns_(netns), ours_(name + "-card") {
    if (const std::string problem = runIp({"link", "add", name, "type", "veth", "peer", "name", ours_});
        !problem.empty()) {
      throw HostInterfaceError("veth pair " + name + ": " + problem);
    }
    for (const std::string& end : {name, ours_}) {
      noOffload(end);
      bringUp(end);
    }
    open();
  }
  ~PacketInterface() override {
    try {
      const InNamespace there(netns_);
      runIp({"link", "delete", ours_});
    } catch (const HostInterfaceError&) {  // the namespace is gone, and the pair with it
    }
  }
  int descriptor() const override { return fd_; }
  const char* kind() const override { return "AF_PACKET"; }
  std::span<const std::uint8_t> take(std::span<std::uint8_t> buffer) override {
    for (;;) {
      sockaddr_ll from{};
      socklen_t length = sizeof from;
      const ssize_t got = ::recvfrom(fd_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (got <= 0) return {};
      if (from.sll_pkttype != PACKET_OUTGOING) return buffer.first(static_cast<std::size_t>(got));
    }
  }
  bool give(std::span<const std::uint8_t> frame) override {
    return ::send(fd_, frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
  }

 private:
  /// Segmentation and checksums are the kernel's work here: what a veth passes on must be a frame as on a wire.
  static void noOffload(const std::string& name) {
    const Descriptor control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    for (const unsigned command :
         {unsigned{ETHTOOL_STXCSUM}, unsigned{ETHTOOL_STSO}, unsigned{ETHTOOL_SGSO}, unsigned{ETHTOOL_SGRO}}) {
      ethtool_value value{command, 0};
      ifreq request = requestFor(name);
      request.ifr_data = reinterpret_cast<char*>(&value);
      static_cast<void>(::ioctl(control.get(), SIOCETHTOOL, &request));  // a kernel without one of them has it off
    }
  }
  void open() {
    fd_holder_ =
        std::make_unique<Descriptor>(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    fd_ = fd_holder_->get();
    if (fd_ < 0) throw systemError("packet socket for " + ours_);
    ifreq request = requestFor(ours_);
    if (::ioctl(fd_, SIOCGIFINDEX, &request) != 0) throw systemError("interface " + ours_);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = request.ifr_ifindex;
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw systemError("packet socket for " + ours_);
    packet_mreq promiscuous{};
    promiscuous.mr_ifindex = request.ifr_ifindex;
    promiscuous.mr_type = PACKET_MR_PROMISC;
    ::setsockopt(fd_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous);
  }

  std::string netns_, ours_;
  std::unique_ptr<Descriptor> fd_holder_;
  int fd_ = -1;
};

}  // namespace

std::unique_ptr<HostInterface> makeHostInterface(const std::string& name, const std::string& netns, AttachBy attach) {
  const InNamespace there(netns);
  if (attach == AttachBy::packet) return std::make_unique<PacketInterface>(name, netns);
  try {
    return std::make_unique<Tap>(name);
  } catch (const HostInterfaceError& tap_problem) {
    if (attach == AttachBy::tap) throw;
    try {
      return std::make_unique<PacketInterface>(name, netns);
    } catch (const HostInterfaceError& problem) {
      throw HostInterfaceError(std::string(tap_problem.what()) + "; and " + problem.what());
    }
  }
}

}  // namespace poplink::sim
