// SPDX-License-Identifier: Apache-2.0
// Settings and peers.
#include "speaker.h"

#include <algorithm>
#include <ranges>

namespace poplink::host::bgp {

namespace {

/// Prefix of the network that an address is on.
AnyPrefix networkOf(const InterfaceAddress& one) {
  return std::visit([&one](const auto& address) { return AnyPrefix(prefixOf(address, one.length)); }, one.address);
}

/// Does the policy do the same by both books?
bool samePolicy(const std::string& name, const PolicyBook& one, const PolicyBook& other) {
  const auto in_one = one.policies.find(name), in_other = other.policies.find(name);
  if (in_one == one.policies.end() || in_other == other.policies.end()) return false;
  if (in_one->second != in_other->second) return false;
  return std::ranges::all_of(in_one->second.terms, [&](const TermSettings& term) {
    return !term.match.prefix_list ||
           one.prefix_lists.at(*term.match.prefix_list) == other.prefix_lists.at(*term.match.prefix_list);
  });
}

/// Of TCP: a change ends the session.
bool sameTransport(const PeerSettings& one, const PeerSettings& other) {
  return one.remote == other.remote && one.local_address == other.local_address && one.hops == other.hops &&
         one.ttl_security == other.ttl_security && one.md5_key == other.md5_key;
}

}  // namespace

Speaker::Speaker(const SpeakerSettings& settings, SpeakerNet& net, TellNews tell, Random random,
                 const HashKey& hash_key, bool restarting, TimePoint now)
    : net_(net),
      tell_(std::move(tell)),
      random_(std::move(random)),
      began_(now),
      store_(hash_key),
      sources_(1),
      ipv4_(store_, sources_, hash_key),
      ipv6_(store_, sources_, hash_key),
      groups4_(ipv4_, sources_, *this),
      groups6_(ipv6_, sources_, *this),
      importer_(store_, reachable_),
      peerings_(1),
      space_(std::make_unique<DecodeSpace>()) {
  if (restarting) {
    std::set<PeerId> awaited;
    std::set<Family> families;
    Duration longest{};
    for (std::size_t i = 0; i < settings.peers.size(); ++i) {
      const PeerSettings& peer = settings.peers[i];
      if (!peer.session.open.graceful_restart || peer.shutdown) continue;
      awaited.insert(PeerId{static_cast<std::uint32_t>(i + 1)});  // as addPeer() will number them
      families.insert(peer.session.open.families.begin(), peer.session.open.families.end());
      longest = std::max<Duration>(longest, std::chrono::seconds(peer.session.open.graceful_restart->restart_seconds));
    }
    if (!awaited.empty()) deferral_.emplace(awaited, families, longest, now);
  }
  groups4_.setHeld(deferred(kIpv4Unicast));
  groups6_.setHeld(deferred(kIpv6Unicast));
  apply(settings, now);
}

Speaker::~Speaker() = default;

void Speaker::start(TimePoint now) {
  started_ = true;
  for (const auto& peering : peerings_)
    if (peering && !peering->settings.shutdown) handle(*peering, event::Start{}, now);
  writeOut();
}

std::vector<std::string> Speaker::apply(const SpeakerSettings& settings, TimePoint now) {
  std::vector<std::string> changes;
  const SpeakerSettings before = std::exchange(settings_, settings);
  compilePolicies(before.book, settings.book);
  ipv4_.configure(settings.decision);
  ipv6_.configure(settings.decision);
  if (before.decision != settings.decision) changes.emplace_back("decision");
  const bool reachable_changed = before.reachable != settings.reachable;
  reachable_.setTaken(settings.reachable);
  if (reachable_changed) changes.emplace_back("reachable");
  if (before.drain != settings.drain) changes.emplace_back("drain");
  originate(before.originate, settings.originate, changes, now);
  for (const auto& peering : peerings_) {
    if (!peering || !peering->configured) continue;
    const auto wanted = std::ranges::find(settings.peers, peering->settings.name, &PeerSettings::name);
    if (wanted == settings.peers.end()) {
      changes.push_back("peer " + peering->settings.name + ": removed");
      removePeer(*peering, now);
      continue;
    }
    changePeer(*peering, *wanted, changes, now);
    if (reachable_changed) clearSoftIn(peering->index, now);
  }
  for (const PeerSettings& peer : settings.peers) {
    if (peering(peer.name) != nullptr) continue;
    changes.push_back("peer " + peer.name + ": added");
    Peering& added = addPeer(peer, now);
    if (started_ && !peer.shutdown) handle(added, event::Start{}, now);
  }
  has_work_ = true;
  writeOut();
  return changes;
}

void Speaker::setInterfaces(const std::vector<InterfaceAddress>& addresses) {
  interfaces_ = addresses;
  std::vector<AnyPrefix> networks;
  networks.reserve(addresses.size());
  for (const InterfaceAddress& one : addresses) networks.push_back(networkOf(one));
  reachable_.setConnected(std::move(networks));
  for (const auto& peering : peerings_) {
    if (!peering || !peering->configured) continue;  // the policy of one that goes may be gone
    setRules(*peering);
    forTables([&](auto& table, auto&) { table.reimport(peering->index); });
  }
  has_work_ = true;
}

void Speaker::stop(TimePoint now) {
  stopped_ = true;
  for (const auto& peering : peerings_)
    if (peering && !peering->settings.session.open.graceful_restart) handle(*peering, event::Stop{}, now);
  writeOut();
}

Peering& Speaker::addPeer(const PeerSettings& settings, TimePoint now) {
  std::size_t index = 1;
  while (index < peerings_.size() && peerings_[index]) ++index;
  if (index == peerings_.size()) {
    peerings_.emplace_back();
    sources_.emplace_back();
  }
  peerings_[index] =
      std::make_unique<Peering>(static_cast<PeerIndex>(index), settings, sessionSettings(settings), random_);
  Peering& peering = *peerings_[index];
  peering.since = now;
  peering.remote = settings.remote;
  sources_[index] = {!settings.session.open.internal(), 0, 0, settings.remote.address};
  setRules(peering);
  setLimits(peering, now);
  return peering;
}

void Speaker::removePeer(Peering& peering, TimePoint now) {
  peering.configured = false;
  handle(peering, event::Stop{subcode::kPeerDeconfigured, {}}, now);
  change(peering, peering.stale.abandon());
  if (deferral_) release(deferral_->removed(PeerId{peering.index}), now);
}

void Speaker::stopPeer(Peering& peering, const std::string& text, TimePoint now) {
  handle(peering, event::Stop{subcode::kAdministrativeShutdown, shutdownData(text)}, now);
  change(peering, peering.stale.abandon());
  if (deferral_) release(deferral_->removed(PeerId{peering.index}), now);
}

void Speaker::changePeer(Peering& peering, const PeerSettings& settings, std::vector<std::string>& changes,
                         TimePoint now) {
  const bool was_shut_down = peering.isShutDown();
  peering.shutdown_by_operator.reset();
  const PeerSettings before = std::exchange(peering.settings, settings);
  const SessionSettings session = sessionSettings(settings);
  const std::string name = "peer " + settings.name + ": ";
  if (before != settings)
    changes.push_back(name + "changed");
  else if (was_shut_down != settings.shutdown)
    changes.push_back(name + (settings.shutdown ? "shut down" : "started") + " again, as the settings say");
  const bool was_up = peering.session.has_value();
  setLimits(peering, now);
  if (settings.shutdown && !was_shut_down) stopPeer(peering, settings.shutdown_text, now);
  act(peering, peering.machine.configure(session, now), now);
  if (!sameTransport(before, settings)) handle(peering, event::Clear{{}, true}, now);
  if (was_up && !peering.session) changes.back() += ", session ended";
  if (started_ && !settings.shutdown && was_shut_down) handle(peering, event::Start{}, now);
  const ImportRules import = peering.import;
  setRules(peering);
  if (peering.import == import) return;
  forTables([&](auto& table, auto&) { table.reimport(peering.index); });
}

void Speaker::compilePolicies(const PolicyBook& before, const PolicyBook& book) {
  const Policies compiled(book);
  std::map<std::string, std::shared_ptr<const Policy>> policies;
  for (const std::string& name : {std::string(kAcceptAll), std::string(kDenyAll)})
    policies[name] = policies_.contains(name) ? policies_[name] : compiled.find(name);
  for (const auto& [name, settings] : book.policies)
    policies[name] = samePolicy(name, before, book) ? policies_[name] : compiled.find(name);
  policies_ = std::move(policies);
}

std::shared_ptr<const Policy> Speaker::policy(const std::optional<std::string>& name, bool external) const {
  return policies_.at(policyInUse(name, external));
}

/// With what the instance knows of a restart.
SessionSettings Speaker::sessionSettings(const PeerSettings& settings) const {
  SessionSettings session = settings.session;
  if (session.open.graceful_restart) session.open.graceful_restart->restarting = deferral_ && deferral_->restarting();
  return session;
}

ImportRules Speaker::importRules(const Peering& peering) const {
  const OpenSettings& open = peering.settings.session.open;
  ImportRules rules;
  rules.external = !open.internal();
  rules.local_as = open.local_as;
  rules.instance_as = settings_.asn;
  rules.peer_as = open.peer_as;
  rules.router_id = open.router_id;
  rules.allow_own_as = peering.settings.allow_own_as;
  rules.role = open.role;
  rules.first_as = open.role != BgpRole::route_server_client;
  for (const InterfaceAddress& one : interfaces_) rules.own.push_back(one.address);
  if (rules.external && peering.settings.hops == 1) rules.near = peering.settings.remote.address;
  rules.policy = policy(peering.settings.import_policy, rules.external);
  return rules;
}

ExportRules Speaker::exportRules(const Peering& peering) const {
  const OpenSettings& open = peering.settings.session.open;
  ExportRules rules;
  rules.external = !open.internal();
  rules.local_as = open.local_as;
  rules.four_octet_asn = peering.negotiated.four_octet_asn;
  rules.extended_next_hop = peering.negotiated.extended_next_hop;
  rules.next_hop = peering.settings.next_hop;
  rules.role = open.role;
  rules.route_server_client = peering.settings.route_server_client;
  rules.drain = peering.settings.drain || settings_.drain;
  rules.policy = policy(peering.settings.export_policy, rules.external);
  // Our address of the session, and one of the other family on the same interface.
  const auto use = [&rules](const Address& address) {
    if (const auto* four = std::get_if<Ipv4>(&address); four != nullptr && !rules.self4) rules.self4 = *four;
    if (const auto* six = std::get_if<Ipv6>(&address); six != nullptr && !rules.self6) rules.self6 = *six;
  };
  if (!peering.session) return rules;
  use(peering.local.address);
  const auto on = std::ranges::find(interfaces_, peering.local.address, &InterfaceAddress::address);
  if (on == interfaces_.end()) return rules;
  for (const InterfaceAddress& one : interfaces_) {
    const auto* six = std::get_if<Ipv6>(&one.address);
    const bool link_local = six != nullptr && (*six)[0] == 0xfe && ((*six)[1] & 0xc0) == 0x80;
    if (one.interface == on->interface && !link_local) use(one.address);
  }
  return rules;
}

void Speaker::setRules(Peering& peering) {
  peering.import = importRules(peering);
  peering.exports = exportRules(peering);
  if (!peering.session) return;
  groups4_.change(peering.index, peering.exports);
  groups6_.change(peering.index, peering.exports);
  has_work_ = true;
}

void Speaker::setLimits(Peering& peering, TimePoint now) {
  for (const Family family : {kIpv4Unicast, kIpv6Unicast}) {
    PeerFamily& state = peering.families[family];
    const auto wanted = peering.settings.limits.find(family);
    if (wanted == peering.settings.limits.end()) {
      state.limit.reset();
    } else if (state.limit) {
      limitEvent(peering, family, state.limit->configure(wanted->second), now);
    } else {
      // What is there is counted, also above the limit.
      state.limit.emplace(
          LimitSettings{.limit = UINT32_MAX, .warn_percent = 0, .action = LimitAction::warn, .restart = {}});
      for (std::uint32_t i = routes(peering, family).paths; i > state.forgotten; --i) state.limit->announce(true);
      limitEvent(peering, family, state.limit->configure(wanted->second), now);
    }
  }
}

std::vector<const Peering*> Speaker::peerings() const {
  std::vector<const Peering*> list;
  for (const PeerSettings& peer : settings_.peers) list.push_back(peering(peer.name));
  return list;
}

const Peering* Speaker::peering(const std::string& name) const {
  for (const auto& peering : peerings_)
    if (peering && peering->configured && peering->settings.name == name) return peering.get();
  return nullptr;
}

const Peering* Speaker::peering(PeerIndex index) const {
  return index < peerings_.size() ? peerings_[index].get() : nullptr;
}

PeerRoutes Speaker::routes(const Peering& peering, Family family) const {
  return family == kIpv4Unicast ? ipv4_.routes(peering.index) : ipv6_.routes(peering.index);
}

std::size_t Speaker::advertised(const Peering& peering, Family family) const {
  const auto count = [&](const auto* out) { return out == nullptr ? 0 : out->advertised(peering.index); };
  return family == kIpv4Unicast ? count(groups4_.of(peering.index)) : count(groups6_.of(peering.index));
}

std::uint32_t Speaker::seconds(TimePoint at) const {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(at - began_).count());
}

}  // namespace poplink::host::bgp
