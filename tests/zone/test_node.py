"""Nodes as bytes and back: the layout an image is made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ocizone.wire.name import from_text
from ocizone.zone.node import Flag, Node, RRset

rdatas = st.lists(st.binary(max_size=40), max_size=4).map(tuple)
rrsets = st.builds(RRset, st.integers(0, 65535), st.integers(0, 2**31 - 1), rdatas, rdatas)
nodes = st.builds(
    lambda flags, found, owner: Node(
        flags | (Flag.MIXED_CASE if owner else Flag.NONE),
        {rrset.rrtype: rrset for rrset in found},
        owner,
    ),
    st.sampled_from([Flag.NONE, Flag.CUT, Flag.DNAME | Flag.WILDCARD_CHILD, Flag.OCCLUDED]),
    st.lists(rrsets, max_size=4),
    st.sampled_from([None, from_text("WWW.Example.ORG."), from_text("A." + "b" * 63 + ".")]),
)


@given(nodes)
def test_what_is_encoded_is_decoded(node: Node) -> None:
    """Flags, spelling, TTLs, rdatas and signatures apart: all of it comes back."""
    assert Node.decode(node.encode()) == node
