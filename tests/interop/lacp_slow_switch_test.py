#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What takes long between our LACP and Open vSwitch: at the slow rate a silent link is noticed after a minute and a half. Runs in a network
namespace of its own (unshare)."""
import unittest

from lab.customer import SwitchCustomer
from lab_case import BINARIES
from lacp_case import LacpCase

LONG_TIMEOUT_SECONDS = 90


class LacpSlowSwitch(LacpCase):
    SPREADS = False  # as LacpSwitch
    lab: SwitchCustomer

    def start(self) -> None:
        self.begin(SwitchCustomer(BINARIES, self.region(rate="slow"), self.directory, rate="slow"))

    def test_loss_towards_us_is_told_to_the_switch(self) -> None:
        self.start()
        self.check_one_way_loss(1, "par-th2", 4 * LONG_TIMEOUT_SECONDS)

    def test_loss_towards_the_switch_is_told_to_us(self) -> None:
        self.start()
        self.check_one_way_loss(0, "host", 4 * LONG_TIMEOUT_SECONDS)


if __name__ == "__main__":
    unittest.main()
