"""Nodes as bytes and back: the layout an image is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone.wire.name import from_text
from ocizone.zone.node import Flag, Node, RRset, decode_all

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


@given(nodes)
def test_a_decoded_node_answers_for_types_as_the_dict_it_was_made_of(node: Node) -> None:
    """Order, membership and what is signed, before and after an RRset is read."""
    decoded = Node.decode(node.encode())
    assert list(decoded.rrsets) == list(node.rrsets)
    assert len(decoded.rrsets) == len(node.rrsets)
    assert list(decoded.signed()) == list(node.signed())
    for rrtype, rrset in node.rrsets.items():
        assert rrtype in decoded.rrsets
        assert decoded.rrsets[rrtype] == rrset


def test_a_type_that_is_not_there() -> None:
    """A mapping: get gives None, an index raises."""
    decoded = Node.decode(Node(Flag.NONE, {1: RRset(1, 9, (b"\x01\x02\x03\x04",))}).encode())
    assert 2 not in decoded.rrsets
    assert decoded.rrsets.get(2) is None
    with pytest.raises(KeyError):
        decoded.rrsets[2]


def test_an_rrset_is_read_when_it_is_asked_for() -> None:
    """Octets of one RRset that make no sense are of no matter to the others."""
    node = Node(Flag.NONE, {1: RRset(1, 9, (b"abcd",)), 16: RRset(16, 9, (b"efgh",))})
    broken = node.encode().replace(b"\x00\x04abcd", b"\xff\xffabcd")
    assert Node.decode(broken).rrsets[16] == node.rrsets[16]


def test_decoded_at_once():
    """Every RRset in order, its signatures behind it as an RRset of their own."""
    signed = RRset(1, 300, (b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02"), (b"\x00\x01sig",))
    node = Node(Flag.MIXED_CASE, {1: signed, 16: RRset(16, 60, (b"\x01x",))}, b"\x01A\x00")
    assert decode_all(node.encode()) == (
        b"\x01A\x00",
        [
            RRset(1, 300, signed.rdatas),
            RRset(46, 300, signed.signatures),
            RRset(16, 60, (b"\x01x",)),
        ],
    )
    assert decode_all(Node(Flag.EMPTY_NON_TERMINAL, {}).encode()) == (None, [])
