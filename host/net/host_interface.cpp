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

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "poplink/driver/descriptor.h"

namespace poplink::host {

namespace {

constexpr int kLargestMtu = 9202;  // a frame of 9216 bytes

HostInterfaceError systemError(const std::string& what) {
  return HostInterfaceError(what + ": " + std::strerror(errno));
}

using driver::Descriptor;

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

/// For control calls on interfaces of the namespace that is current now, in another one too.
Descriptor controlSocket() {
  return Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void setUp(const Descriptor& control, const std::string& name, bool up) {
  ifreq request = requestFor(name);
  if (::ioctl(control.get(), SIOCGIFFLAGS, &request) != 0) throw systemError("interface " + name);
  request.ifr_flags = static_cast<short>(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
  if (::ioctl(control.get(), SIOCSIFFLAGS, &request) != 0)
    throw systemError((up ? "bringing up interface " : "taking down interface ") + name);
}

void bringUp(const std::string& name) {
  const Descriptor control = controlSocket();
  ifreq request = requestFor(name);
  request.ifr_mtu = kLargestMtu;
  static_cast<void>(::ioctl(control.get(), SIOCSIFMTU, &request));  // best effort: the user sets what the test needs
  setUp(control, name, true);
}

class Tap : public HostInterface {
 public:
  explicit Tap(const std::string& name) : name_(name), fd_(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)) {
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
    if (got < 0 && errno == EBADFD) throw HostInterfaceError("interface " + name_ + " is gone");
    return buffer.first(got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  bool give(std::span<const std::uint8_t> frame) override {
    return ::write(fd_.get(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
  }
  void setCarrier(bool up) override {
    const int carrier = up ? 1 : 0;
    if (::ioctl(fd_.get(), TUNSETCARRIER, &carrier) != 0) throw systemError("carrier of interface " + name_);
  }

 private:
  std::string name_;
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
  if (child >= 0 && ::waitpid(child, &status, 0) == child && status == 0) return "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "cannot run ip" : text;
}

/// A pair of veth interfaces in the current namespace, gone with the object.
class VethPair {
 public:
  VethPair(const std::string& name, const std::string& peer, const std::string& netns) : peer_(peer), netns_(netns) {
    if (const std::string problem = runIp({"link", "add", name, "type", "veth", "peer", "name", peer});
        !problem.empty()) {
      throw HostInterfaceError("veth pair " + name + ": " + problem);
    }
  }
  ~VethPair() {
    try {
      const InNamespace there(netns_);
      runIp({"link", "delete", peer_});
    } catch (const HostInterfaceError&) {  // the namespace is gone, and the pair with it
    }
  }
  VethPair(const VethPair&) = delete;
  VethPair& operator=(const VethPair&) = delete;

 private:
  std::string peer_, netns_;
};

/// veth pair in the current namespace: `name` is the host's end, `name`-card ours.
class PacketInterface : public HostInterface {
 public:
  PacketInterface(const std::string& name, const std::string& netns)
      : ours_(oursFor(name)), pair_(name, ours_, netns), control_(controlSocket()), fd_(openSocket()) {
    for (const std::string& end : {name, ours_}) {
      noOffload(end);
      bringUp(end);
    }
    listen();
  }
  int descriptor() const override { return fd_.get(); }
  const char* kind() const override { return "AF_PACKET"; }

  std::span<const std::uint8_t> take(std::span<std::uint8_t> buffer) override {
    // The kernel takes the outer tag out of what it receives; its place is left free in front of the rest.
    const std::span<std::uint8_t> behind_tag = buffer.subspan(kTagBytes);
    for (;;) {
      sockaddr_ll from{};
      iovec data{behind_tag.data(), behind_tag.size()};
      alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(tpacket_auxdata))> control{};
      msghdr message{};
      message.msg_name = &from;
      message.msg_namelen = sizeof from;
      message.msg_iov = &data;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t got = ::recvmsg(fd_.get(), &message, 0);
      if (got <= 0) return {};
      if (from.sll_pkttype == PACKET_OUTGOING) continue;
      const std::span<std::uint8_t> rest = behind_tag.first(static_cast<std::size_t>(got));
      return putTagBack(message, rest, buffer.first(kTagBytes + rest.size()));
    }
  }
  bool give(std::span<const std::uint8_t> frame) override {
    return ::send(fd_.get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
  }
  /// The host's end of a pair has a carrier while ours is up.
  void setCarrier(bool up) override { setUp(control_, ours_, up); }

 private:
  static constexpr std::size_t kAddressBytes = 12, kTagBytes = 4;

  static std::string oursFor(const std::string& name) {
    static const std::string kSuffix = "-card";
    if (name.empty() || name.size() + kSuffix.size() >= IFNAMSIZ)
      throw HostInterfaceError("'" + name + "' is no name for a veth pair (1 to 10 characters)");
    return name + kSuffix;
  }

  /// Frames wait for bind(): unbound, the socket would get those of every interface.
  static int openSocket() {
    const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) throw systemError("packet socket");
    return fd;
  }

  /// The frame as it was on the wire: `whole` is `rest` with room for a tag in front of it.
  static std::span<const std::uint8_t> putTagBack(msghdr& message, std::span<const std::uint8_t> rest,
                                                  std::span<std::uint8_t> whole) {
    for (const cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr;
         one = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(one))) {
      if (one->cmsg_level != SOL_PACKET || one->cmsg_type != PACKET_AUXDATA) continue;
      tpacket_auxdata aux{};
      std::memcpy(&aux, CMSG_DATA(one), sizeof aux);
      if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0 || rest.size() < kAddressBytes) continue;
      const unsigned tpid = (aux.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? aux.tp_vlan_tpid : ETH_P_8021Q;
      const unsigned tci = aux.tp_vlan_tci;
      std::memmove(whole.data(), rest.data(), kAddressBytes);
      const std::uint8_t tag[kTagBytes] = {static_cast<std::uint8_t>(tpid >> 8), static_cast<std::uint8_t>(tpid),
                                           static_cast<std::uint8_t>(tci >> 8), static_cast<std::uint8_t>(tci)};
      std::memcpy(whole.data() + kAddressBytes, tag, sizeof tag);
      return whole;
    }
    return rest;
  }

  /// Segmentation and checksums are the kernel's work here: what a veth passes on must be a frame as on a wire.
  static void noOffload(const std::string& name) {
    const Descriptor control = controlSocket();
    for (const unsigned command :
         {unsigned{ETHTOOL_STXCSUM}, unsigned{ETHTOOL_STSO}, unsigned{ETHTOOL_SGSO}, unsigned{ETHTOOL_SGRO}}) {
      ethtool_value value{command, 0};
      ifreq request = requestFor(name);
      request.ifr_data = reinterpret_cast<char*>(&value);
      static_cast<void>(::ioctl(control.get(), SIOCETHTOOL, &request));  // a kernel without one of them has it off
    }
  }
  void listen() {
    const int on = 1;
    ::setsockopt(fd_.get(), SOL_PACKET, PACKET_AUXDATA, &on, sizeof on);
    ifreq request = requestFor(ours_);
    if (::ioctl(fd_.get(), SIOCGIFINDEX, &request) != 0) throw systemError("interface " + ours_);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = request.ifr_ifindex;
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw systemError("packet socket for " + ours_);
    packet_mreq promiscuous{};
    promiscuous.mr_ifindex = request.ifr_ifindex;
    promiscuous.mr_type = PACKET_MR_PROMISC;
    ::setsockopt(fd_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous);
  }

  std::string ours_;
  VethPair pair_;
  Descriptor control_, fd_;
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

}  // namespace poplink::host
