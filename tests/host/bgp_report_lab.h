// SPDX-License-Identifier: Apache-2.0
// One speaker, AS 64600 at 192.0.2.1, whose peers are octets: what they say is handed in, nobody fetches
// what they are told. It is 2026-03-01 12:00:00 when the speaker begins.
#pragma once

#include <gmock/gmock.h>

#include "bgp_hash_lab.h"
#include "report_time.h"
#include "speaker.h"
#include "speaker_values.h"
#include "values.h"

namespace poplink::host::bgp {

using namespace std::chrono_literals;

class ReportLab : private SpeakerNet {
 public:
  explicit ReportLab(SpeakerSettings settings)
      : speaker(settings, *this, [](const PeerNews&) {}, [] { return 0.5; }, kLabHashKey, false, now_) {
    speaker.setInterfaces({{"net0", ipv4(192, 0, 2, 1), 24}, {"net0", ipv6(0, 1), 64}});
    speaker.start(now_);
    settle();
  }

  /// Peer at 192.0.2.N of AS 65000 + N.
  static PeerSettings peer(const std::string& name, std::uint8_t n) {
    PeerSettings peer;
    peer.name = name;
    peer.remote = {ipv4(192, 0, 2, n), kBgpPort};
    peer.session.passive = true;
    peer.session.open.local_as = 64600;
    peer.session.open.peer_as = 65000U + n;
    peer.session.open.router_id = ipv4(192, 0, 2, 1);
    peer.session.open.families = {kIpv4Unicast, kIpv6Unicast};
    peer.import_policy = peer.export_policy = kAcceptAll;
    return peer;
  }
  static SpeakerSettings settings(std::vector<PeerSettings> peers) {
    SpeakerSettings settings;
    settings.asn = 64600;
    settings.router_id = ipv4(192, 0, 2, 1);
    settings.listen = {{Ipv4{}, kBgpPort}};
    settings.peers = std::move(peers);
    return settings;
  }

  void pass(Duration time) {
    now_ += time;
    speaker.run(now_);
    settle();
  }
  /// The peer connects and is let in.
  void up(const std::string& name, bool four_octet_asn = true) {
    const Peering& peering = *speaker.peering(name);
    const ConnectionId id = connections_[name] = ConnectionId{++last_id_};
    const Address remote = peering.settings.remote.address;
    speaker.accepted(id, {remote, 40000}, {ipv4(192, 0, 2, 1), kBgpPort}, now_);
    OpenSettings open = peering.settings.session.open;
    std::swap(open.local_as, open.peer_as);
    open.router_id = std::get<Ipv4>(remote);
    open.role.reset();
    Open said = makeOpen(open);
    if (!four_octet_asn) said.capabilities.four_octet_asn.reset();
    hear(name, encode(said));
    hear(name, {kKeepalive.begin(), kKeepalive.end()});
  }
  void hear(const std::string& name, const std::vector<std::uint8_t>& message) {
    speaker.received(connections_.at(name), message, now_);
    settle();
  }
  /// Routes to prefixes, by the peer itself, with this path behind it, and more attributes.
  void announce(const std::string& name, const std::vector<Prefix4>& prefixes, const std::vector<Asn>& path,
                const std::vector<AttributeChange>& more = {}) {
    const Peering& peering = *speaker.peering(name);
    std::vector<std::uint8_t> canonical{kTransitive, 1, 1, 0, kTransitive, 2, 0};
    for (auto asn = path.rbegin(); asn != path.rend(); ++asn) canonical = withPrepended(canonical, *asn, 1);
    canonical = withPrepended(canonical, peering.settings.session.open.peer_as, 1);
    UpdateBuilder builder =
        UpdateBuilder::announce(UpdateForm::ipv4, {peering.settings.remote.address, std::nullopt},
                                wireAttributes(withChanges(canonical, more), peering.negotiated.four_octet_asn));
    for (const Prefix4& prefix : prefixes) builder.add(prefix);
    hear(name, builder.take());
  }

  ReportTime time() const {
    using namespace std::chrono;
    return {now_, sys_days(2026y / March / 1) + 12h + duration_cast<system_clock::duration>(now_ - TimePoint(1h))};
  }

 private:
  void settle() {
    while (speaker.work(now_)) {
    }
  }
  void connect(PeerIndex, AttemptId, const PeerSettings&) override {}
  void cancel(PeerIndex, AttemptId) override {}
  void wantWrite(ConnectionId) override {}
  void close(ConnectionId) override {}

  TimePoint now_{1h};
  std::map<std::string, ConnectionId> connections_;
  std::uint64_t last_id_ = 0;

 public:
  Speaker speaker;
};

inline constexpr Prefix4 net(unsigned a, unsigned b, std::uint8_t length) {
  return {ipv4(a, b, 0, 0), length};
}

}  // namespace poplink::host::bgp
