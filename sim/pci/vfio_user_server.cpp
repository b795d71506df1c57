// SPDX-License-Identifier: Apache-2.0
#include "vfio_user_server.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

#include "vfio_user_protocol.h"

namespace poplink::sim {

namespace {

namespace proto = vfio_user;
using proto::Command;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMostFiles = 16;
constexpr std::uint16_t kMajor = 0, kMinor = 1, kConfigBytes = 4096;

// PCI Local Bus 3.0, 6.7 and 6.8.2.
constexpr std::uint16_t kCapabilities = 0x34;
constexpr std::uint8_t kMsixId = 0x11;
constexpr std::uint32_t kMsixEnable = 0x8000, kMsixEntryBytes = 16, kMasked = 1;

/// The answer to a command is this errno.
struct Refused {
  int error;
};

struct Message {
  proto::Header header{};
  Bytes payload;
  std::vector<Descriptor> files;

  Command command() const { return static_cast<Command>(header.command); }
  bool isReply() const { return (header.flags & proto::kTypeMask) == proto::kReply; }
  template <class Structure>
  Structure as() const {
    Structure structure;
    if (payload.size() < sizeof structure) throw Refused{EINVAL};
    std::memcpy(&structure, payload.data(), sizeof structure);
    return structure;
  }
  template <class Structure>
  std::span<const std::uint8_t> behind() const {
    return std::span(payload).subspan(sizeof(Structure));
  }
};

template <class Structure>
void append(Bytes& bytes, const Structure& structure) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(&structure);
  bytes.insert(bytes.end(), first, first + sizeof structure);
}

template <class Structure>
Bytes bytesOf(const Structure& structure) {
  Bytes bytes;
  append(bytes, structure);
  return bytes;
}

bool isEventfd(const Descriptor& file) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file.get()), error) == "anon_inode:[eventfd]";
}

/// Null: there is none.
nlohmann::json member(const nlohmann::json& of, const char* name) {
  return of.is_object() && of.contains(name) ? of.at(name) : nlohmann::json();
}

/// Where the function has its MSI-X table.
struct MsixPlace {
  std::uint16_t control = 0;  ///< 0: it has none
  unsigned vectors = 0;
  std::uint32_t bar = 0;
  std::uint64_t table = 0;
};

MsixPlace findMsix(PciFunction& function) {
  MsixPlace place;
  auto at = static_cast<std::uint16_t>(function.configRead(kCapabilities, 1));
  for (int i = 0; i < 48 && at != 0; ++i) {
    if (function.configRead(at, 1) == kMsixId) {
      place.control = static_cast<std::uint16_t>(at + 2);
      place.vectors = (function.configRead(place.control, 2) & 0x7FF) + 1;
      const std::uint32_t table = function.configRead(static_cast<std::uint16_t>(at + 4), 4);
      place.bar = table & 7;
      place.table = table & ~std::uint32_t{7};
      break;
    }
    at = static_cast<std::uint16_t>(function.configRead(static_cast<std::uint16_t>(at + 1), 1));
  }
  return place;
}

class Client : public MachineClient {
 public:
  using MachineClient::MachineClient;

  // ---- the function's host

  bool readMemory(std::uint64_t address, std::span<std::uint8_t> into) override {
    if (memory_.read(address, into)) return true;
    if (!isRemote(address, into.size(), proto::kReadable)) return false;
    while (!into.empty()) {
      const auto part = into.first(std::min(into.size(), most_data_));
      const proto::DmaAccess access{address, part.size()};
      const auto answer = exchange(Command::dma_read, bytesOf(access));
      if (!answer || answer->size() != sizeof access + part.size()) return false;
      std::copy(answer->begin() + sizeof access, answer->end(), part.begin());
      address += part.size();
      into = into.subspan(part.size());
    }
    return true;
  }
  bool writeMemory(std::uint64_t address, std::span<const std::uint8_t> from) override {
    if (memory_.write(address, from)) return true;
    if (!isRemote(address, from.size(), proto::kWritable)) return false;
    while (!from.empty()) {
      const auto part = from.first(std::min(from.size(), most_data_));
      Bytes message = bytesOf(proto::DmaAccess{address, part.size()});
      message.insert(message.end(), part.begin(), part.end());
      if (!exchange(Command::dma_write, message)) return false;
      address += part.size();
      from = from.subspan(part.size());
    }
    return true;
  }
  /// Our entries in the MSI-X table have the vector as their data.
  void message(std::uint64_t, std::uint32_t vector) override { signal(vector); }

