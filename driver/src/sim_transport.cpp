// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/sim_transport.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "iova_space.h"
#include "poplink/driver/descriptor.h"
#include "poplink/driver/error.h"
#include "poplink/driver/pages.h"
#include "poplink/driver/pci_config.h"
#include "poplink/driver/sim_protocol.h"

namespace poplink::driver {

namespace {

namespace asio = boost::asio;
namespace proto = sim_protocol;

// Where interrupts' messages go on this bus, as on a PC's.
constexpr std::uint64_t kMsiFirst = 0xFEE0'0000, kMsiLast = 0xFEEF'FFFF;

/// Sends it all; `descriptor` (-1: none) arrives with the first byte. False, with errno: the peer is gone, or it cannot
/// be sent.
bool sendWith(int socket, std::span<const std::uint8_t> bytes, int descriptor) {
  while (!bytes.empty()) {
    iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (descriptor >= 0) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    }
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
    descriptor = -1;
  }
  return true;
}

/// The conversation with a card. Memory outlives it where its owner forgot the order.
class Session {
 public:
  Session(const std::string& socket, const std::string& client) : path(socket), socket_(context_) {
    boost::system::error_code error = asio::error::name_too_long;
    if (path.size() < sizeof sockaddr_un{}.sun_path)
      socket_.connect(asio::local::stream_protocol::endpoint(path), error);
    if (error)
      throw DriverError("no simulated card at " + path + ": " + error.message() + " (is poplink-sim running?)");
    const proto::Bytes answer = exchange(proto::encodeHello(client), proto::Type::hello);
    const auto hello = proto::decodeHelloAnswer(answer);
    if (!hello) throw malformed();
    if (hello->version != proto::kVersion) {
      throw DriverError("the card at " + path + " speaks protocol version " + std::to_string(hello->version) +
                        ", this program " + std::to_string(proto::kVersion));
    }
  }

  DriverError malformed() const { return DriverError("the card at " + path + " sent a malformed answer"); }

  /// All of `bytes`, whatever signals come meanwhile.
  boost::system::error_code receive(proto::Bytes& bytes) {
    boost::system::error_code error;
    for (std::size_t got = 0; got < bytes.size();) {
      got += socket_.read_some(asio::buffer(bytes) + got, error);
      if (error && error != asio::error::interrupted) return error;
    }
    return {};
  }

  /// Sends a message, a descriptor with it if not -1, and gives the payload of the answer, which must be of type
  /// `want`.
  proto::Bytes exchange(const proto::Bytes& message, proto::Type want, int descriptor = -1) {
    const auto lost = [&](const std::string& why) { return DriverError("lost the card at " + path + ": " + why); };
    if (!sendWith(socket_.native_handle(), message, descriptor)) throw lost(std::strerror(errno));
    proto::Bytes head(proto::kHeaderBytes);
    if (const auto error = receive(head)) throw lost(error.message());
    const auto header = proto::decodeHeader(head);
    if (!header) throw malformed();
    proto::Bytes payload(header->payload_bytes);
    if (const auto error = receive(payload)) throw lost(error.message());
    if (header->type == proto::Type::refused)
      throw DriverError("the card at " + path + " " + std::string(payload.begin(), payload.end()));
    if (header->type != want) throw malformed();
    return payload;
  }
  /// The same for a message that is only to be done.
  void command(const proto::Bytes& message, proto::Type type, int descriptor = -1) {
    if (!exchange(message, type, descriptor).empty()) throw malformed();
  }

  std::uint32_t configRead(std::uint16_t offset, std::uint16_t size) {
    const auto value =
        proto::decodeConfigReadAnswer(exchange(proto::encodeConfigRead({offset, size, 0}), proto::Type::config_read));
    if (!value) throw malformed();
    return *value;
  }

  std::string path;
  IovaSpace addresses{{{0, kMsiFirst - 1}, {kMsiLast + 1, IovaSpace::kHighest}}, proto::kMappingUnit};

