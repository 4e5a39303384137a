"""YAML zones in octoDNS's layout: what they become, and where faults are."""

from __future__ import annotations

import pytest
import yaml

from ocizone.errors import Problem
from ocizone.findings import Findings
from ocizone.limits import YAML_DEPTH
from ocizone.wire.name import from_text, to_text
from ocizone.zone import yamltree
from ocizone.zone.masterfile import read_master
from ocizone.zone.rdata import type_name
from ocizone.zone.record import Record
from ocizone.zone.yamlfile import read_yaml

ORIGIN = from_text("example.org.")


def read(text: str | bytes) -> tuple[list[Record], tuple[Problem, ...]]:
    """Read a YAML zone of example.org."""
    findings = Findings()
    data = text.encode() if isinstance(text, str) else text
    records = list(read_yaml(data, file="z.yaml", origin=ORIGIN, findings=findings))
    return records, findings.problems()


def master(text: str) -> list[tuple[bytes, int, int, bytes]]:
    """Read the master file that says the same."""
    findings = Findings()
    records = list(read_master(text.encode(), file="db", origin=ORIGIN, findings=findings))
    assert not findings.problems()
    return [record[:4] for record in records]


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("a: {type: A, value: 192.0.2.1}", "a 3600 A 192.0.2.1"),
        ("'': {type: A, ttl: 60, value: 192.0.2.1}", "@ 60 A 192.0.2.1"),
        (
            "a: {type: a, ttl: 1h, values: [192.0.2.1, 192.0.2.2]}",
            "a 3600 A 192.0.2.1\na A 192.0.2.2",
        ),
        ("'*.W': [{type: AAAA, value: '2001:db8::1'}]", "*.W 3600 AAAA 2001:db8::1"),
        ("a: [{type: A, value: 192.0.2.1}, {type: TXT, value: x}]", "a 3600 A 192.0.2.1\na TXT x"),
        ("a: {type: NS, values: [ns.x.]}", "a 3600 NS ns.x."),
        ("a: {type: CNAME, value: b.example.org.}", "a 3600 CNAME b"),
        ("a: {type: DNAME, value: b.x.}", "a 3600 DNAME b.x."),
        ("a: {type: PTR, value: b.x.}", "a 3600 PTR b.x."),
        ("a: {type: MX, value: {preference: 5, exchange: m.x.}}", "a 3600 MX 5 m.x."),
        ("a: {type: MX, values: [{priority: 5, value: m.x.}]}", "a 3600 MX 5 m.x."),
        (
            "a: {type: SRV, value: {priority: 1, weight: 2, port: 3, target: t.x.}}",
            "a 3600 SRV 1 2 3 t.x.",
        ),
        ("a: {type: CAA, value: {tag: issue, value: 'c; x=1'}}", 'a 3600 CAA 0 issue "c; x=1"'),
        (
            "a: {type: SSHFP, value: {algorithm: 4, fingerprint_type: 1, fingerprint: "
            + "ab" * 20
            + "}}",
            "a 3600 SSHFP 4 1 " + "ab" * 20,
        ),
        (
            (
                "a: {type: TLSA, value: {certificate_usage: 3, selector: 1, matching_type: 0,"
                " certificate_association_data: abcd}}"
            ),
            "a 3600 TLSA 3 1 0 abcd",
        ),
        (
            (
                "a: {type: NAPTR, value: {order: 1, preference: 2, flags: S, service: 'SIP+D2U',"
                " regexp: '!^.*$!sip:\\\\1!', replacement: .}}"
            ),
            'a 3600 NAPTR 1 2 "S" "SIP+D2U" "!^.*$!sip:\\\\\\\\1!" .',
        ),
        (
            "a: {type: DS, value: {key_tag: 1, algorithm: 13, digest_type: 4, digest: "
            + "ab" * 48
            + "}}",
            "a 3600 DS 1 13 4 " + "ab" * 48,
        ),
        ("a: {type: HTTPS, value: {svcpriority: 0, targetname: x.}}", "a 3600 HTTPS 0 x."),
        (
            (
                "a: {type: SVCB, value: {svcpriority: 1, targetname: ., svcparams:"
                " {alpn: [h2, h3], port: 53, no-default-alpn: null, ipv6hint: ['::1']}}}"
            ),
            "a 3600 SVCB 1 . alpn=h2,h3 port=53 no-default-alpn ipv6hint=::1",
        ),
        ("a: {type: SPF, value: v=spf1 -all}", 'a 3600 TXT "v=spf1 -all"'),
        ("a: {type: TXT, value: 'k=rsa\\; p=\"q\"'}", 'a 3600 TXT "k=rsa; p=\\"q\\""'),
        ("a: {type: TXT, value: ''}", 'a 3600 TXT ""'),
        (f"a: {{type: TXT, value: {'x' * 300}}}", f'a 3600 TXT "{"x" * 255}" "{"x" * 45}"'),
        ("no: {type: TXT, value: yes}", "no 3600 TXT yes"),
        ("1:20: {type: TXT, value: 010}", "1:20 3600 TXT 010"),
        (
            "a: {type: A, value: 192.0.2.1, octodns: {cloudflare: {proxied: true}}}",
            "a 3600 A 192.0.2.1",
        ),
        (
            (
                "'': {type: SOA, value: {mname: n.x., rname: h.x., serial: 1, refresh: 2, retry: 3,"
                " expire: 4, minimum: 5}}"
            ),
            "@ 3600 SOA n.x. h.x. 1 2 3 4 5",
        ),
        ("---\na: {type: TXT, value: x}\n...\n", "a 3600 TXT x"),
    ],
)
def test_values(text: str, same_as: str) -> None:
    """Each type reads as its line in a master file would."""
    records, problems = read(text)
    assert not problems
    assert [record[:4] for record in records] == master(same_as)