 private:
  // ---- messages

  void begin() override {
    msix_ = findMsix(function());
    events_.resize(msix_.vectors);
    wantHeader();
    serve();
  }
  void wantHeader() {
    in_payload_ = false;
    part_.want({reinterpret_cast<std::uint8_t*>(&coming_.header), sizeof coming_.header}, kMostFiles);
  }
  /// Reads on; `complete`: a message has come.
  MessagePart::State assemble() {
    for (;;) {
      const MessagePart::State state = part_.read(socket_.native_handle());
      if (state != MessagePart::State::complete) return state;
      if (!in_payload_) {
        coming_.files = part_.takeDescriptors();
        const std::size_t bytes = coming_.header.bytes;
        const bool type = (coming_.header.flags & proto::kTypeMask) <= proto::kReply;
        if (bytes < sizeof(proto::Header) || bytes > proto::kMostBytes || !type) return MessagePart::State::malformed;
        coming_.payload.assign(bytes - sizeof(proto::Header), 0);
        in_payload_ = true;
        part_.want(coming_.payload, 0);
        continue;
      }
      waiting_.push_back(std::exchange(coming_, {}));
      wantHeader();
      return state;
    }
  }
  /// Handles what has come, one message each time the loop comes round.
  void serve() {
    if (waiting_.empty()) {
      switch (assemble()) {
        case MessagePart::State::complete:
          break;
        case MessagePart::State::incomplete:
          return whenReadable([this] { serve(); });
        case MessagePart::State::ended:
          return end("");
        case MessagePart::State::malformed:
          return end("sent something that is no message of its protocol");
      }
    }
    serveFirst();
    if (socket_.is_open()) post([this] { serve(); });
  }
  void serveFirst() {
    Message message = std::move(waiting_.front());
    waiting_.pop_front();
    if (message.isReply()) return end("answered something that it was not asked");
    if (!agreed_ && message.command() != Command::version) return end("speaks before the version is agreed");
    handle(message);
  }
  void handle(Message& message) {
    try {
      reply(message, answerTo(message), 0);
    } catch (const Refused& refused) {
      reply(message, {}, refused.error);
      if (!agreed_) end("asked for a version that is not spoken here");
    }
  }
  void reply(const Message& to, const Bytes& payload, int error) {
    if ((to.header.flags & proto::kNoReply) != 0) return;
    const std::uint32_t flags = proto::kReply | (error != 0 ? proto::kError : 0);
    sendMessage(to.header.id, to.header.command, flags, static_cast<std::uint32_t>(error), payload);
  }
  void sendMessage(std::uint16_t id, std::uint16_t command, std::uint32_t flags, std::uint32_t error,
                   const Bytes& payload) {
    Bytes bytes = bytesOf(
        proto::Header{id, command, static_cast<std::uint32_t>(sizeof(proto::Header) + payload.size()), flags, error});
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    if (!send(bytes)) lost_ = true;
    if (lost_) post([this] { end("does not read what it is sent"); });
  }
  /// Asks the client, and waits; commands that it sends meanwhile wait too. Nothing: refused, or the client is lost.
  std::optional<Bytes> exchange(Command command, const Bytes& payload) {
    auto answer = ask(command, payload);
    if (!waiting_.empty())
      post([this] {
        while (!waiting_.empty() && socket_.is_open()) serveFirst();
      });
    return answer;
  }
  std::optional<Bytes> ask(Command command, const Bytes& payload) {
    if (lost_) return std::nullopt;
    const std::uint16_t id = next_id_++;
    sendMessage(id, static_cast<std::uint16_t>(command), 0, 0, payload);
    while (!lost_) {
      const MessagePart::State state = assemble();
      if (state == MessagePart::State::complete) {
        if (!waiting_.back().isReply()) continue;
        const Message answer = std::move(waiting_.back());
        waiting_.pop_back();
        const bool ours = answer.header.id == id && answer.command() == command;
        if (!ours) return lose("answered something that it was not asked");
        if ((answer.header.flags & proto::kError) != 0) return std::nullopt;
        return answer.payload;
      }
      if (state == MessagePart::State::malformed) return lose("sent something that is no message of its protocol");
      pollfd more{socket_.native_handle(), POLLIN, 0};
      if (state == MessagePart::State::ended) return lose("");
      if (::poll(&more, 1, kPatienceMs) == 0) return lose("does not answer to DMA");
    }
    return std::nullopt;
  }
  std::optional<Bytes> lose(const char* why) {
    lost_ = true;
    post([this, why] { end(why); });
    return std::nullopt;
  }