 private:
  asio::io_context context_;
  asio::local::stream_protocol::socket socket_;
};

class SimMemory : public DmaMemory {
 public:
  SimMemory(std::unique_ptr<GuardedPages> pages, std::uint64_t address, std::weak_ptr<Session> session)
      : DmaMemory(pages->bytes(), address), pages_(std::move(pages)), session_(std::move(session)) {}
  ~SimMemory() override {
    const auto session = session_.lock();
    if (!session) return;  // and with it the card has forgotten this memory
    try {
      session->command(proto::encodeUnmap(busAddress()), proto::Type::unmap);
      session->addresses.give(busAddress());
    } catch (const DriverError&) {
      return;  // a lost card cannot reach the memory either; its address is not used again
    }
  }

 private:
  std::unique_ptr<GuardedPages> pages_;
  std::weak_ptr<Session> session_;
};

class SimTransport : public Transport {
 public:
  SimTransport(const std::string& socket, const std::string& client)
      : session_(std::make_shared<Session>(socket, client)) {}

  std::vector<std::uint32_t> run(std::span<const Access> accesses) override {
    std::vector<std::uint32_t> values;
    while (!accesses.empty()) {
      const auto part = accesses.first(std::min(accesses.size(), proto::kMaxBatch));
      accesses = accesses.subspan(part.size());
      const proto::Bytes payload = session_->exchange(proto::encodeBatch(part), proto::Type::batch);
      const auto answer = proto::decodeBatchAnswer(payload);
      if (!answer || answer->done > part.size()) throw session_->malformed();
      const auto done = part.first(answer->done);
      const auto reads =
          std::count_if(done.begin(), done.end(), [](const Access& one) { return one.kind == Access::Kind::read; });
      if (answer->values.size() != static_cast<std::size_t>(reads)) throw session_->malformed();
      if (answer->done < part.size()) {
        const Access& refused = part[answer->done];
        char text[80];
        std::snprintf(text, sizeof text, "the card refused a %s at BAR0 + 0x%05x",
                      refused.kind == Access::Kind::read ? "read" : "write", refused.address);
        throw DriverError(text);
      }
      values.insert(values.end(), answer->values.begin(), answer->values.end());
    }
    return values;
  }

  std::string name() const override { return session_->path; }

  Capabilities capabilities() override { return {true, vectorCount()}; }

  std::unique_ptr<DmaMemory> allocate(std::size_t bytes) override {
    const std::size_t size = wholePages(bytes);
    Descriptor file(::memfd_create("poplink", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0 ||
        ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
      throw DriverError(std::to_string(size) + " bytes of memory are not to be had: " + std::strerror(errno));
    }
    auto pages = std::make_unique<GuardedPages>(size, file.get());
    const auto address = session_->addresses.take(size);
    if (!address) throw DriverError("no bus addresses are left for " + std::to_string(size) + " bytes");
    session_->command(proto::encodeMap({*address, size}), proto::Type::map, file.get());
    return std::make_unique<SimMemory>(std::move(pages), *address, session_);
  }

  std::span<const int> vectors() override {
    if (descriptors_.empty()) {
      std::vector<Descriptor> events;
      for (std::uint32_t vector = 0; vector < vectorCount(); ++vector) {
        const Descriptor& one = events.emplace_back(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (!one) throw DriverError(std::string("no descriptor for an interrupt: ") + std::strerror(errno));
        session_->command(proto::encodeVector(vector), proto::Type::vector, one.get());
      }
      events_ = std::move(events);
      for (const Descriptor& one : events_) descriptors_.push_back(one.get());
    }
    return descriptors_;
  }

  void reset() override { session_->command(proto::encodeReset(), proto::Type::reset); }

 private:
  unsigned vectorCount() {
    if (!vector_count_) {
      vector_count_ = pci::findMsix([this](std::uint16_t offset, std::uint16_t size) {
                        return session_->configRead(offset, size);
                      }).vectors;
    }
    return *vector_count_;
  }

  std::shared_ptr<Session> session_;
  std::optional<unsigned> vector_count_;
  std::vector<Descriptor> events_;
  std::vector<int> descriptors_;
};

}  // namespace

std::unique_ptr<Transport> openSimulatedCard(const std::string& socket, const std::string& client) {
  return std::make_unique<SimTransport>(socket, client);
}

}  // namespace poplink::driver
