"""Master files: tables of text and what it becomes (RFC 1035 5, RFC 2308 4, RFC 3597)."""

from __future__ import annotations

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zonefile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.errors import Problem
from ocizone.findings import Findings
from ocizone.wire.name import from_text, to_text
from ocizone.zone.fastline import FastReader
from ocizone.zone.generate import fill
from ocizone.zone.masterfile import IncludeError, _Context, _Reader, read_master
from ocizone.zone.rdata import type_name
from ocizone.zone.record import Record

ORIGIN = from_text("example.org.")
FILES = {
    "inner.inc": "$TTL 7\n$ORIGIN sub\na A 192.0.2.1\nb A 192.0.2.2\n",
    "self.inc": "x 5 A 192.0.2.1\n$INCLUDE self.inc\n",
}


def resolve(including: str, target: str) -> tuple[str, bytes]:
    """Read an include from FILES."""
    if target not in FILES:
        raise IncludeError(f"{target} is outside of the artifact")
    return target, FILES[target].encode()


def read(text: str | bytes) -> tuple[list[Record], tuple[Problem, ...]]:
    """Read a zone text; relative to example.org."""
    data = text.encode() if isinstance(text, str) else text
    findings = Findings()
    records = read_master(data, file="db", origin=ORIGIN, findings=findings, resolver=resolve)
    return list(records), findings.problems()


def shape(record: Record) -> tuple[str, int, str, int]:
    return to_text(record.owner), record.ttl, type_name(record.rrtype), record.line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 60 IN A 192.0.2.1", [("a.example.org.", 60, "A", 1)]),
        ("a IN 60 A 192.0.2.1", [("a.example.org.", 60, "A", 1)]),
        ("a 60 A 192.0.2.1", [("a.example.org.", 60, "A", 1)]),
        ("a 60 a 192.0.2.1", [("a.example.org.", 60, "A", 1)]),
        ("a 1h30m CLASS1 TYPE1 192.0.2.1", [("a.example.org.", 5400, "A", 1)]),
        ("@ 60 NS ns", [("example.org.", 60, "NS", 1)]),
        ("A.B. 60 A 192.0.2.1", [("A.B.", 60, "A", 1)]),
        ("$TTL 1w\na A 192.0.2.1", [("a.example.org.", 604800, "A", 2)]),
        ("$ORIGIN x\na 9 A 192.0.2.1", [("a.x.example.org.", 9, "A", 2)]),
        ("$origin x.\n$ttl 9\na A 192.0.2.1", [("a.x.", 9, "A", 3)]),
        (
            "a 9 A 192.0.2.1\n\tA 192.0.2.2\n  5 AAAA ::1",
            [
                ("a.example.org.", 9, "A", 1),
                ("a.example.org.", 9, "A", 2),
                ("a.example.org.", 5, "AAAA", 3),
            ],
        ),
        ("; only\n\n  ; x\na 9 A 192.0.2.1 ; c (", [("a.example.org.", 9, "A", 4)]),
        (
            "a 9 A 192.0.2.1\r\nb 9 A 192.0.2.2\r\n",
            [("a.example.org.", 9, "A", 1), ("b.example.org.", 9, "A", 2)],
        ),
        ("\ufeffa 9 A 192.0.2.1", [("a.example.org.", 9, "A", 1)]),
        ("a ( 9\n IN\n A ) 192.0.2.1", [("a.example.org.", 9, "A", 1)]),
        ("\\097 9 A 192.0.2.1", [("a.example.org.", 9, "A", 1)]),
        ("a 9 TYPE65280 \\# 2 abcd", [("a.example.org.", 9, "TYPE65280", 1)]),
        ("a 9 SVCB 1 . alpn=h2", [("a.example.org.", 9, "SVCB", 1)]),
        ('a 9 HTTPS 1 . alpn="h2,h3" port="53"', [("a.example.org.", 9, "HTTPS", 1)]),
        ("10 9 PTR x", [("10.example.org.", 9, "PTR", 1)]),
        (
            "$INCLUDE inner.inc\nc 9 A 192.0.2.3",
            [
                ("a.sub.example.org.", 7, "A", 3),
                ("b.sub.example.org.", 7, "A", 4),
                ("c.example.org.", 9, "A", 2),
            ],
        ),
        (
            "$INCLUDE inner.inc x",
            [("a.sub.x.example.org.", 7, "A", 3), ("b.sub.x.example.org.", 7, "A", 4)],
        ),
        (
            "$TTL 5\n$GENERATE 1-3/2 h${0,2} A 192.0.2.$",
            [("h01.example.org.", 5, "A", 2), ("h03.example.org.", 5, "A", 2)],
        ),
    ],
)
def test_entries(text: str, expected: list[tuple[str, int, str, int]]) -> None:
    """Owner, TTL and class may be omitted or swapped (RFC 1035 5.1)."""
    records, problems = read(text)
    assert not problems
    assert [shape(record) for record in records] == expected


