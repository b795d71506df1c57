# SPDX-License-Identifier: Apache-2.0
"""Fetches what the BGP speakers are unpacked from."""
import sys

from lab.bgp import bird, frr, gobgp, openbgpd
from lab.packages import Missing, unpacked

if __name__ == "__main__":
    try:
        for module in (bird, frr, gobgp, openbgpd):
            unpacked(module.PACKAGE)
    except Missing as error:
        sys.exit(f"BGP speakers: {error}")
