# SPDX-License-Identifier: Apache-2.0
"""A poplink lab on one machine: network namespaces, simulated cards, the configuration applied to them."""
