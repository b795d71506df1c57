// SPDX-License-Identifier: Apache-2.0
#include "interface_outlet.h"

#include <unistd.h>

namespace poplink::sim {

InterfaceOutlet::InterfaceOutlet(boost::asio::io_context& context, std::unique_ptr<host::HostInterface> interface,
                                 std::string name, OutletWire wire, Tell tell)
    : interface_(std::move(interface)),
      name_(std::move(name)),
      wire_(std::move(wire)),
      tell_(std::move(tell)),
      readable_(context, ::dup(interface_->descriptor())) {
  watch();
}

void InterfaceOutlet::watch() {
  readable_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (!error) ready_ = true;
  });
}

void InterfaceOutlet::deliver(std::span<const std::uint8_t> frame) {
  if (!interface_->give(frame)) ++refused_;
}

void InterfaceOutlet::feed() {
  try {
    while (ready_ && wire_.has_room()) {
      const std::span<const std::uint8_t> frame = interface_->take(buffer_);
      if (frame.empty()) {
        ready_ = false;
        watch();
      } else {
        wire_.into.deliver(frame);
      }
    }
  } catch (const host::HostInterfaceError& error) {
    lose(error);
  }
}

void InterfaceOutlet::setCarrier(bool up) {
  if (gone_) return;
  try {
    interface_->setCarrier(up);
  } catch (const host::HostInterfaceError& error) {
    lose(error);
  }
}

void InterfaceOutlet::lose(const host::HostInterfaceError& error) {
  ready_ = false;
  gone_ = true;
  tell_(error.what());
  wire_.on_presence(false);
}

}  // namespace poplink::sim
