// SPDX-License-Identifier: Apache-2.0
// Attributes of an UPDATE through a policy with every operator. The first octet chooses the session, the second the
// prefix, the rest is the list of attributes. The verdict and the changes are those of the terms word by word, and what
// was changed is still read, as the same.
#include "bgp_policy_reference.h"
#include "bgp_policy_samples.h"
#include "bgp_update_checks.h"

using namespace poplink::host::bgp;

namespace {

constexpr Asn kOwn = 4200000001;

/// An UPDATE of these attributes and one route.
std::vector<std::uint8_t> bodyOf(Octets attributes) {
  std::vector<std::uint8_t> body;
  put16(body, 0);
  put16(body, static_cast<std::uint16_t>(attributes.size()));
  put(body, attributes);
  putPrefix(body, Prefix4{0xC6336400, 24});
  return body;
}

struct Everything {
  PolicyBook book = bookOfEverything();
  std::shared_ptr<const Policy> policy = Policies(book).find("everything");
};

/// An internal peer who is sent it reads the same; there a LOCAL_PREF is mandatory.
void requireReadAgain(Octets changed) {
  std::vector<AttributeChange> more{{AttributeType::next_hop, std::vector<std::uint8_t>{0xC0, 0, 2, 1}}};
  if (!readFacts(changed).local_pref)
    more.push_back({AttributeType::local_pref, std::vector<std::uint8_t>{0, 0, 0, 100}});
  const std::vector<std::uint8_t> body = bodyOf(withChanges(changed, more));
  if (body.size() > kMaxBodyBytes) return;
  UpdateContext context;
  context.external = false;
  const auto space = std::make_unique<DecodeSpace>();
  const Update again = decodeUpdate(body, context, *space);
  more.front().value.reset();  // the next hop
  require(again.findings.count() == 0);
  require(std::ranges::equal(again.canonical, withChanges(changed, more)));
}

template <class Prefix>
void checkPolicy(const Everything& everything, const Prefix& prefix, const Update& update) {
  const Policy& policy = *everything.policy;
  const Outcome expected = outcomeOf(policy.settings(), everything.book, policy, prefix, update.canonical);
  const Verdict verdict = policy.judge(prefix, update.facts);
  require(verdict == expected.verdict);
  if (!verdict.accept) return;
  require(policy.apply(update.canonical, verdict.terms, 0) == expected.canonical);
  require(policy.changes(verdict.terms) || std::ranges::equal(update.canonical, expected.canonical));
  const std::vector<std::uint8_t> changed = policy.apply(update.canonical, verdict.terms, kOwn);
  const PathFacts facts = readFacts(changed);
  const std::size_t times = policy.prepend(verdict.terms);
  require(facts.path_length == update.facts.path_length + times);
  require(times == 0 || facts.first_as == kOwn);
  requireReadAgain(changed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Everything everything;
  if (size < 2 || size > kMaxBodyBytes) return 0;
  const std::vector<std::uint8_t> body = bodyOf({data + 2, size - 2});
  if (body.size() > kMaxBodyBytes) return 0;
  const UpdateContext context = contextOf(static_cast<std::uint8_t>(data[0] | 4));
  const auto space = std::make_unique<DecodeSpace>();
  const Update update = decodeUpdate(body, context, *space);
  if (update.canonical.empty()) return 0;
  const auto length = static_cast<std::uint8_t>(data[1] / 2);
  if (data[1] % 2 == 0)
    checkPolicy(everything, Prefix4{0xC6336400, static_cast<std::uint8_t>(std::max(24, length % 33))}, update);
  else
    checkPolicy(everything, Prefix6{{0x20, 0x01}, static_cast<std::uint8_t>(std::max<int>(16, length))}, update);
  return 0;
}
