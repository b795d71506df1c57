# SPDX-License-Identifier: Apache-2.0
"""Proofs about what hlsc makes of the kernels; script/prove runs them."""