@pytest.mark.parametrize(
    ("text", "where", "rule"),
    [
        ("a 9 A", "db:1:5", "rdata"),
        ("a 9 A 1.2.3", "db:1:7", "rdata"),
        ("a 9 A 1.2.3.4 5", "db:1:7", "rdata"),
        ("a 9 AAAA 12345::", "db:1:10", "rdata"),
        ("a 9 MX 65536 b", "db:1:8", "rdata"),
        ("a 9 SVCB 1 . alpn=h2 alpn=h3", "db:1:10", "rdata"),
        ('a 9 SVCB 1 . alpn= "h2"', "db:1:10", "rdata"),
        ("a 9 SVCB 1 . mandatory=mandatory", "db:1:10", "rdata"),
        ("a 9 TYPE65280 \\# 3 abcd", "db:1:15", "rdata"),
        ("a 9 TYPE65280 abcd", "db:1:15", "rdata"),
        (f"a 9 TXT {'x' * 256}", "db:1:9", "rdata"),
        ("a 9 BOGUS x", "db:1:5", "unknown-type"),
        ("a 9 ANY x", "db:1:5", "class"),
        ("a 9 AXFR x", "db:1:5", "unknown-type"),
        ("a 9 TYPE0 \\# 0", "db:1:5", "unknown-type"),
        ("a 9", "db:1:3", "no-type"),
        ("a", "db:1:1", "no-type"),
        ("a 9 CH A 192.0.2.1", "db:1:5", "class"),
        ("a HS 9 A 192.0.2.1", "db:1:3", "class"),
        ("a CLASS2 9 A 192.0.2.1", "db:1:3", "class"),
        ("a 9 8 A 192.0.2.1", "db:1:5", "unknown-type"),
        ("a 2147483648 A 192.0.2.1", "db:1:3", "ttl"),
        (f"a {'9' * 50} A 192.0.2.1", "db:1:3", "ttl"),
        (f"a {'9w' * 1000} A 192.0.2.1", "db:1:3", "ttl"),
        ("$TTL x", "db:1:6", "ttl"),
        ("$TTL", "db:1:1", "directive-arguments"),
        ("$TTL 1 2", "db:1:1", "directive-arguments"),
        ("$BOGUS 1", "db:1:1", "unknown-directive"),
        ("$ORIGIN a..b.", "db:1:9", "bad-name"),
        ("a A 192.0.2.1", "db:1:1", "no-ttl"),
        ("  9 A 192.0.2.1", "db:1:3", "no-owner"),
        ("a..b 9 A 192.0.2.1", "db:1:1", "bad-name"),
        (f"{'x' * 64} 9 A 192.0.2.1", "db:1:1", "bad-name"),
        (f"{'x.' * 130} 9 A 192.0.2.1", "db:1:1", "bad-name"),
        ("\\300 9 A 192.0.2.1", "db:1:1", "bad-name"),
        ('"a" 9 A 192.0.2.1', "db:1:1", "bad-name"),
        ("b\u00fccher 9 A 192.0.2.1", "db:1:1", "not-ascii"),
        ("a 9 CNAME b\u00fccher", "db:1:11", "not-ascii"),
        ("$INCLUDE b\u00fccher", "db:1:10", "not-ascii"),
        ('a 9 TXT "x', "db:1:9", "unclosed-quote"),
        ('a 9 TXT "x\ny"', "db:1:9", "unclosed-quote"),
        ("a 9 A ( 192.0.2.1\n\n", "db:1:7", "unclosed-parenthesis"),
        ("a 9 A 192.0.2.1 )", "db:1:17", "unopened-parenthesis"),
        ("a\\", "db:1:2", "bad-escape"),
        ("a 9 A 192.0.2.1\x00", "db:1:16", "control-character"),
        ("a\x1b 9 A 192.0.2.1", "db:1:2", "control-character"),
        ("$INCLUDE /etc/passwd", "db:1:10", "include"),
        ("$INCLUDE ../x", "db:1:10", "include"),
        ("$INCLUDE self.inc", "self.inc:2:1", "include-depth"),
        ("$GENERATE 0-4294967295 a A 192.0.2.1", "db:1:1", "generate"),
        ("$GENERATE 1-2 a${0,1000000000} A 192.0.2.1", "db:1:1", "generate"),
        ("$GENERATE 2-1 a A 192.0.2.1", "db:1:1", "generate"),
        ("$GENERATE 1-2/0 a A 192.0.2.1", "db:1:1", "generate"),
        ("$GENERATE x a A 192.0.2.1", "db:1:1", "generate"),
        ("$GENERATE 1-2 ${-5} A 192.0.2.1", "db:1:1", "generate"),
        ("$GENERATE 1-2 ${x} A 192.0.2.1", "db:1:1", "generate"),
        ('$GENERATE 1-2 "" ; "" A', "db:1:1", "directive-arguments"),
        ('$GENERATE 1-1 ";" 9 A', "db:1:1", "generate"),
        ("$GENERATE 1-2 a 9 A 192.0.2.300", "db:1:1", "rdata"),
    ],
)
def test_errors_say_where(text: str, where: str, rule: str) -> None:
    """Every fault is an error with FILE:LINE:COL, and the entry yields nothing."""
    records, problems = read(text)
    assert [(problem.where(), problem.rule) for problem in problems][:1] == [(where, rule)]
    assert all(record.file == "self.inc" for record in records)