  // ---- commands

  Bytes answerTo(Message& message) {
    switch (message.command()) {
      case Command::version:
        return version(message);
      case Command::dma_map:
        return dmaMap(message);
      case Command::dma_unmap:
        return dmaUnmap(message);
      case Command::device_info: {
        auto info = message.as<proto::DeviceInfo>();
        if (info.argsz < sizeof info) throw Refused{EINVAL};
        return bytesOf(proto::DeviceInfo{sizeof info, proto::kResets | proto::kIsPci, proto::kRegions, proto::kIrqs});
      }
      case Command::region_info: {
        auto info = message.as<proto::RegionInfo>();
        if (info.argsz < sizeof info || info.index >= proto::kRegions) throw Refused{EINVAL};
        const std::uint64_t bytes = regionBytes(info.index);
        const std::uint32_t flags = bytes == 0 ? 0 : proto::kRegionReads | proto::kRegionWrites;
        return bytesOf(proto::RegionInfo{sizeof info, flags, info.index, 0, bytes, 0});
      }
      case Command::irq_info: {
        auto info = message.as<proto::IrqInfo>();
        if (info.argsz < sizeof info || info.index >= proto::kIrqs) throw Refused{EINVAL};
        const std::uint32_t count = info.index == proto::kMsixIrq ? msix_.vectors : 0;
        return bytesOf(proto::IrqInfo{sizeof info, count == 0 ? 0 : proto::kIrqEventfd, info.index, count});
      }
      case Command::set_irqs:
        return setIrqs(message);
      case Command::region_read:
      case Command::region_write:
        return region(message);
      case Command::device_reset:
        function().reset();
        programVectors();
        return {};
      default:
        throw Refused{ENOTSUP};
    }
  }

  Bytes version(const Message& message) {
    const auto asked = message.as<proto::Version>();
    const auto text = message.behind<proto::Version>();
    if (asked.major != kMajor || agreed_) throw Refused{EINVAL};
    if (!text.empty()) {
      const auto json = nlohmann::json::parse(text.begin(), std::find(text.begin(), text.end(), 0), nullptr, false);
      if (!json.is_object()) throw Refused{EINVAL};
      const nlohmann::json most = member(member(json, "capabilities"), "max_data_xfer_size");
      if (!most.is_null() && (!most.is_number_unsigned() || most == 0)) throw Refused{EINVAL};
      if (!most.is_null()) most_data_ = std::min<std::uint64_t>(most_data_, most.get<std::uint64_t>());
    }
    agreed_ = true;
    Bytes bytes = bytesOf(proto::Version{kMajor, std::min(asked.minor, kMinor)});
    const std::string offered =
        nlohmann::json{{"capabilities",
                        {{"max_msg_fds", kMostFiles}, {"max_data_xfer_size", proto::kMostData}, {"pgsizes", 4096}}}}
            .dump();
    bytes.insert(bytes.end(), offered.begin(), offered.end());
    bytes.push_back(0);
    return bytes;
  }

  struct Remote {
    std::uint64_t bytes;
    std::uint32_t flags;
  };
  bool overlapsRemote(std::uint64_t address, std::uint64_t bytes) const {
    return std::any_of(remote_.begin(), remote_.end(), [&](const auto& one) {
      return one.first >= address ? one.first - address < bytes : address - one.first < one.second.bytes;
    });
  }
  /// All within one region.
  bool isRemote(std::uint64_t address, std::uint64_t bytes, std::uint32_t flag) const {
    const auto next = remote_.upper_bound(address);
    if (next == remote_.begin()) return false;
    const auto& [start, region] = *std::prev(next);
    const std::uint64_t offset = address - start;
    return (region.flags & flag) != 0 && offset < region.bytes && bytes <= region.bytes - offset;
  }
  Bytes dmaMap(const Message& message) {
    const auto map = message.as<proto::DmaMap>();
    if (message.files.size() > 1 || map.bytes == 0 || map.bytes - 1 > ~map.address ||
        (map.flags & ~(proto::kReadable | proto::kWritable)) != 0)
      throw Refused{EINVAL};
    if (memory_.overlaps(map.address, map.bytes) || overlapsRemote(map.address, map.bytes)) throw Refused{EEXIST};
    if (message.files.empty()) {
      remote_.emplace(map.address, Remote{map.bytes, map.flags});
      return {};
    }
    try {
      memory_.add(map.address, map.bytes, message.files[0].get(), map.offset,
                  {(map.flags & proto::kReadable) != 0, (map.flags & proto::kWritable) != 0});
    } catch (const std::runtime_error&) {
      throw Refused{EINVAL};
    }
    return {};
  }
  Bytes dmaUnmap(const Message& message) {
    const auto map = message.as<proto::DmaUnmap>();
    if (map.flags == proto::kUnmapAll && map.address == 0 && map.bytes == 0) {
      memory_.clear();
      remote_.clear();
      return bytesOf(map);
    }
    if (map.flags != 0) throw Refused{ENOTSUP};
    if (memory_.remove(map.address, map.bytes)) return bytesOf(map);
    const auto found = remote_.find(map.address);
    if (found == remote_.end() || found->second.bytes != map.bytes) throw Refused{ENOENT};
    remote_.erase(found);
    return bytesOf(map);
  }

