# SPDX-License-Identifier: Apache-2.0
"""Mutation testing: are the tests able to fail? Many mutants live in one build (schemata), one of them is chosen at run time."""
