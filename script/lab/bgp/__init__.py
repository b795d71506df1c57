# SPDX-License-Identifier: Apache-2.0
"""BGP speakers of others, each behind one face (`lab.bgp.peer.Peer`), in namespaces of the lab."""
