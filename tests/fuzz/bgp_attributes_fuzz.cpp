// SPDX-License-Identifier: Apache-2.0
// Values of attributes behind right headers: the first octet chooses the session, then each attribute is a type, a
// length and its value. What is accepted is changed as policy does, and is still read.
#include "attribute_sink.h"
#include "bgp_update_checks.h"

using namespace poplink::host::bgp;

namespace {

std::vector<std::uint8_t> listOf(Octets input) {
  std::vector<std::uint8_t> list;
  VectorSink sink(list);
  while (input.size() >= 2) {
    const std::uint8_t type = input[0];
    const std::size_t size = std::min<std::size_t>(input[1], input.size() - 2);
    const AttributeRule* rule = attributeRule(type);
    putAttribute(sink,
                 {type, rule == nullptr ? std::uint8_t{kOptional | kTransitive} : rule->flags, input.subspan(2, size)});
    input = input.subspan(2 + size);
  }
  return list;
}

void checkChanged(const Update& update, UpdateContext context) {
  if (update.canonical.empty()) return;
  context.four_octet_asn = true;
  const std::size_t before = update.facts.path_length;
  const std::vector<std::uint8_t> longer = withPrepended(update.canonical, 4200000001, 3);
  require(readFacts(longer).path_length == before + 3);
  require(readFacts(longer).first_as == 4200000001);
  require(timesInPath(readFacts(longer).as_path, 4200000001) >= 3);
  const AttributeChange change{AttributeType::multi_exit_disc, std::vector<std::uint8_t>{0, 0, 0, 5}};
  require(readFacts(withChanges(longer, std::span(&change, 1))).med == 5);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const UpdateContext context = contextOf(static_cast<std::uint8_t>(data[0] | 4));
  const std::vector<std::uint8_t> list = listOf({data + 1, size - 1});
  std::vector<std::uint8_t> body;
  put16(body, 0);
  put16(body, static_cast<std::uint16_t>(list.size()));
  put(body, list);
  putPrefix(body, Prefix4{0xc6336400, 24});
  if (body.size() > kMaxBodyBytes) return 0;
  checkUpdate(body, context);
  const auto space = std::make_unique<DecodeSpace>();
  checkChanged(decodeUpdate(body, context, *space), context);
  return 0;
}
