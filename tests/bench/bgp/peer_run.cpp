// SPDX-License-Identifier: Apache-2.0
#include "peer_run.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace poplink::bench {

namespace bgp = host::bgp;

using namespace std::chrono_literals;

namespace {

/// Late work of the speaker belongs to the phase, and nothing may come that should not.
constexpr Clock::duration kRest = 300ms;
constexpr Clock::duration kTryAgain = 100ms;

double seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

PeerRun::PeerRun(const Scenario& scenario, std::uint16_t port, Clock::duration quiet)
    : scenario_(scenario),
      quiet_(quiet),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      index_(indexOf(scenario.table.prefixes())) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll");
  const auto session = [&](const Identity& self) {
    return std::make_unique<PeerSession>(self, scenario.speaker.address, port, scenario.table.family(), epoll_);
  };
  for (const Identity& self : scenario.senders) {
    senders_.push_back(session(self));
    senders_.back()->on_update = [this](bgp::Octets body) {
      const bgp::UpdateContext context{.ipv6_unicast = true};
      if (!bgp::decodeUpdate(body, context, space_).end_of_rib && trouble_.empty())
        trouble_ = "a sender was sent routes, against the policy";
    };
  }
  for (const Identity& self : scenario.receivers) {
    receivers_.push_back(
        std::make_unique<Receiver>(Receiver{session(self), HeardRoutes(index_, scenario.table.prefixes())}));
    Receiver& receiver = *receivers_.back();
    receiver.session->on_update = [this, &receiver](bgp::Octets body) { hear(receiver, body); };
  }
}

PeerRun::~PeerRun() {
  for (PeerSession* session : sessions()) session->close();
  ::close(epoll_);
}

std::vector<PeerSession*> PeerRun::sessions() const {
  std::vector<PeerSession*> all;
  for (const auto& sender : senders_) all.push_back(sender.get());
  for (const auto& receiver : receivers_) all.push_back(receiver->session.get());
  return all;
}

void PeerRun::hear(Receiver& receiver, bgp::Octets body) {
  ++updates_;
  const bgp::UpdateContext context{.ipv6_unicast = scenario_.table.family() == bgp::kIpv6Unicast};
  const bgp::Update update = bgp::decodeUpdate(body, context, space_);
  if (update.findings.count() > 0 && trouble_.empty())
    trouble_ = "an UPDATE is wrong: " + words(update.findings.decisive());
  receiver.heard.take(update);
}

template <class GoingOn>
void PeerRun::loop(Clock::duration step, GoingOn going_on) {
  std::array<epoll_event, 64> events;
  const auto step_ms = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(step).count());
  while (going_on()) {
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), step_ms);
    if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll");
    for (int i = 0; i < count; ++i)
      static_cast<PeerSession*>(events[static_cast<std::size_t>(i)].data.ptr)
          ->onEvents(events[static_cast<std::size_t>(i)].events);
  }
}

Outcome PeerRun::connect() {
  const std::vector<PeerSession*> all = sessions();
  Outcome outcome;
  const Clock::time_point start = Clock::now();
  for (PeerSession* session : all) session->connect();
  const auto connected = [&] { return std::ranges::all_of(all, &PeerSession::established); };
  loop(kTryAgain, [&] {
    if (connected() || Clock::now() - start > quiet_) return false;
    for (PeerSession* session : all) {
      if (session->state() != PeerSession::State::down || Clock::now() - session->downSince() < kTryAgain) continue;
      ++outcome.refused;
      session->connect();
    }
    return true;
  });
  const Clock::time_point end = Clock::now();
  const auto first = std::ranges::min(all, {}, &PeerSession::firstConnectedAt)->firstConnectedAt();
  outcome.seconds = seconds(end - first);
  for (const PeerSession* session : all)
    if (!session->established())
      outcome.wrong.push_back("no session at " + bgp::toString(session->self().address) + ": " + session->reason());
  const Clock::time_point rested = end + kRest;
  loop(kRest, [&] { return Clock::now() < rested; });
  return outcome;
}

bool PeerRun::done() const {
  return std::ranges::all_of(senders_, [](const auto& sender) { return sender->sentAll(); }) &&
         std::ranges::all_of(receivers_, [](const auto& receiver) { return receiver->heard.asExpected(); });
}

std::uint64_t PeerRun::octets() const {
  std::uint64_t all = 0;
  for (const auto& receiver : receivers_) all += receiver->session->received();
  return all;
}

Outcome PeerRun::run(const Phase& phase) {
  const std::vector<PeerSession*> all = sessions();
  const std::uint64_t updates_before = updates_, octets_before = octets();
  for (const auto& receiver : receivers_) receiver->heard.expect(phase.expected);
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < phase.streams.size(); ++i) senders_[i]->send(phase.streams[i]);
  Clock::time_point heard_last = start;
  std::uint64_t heard = updates_;
  const auto standing = [&] { return std::ranges::all_of(all, &PeerSession::established) && trouble_.empty(); };
  loop(100ms, [&] {
    if (heard != updates_) heard_last = Clock::now();
    heard = updates_;
    return !done() && standing() && Clock::now() - heard_last < quiet_;
  });
  const Clock::time_point end = Clock::now();
  loop(kRest, [&] { return Clock::now() < end + kRest && standing(); });

  Outcome outcome;
  outcome.seconds = seconds(end - start);
  outcome.updates = updates_ - updates_before;
  outcome.octets = octets() - octets_before;
  if (!trouble_.empty()) outcome.wrong.push_back(trouble_);
  for (const PeerSession* session : all)
    if (!session->established())
      outcome.wrong.push_back("session of " + bgp::toString(session->self().address) + ": " + session->reason());
  for (const auto& sender : senders_)
    if (!sender->sentAll()) outcome.wrong.push_back("the speaker does not take all routes");
  for (const auto& receiver : receivers_)
    for (const std::string& difference : receiver->heard.differences())
      outcome.wrong.push_back(bgp::toString(receiver->session->self().address) + ": " + difference);
  return outcome;
}

}  // namespace poplink::bench
