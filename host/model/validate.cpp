// SPDX-License-Identifier: Apache-2.0
#include "validate.h"

#include <map>
#include <set>

#include "lag_rules.h"

namespace poplink::host {

namespace {

std::string number(unsigned value) {
  return std::to_string(value);
}

class Validator {
 public:
  Validator(const Region& region, Problems& problems) : region_(region), problems_(problems) {}

  void run() {
    unique(region_.sites, "name", [](const Site& site) { return site.name; }, "site");
    unique(region_.vracks, "id", [](const VRack& vrack) { return vrack.id; }, "vRack");
    unique(region_.services, "name", [](const Service& service) { return service.name; }, "service");
    unique(
        region_.services, "tunnel_id", [](const Service& service) { return number(service.tunnel_id.value); },
        "tunnel id");
    for (const Site& site : region_.sites) checkSite(site);
    for (const Service& service : region_.services) checkService(service);
    checkPortSharing();
    checkVRacks();
    validateLags(region_, problems_);
  }

 private:
  void add(const Place& place, const char* field, const std::string& text) {
    problems_.add({place.path + "." + field, place.line}, text);
  }

  template <class Things, class Key>
  void unique(const Things& things, const char* field, Key key, const char* what) {
    std::set<std::string> seen;
    for (const auto& thing : things) {
      if (!seen.insert(key(thing)).second)
        add(thing.place, field, std::string(what) + " '" + key(thing) + "' is used a second time");
    }
  }

  void checkSite(const Site& site) {
    unique(site.ports, "id", [](const Port& port) { return number(port.id.value); }, "port");
    for (const Port& port : site.ports) {
      if (port.use == Use::backbone)
        checkCable(site, port);
      else if (port.peer)
        add(port.place, "peer", "only a backbone port has a peer");
      if (port.weight && port.use != Use::backbone) add(port.place, "weight", "only a backbone port has a weight");
      if (port.lacp_priority && port.use == Use::backbone)
        add(port.place, "lacp_priority", "a backbone port does not run LACP");
      if (port.use == Use::cross_connect && site.role != Role::entrypoint)
        add(port.place, "use", "a cross-connect ends at an entrypoint, not in a data centre");
      if (port.use == Use::vrack && site.role != Role::endpoint)
        add(port.place, "use", "a vRack port is in a data centre, not at an entrypoint");
    }
  }

  void checkCable(const Site& site, const Port& port) {
    if (!port.peer) return add(port.place, "peer", "a backbone port names the other end of its cable");
    if (port.peer->site == site.name) return add(port.place, "peer", "a backbone cable leads to another site");
    const Site* other = region_.site(port.peer->site);
    if (other == nullptr) return add(port.place, "peer.site", "there is no site '" + port.peer->site + "'");
    const Port* end = other->port(port.peer->port);
    if (end == nullptr)
      return add(port.place, "peer.port", "site '" + other->name + "' has no port " + number(port.peer->port.value));
    if (end->use != Use::backbone || !end->peer || end->peer->site != site.name || end->peer->port != port.id) {
      return add(port.place, "peer",
                 "port " + number(end->id.value) + " of '" + other->name + "' does not name this port as its peer");
    }
    if (end->gigabits != port.gigabits) add(port.place, "speed", "the two ends of the cable have different speeds");
  }

  void checkService(const Service& service) {
    bool known = false;
    for (const VRack& vrack : region_.vracks) known = known || vrack.id == service.vrack;
    if (!known) add(service.place, "vrack", "there is no vRack '" + service.vrack + "'");
    const Site* pop = checkSide(service.pop, Role::entrypoint, Use::cross_connect);
    const Site* dc = checkSide(service.dc, Role::endpoint, Use::vrack);
    if (pop != nullptr && dc != nullptr && backboneLinks(*pop, dc->name).empty()) {
      add(service.place, "dc.site", "no backbone link leads from '" + pop->name + "' to '" + dc->name + "'");
    }
  }

  const Site* checkSide(const Attachment& side, Role role, Use use) {
    const Site* site = region_.site(side.site);
    if (site == nullptr) {
      add(side.place, "site", "there is no site '" + side.site + "'");
      return nullptr;
    }
    if (site->role != role) {
      add(side.place, "site",
          "'" + site->name + "' is an " + toString(site->role) + ", this side needs an " + toString(role));
      return nullptr;
    }
    for (const PortId id : side.ports) {
      const Port* port = site->port(id);
      if (port == nullptr)
        problems_.add(side.ports_place, "site '" + site->name + "' has no port " + number(id.value));
      else if (port->use != use) {
        problems_.add(side.ports_place, "port " + number(id.value) + " is used as " + toString(port->use) +
                                            ", this side needs a " + toString(use) + " port");
      }
    }
    return site;
  }

  /// A port or LAG belongs to one service, or to several that each take another VLAN or the untagged frames.
  void checkPortSharing() {
    std::map<std::pair<std::string, PortId>, std::vector<const Attachment*>> by_link;
    for (const Service& service : region_.services) {
      for (const Attachment* side : {&service.pop, &service.dc}) {
        std::vector<const Attachment*>& others = by_link[{side->site, side->link()}];
        for (const Attachment* other : others) checkSharing(*side, *other);
        others.push_back(side);
      }
    }
  }

  void checkSharing(const Attachment& side, const Attachment& other) {
    if (side.ports != other.ports) return;  // refused as LAGs
    if (side.wholePort() || other.wholePort()) {
      problems_.add(side.ports_place, toString(side.ports) + " of '" + side.site +
                                          (side.ports.size() > 1 ? "' belong" : "' belongs") +
                                          " to another service as a whole");
    } else if (side.vlan && side.vlan == other.vlan) {
      add(side.place, "vlan", "VLAN " + number(side.vlan->value) + " on this port belongs to another service");
    } else if (side.untagged && other.untagged) {
      add(side.place, "untagged", "untagged frames on this port belong to another service");
    }
  }

  void checkVRacks() {
    std::map<std::string, unsigned> l2;
    std::map<std::pair<std::string, std::string>, unsigned> at_pop;
    for (const Service& service : region_.services) {
      if (++l2[service.vrack] == 2)
        add(service.place, "vrack", "vRack '" + service.vrack + "' has an L2 service already: one per vRack");
      for (const VRack& vrack : region_.vracks) {
        if (vrack.id != service.vrack) continue;
        if (++at_pop[{vrack.id, service.pop.site}] == vrack.services_per_pop + 1) {
          add(service.place, "vrack",
              "more than " + number(vrack.services_per_pop) + " services of vRack '" + vrack.id + "' at '" +
                  service.pop.site + "'");
        }
      }
    }
  }

  const Region& region_;
  Problems& problems_;
};

}  // namespace

void validate(const Region& region, Problems& problems) {
  Validator(region, problems).run();
}

}  // namespace poplink::host
