// SPDX-License-Identifier: Apache-2.0
// What the ways of a card into a virtual machine have in common: a socket, one machine at a time that owns the card,
// and messages that bring files along.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "descriptors.h"
#include "mapped_memory.h"
#include "ownership.h"

namespace poplink::sim {

class MachineClient;

class MachineListener : public std::enable_shared_from_this<MachineListener> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  using Make = std::function<std::shared_ptr<MachineClient>(Socket, std::shared_ptr<MachineListener>)>;
  using Tell = std::function<void(const std::string&)>;

  /// Throws std::runtime_error as CardServer does. `make`: a client for a connection; `tell`: for the user, why a
  /// machine was turned away or lost the card.
  MachineListener(boost::asio::io_context& context, const std::string& socket, Ownership& card, Make make, Tell tell);
  void accept();
  /// No more connections, and the card is free. What is left of the old ones ends with the context.
  void close();

 private:
  friend class MachineClient;
  void acceptLater();

  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::string path_;
  Ownership* card_;  ///< null: closed
  MachineClient* owner_ = nullptr;
  Make make_;
  Tell tell_;
};

/// One connection: a machine that has the card, from its begin() to its end.
class MachineClient : public Owner, public PciHost, public std::enable_shared_from_this<MachineClient> {
 public:
  /// `program`: what is at the other end, "QEMU".
  MachineClient(MachineListener::Socket socket, std::shared_ptr<MachineListener> listener, const std::string& program);
  ~MachineClient() override { leave(); }
  MachineClient(const MachineClient&) = delete;
  MachineClient& operator=(const MachineClient&) = delete;

  void start();
  void leave();

  std::string ownerName() const override { return name_; }
  bool ownerGone() override;

 protected:
  /// It is the card's owner: awaits its first message.
  virtual void begin() = 0;

  /// Still the owner of the card: another may have taken over from one that has ended, before its end was read.
  bool owns() const { return listener_->card_ != nullptr && listener_->card_->isOwner(*this); }
  PciFunction& function() { return listener_->card_->function(); }
  int descriptor() { return socket_.native_handle(); }

  /// The card is free again; `why`, if any, is told.
  void end(const std::string& why);
  /// Calls `then` when something has come, or the peer has ended.
  void whenReadable(std::function<void()> then);
  /// Calls `then` when all of `bytes` have come, with at most so many files.
  void await(std::span<std::uint8_t> bytes, std::size_t most_files, std::function<void()> then);
  /// Sends all of it, and waits for room as long as that is decent. False: the peer is gone, or does not read.
  bool send(std::span<const std::uint8_t> bytes);
  /// Calls `then` from the loop: nobody is called within the handling of his own message.
  void post(std::function<void()> then);
  static constexpr int kPatienceMs = 5'000;  ///< for a peer that does not read, or does not answer

  MappedMemory memory_;
  MachineListener::Socket socket_;
  MessagePart part_;

 private:
  void gather(std::function<void()> then);

  std::shared_ptr<MachineListener> listener_;
  std::string name_;
};

/// As a processor's accesses: registers are of 32 bits, so a longer access becomes several, and a part of a register is
/// read with the whole. What no register answers reads as ones. A part of a register is not written: the card's bus has
/// no byte enables, and reading the rest first may do something.
void readBar(PciFunction& function, unsigned bar, std::uint64_t offset, std::span<std::uint8_t> into);
void writeBar(PciFunction& function, unsigned bar, std::uint64_t offset, std::span<const std::uint8_t> from);

}  // namespace poplink::sim
