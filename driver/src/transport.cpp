// SPDX-License-Identifier: Apache-2.0
#include "poplink/driver/transport.h"

#include "poplink/driver/error.h"

namespace poplink::driver {

namespace {

class NoCard : public Transport {
 public:
  std::vector<std::uint32_t> run(std::span<const Access>) override { throw DriverError(kText); }
  std::string name() const override { return "none"; }
  std::unique_ptr<DmaMemory> allocate(std::size_t) override { throw DriverError(kText); }
  void reset() override { throw DriverError(kText); }

 private:
  static constexpr const char* kText = "there is no card here (transport none)";
};

}  // namespace

std::unique_ptr<DmaMemory> Transport::allocate(std::size_t) {
  throw DriverError("the card at " + name() + " is reached by its registers only: it cannot share memory");
}

void Transport::reset() {
  throw DriverError("the card at " + name() + " cannot be reset from here");
}

std::unique_ptr<Transport> openNoCard() {
  return std::make_unique<NoCard>();
}

}  // namespace poplink::driver
