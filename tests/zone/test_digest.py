"""The hash of what a zone says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.findings import Findings
from ocizone.wire.name import from_text
from ocizone.zone import digest
from ocizone.zone.content import gather
from ocizone.zone.digest import content_digest
from ocizone.zone.masterfile import read_master
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


def of(lines: list[str]) -> str:
    findings = Findings()
    records = read_master("\n".join(lines).encode(), file="f", origin=APEX, findings=findings)
    found = content_digest(gather(records, APEX, findings))
    assert not findings.refused
    return found


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


def test_records_are_hashed_in_portions(monkeypatch):
    """Where one ends does not count."""
    whole = of(LINES)
    monkeypatch.setattr(digest, "_AT_ONCE", 1)
    assert of(LINES) == whole
