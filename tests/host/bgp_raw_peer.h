// SPDX-License-Identifier: Apache-2.0
// A peer that a test writes octets for, and that keeps what it is told. It makes a session by itself: OPEN, KEEPALIVEs.
#pragma once

#include <map>
#include <memory>

#include "bgp_update_lab.h"
#include "bgp_virtual_net.h"
#include "negotiation.h"
#include "route_refresh.h"
#include "update_builder.h"

namespace poplink::host::bgp {

/// What a raw peer knows of a prefix.
struct Known {
  NextHop next_hop;
  Bytes attributes;  ///< canonical
  friend bool operator==(const Known&, const Known&) = default;
};

class RawPeer : public VirtualHost {
 public:
  struct Heard {
    TimePoint at;
    MessageType type{};
    Bytes octets;  ///< the whole message
  };

  RawPeer(VirtualNet& net, std::vector<Address> addresses, const OpenSettings& settings)
      : open(makeOpen(settings)), internal(settings.internal()), net_(net), addresses_(std::move(addresses)) {
    net.add(*this);
  }

  Open open;                 ///< that it sends
  bool internal = false;     ///< how it reads UPDATEs
  bool accepts = true;       ///< connections
  bool speaks = true;        ///< OPEN and KEEPALIVE, without being told to
  bool keeps_alive = true;   ///< sends KEEPALIVEs
  std::vector<Heard> heard;  ///< since it was cleared
  std::map<Prefix4, Known> known4;
  std::map<Prefix6, Known> known6;
  std::size_t repeated = 0;   ///< announcements of what it knew as it is
  std::size_t refused = 0;    ///< withdrawals of what it did not know
  std::size_t malformed = 0;  ///< UPDATEs with findings

  bool connected() const { return id_.has_value(); }
  /// Both sides have sent OPEN and KEEPALIVE.
  bool up() const { return up_; }
  /// That have ended.
  std::size_t sessions() const { return sessions_; }

  void connect(const Address& to) {
    net_.connect(*this, own(to.index()), {to, kBgpPort}, [this](std::optional<ConnectionId> id, const Endpoint&) {
      if (id) begin(*id);
    });
  }
  void send(Bytes octets) {
    if (id_) net_.write(*id_, std::move(octets));
  }
  void close() {
    if (!id_) return;
    net_.close(*id_);
    forget();
  }
  /// Its program is gone, and the other side has not learned of it.
  void forgetConnection() { forget(); }
  /// TCP breaks off.
  void lose() {
    if (id_) net_.lose(*id_);
  }
  void setWindow(std::size_t octets) { net_.setWindow(*id_, octets); }

  std::vector<Bytes> messages(MessageType type) const {
    std::vector<Bytes> result;
    for (const Heard& one : heard)
      if (one.type == type) result.push_back(one.octets);
    return result;
  }
  std::size_t count(MessageType type) const { return messages(type).size(); }
  std::size_t endsOfRib(Family family) const {
    const UpdateForm form = family == kIpv4Unicast ? UpdateForm::ipv4 : UpdateForm::ipv6_multiprotocol;
    return static_cast<std::size_t>(
        std::ranges::count(messages(MessageType::update), UpdateBuilder::withdraw(form).take()));
  }
  /// The last NOTIFICATION.
  std::optional<Notification> notification() const {
    const auto all = messages(MessageType::notification);
    return all.empty() ? std::nullopt : decodeNotification(Octets(all.back()).subspan(kHeaderBytes));
  }

