// SPDX-License-Identifier: Apache-2.0
// QEMU's qtest socket: how an MSI-X message gets into a virtual machine whose device model is another process. (The
// protocol of such devices passes interrupts by KVM only; the emulated machine of TCG takes them here.)
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace poplink::sim {

class QtestClient {
 public:
  /// QEMU listens at `socket` (-qtest unix:SOCKET,server=on,wait=off) by the first write. `tell`: what goes wrong.
  QtestClient(boost::asio::io_context& context, std::string socket, std::function<void(const std::string&)> tell);
  ~QtestClient();

  /// A 32-bit write to the machine's bus, in the order of the calls. Connects when there is no connection. A write that
  /// QEMU cannot be given is lost, as on a machine that is off, and told.
  void write(std::uint64_t address, std::uint32_t value);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace poplink::sim
