"""The hash of what a zone says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.findings import Findings
from ocizone.wire.name import from_text
from ocizone.zone.build import nsec3_nodes, zone_nodes
from ocizone.zone.content import gather
from ocizone.zone.digest import content_text, node_digest, zone_sum
from ocizone.zone.masterfile import read_master
from ocizone.zone.node import Flag, Node, RRset
from tests.signedzones import signed_text

APEX = from_text("example.org.")
LINES = [
    "@ 300 SOA ns h 1 2 3 4 5",
    "@ 300 NS ns",
    "ns 300 A 192.0.2.1",
    "ns 300 AAAA 2001:db8::1",
    "a.b 300 TXT x y",
    "a.b 300 TXT z",
]


Encoded = dict[bytes, bytes]


def nodes_of(lines: list[str]) -> tuple[Encoded, Encoded]:
    findings = Findings()
    records = read_master("\n".join(lines).encode(), file="f", origin=APEX, findings=findings)
    content = gather(records, APEX, findings)
    assert not findings.refused
    names = {key: node.encode() for key, node in zone_nodes(content)}
    return names, {key: node.encode() for key, node in nsec3_nodes(content)}


def of(lines: list[str]) -> str:
    names, nsec3 = nodes_of(lines)
    return content_text(zone_sum(names.items(), nsec3.items()))


@given(st.permutations(LINES))
@settings(max_examples=30)
def test_the_order_of_records_does_not_count(lines: list[str]):
    """Nor do duplicates, comments and the place in the file."""
    assert of(lines) == of(LINES) == of(["; comment", *LINES, LINES[4], "$ORIGIN b.example.org."])


def test_the_serial_does_not_count():
    """And nothing else of the SOA is left out."""
    assert of(["@ 300 SOA ns h 4294967295 2 3 4 5", *LINES[1:]]) == of(LINES)
    for other in ("ns h 1 9 3 4 5", "ns h 1 2 3 4 9", "ns2 h 1 2 3 4 5"):
        assert of([f"@ 300 SOA {other}", *LINES[1:]]) != of(LINES)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("192.0.2.1", "192.0.2.2"),
        ("300 A ", "301 A "),
        ("x y", "xy"),
        ("a.b 300 TXT z", "A.b 300 TXT z"),
        ("a.b 300 TXT z", "ab 300 TXT z"),
        ("ns 300 AAAA", "nt 300 AAAA"),
    ],
)
def test_everything_served_counts(old: str, new: str):
    """Rdata, TTL, owner, and its spelling where it is the first."""
    lines = [
        line.replace(old, new) for line in (LINES if "A.b" not in new else [*LINES[:4], LINES[5]])
    ]
    base = LINES if "A.b" not in new else [*LINES[:4], LINES[5]]
    assert of(lines) != of(base)


def test_nsec3_counts():
    """Its records stand apart from names (RFC 5155 7.2.8)."""
    lines = signed_text("nsec3").splitlines()
    at = next(number for number, line in enumerate(lines) if " NSEC3 1 0" in line)
    assert of(lines[:at] + lines[at + 1 :]) != of(lines)
    assert of(lines[::-1]) == of(lines)


def test_a_sum_is_made_from_changes():
    """What went is taken away and what came is added, in any order, of either kind of node."""
    lines = signed_text("nsec3").splitlines()
    old, old_hashed = nodes_of(lines)
    at = next(number for number, line in enumerate(lines) if " NSEC3 1 0" in line)
    new, new_hashed = nodes_of([*lines[:at], *lines[at + 1 :], *LINES[2:]])
    total = zone_sum(old.items(), old_hashed.items())
    for before, after, nsec3 in ((old, new, False), (old_hashed, new_hashed, True)):
        for key, value in before.items() - after.items():
            total -= node_digest(key, value, nsec3=nsec3)
        for key, value in after.items() - before.items():
            total += node_digest(key, value, nsec3=nsec3)
    assert content_text(total) == content_text(zone_sum(new.items(), new_hashed.items()))


def test_a_hash_is_no_name():
    """The same octets as a name and as a hash are two things."""
    value = nodes_of(["a 60 A 192.0.2.1"])[0][b"a\x00"]
    assert node_digest(b"a\x00", value) != node_digest(b"a\x00", value, nsec3=True)


def test_text_is_64_digits():
    """However small, large or negative a sum is."""
    assert content_text(0) == "0" * 64
    assert content_text(-1) == content_text(2**256 - 1) == "f" * 64
    assert content_text(2**256 + 10) == "0" * 63 + "a"


@pytest.mark.parametrize("owner", [None, b"\x08ABCD\x00\x01\x00\x00" + APEX])
def test_the_order_in_an_rrset_does_not_count(owner: bytes | None):
    """Neither of records nor of signatures, whatever the owner looks like."""
    flags = Flag.NONE if owner is None else Flag.MIXED_CASE
    digests = {
        node_digest(b"a\x00", Node(flags, {1: RRset(1, 60, rdatas, signatures)}, owner).encode())
        for rdatas in ((b"abcd", b"efgh"), (b"efgh", b"abcd"))
        for signatures in ((b"s", b"t"), (b"t", b"s"))
    }
    assert len(digests) == 1
    several = Node(flags, {1: RRset(1, 60, (b"abcd", b"efgh"))}, owner)
    turned = Node(flags, {1: RRset(1, 60, (b"efgh", b"abcd"))}, owner)
    assert node_digest(b"a\x00", several.encode()) == node_digest(b"a\x00", turned.encode())


def test_the_serial_of_a_signed_soa_does_not_count():
    """Its signature does, which a signer makes anew with each serial."""
    values = [
        Node(Flag.NONE, {6: RRset(6, 60, (bytes(2) + serial + bytes(16),), (b"s",))}).encode()
        for serial in (b"\x00\x00\x00\x01", b"\x00\x00\x00\x02")
    ]
    assert len({node_digest(b"", value) for value in values}) == 1
