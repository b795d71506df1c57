# SPDX-License-Identifier: Apache-2.0
"""Fetches what the BGP speakers are unpacked from."""

from lab.bgp import bird, frr, gobgp, openbgpd
from lab.packages import fetching, unpacked

if __name__ == "__main__":
    with fetching("BGP speakers"):
        for module in (bird, frr, gobgp, openbgpd):
            unpacked(module.PACKAGE)