  // ---- regions

  std::uint64_t regionBytes(std::uint32_t index) {
    if (index == proto::kConfigRegion) return kConfigBytes;
    for (const PciBar& bar : function().bars()) {
      if (bar.number == index) return bar.bytes;
    }
    return 0;
  }
  Bytes region(const Message& message) {
    const auto access = message.as<proto::RegionAccess>();
    const bool write = message.command() == Command::region_write;
    const auto data = message.behind<proto::RegionAccess>();
    const std::uint64_t bytes = access.region < proto::kRegions ? regionBytes(access.region) : 0;
    if (access.count > proto::kMostData || access.offset > bytes || access.count > bytes - access.offset ||
        (write && data.size() != access.count))
      throw Refused{EINVAL};
    Bytes answer = bytesOf(access);
    if (write) {
      if (access.region == proto::kConfigRegion)
        writeConfig(access.offset, data);
      else if (!isVectorTable(access))
        writeBar(function(), access.region, access.offset, data);
      return answer;
    }
    answer.resize(sizeof access + access.count, 0xFF);
    const auto into = std::span(answer).subspan(sizeof access);
    if (access.region == proto::kConfigRegion)
      readConfig(access.offset, into);
    else if (!isVectorTable(access))
      readBar(function(), access.region, access.offset, into);
    return answer;
  }
  bool isVectorTable(const proto::RegionAccess& access) const {
    return msix_.control != 0 && access.region == msix_.bar && access.offset < msix_.table + tableBytes() &&
           access.offset + access.count > msix_.table;
  }
  std::uint64_t tableBytes() const { return std::uint64_t{msix_.vectors} * kMsixEntryBytes; }

  /// Natural pieces of at most 4 bytes.
  template <class Action>
  static void inPieces(std::uint64_t offset, std::size_t count, Action action) {
    for (std::size_t at = 0; at < count;) {
      unsigned size = 4;
      while ((offset + at) % size != 0 || size > count - at) size /= 2;
      action(static_cast<std::uint16_t>(offset + at), at, size);
      at += size;
    }
  }
  void readConfig(std::uint64_t offset, std::span<std::uint8_t> into) {
    inPieces(offset, into.size(), [&](std::uint16_t from, std::size_t at, unsigned size) {
      const std::uint32_t value = function().configRead(from, size);
      std::memcpy(into.data() + at, &value, size);
    });
  }
  void writeConfig(std::uint64_t offset, std::span<const std::uint8_t> from) {
    inPieces(offset, from.size(), [&](std::uint16_t to, std::size_t at, unsigned size) {
      std::uint32_t value = 0;
      std::memcpy(&value, from.data() + at, size);
      function().configWrite(to, size, value);
    });
    if (vectorsLost()) programVectors();  // it was a reset
  }

  // ---- interrupts

