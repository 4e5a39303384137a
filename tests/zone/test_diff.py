"""The difference of two versions, applied to the older one, makes the newer one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.limits import WALK_NODES
from ocizone.wire.codes import TYPE_A, TYPE_RRSIG, TYPE_TXT
from ocizone.wire.name import from_text, name_from_key, relative_key, to_text
from ocizone.zone.diff import Change, diff
from ocizone.zone.node import Flag, Node, RRset
from ocizone.zone.nsec3 import nsec3_owner
from ocizone.zone.reader import DictZone, ZoneInfo, ZoneReader
from tests.zonebuilder import zone

APEX = from_text("example.org.")
SOA = "@ 300 IN SOA ns h 1 2 3 4 5\n@ 300 IN NS ns\n"
#: Owner, type, TTL, rdata.
Records = set[tuple[bytes, int, int, bytes]]


def changes(old: ZoneReader, new: ZoneReader) -> Iterator[Change]:
    return (change for change in diff(old, new) if change is not None)


def shown(old: str, new: str) -> list[str]:
    """Return the changes between two zones, one line a record."""
    found: list[str] = []
    for change in changes(zone(SOA + old, "example.org"), zone(SOA + new, "example.org")):
        for sign, rrset in (("-", change.removed), ("+", change.added)):
            for rdata in rrset.rdatas if rrset else ():
                assert rrset is not None
                owner = to_text(change.owner)
                found.append(f"{sign} {owner} {rrset.ttl} {rrset.rrtype} {rdata.hex()}")
    return found


ONE, TWO = "c0000201", "c0000202"


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("a 1 A 192.0.2.1", "a 1 A 192.0.2.1", []),
        ("", "a 1 A 192.0.2.1", [f"+ a.example.org. 1 1 {ONE}"]),
        ("a 1 A 192.0.2.1", "", [f"- a.example.org. 1 1 {ONE}"]),
        ("a 1 A 192.0.2.1", "a 1 A 192.0.2.1\na 1 A 192.0.2.2", [f"+ a.example.org. 1 1 {TWO}"]),
        # One TTL an RRset (RFC 2181 5.2): all of it goes and comes.
        ("a 1 A 192.0.2.1\na 1 A 192.0.2.2", "a 2 A 192.0.2.1", [
            f"- a.example.org. 1 1 {ONE}", f"- a.example.org. 1 1 {TWO}",
            f"+ a.example.org. 2 1 {ONE}"]),
        # Names are equal ignoring case (RFC 4343); the newer spelling is shown.
        ("a 1 A 192.0.2.1", "A 1 A 192.0.2.1", []),
        ("a 1 A 192.0.2.1", "A 1 A 192.0.2.1\nA 1 TXT x", ["+ A.example.org. 1 16 0178"]),
        ("A 1 A 192.0.2.1\nA 1 TXT x", "a 1 A 192.0.2.1", ["- A.example.org. 1 16 0178"]),
        # An empty non-terminal that comes and goes is no record.
        ("", "x.y 1 A 192.0.2.1", [f"+ x.y.example.org. 1 1 {ONE}"]),
        # What a new cut hides is still there: only the NS is new.
        ("a.b 1 A 192.0.2.1", "a.b 1 A 192.0.2.1\nb 1 NS a.b", [
            "+ b.example.org. 1 2 01610162076578616d706c65036f726700"]),
    ],
)  # fmt: skip
def test_changes(old, new, lines):
    """Records that only one version has, each once."""
    assert shown(old, new) == lines


def test_nsec3_comes_last_under_its_own_name():
    """Its owner is its hash (RFC 5155 3)."""
    label = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
    record = f"{label} 5 NSEC3 1 0 0 - {label} A RRSIG\n"
    (change,) = changes(zone(SOA, "example.org"), zone(SOA + record, "example.org"))
    assert to_text(change.owner) == f"{label}.example.org."
    assert (change.removed, change.added and change.added.ttl) == (None, 5)


def test_a_long_walk_gives_way():
    """Nothing changed in 2,000 names: still a None after every WALK_NODES of them."""
    text = SOA + "".join(f"n{number} 1 A 192.0.2.1\n" for number in range(2000))
    one = zone(text, "example.org")
    assert list(diff(one, one)) == [None] * (2001 // WALK_NODES)


def test_a_long_walk_over_nsec3_gives_way():
    """They are as many as names."""
    node = Node(Flag.NONE, {TYPE_A: RRset(TYPE_A, 1, (b"1234",))})
    digests = {number.to_bytes(20): node for number in range(1000)}
    one = DictZone(ZoneInfo(APEX, 2, 1, 0, 0, ""), {b"": node}, digests)
    assert list(diff(one, one)) == [None] * (1000 // WALK_NODES)


# --- The law -----------------------------------------------------------------------------------

_LABELS = st.sampled_from([b"a", b"b", b"*", b"z", b"\x00", b"\x01", b"a" * 63])
_OWNERS = st.lists(_LABELS, max_size=3)
_RDATA = st.binary(min_size=1, max_size=2)


def _rrset(rrtype: int, ttl: int, rdatas: set[bytes], signatures: set[bytes]) -> RRset:
    covered = rrtype.to_bytes(2)
    return RRset(rrtype, ttl, tuple(rdatas), tuple(covered + rdata for rdata in signatures))


_RRSETS = st.builds(
    _rrset,
    st.sampled_from([TYPE_A, TYPE_TXT]),
    st.integers(0, 2),
    st.sets(_RDATA, min_size=1, max_size=3),
    st.sets(_RDATA, max_size=2),
)
_NODES = st.builds(
    lambda rrsets, flags: Node(flags, {rrset.rrtype: rrset for rrset in rrsets}),
    st.lists(_RRSETS, max_size=2),
    st.sampled_from([Flag.NONE, Flag.OCCLUDED]),
)
_DIGESTS = st.sampled_from([bytes(20), b"\x7f" * 20, b"\xff" * 20])


def _zone(nodes: dict[tuple[bytes, ...], Node], nsec3: dict[bytes, Node]) -> DictZone:
    by_key = {}
    for own, node in nodes.items():
        name = b"".join(bytes([len(label)]) + label for label in own) + APEX
        by_key[relative_key(name, 2)] = node
    return DictZone(ZoneInfo(APEX, 2, 1, 0, 0, ""), by_key, nsec3)


_ZONES = st.builds(
    _zone,
    st.dictionaries(_OWNERS.map(tuple), _NODES, max_size=6),
    st.dictionaries(_DIGESTS, _NODES, max_size=3),
)


def _records(reader: ZoneReader) -> Records:
    found: Records = set()
    named = [(name_from_key(key, APEX), node) for key, node in reader.nodes()]
    named += [(nsec3_owner(digest, APEX), node) for digest, node in reader.nsec3_nodes()]
    for owner, node in named:
        for rrset in node.rrsets.values():
            found |= {(owner, rrset.rrtype, rrset.ttl, rdata) for rdata in rrset.rdatas}
            found |= {(owner, TYPE_RRSIG, rrset.ttl, rdata) for rdata in rrset.signatures}
    return found


@settings(max_examples=100)
@given(_ZONES, _ZONES)
def test_the_difference_applied_to_the_older_version_makes_the_newer(old, new):
    """apply(diff(a, b), a) == b; what is removed was there, what is added is in the newer."""
    removed: Records = set()
    added: Records = set()
    for change in changes(old, new):
        for rrset, into in ((change.removed, removed), (change.added, added)):
            for rdata in rrset.rdatas if rrset else ():
                assert rrset is not None
                into.add((change.owner, rrset.rrtype, rrset.ttl, rdata))
    assert removed == _records(old) - _records(new)
    assert added == _records(new) - _records(old)
    assert list(changes(new, new)) == []