def test_errors_are_all_collected() -> None:
    """One bad line does not hide the next, nor the records between."""
    records, problems = read("a 9 A x\nb 9 A 192.0.2.1\nc 9 A y\n")
    assert [problem.line for problem in problems] == [1, 3]
    assert [record.line for record in records] == [2]


def test_reading_stops_when_errors_are_no_longer_kept() -> None:
    """A flood of faults costs no more than the limit."""
    findings = Findings(limit=3)
    list(read_master(b"a 9 A x\n" * 9, file="db", origin=ORIGIN, findings=findings))
    assert len(findings.problems()) == 3


def test_include_needs_a_resolver() -> None:
    """Where nothing may be included, $INCLUDE is an error."""
    findings = Findings()
    list(read_master(b"$INCLUDE x\n", file="db", origin=ORIGIN, findings=findings))
    assert [problem.rule for problem in findings.problems()] == ["include"]


def test_soa_minimum_stands_in_for_a_ttl() -> None:
    """Without any TTL the SOA's MINIMUM is taken, with one warning (RFC 2308 4)."""
    records, problems = read("@ SOA ns h 1 2 3 4 99\n@ NS ns\nns A 192.0.2.1\n")
    assert [record.ttl for record in records] == [99, 99, 99]
    assert [(problem.rule, problem.severity) for problem in problems] == [("no-ttl", "warning")]


def test_a_label_is_hinted() -> None:
    """A name that is not ASCII is told its A-label (RFC 5890)."""
    _, problems = read("b\u00fccher 9 A 192.0.2.1")
    assert "xn--bcher-kva" in problems[0].hint
    _, problems = read(b"b\xff 9 A 192.0.2.1")
    assert "xn--" in problems[0].hint


def test_octets_of_text_are_kept() -> None:
    """Octets outside ASCII in a string are data, whatever their encoding (RFC 1035 5.1)."""
    records, problems = read(b'a 9 TXT "\xff\xc3\xa9" caf\xe9')
    assert not problems
    assert records[0].rdata == b"\x03\xff\xc3\xa9\x04caf\xe9"


