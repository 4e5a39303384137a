"""Nodes of one record, and what is made of them by octets (zone.single): the law is zone.node."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ocizone.zone.node import Flag, Node, RRset
from ocizone.zone.single import (
    merge_singles,
    read_single,
    single_head,
    single_kind,
    single_type,
    with_flags,
)

RECORDS = st.lists(
    st.tuples(st.sampled_from([1, 2, 16, 28]), st.binary(min_size=1, max_size=9)),
    min_size=1,
    max_size=6,
    unique=True,
)
FLAGS = st.integers(0, Flag.OCCLUDED * 2 - 1)
TTL = st.integers(0, 2**31 - 1)


def single(rrtype: int, ttl: int, rdata: bytes) -> bytes:
    return single_head(rrtype, ttl, len(rdata)) + rdata


@given(st.integers(1, 65535), TTL, st.binary(max_size=300), FLAGS)
def test_one_record(rrtype: int, ttl: int, rdata: bytes, flags: int):
    """It is the node that encoding the record gives."""
    found = single(rrtype, ttl, rdata)
    rrsets = {rrtype: RRset(rrtype, ttl, (rdata,))}
    assert found == Node(Flag.NONE, rrsets).encode()
    assert with_flags(flags, found) == Node(Flag(flags), rrsets).encode()
    assert read_single(found) == (rrtype, ttl, rdata)
    assert single_type(found) == rrtype.to_bytes(2)
    assert single_kind(found) == rrtype.to_bytes(2) + ttl.to_bytes(4)


@given(RECORDS, TTL, FLAGS)
def test_several_records(records: list[tuple[int, bytes]], ttl: int, flags: int):
    """RRsets in the order of their first records, records in theirs."""
    rrsets: dict[int, RRset] = {}
    for rrtype, rdata in records:
        before = rrsets.get(rrtype, RRset(rrtype, ttl, ()))
        rrsets[rrtype] = RRset(rrtype, ttl, (*before.rdatas, rdata))
    singles = [single(rrtype, ttl, rdata) for rrtype, rdata in records]
    assert merge_singles(flags, singles) == Node(Flag(flags), rrsets).encode()
