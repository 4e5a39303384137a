"""What makes a zone: each rule of zone.check as a zone that breaks it."""

from __future__ import annotations

import pytest

from ocizone.findings import Findings
from ocizone.wire.name import from_text
from ocizone.zone import check, content
from ocizone.zone.check import check_zone
from ocizone.zone.content import gather
from ocizone.zone.masterfile import read_master

ORIGIN = from_text("example.org.")
HEAD = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
FIRST = HEAD.count("\n") + 1


def rules(text: str) -> list[tuple[str, str, int]]:
    """Return (severity, rule, line) of every finding."""
    findings = Findings()
    records = read_master(text.encode(), file="db", origin=ORIGIN, findings=findings)
    check_zone(gather(records, ORIGIN, findings), findings, "db")
    return [(p.severity, p.rule, p.line) for p in findings.problems()]


CLEAN = """\
www CNAME web
web A 192.0.2.2
@ MX 10 web
*.dev A 192.0.2.3
*.dev TXT "x"
x.y.z A 192.0.2.4
sub NS ns.sub
sub NS ns.elsewhere.net.
sub DS 1 13 2 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a
ns.sub A 192.0.2.5
old DNAME new.example.net.
_x._tcp SRV 0 0 1 host.dev
@ NS ns.sub
"""


def test_a_sound_zone_has_no_findings() -> None:
    """Wildcards, ENTs, glue, delegation and DNAME are nothing to tell of."""
    assert rules(HEAD + CLEAN) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("error", "no-ns", 0), ("error", "no-soa", 0)]),
        ("@ 5 NS ns.net.", [("error", "no-soa", 0)]),
        ("@ 5 SOA ns h 1 2 3 4 5", [("error", "no-ns", 0)]),
        ("@ 5 SOA ns h 0 2 3 4 5\n@ 5 NS ns.net.", [("warning", "serial-zero", 1)]),
        ("@ 5 SOA ns h 1 2 3 4 5\n@ 5 NS ns", [("warning", "ns-without-address", 2)]),
    ],
)
def test_apex(text: str, expected: list[tuple[str, str, int]]) -> None:
    """One SOA and at least one NS stand at the apex (RFC 1035 5.2, RFC 1034 4.2.1)."""
    assert rules(text) == expected


@pytest.mark.parametrize(
    ("text", "severity", "rule", "line"),
    [
        ("@ SOA ns h 2 2 3 4 5", "error", "several-soa", 0),
        ("a SOA ns h 2 2 3 4 5", "error", "soa-not-at-apex", 0),
        ("a.org. A 192.0.2.1", "error", "out-of-zone", 0),
        ("badexample.org. A 192.0.2.1", "error", "out-of-zone", 0),
        ("a CNAME b\na A 192.0.2.1", "error", "cname-and-other-data", 1),
        ("a A 192.0.2.1\na CNAME b", "error", "cname-and-other-data", 0),
        ("a CNAME b\na CNAME c", "error", "several-cname", 1),
        ("a DNAME b\na DNAME c", "error", "several-dname", 1),
        ("@ CNAME b.net.", "error", "cname-and-other-data", -3),
        ("sub NS ns.sub", "error", "missing-glue", 0),
        ("sub NS sub", "error", "missing-glue", 0),
        ("sub NS n.net.\nsub DNAME x.net.", "error", "dname-at-cut", 1),
        ("sub NS gone", "warning", "ns-without-address", 0),
        ("sub NS n.net.\nsub MX 1 x.net.", "warning", "at-cut", 1),
        ("sub NS n.net.\na.sub TXT x", "warning", "below-cut", 1),
        ("sub NS n.net.\nb.a.sub CNAME x", "warning", "below-cut", 1),
        ("old DNAME x.net.\na.old A 192.0.2.1", "warning", "below-dname", 1),
        ("al CNAME ns\n@ MX 1 al", "warning", "points-at-cname", 1),
        ("al CNAME ns\n_a._b SRV 0 0 0 al", "warning", "points-at-cname", 1),
        ("al CNAME ns\nsub NS al", "warning", "points-at-cname", 1),
        ("*.w NS n.net.", "warning", "wildcard-ns", 0),
        ("* DNAME n.net.", "warning", "wildcard-dname", 0),
        ("a A 192.0.2.1\nb TXT x\na A 192.0.2.1", "warning", "duplicate", 2),
        ("a NS N.net.\na NS n.NET.", "warning", "duplicate", 1),
        ("a 5 A 192.0.2.1\nA 6 A 192.0.2.2", "warning", "differing-ttls", 1),
        ("a CNAME b\nb CNAME a", "warning", "cname-loop", 0),
        ("a CNAME a", "warning", "cname-loop", 0),
    ],
)
def test_rules(text: str, severity: str, rule: str, line: int) -> None:
    """Each rule names the line that breaks it, counted from the first line of the case."""
    assert (severity, rule, FIRST + line) in rules(HEAD + text)