def test_hostile_text_is_shown_safely() -> None:
    """A finding holds no raw control or non-ASCII character (CVE-2026-42000's class)."""
    _, problems = read("\u202e\u0007 9 A x\na 9 \u009b31m x")
    for problem in problems:
        assert str(problem).isascii()
        assert str(problem).isprintable()


@pytest.mark.parametrize(
    ("pattern", "number", "expected"),
    [
        ("h$", 7, "h7"),
        ("h$$-\\$-$", 7, "h\\$-\\$-7"),
        ("${10}", 7, "17"),
        ("${-7,3}", 17, "010"),
        ("${0,4,x}${0,0,X}${0,0,o}", 255, "00ffFF377"),
        ("${0,7,n}.ip6", 0x12AB, "b.a.2.1.ip6"),
        ("${0,3,N}", 0xAB, "B.A"),
        ("${0,7,n}", 1, "1.0.0.0"),
    ],
)
def test_generate_fields(pattern: str, number: int, expected: str) -> None:
    """Offset, width and base of a $GENERATE field, as BIND has them."""
    assert fill(pattern, number) == expected


@pytest.mark.parametrize("size", [2**20 + 1, 2**21])
def test_long_lines_and_entries_end(size: int) -> None:
    """A gigabyte of one line or one parenthesis is refused at its limit."""
    _, problems = read(b"a 9 TXT " + b"x" * size)
    assert (problems[0].rule, problems[0].where()) == ("entry-too-long", "db:1:1")
    _, problems = read(b"a 9 TXT (\n" + b"x\n" * (size // 2))
    assert problems[0].rule == "entry-too-long"
    assert problems[0].where() == "db:1:9"


def test_rdata_fits_65535_octets() -> None:
    """Rdata has a 16-bit length (RFC 1035 3.2.1), on one line or in an entry of several."""
    string = '"' + "x" * 250 + '" '
    for text in (string * 300, "( " + string * 300 + ")"):
        records, problems = read(f"a 9 TXT {text}")
        assert not records
        assert [problem.rule for problem in problems] == ["rdata"]
        assert "65535" in problems[0].message
    assert len(read(f"a 9 TXT {string * 250}")[0][0].rdata) == 250 * 251


LABEL = st.text("abcXYZ019-_*", min_size=1, max_size=8)
NAME = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).flatmap(
    lambda address: st.sampled_from([str(address), address.exploded, str(address).upper()])
)
TARGET = st.one_of(NAME, NAME.map(lambda name: f"{name}."), st.just("@"), st.just("."))
U16 = st.integers(0, 65_535)
STRING = st.text('abc;()\\" \u00e9$', max_size=20).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
RDATA = st.one_of(
    IPV4.map("A {}".format),
    IPV6.map("AAAA {}".format),
    st.builds("{} {}".format, st.sampled_from(["NS", "CNAME", "PTR", "DNAME", "ns"]), TARGET),
    st.builds("MX {} {}".format, U16, TARGET),
    st.builds("SRV {} {} {} {}".format, U16, U16, U16, TARGET),
    st.lists(STRING, min_size=1, max_size=3).map(lambda parts: "TXT " + " ".join(parts)),
    st.lists(STRING, min_size=1, max_size=3).map(lambda parts: "TXT ( " + "\n ".join(parts) + " )"),
    st.just("TYPE65280 \\# 3 abcdef"),
    st.just('CAA 0 issue "ca.example.net"'),
    st.just("HTTPS 1 . alpn=h2,h3 port=8443"),
    st.just('HTTPS 1 . alpn="h2,h3" ipv4hint="192.0.2.1"'),
)
LINE = st.builds(
    "{}{}{}{}{}".format,
    st.one_of(NAME, st.just("@"), NAME.map(lambda name: f"{name}.example.org.")),
    st.sampled_from([" ", "\t", "   "]),
    st.sampled_from(["", "300 ", "IN ", "300 IN ", "IN 300 ", "in 1h ", "2d "]),
    RDATA,
    st.sampled_from(["", " ; comment", ";x", "  "]),
)
ZONE = st.lists(LINE, max_size=12).map(lambda lines: "".join(f"{line}\n" for line in lines))


@settings(max_examples=200, deadline=None)
@given(LINE)
def test_equals_dnspython(line: str) -> None:
    """Law: owner, TTL, type and rdata are what dnspython reads."""
    (ours,), problems = read(f"$TTL 3600\n{line}\n")
    assert not problems
    (theirs,) = dns.zonefile.read_rrsets(
        # dnspython takes text, not octets: what is outside ASCII is escaped for it.
        line.replace("\u00e9", "\\195\\169"),
        origin="example.org.",
        relativize=False,
        default_ttl=3600,
        rdclass=None,
    )
    assert ours.owner == theirs.name.to_wire()
    assert (ours.rrtype, ours.ttl) == (theirs.rdtype, theirs.ttl)
    assert [digestable(ours)] == [rdata.to_digestable() for rdata in theirs]


def digestable(record: Record) -> bytes:
    """Return rdata in canonical form (RFC 4034 6.2)."""
    return dns.rdata.from_wire(
        dns.rdataclass.IN,
        dns.rdatatype.RdataType.make(record.rrtype),
        record.rdata,
        0,
        len(record.rdata),
    ).to_digestable()


class SlowOnly(FastReader):
    """A fast reader that recognises nothing."""

    def read(self, line: bytes) -> None:
        """Leave the line to the complete reader."""


@settings(max_examples=300, deadline=None)
@given(ZONE)
def test_fast_reader_agrees_with_the_complete_one(text: str) -> None:
    """Law: without the fast reader the records are the same."""
    with_fast, _ = read(f"$TTL 3600\n{text}")
    context = _Context("db", "db", ORIGIN, SlowOnly(ORIGIN), default_ttl=3600)
    findings = Findings()
    slow = list(_Reader(findings, None).lines(f"\n{text}".encode(), context))
    assert not findings.problems()
    assert with_fast == slow


@pytest.mark.parametrize(
    "line",
    [
        "a 9 A 1.2.3.4.5",
        "a 9 A 01.2.3.4",
        "a 9 A 1.2.3.256",
        "a 9 AAAA ::ffff:1.2.3.4",
        "a 9 AAAA 1:2:3:4:5:6:7",
        "a 9 AAAA 1::2::3",
        "a 9 AAAA 1:2:3:4:5:6:7::8",
        "a 9 AAAA 1:::2",
        "a 9 AAAA 12345::",
        "a 9 MX 65536 b",
        "a 9 MX -1 b",
        "a 9 MX 1 b c",
        "a 9 NS b!c",
        "a 9 NS a..b",
        'a 9 NS "b"',
        "a..b 9 A 192.0.2.1",
        f"{'x' * 64} 9 A 192.0.2.1",
        f"{'x.' * 130} 9 A 192.0.2.1",
        f"a 9 TXT {'x' * 256}",
        'a 9 TXT "a\\"b"',
        'a 9 TXT "a" b',
        "a 9 9 A 192.0.2.1",
        "a 4294967295 A 192.0.2.1",
        "a CH A 192.0.2.1",
        "a 9 A (192.0.2.1)",
        "$TTL 9 A 192.0.2.1",
        "a\x00 9 A 192.0.2.1",
    ],
)
def test_fast_reader_leaves_the_rest(line: str) -> None:
    """What it does not recognise, or finds wrong, is for the complete reader."""
    assert FastReader(ORIGIN).read(line.encode()) is None


def test_generate_lines_of_a_zone_share_a_budget() -> None:
    """A few short lines must not make millions of records; included files count too."""
    findings = Findings()
    text = b"$TTL 5\n$GENERATE 0-65533 h$ A 192.0.2.1\n$INCLUDE more\n$GENERATE 1-1 y A 192.0.2.1\n"
    more = b"$GENERATE 1-2 x$ A 192.0.2.1\n$GENERATE 1-1 z$ A 192.0.2.1\n"
    records = read_master(
        text,
        file="db",
        origin=b"\x01a\x00",
        findings=findings,
        resolver=lambda _, target: (target, more),
    )
    assert sum(1 for _ in records) == 65_536
    problems = findings.problems()
    assert [(one.file, one.line, one.rule) for one in problems] == [
        ("db", 4, "generate"),
        ("more", 2, "generate"),
    ]
    assert "65537 steps in this zone, over 65536" in problems[1].message
    assert "together" in problems[0].hint
