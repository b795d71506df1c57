// SPDX-License-Identifier: Apache-2.0
#include "region.h"

#include <algorithm>
#include <map>

namespace poplink::host {

const char* toString(Role role) {
  return role == Role::entrypoint ? "entrypoint" : "endpoint";
}

const char* toString(Use use) {
  switch (use) {
    case Use::cross_connect:
      return "cross_connect";
    case Use::vrack:
      return "vrack";
    case Use::backbone:
      return "backbone";
  }
  return "";
}

const Port* Site::port(PortId id) const {
  const auto found = std::find_if(ports.begin(), ports.end(), [&](const Port& port) { return port.id == id; });
  return found == ports.end() ? nullptr : &*found;
}

const Site* Region::site(const std::string& wanted) const {
  const auto found = std::find_if(sites.begin(), sites.end(), [&](const Site& site) { return site.name == wanted; });
  return found == sites.end() ? nullptr : &*found;
}

std::vector<Lag> lagsOf(const Region& region, const Site& site) {
  std::map<PortId, Lag> by_link;
  for (const Lag& lag : site.lags) by_link.emplace(lag.link, lag);
  for (const Service& service : region.services) {
    for (const Attachment* side : {&service.pop, &service.dc}) {
      if (side->site == site.name && side->ports.size() > 1)
        by_link.emplace(side->link(), Lag{side->ports_place, side->link(), side->ports, region.lacp});
    }
  }
  std::vector<Lag> lags;
  lags.reserve(by_link.size());
  for (auto& [link, lag] : by_link) lags.push_back(std::move(lag));
  return lags;
}

std::string toString(const std::vector<PortId>& ports) {
  std::string text = ports.size() == 1 ? "port" : "ports";
  const char* separator = " ";
  for (const PortId port : ports) {
    text += separator + std::to_string(port.value);
    separator = ", ";
  }
  return text;
}

std::vector<const Port*> backboneLinks(const Site& from, const std::string& to) {
  std::vector<const Port*> links;
  for (const Port& port : from.ports) {
    if (port.use == Use::backbone && port.peer && port.peer->site == to) links.push_back(&port);
  }
  std::sort(links.begin(), links.end(), [](const Port* a, const Port* b) { return a->id < b->id; });
  return links;
}

}  // namespace poplink::host