def test_names_both_lines() -> None:
    """A conflict tells where the other record is."""
    findings = Findings()
    text = HEAD + "a A 192.0.2.1\nb A 192.0.2.1\na CNAME b\n"
    records = read_master(text.encode(), file="db", origin=ORIGIN, findings=findings)
    check_zone(gather(records, ORIGIN, findings), findings, "db")
    (problem,) = findings.problems()
    assert problem.line == FIRST
    assert f"db:{FIRST + 2}" in problem.message


def test_nothing_is_missed_after_a_reading_error() -> None:
    """A line that could not be read may be what is missing; other findings are still told."""
    text = "$TTL 60\n@ SOA ns h 1 2 3 4\nsub NS ns.sub\nns.sub A x\na CNAME b\na A 192.0.2.1\n"
    assert [rule for _, rule, _ in rules(text)] == ["rdata", "rdata", "cname-and-other-data"]


def test_missing_glue_is_an_error_only_inside_the_cut() -> None:
    """A server elsewhere in the zone without an address leaves the delegation usable."""
    assert rules(HEAD + "sub NS gone\n") == [("warning", "ns-without-address", FIRST)]
    assert rules(HEAD + "sub NS ns.sub\n") == [("error", "missing-glue", FIRST)]


def test_wildcard_gives_an_address() -> None:
    """A name server below a wildcard with an address has one (RFC 4592 2.1.1)."""
    assert rules(HEAD + "*.w A 192.0.2.1\nsub NS n.w\n") == []
    assert rules(HEAD + "*.w A 192.0.2.1\nsub NS n.m.l.w\n") == []
    assert ("warning", "ns-without-address", FIRST + 2) in rules(
        HEAD + "*.w A 192.0.2.1\nx.n.w A 192.0.2.1\nsub NS n.w\n"
    )


def test_long_chains_are_told() -> None:
    """A chain longer than the server follows is a warning."""
    text = "".join(f"c{n} CNAME c{n + 1}\n" for n in range(20))
    assert ("warning", "cname-chain", FIRST) in rules(HEAD + text)


def test_rrset_that_fits_no_message() -> None:
    """More than a TCP message holds cannot be answered whole (RFC 1035 4.2.2)."""
    text = "".join(f"a TXT {'x' * 240}{n}\n" for n in range(270))
    assert ("warning", "rrset-octets", FIRST) in rules(HEAD + text)


def test_presigned_zones_are_sound() -> None:
    """RRSIG and NSEC stand beside a CNAME (RFC 4034 3, 4)."""
    rrsig = "RRSIG CNAME 13 3 60 20300101000000 20200101000000 1 example.org. AAAA"
    assert rules(HEAD + f"a CNAME b\na {rrsig}\na 5 {rrsig}\na NSEC b CNAME RRSIG NSEC\n") == [
        ("warning", "duplicate", FIRST + 2)
    ]


def test_signature_of_nothing() -> None:
    """A signature without its RRset is told: it stands nowhere in an image (RFC 4034 3)."""
    rrsig = "RRSIG TXT 13 3 60 20300101000000 20200101000000 1 example.org. AAAA"
    assert rules(HEAD + f"a A 192.0.2.1\na {rrsig}\n") == [
        ("warning", "rrsig-of-nothing", FIRST + 1)
    ]


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Huge RRsets, many types, and huge zones are refused (CVE-2024-1737)."""
    monkeypatch.setattr(check, "RRSET_RECORDS", 2)
    monkeypatch.setattr(check, "RRSET_TYPES", 3)
    many = "".join(f"a A 192.0.2.{n}\n" for n in range(3))
    assert ("error", "rrset-records", FIRST + 2) in rules(HEAD + many)
    types = "".join(f"b TYPE{n} \\# 0\n" for n in range(65280, 65284))
    assert ("error", "owner-types", FIRST) in rules(HEAD + types)
    monkeypatch.setattr(check, "NS_RECORDS", 1)
    assert ("error", "ns-count", FIRST + 1) in rules(HEAD + "c NS ns.net.\nc NS ns.org.\n")
    assert "ns-count" not in [rule for _, rule, _ in rules(HEAD + "c NS ns.net.\n")]
    monkeypatch.setattr(content, "ZONE_RECORDS", 3)
    assert ("error", "zone-records", FIRST) in rules(HEAD + many)


def test_a_record_that_fits_no_message() -> None:
    """A record that no message holds could not be transferred either (RFC 1035 4.2.2)."""
    fits, too_long = (f"a TYPE65280 \\# {size} {'00' * size}\n" for size in (65_200, 65_260))
    assert ("error", "record-octets", FIRST) in rules(HEAD + too_long)
    assert not [rule for _, rule, _ in rules(HEAD + fits) if rule == "record-octets"]
