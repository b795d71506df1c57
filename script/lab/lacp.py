# SPDX-License-Identifier: Apache-2.0
"""What LACP partners of every make say of themselves."""
import dataclasses

STATE_BITS = ("activity", "timeout", "aggregation", "synchronized", "collecting", "distributing", "defaulted", "expired")  # bit 0 first
CARRYING = frozenset({"synchronized", "collecting", "distributing"})


@dataclasses.dataclass(frozen=True)
class Side:
    """One system's side of a port (802.1AX, 6.4.2.3). `state`: the names of the bits that are set; timeout is the short one."""
    system: str
    system_priority: int
    port: int
    port_priority: int
    key: int
    state: frozenset[str]
