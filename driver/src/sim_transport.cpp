// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/sim_transport.h"

#include <sys/un.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>

#include "poplink/driver/error.h"
#include "poplink/driver/sim_protocol.h"

namespace poplink::driver {

namespace {

namespace asio = boost::asio;
namespace proto = sim_protocol;

class SimTransport : public Transport {
 public:
  SimTransport(const std::string& socket, const std::string& client) : path_(socket), socket_(context_) {
    boost::system::error_code error = asio::error::name_too_long;
    if (path_.size() < sizeof sockaddr_un{}.sun_path)
      socket_.connect(asio::local::stream_protocol::endpoint(path_), error);
    if (error)
      throw DriverError("no simulated card at " + path_ + ": " + error.message() + " (is poplink-sim running?)");
    const proto::Bytes answer = exchange(proto::encodeHello(client), proto::Type::hello);
    const auto hello = proto::decodeHelloAnswer(answer);
    if (!hello) throw malformed();
    if (hello->version != proto::kVersion) {
      throw DriverError("the card at " + path_ + " speaks protocol version " + std::to_string(hello->version) +
                        ", this program " + std::to_string(proto::kVersion));
    }
  }

  std::vector<std::uint32_t> run(std::span<const Access> accesses) override {
    std::vector<std::uint32_t> values;
    while (!accesses.empty()) {
      const auto part = accesses.first(std::min(accesses.size(), proto::kMaxBatch));
      accesses = accesses.subspan(part.size());
      const proto::Bytes payload = exchange(proto::encodeBatch(part), proto::Type::batch);
      const auto answer = proto::decodeBatchAnswer(payload);
      if (!answer || answer->done > part.size()) throw malformed();
      const auto done = part.first(answer->done);
      const auto reads =
          std::count_if(done.begin(), done.end(), [](const Access& one) { return one.kind == Access::Kind::read; });
      if (answer->values.size() != static_cast<std::size_t>(reads)) throw malformed();
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

  std::string name() const override { return path_; }

 private:
  DriverError malformed() const { return DriverError("the card at " + path_ + " sent a malformed answer"); }

  /// Sends a message and gives the payload of the answer, which must be of type `want`.
  proto::Bytes exchange(const proto::Bytes& message, proto::Type want) {
    boost::system::error_code error;
    asio::write(socket_, asio::buffer(message), error);
    proto::Bytes head(proto::kHeaderBytes);
    if (!error) asio::read(socket_, asio::buffer(head), error);
    if (error) throw DriverError("lost the card at " + path_ + ": " + error.message());
    const auto header = proto::decodeHeader(head);
    if (!header) throw malformed();
    proto::Bytes payload(header->payload_bytes);
    asio::read(socket_, asio::buffer(payload), error);
    if (error) throw DriverError("lost the card at " + path_ + ": " + error.message());
    if (header->type == proto::Type::refused)
      throw DriverError("the card at " + path_ + " " + std::string(payload.begin(), payload.end()));
    if (header->type != want) throw malformed();
    return payload;
  }

  std::string path_;
  asio::io_context context_;
  asio::local::stream_protocol::socket socket_;
};

}  // namespace

std::unique_ptr<Transport> openSimulatedCard(const std::string& socket, const std::string& client) {
  return std::make_unique<SimTransport>(socket, client);
}

}  // namespace poplink::driver