def test_places() -> None:
    """A record's place is its value's, for the findings of later checks."""
    records, _ = read("---\na:\n  type: A\n  values:\n    - 192.0.2.1\n    - 192.0.2.2\n")
    assert [(record.line, record.column) for record in records] == [(5, 7), (6, 7)]
    assert next((to_text(r.owner), type_name(r.rrtype)) for r in records) == ("a.example.org.", "A")


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("a: [", "z.yaml:2:1", "no YAML"),
        ("\ta: b", "z.yaml:1:1", "no YAML"),
        ("a: \x00", "z.yaml", "no YAML"),
        ("[]", "z.yaml:1:1", "mapping of names"),
        ("x", "z.yaml:1:1", "mapping of names"),
        ("a: {type: TXT, value: x}\n---\nb: 1", "z.yaml:2:1", "second document"),
        ("a: {type: TXT, value: x}\na: {type: TXT, value: y}", "z.yaml:2:1", "first is in line 1"),
        ("a: {type: A, type: TXT, value: y}", "z.yaml:1:14", "again"),
        ("[a]: {type: TXT, value: x}", "z.yaml:1:1", "a key is text"),
        ("a: &x {type: TXT, value: x}", "z.yaml:1:4", "anchors"),
        ("a: *x", "z.yaml:1:4", "anchors"),
        ("a: !!python/object:os.system {}", "z.yaml:1:4", "tag"),
        ("a: !!str x", "z.yaml:1:4", "tag"),
        ("a: x", "z.yaml:1:4", "a record is a mapping"),
        ("a: [x]", "z.yaml:1:5", "a record is a mapping"),
        ("a: {value: x}", "z.yaml:1:4", "has a type"),
        ("a: {type: [A], value: x}", "z.yaml:1:4", "has a type"),
        ("a: {type: LOC, value: x}", "z.yaml:1:4", "type LOC"),
        ("a: {type: BOGUS, value: x}", "z.yaml:1:4", "type BOGUS"),
        ("a: {type: A, value: x, geo: {}}", "z.yaml:1:24", "unknown key geo"),
        ("a: {type: A}", "z.yaml:1:4", "either value or values"),
        ("a: {type: A, value: x, values: [x]}", "z.yaml:1:4", "either value or values"),
        ("a: {type: A, values: []}", "z.yaml:1:22", "without a value"),
        ("a: {type: A, ttl: x, value: 192.0.2.1}", "z.yaml:1:19", "number of seconds"),
        ("a: {type: A, ttl: [1], value: 192.0.2.1}", "z.yaml:1:19", "number of seconds"),
        ("a: {type: A, ttl: 2147483648, value: 192.0.2.1}", "z.yaml:1:19", "TTL over"),
        ("a: {type: A, value: 192.0.2}", "z.yaml:1:21", "bad A value"),
        ("a: {type: A, value: '192.0.2.1 ; x'}", "z.yaml:1:21", "semicolon"),
        ("a: {type: A, value: {x: y}}", "z.yaml:1:21", "it is text"),
        ("a: {type: TXT, value: {x: y}}", "z.yaml:1:23", "it is text"),
        ("a: {type: CNAME, value: b}", "z.yaml:1:25", "final dot"),
        ("a: {type: CNAME, value: b..}", "z.yaml:1:25", "no name"),
        ("a: {type: CNAME, value: b\u00fc.}", "z.yaml:1:25", "no name"),
        ("a: {type: A, value: \u0661}", "z.yaml:1:21", "not ASCII"),
        ("a: {type: MX, value: m.x.}", "z.yaml:1:22", "it is a mapping"),
        ("a: {type: MX, value: {exchange: m.x.}}", "z.yaml:1:22", "preference is missing"),
        ("a: {type: MX, value: {preference: [1], exchange: m.x.}}", "z.yaml:1:22", "is text"),
        ("a: {type: MX, value: {preference: 1, exchange: m.x., x: 1}}", "z.yaml:1:22", "unknown"),
        ("a: {type: MX, value: {preference: 65536, exchange: m.x.}}", "z.yaml:1:22", "bad MX"),
        (
            "a: {type: SVCB, value: {svcpriority: 1, targetname: ., svcparams: []}}",
            "z.yaml:1:24",
            "svcparams",
        ),
        (
            "a: {type: SVCB, value: {svcpriority: 1, targetname: ., svcparams: {alpn: {}}}}",
            "z.yaml:1:24",
            "text or a list",
        ),
        (
            "a: {type: SVCB, value: {svcpriority: 1, targetname: ., svcparams: {alpn: [[]]}}}",
            "z.yaml:1:24",
            "list of text",
        ),
        ("a..b: {type: TXT, value: x}", "z.yaml:1:1", "no name"),
        ("b\u00fc: {type: TXT, value: x}", "z.yaml:1:1", "no name"),
        (f"a: {{type: TXT, value: {'x' * 65536}}}", "z.yaml:1:23", "65535"),
        ("a: " + "[" * (YAML_DEPTH + 2) + "]" * (YAML_DEPTH + 2), "z.yaml:1:36", "deeper"),
        ("a: " + "[" * 100_000, "z.yaml:1:36", "deeper"),
    ],
)
def test_faults(text: str, where: str, words: str) -> None:
    """Every fault is an error with its place; nothing is dropped silently."""
    records, problems = read(text)
    assert [(problem.where(), problem.severity) for problem in problems] == [(where, "error")]
    assert words in str(problems[0])
    assert str(problems[0]).isascii()
    assert len(records) <= 1


def test_faults_are_all_collected() -> None:
    """One bad value does not hide the others, nor the good ones."""
    records, problems = read(
        "a: {type: A, values: [x, 192.0.2.1, y]}\nb: 1\nc: {type: TXT, value: z}\n"
    )
    assert len(records) == 2
    assert len(problems) == 3


def test_not_utf8() -> None:
    """Octets that are no text are an error of the file."""
    assert [problem.rule for problem in read(b"a: \xff\xfe")[1]] == ["yaml"]


def test_an_empty_file_has_no_records() -> None:
    """Nothing in the file is nothing to read: zone.check says what is missing."""
    assert read("# nothing\n") == ([], ())


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over the limit is not parsed."""
    monkeypatch.setattr(yamltree, "YAML_OCTETS", 10)
    assert "over 10 octets" in read("a: 1234567890")[1][0].message


def test_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML built without libyaml reads the same."""
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert [record[:4] for record in read("a: {type: TXT, value: x}")[0]] == master("a 3600 TXT x")
