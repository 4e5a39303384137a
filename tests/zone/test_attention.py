"""Which names stay packed, and that it makes no difference (zone.attention, zone.packed)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ocizone.errors import Problem
from ocizone.findings import Findings
from ocizone.zone import content as content_module
from ocizone.zone.batch import Batch
from ocizone.zone.build import encoded_nodes, encoded_nsec3, zone_info
from ocizone.zone.check import check_zone
from ocizone.zone.content import Content, gather
from ocizone.zone.record import Record
from tests.signedzones import signed_text
from tests.zone.test_bulk import APEX, both, records_of

HEAD = "@ 600 SOA ns h 7 2 3 4 5\n@ 600 NS ns\nns 600 A 192.0.2.1\n"


def made(parts: Iterable[Record | Batch], findings: Findings) -> tuple[object, ...]:
    """Return all that becomes of a zone: findings, and nodes where nothing refuses it."""
    content = gather(parts, APEX, findings)
    check_zone(content, findings, "db")
    if findings.refused:
        return findings.problems(), content.records, content.order
    nodes = list(encoded_nodes(content)), list(encoded_nsec3(content))
    return findings.problems(), content.order, nodes, zone_info(content, "db")


def same(text: str | bytes, limit: int = 100) -> tuple[Problem, ...]:
    """Make a zone of both readings, which are alike; return the findings."""
    parts, bulk, records, plain = both(text, limit)
    found = made(parts, bulk)
    assert found == made(records, plain)
    problems = bulk.problems()
    assert problems == plain.problems()
    return problems


def content_of(text: str) -> Content:
    """Return the content of a text with HEAD, read in bulk."""
    parts, findings, _, _ = both(HEAD + text)
    return gather(parts, APEX, findings)


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("a 60 A 192.0.2.1", ["a"]),
        ("a 60 A 192.0.2.1\na 60 AAAA ::1\na 60 TXT x", ["a"]),
        ("a 60 A 192.0.2.1\na 60 A 192.0.2.2\na 60 TXT x", ["a"]),
        ("a 60 A 192.0.2.1\nb 60 A 192.0.2.1\na 60 A 192.0.2.2", ["a", "b"]),
        ("a 60 A 192.0.2.1\na 60 A 192.0.2.1", []),
        ("a 60 A 192.0.2.1\na 61 A 192.0.2.2", []),
        ("a 60 PTR b\na 60 PTR B", []),
        ("a 60 PTR b", ["a"]),
        ("a 60 A 192.0.2.1\na 60 CNAME b", []),
        ("a 60 CNAME b\nb 60 MX 1 c", []),
        ("a 60 A 192.0.2.1\na 60 CAA 0 issue x", []),
        ("a 60 CAA 0 issue x\na 60 A 192.0.2.1", []),
        ("a 60 A 192.0.2.1\nA 60 TXT x", []),
        ("a 60 NS ns.a\nns.a 60 A 192.0.2.1\nx.a 60 TXT x", ["a.ns"]),
        ("a 60 DNAME b\nns.a 60 A 192.0.2.1", []),
        ("a 60 NS x.", ["a"]),
        ("a 60 NS x.\na 60 NS y.", ["a"]),
        ("a 60 NS x.\na 60 NS X.", []),
        ("a 60 NS x.\na 60 NS ns", ["a"]),
        ("a 60 NS gone", []),
        ("a 60 NS ns.a\nns.a 60 A 192.0.2.1", ["a", "a.ns"]),
        ("a 60 NS ns.a\nns.a 60 A 192.0.2.1\nns.a 60 AAAA ::1", ["a", "a.ns"]),
        ("z 60 NS ns.z\nns.z 60 A 192.0.2.1", ["z", "z.ns"]),
        ("z 60 DNAME x.\ny.z 60 A 192.0.2.1", []),
        ("a 60 NS ns.b.a\nns.b.a 60 A 192.0.2.1", ["a", "a.b.ns"]),
        ("a 60 NS ns.a\nns.a 60 A 192.0.2.1\nns.a 60 A 192.0.2.1", []),
        ("a 60 NS x.\nb.a 60 NS ns.b.a\nns.b.a 60 A 192.0.2.1", ["a.b.ns"]),
        ("a 60 DNAME x.\nb.a 60 NS ns.b.a\nns.b.a 60 A 192.0.2.1", []),
        ("a 60 CNAME ns\nb 60 CNAME gone\nc 60 CNAME c\nd 60 CNAME a", ["a"]),
        ("a 60 MX 1 ns\na 60 A 192.0.2.1\nb 60 MX 1 a\nc 60 MX 1 @", ["a", "b"]),
        ("a 60 NS x.\na 60 A 192.0.2.1", []),
        ("a 60 NS x.\na.b 60 A 192.0.2.1\na0 60 A 192.0.2.1", ["a", "b.a", "a0"]),
        ("a 60 NS x.\nb.a 60 A 192.0.2.1\nc.a 60 TXT x", ["a.b"]),
        ("* 60 NS x.", []),
        ("* 60 MX 1 x.example.net.\nb 60 MX 2 Y.eXample.Org.", ["*"]),
        ("b 60 MX 2 NS.eXample.Org.\nc 60 SRV 1 2 3 nS", ["b", "c"]),
        ("b 60 MX 1 x.example.net.\nc 60 SRV 1 2 3 x.\nd 60 CNAME x.", ["b", "c", "d"]),
        ("d 60 CNAME x.\nd 60 CNAME y.", []),
        ("\n".join(f"a 60 A 192.0.2.{n}" for n in range(17)), []),
        ("a 60 A 192.0.2.1\na 60 NSEC b A", []),
        ("a 60 A 192.0.2.1\n@ 60 DNSKEY 256 3 13 aaaa", []),
    ],
)
def test_what_is_packed(text: str, packed: list[str]):
    """Names of which checks have nothing to say; all other names are looked at."""
    content = content_of(f"{text}\n")
    expected = {name.replace(".", "\0").encode() + b"\0" for name in packed}
    rest = {key for key, records in content.names.items() if records} - {b"", b"ns\0"}
    assert {key for key in content.order if key in content.packed} - {b"ns\0"} == expected
    assert rest.isdisjoint(expected)
    same(f"{HEAD}{text}\n")


def test_a_packed_name_tells_its_records():
    """With the line they stand on, as if they had been read one by one."""
    content = content_of("a 60 A 192.0.2.1\nb 60 A 192.0.2.1\na 60 TXT x\n")
    assert [(one.rrtype, one.line, one.file) for one in content.at(b"a\0")] == [
        (1, 4, "db"),
        (16, 6, "db"),
    ]
    assert content.at(b"missing\0") == []


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("a 60 A 192.0.2.1\na 60 A 192.0.2.1\n", ["duplicate"]),
        ("a 60 A 192.0.2.1\nx 60 A 192.0.2.1\na 61 A 192.0.2.2\n", ["differing-ttls"]),
        ("a 60 CNAME b\na 60 A 192.0.2.1\n", ["cname-and-other-data"]),
        ("a 60 A 192.0.2.1\na 60 CNAME b\n", ["cname-and-other-data"]),
        ("a 60 CNAME b\nb 60 CNAME a\n", ["cname-loop", "cname-loop"]),
        ("a 60 NS ns.a\n", ["missing-glue"]),
        ("a 60 NS ns.a\nns.a 60 TXT x\n", ["missing-glue", "below-cut"]),
        ("a 60 NS ns.a\nns.a 60 A 192.0.2.1\n", []),
        ("a 60 NS ns.a\n*.a 60 A 192.0.2.1\n", []),
        ("a 60 DNAME b\nc.a 60 A 192.0.2.1\nb.c.a 60 A 192.0.2.1\n", ["below-dname"] * 2),
        ("a 60 NS x.\nb.a 60 NS y.\nc.b.a 60 TXT x\n", ["below-cut", "below-cut"]),
        ("a 60 NS x.\nb.a 60 DNAME y.\nc.b.a 60 A 192.0.2.1\n", ["below-cut"]),
        ("@ 60 DNAME b.\nc 60 A 192.0.2.1\n", ["below-dname", "below-dname"]),
        ("a 60 MX 1 b\nb 60 CNAME c\nc 60 A 192.0.2.1\n", ["points-at-cname"]),
        ("a 60 MX 1 b\nb 60 CNAME x.\n", ["points-at-cname"]),
        ("a 60 MX 1 b\nb 60 A 192.0.2.1\nb 60 CNAME x.\n", ["points-at-cname"]),
        ("a 60 NS x.\nns.a 60 A 192.0.2.1\nns.a 60 A 192.0.2.1\n", ["duplicate"]),
        ("a 60 NS b\nb 60 CNAME x.\n", ["points-at-cname"]),
        ("a 60 CNAME b\nb 60 CNAME x.\n", []),
        ("@ 600 NS gone\n", ["ns-without-address"]),
        ("a.example.net. 60 A 192.0.2.1\nb 60 A 192.0.2.1\n", ["out-of-zone"]),
        ("* 60 NS x.\n", ["wildcard-ns"]),
        ("$INCLUDE broken\n", ["rdata"]),
    ],
)
def test_findings_are_the_same(text: str, rules: list[str]):
    """Every finding, with its place, whichever way the records came."""
    assert [problem.rule for problem in same(HEAD + text)][: len(rules)] == rules


@pytest.mark.parametrize("denial", ["nsec", "nsec3"])
def test_signed_zones_are_unpacked(denial: str):
    """All of it is looked at."""
    text = signed_text(denial)
    parts, findings, _, _ = both(text)
    content = gather(parts, APEX, findings)
    assert set(content.order) == set(content.names)
    same(text)


@pytest.mark.parametrize("most", range(1, 9))
def test_too_many_records_are_told_where_they_begin(monkeypatch: pytest.MonkeyPatch, most: int):
    """A batch that holds the one too many is read one by one."""
    monkeypatch.setattr(content_module, "ZONE_RECORDS", most)
    text = HEAD + "a 60 A 192.0.2.1\nb 60 A 192.0.2.1\nq.x. 60 A 192.0.2.1\nc 60 A 192.0.2.1\n"
    assert "zone-records" in {problem.rule for problem in same(text)} or most >= 6


OWNER = st.sampled_from(
    ["a", "b", "a.b", "c.a.b", "*", "*.b", "A", "@", "", "", "a.example.org.", "x.y.", "a..b", "in"]
)
TTL = st.sampled_from(["", "", "60 ", "60 ", "61 ", "1h ", "9999999999 "])
RDATA = st.sampled_from(
    [
        *["A 192.0.2.1", "A 192.0.2.2", "A 192.0.2.256", "AAAA ::1", "aaaa 2001:db8::", "a 1.2.3.4"]
        * 2,
        *["TXT x", 'TXT "x y" "z"', "TXT ( x\n y )", "CNAME a", "CNAME b.example.org.", "DNAME b"],
        *["NS ns", "NS a.b", "NS x.", "MX 1 a", "SRV 1 2 3 b", "PTR a", "PTR A", "CAA 0 issue x"],
        *["SOA ns h 1 2 3 4 5", "TXT", "BOGUS x", "A 192.0.2.1 ; why", "A\t192.0.2.1\t"],
        *["NSEC a A", "DS 1 13 2 aa", "HINFO x y", "A 192.0.2.1 )"],
    ]
)
RECORD = st.builds(
    lambda owner, ttl, class_, rdata: f"{owner} {ttl}{class_}{rdata}",
    OWNER,
    TTL,
    st.sampled_from(["", "IN ", "in ", "CH "]),
    RDATA,
)
PLAIN = st.builds(
    lambda owner, ttl, rdata: f"{owner} {ttl}{rdata}",
    st.sampled_from(["a", "b", "a.b", "c.a.b", "*.b", ""]),
    st.sampled_from(["", "60 ", "60 "]),
    st.sampled_from(
        [
            "A 192.0.2.1",
            "A 192.0.2.2",
            "AAAA ::1",
            "TXT x",
            "CNAME a",
            "NS a.b",
            "PTR a",
            "NS x.",
            "CNAME x.",
            "MX 1 x.",
        ]
    ),
)
OTHER = st.sampled_from(
    [
        *[
            "",
            "; why",
            "  ",
            "$TTL 60",
            "$TTL 60",
            "$ORIGIN b",
            "$ORIGIN example.org.",
            "$ORIGIN y.",
        ],
        *[
            "$INCLUDE inner",
            "$INCLUDE broken",
            "$GENERATE 1-2 g$ A 192.0.2.$",
            "$BOGUS",
            "$ORIGIN B",
        ],
    ]
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n"])
TEXT = st.lists(st.tuples(st.one_of(PLAIN, PLAIN, PLAIN, RECORD, OTHER), ENDS), max_size=14).map(
    lambda lines: "".join(line + end for line, end in lines)
)


@given(TEXT, st.sampled_from(["", HEAD, "$TTL 60\n" + HEAD]), st.sampled_from([1, 2, 100]))
@settings(max_examples=300, deadline=None)
@example("a 60 A 192.0.2.1\na 60 A 192.0.2.1", HEAD, 100)
def test_bulk_equals_one_by_one(text: str, head: str, limit: int):
    """Law: records, findings, nodes and facts of a zone are the same, errors or not."""
    for whole in (head + text, (head + text).removesuffix("\n")):
        parts, bulk, records, plain = both(whole, limit)
        assert records_of(parts) == records
        assert bulk.problems() == plain.problems()
        same(whole, limit)
