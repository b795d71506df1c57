// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>

#include "host_interface.h"
#include "outlet.h"

namespace poplink::sim {

/// An interface of this host, which is there until somebody removes it.
class InterfaceOutlet : public Outlet {
 public:
  InterfaceOutlet(boost::asio::io_context& context, std::unique_ptr<host::HostInterface> interface, std::string name,
                  OutletWire wire, Tell tell);

  void deliver(std::span<const std::uint8_t> frame) override;
  void feed() override;
  void setCarrier(bool up) override;
  std::uint64_t refused() const override { return refused_; }
  std::string name() const override { return name_; }

 private:
  static constexpr std::size_t kFrameBuffer = 16'384;

  void watch();
  void lose(const host::HostInterfaceError& error);

  std::unique_ptr<host::HostInterface> interface_;
  std::string name_;
  OutletWire wire_;
  Tell tell_;
  boost::asio::posix::stream_descriptor readable_;
  bool ready_ = false;
  bool gone_ = false;
  std::uint64_t refused_ = 0;
  std::array<std::uint8_t, kFrameBuffer> buffer_{};
};

}  // namespace poplink::sim