  // VirtualHost.
  bool has(const Address& address) const override { return accepts && std::ranges::count(addresses_, address) != 0; }
  TimePoint clock() const override { return net_.now(); }
  void accepted(ConnectionId id, const Endpoint&, const Endpoint&) override {
    if (id_)
      net_.close(id);
    else
      begin(id);
  }
  void received(ConnectionId id, Bytes octets) override {
    if (id_ != id) return;
    put(stream_, octets);
    std::size_t at = 0;
    while (id_ == id) {
      const auto next = nextMessage(Octets(stream_).subspan(at));
      const auto* message = std::get_if<Message>(&next);
      if (message == nullptr) {
        EXPECT_TRUE(std::holds_alternative<Incomplete>(next)) << "no message";
        break;
      }
      const Octets whole = Octets(stream_).subspan(at, message->size());
      heard.push_back({net_.now(), message->type, {whole.begin(), whole.end()}});
      at += message->size();
      take(*message);
    }
    stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(std::min(at, stream_.size())));
  }
  void writable(ConnectionId) override {}
  void closed(ConnectionId id) override {
    if (id_ == id) forget();
  }

 private:
  Address own(std::size_t kind) const { return *std::ranges::find(addresses_, kind, &Address::index); }
  void begin(ConnectionId id) {
    id_ = id;
    stream_.clear();
    known4.clear();
    known6.clear();
    if (speaks) send(encode(open));
  }
  void forget() {
    id_.reset();
    up_ = confirmed_ = false;
    ++sessions_;
  }
  void take(const Message& message) {
    if (message.type == MessageType::open) {
      const auto theirs = decodeOpen(message.body);
      ASSERT_TRUE(std::holds_alternative<Open>(theirs));
      const Capabilities &one = std::get<Open>(theirs).capabilities, &other = open.capabilities;
      context_ = {!internal, one.four_octet_asn && other.four_octet_asn, true, true,
                  one.extended_next_hop && other.extended_next_hop};
      hold_ = std::chrono::seconds(std::min(std::get<Open>(theirs).hold_seconds, open.hold_seconds));
      confirmed_ = true;
      alive(sessions_);
    } else if (message.type == MessageType::keepalive) {
      up_ = confirmed_;
    } else if (message.type == MessageType::update) {
      update(message.body);
    }
  }
  void alive(std::size_t session) {
    if (session != sessions_ || !id_ || !keeps_alive || !speaks) return;
    send({kKeepalive.begin(), kKeepalive.end()});
    if (hold_ != Duration{}) net_.at(net_.now() + hold_ / 3, [this, session] { alive(session); });
  }
  void update(Octets body) {
    const Update said = decodeUpdate(body, context_, *space_);
    if (said.findings.action() != ErrorAction::none) ++malformed;
    for (const Routes* routes : {&said.withdrawn, &said.mp_withdrawn}) {
      const auto forgetOne = [this](auto& known, const auto& prefix) { refused += known.erase(prefix) == 0; };
      if (routes->family == kIpv4Unicast)
        forEachPrefix<Prefix4>(routes->nlri, [&](const Prefix4& prefix) { forgetOne(known4, prefix); });
      else
        forEachPrefix<Prefix6>(routes->nlri, [&](const Prefix6& prefix) { forgetOne(known6, prefix); });
    }
    for (const AnnouncedRoutes* routes : {&said.announced, &said.mp_announced}) {
      const Known now{routes->next_hop, {said.canonical.begin(), said.canonical.end()}};
      const auto learn = [&](auto& known, const auto& prefix) {
        Known& was = known[prefix];
        repeated += was == now;
        was = now;
      };
      if (routes->family == kIpv4Unicast)
        forEachPrefix<Prefix4>(routes->nlri, [&](const Prefix4& prefix) { learn(known4, prefix); });
      else
        forEachPrefix<Prefix6>(routes->nlri, [&](const Prefix6& prefix) { learn(known6, prefix); });
    }
  }

  VirtualNet& net_;
  std::vector<Address> addresses_;
  std::optional<ConnectionId> id_;
  bool confirmed_ = false, up_ = false;
  std::size_t sessions_ = 0;
  Duration hold_{};
  Bytes stream_;
  UpdateContext context_{};
  std::unique_ptr<DecodeSpace> space_ = std::make_unique<DecodeSpace>();
};

}  // namespace poplink::host::bgp