  Bytes setIrqs(Message& message) {
    const auto set = message.as<proto::IrqSet>();
    const auto flags = message.behind<proto::IrqSet>();
    if (set.index >= proto::kIrqs) throw Refused{EINVAL};
    const std::size_t vectors = set.index == proto::kMsixIrq ? events_.size() : 0;
    if (set.start > vectors || set.count > vectors - set.start) throw Refused{EINVAL};
    switch (set.flags) {
      case proto::kDataNone | proto::kActionTrigger:
        if (set.count == 0 && set.start == 0) return disableVectors(set.index);
        for (std::uint32_t i = 0; i < set.count; ++i) signal(set.start + i);
        return {};
      case proto::kDataBool | proto::kActionTrigger:
        if (flags.size() != set.count) throw Refused{EINVAL};
        for (std::uint32_t i = 0; i < set.count; ++i) {
          if (flags[i] != 0) signal(set.start + i);
        }
        return {};
      case proto::kDataEventfd | proto::kActionTrigger:
        return setEvents(set, message.files);
      default:
        throw Refused{EINVAL};
    }
  }
  Bytes setEvents(const proto::IrqSet& set, std::vector<Descriptor>& files) {
    if (!files.empty() && files.size() != set.count) throw Refused{EINVAL};
    if (!std::all_of(files.begin(), files.end(), isEventfd)) throw Refused{EINVAL};
    for (std::uint32_t i = 0; i < set.count; ++i)
      events_[set.start + i] = files.empty() ? Descriptor() : std::move(files[i]);
    programVectors();
    return {};
  }
  Bytes disableVectors(std::uint32_t index) {
    if (index != proto::kMsixIrq) return {};
    for (Descriptor& event : events_) event = Descriptor();
    programVectors();
    const std::uint32_t control = function().configRead(msix_.control, 2);
    function().configWrite(msix_.control, 2, control & ~kMsixEnable);
    return {};
  }
  void signal(std::size_t vector) {
    if (vector >= events_.size() || !events_[vector]) return;
    const std::uint64_t one = 1;
    pollfd room{events_[vector].get(), POLLOUT, 0};  // one that is full is signalled
    if (::poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0) [[maybe_unused]]
      const ssize_t written = ::write(events_[vector].get(), &one, sizeof one);
  }
  bool anyEvent() const {
    return std::any_of(events_.begin(), events_.end(), [](const Descriptor& event) { return bool(event); });
  }
  /// Whoever has the function without memory space has it with, meanwhile.
  template <class Action>
  void withMemorySpace(Action action) {
    const std::uint32_t command = function().configRead(kPciCommand, 2);
    function().configWrite(kPciCommand, 2, command | kPciMemorySpace);
    action();
    function().configWrite(kPciCommand, 2, command);
  }
  std::uint64_t entry(std::size_t vector) const { return msix_.table + vector * kMsixEntryBytes; }
  /// The entries are masked, though there are eventfds.
  bool vectorsLost() {
    bool lost = false;
    if (!anyEvent()) return lost;
    withMemorySpace([&] {
      for (std::size_t v = 0; v < events_.size(); ++v) {
        std::uint32_t control = 0;
        if (function().barRead(msix_.bar, entry(v) + 12, control) && events_[v] && (control & kMasked) != 0)
          lost = true;
      }
    });
    return lost;
  }
  void programVectors() {
    if (!anyEvent() && !vectors_programmed_) return;
    vectors_programmed_ = true;
    withMemorySpace([&] {
      for (std::size_t v = 0; v < events_.size(); ++v) {
        const std::array<std::uint32_t, 4> words = {0, 0, static_cast<std::uint32_t>(v), events_[v] ? 0 : kMasked};
        for (std::size_t i = 0; i < words.size(); ++i) function().barWrite(msix_.bar, entry(v) + 4 * i, words[i]);
      }
    });
    if (!anyEvent()) return;
    const std::uint32_t control = function().configRead(msix_.control, 2);
    function().configWrite(msix_.control, 2, control | kMsixEnable);
  }

  std::deque<Message> waiting_;  ///< whole ones
  Message coming_;
  bool in_payload_ = false, agreed_ = false, lost_ = false;
  std::uint16_t next_id_ = 1;
  std::size_t most_data_ = proto::kMostData;
  std::map<std::uint64_t, Remote> remote_;  ///< memory without a file, by address
  MsixPlace msix_;
  std::vector<Descriptor> events_;
  bool vectors_programmed_ = false;
};

}  // namespace

VfioUserServer::VfioUserServer(boost::asio::io_context& context, const std::string& socket, Ownership& card,
                               MachineListener::Tell tell)
    : listener_(std::make_shared<MachineListener>(
          context, socket, card,
          [](MachineListener::Socket connection, std::shared_ptr<MachineListener> listener) {
            return std::make_shared<Client>(std::move(connection), std::move(listener), "a vfio-user client");
          },
          std::move(tell))) {
  listener_->accept();
}

VfioUserServer::~VfioUserServer() {
  listener_->close();
}

}  // namespace poplink::sim
