// SPDX-License-Identifier: Apache-2.0
#include "signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>

#include "commands.h"

namespace poplink::host {

namespace {

// Written before the handler is there.
char bus_error_text[128];
std::size_t bus_error_bytes = 0;

/// Nothing but what is allowed in a signal's handler.
void onBusError(int signal, siginfo_t* info, void*) {
  if (info->si_code != BUS_ADRERR) {  // broken memory, perhaps: not ours to explain
    ::signal(signal, SIG_DFL);
    return;
  }
  static_cast<void>(::write(STDERR_FILENO, bus_error_text, bus_error_bytes));
  ::_exit(kExitCard);
}

}  // namespace

driver::Descriptor endingSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) throw std::system_error(errno, std::generic_category(), "signals");
  return driver::Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

void explainBusErrors(const std::string& program) {
  const std::string text = program + ": lost the card: its registers are not there any more\n";
  bus_error_bytes = text.copy(bus_error_text, sizeof bus_error_text);
  struct sigaction action{};
  action.sa_sigaction = onBusError;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGBUS, &action, nullptr) != 0) throw std::system_error(errno, std::generic_category(), "signals");
}

}  // namespace poplink::host
