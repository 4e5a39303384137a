"""Zone tests: what their file may say, what holds, what refuses an artifact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ocizone.compiler import testfile
from ocizone.compiler.pipeline import compile_revision
from ocizone.compiler.spec import CompileReport, ZoneRule
from ocizone.errors import Severity
from tests.compiler.test_pipeline import VIEW, artifact, auto, compiled, spec_of

ZONE = """\
$TTL 300
@ SOA ns h 1 2 3 4 60
@ NS ns
@ MX 10 Mail
@ TXT "v=spf1 " "-all"
ns A 192.0.2.1
www 30 A 192.0.2.10
www 30 A 192.0.2.11
alias CNAME WWW
away CNAME cdn.example.com.
other CNAME www.example.net.
nothing CNAME ns
*.w A 192.0.2.12
sub NS ns.sub
sub NS Ns.example.com.
ns.sub A 192.0.2.13
d DNAME example.net.
e DNAME {long}.example.net.
odd TYPE65280 \\# 2 abcd
""".format(long=".".join(["x" * 60] * 3))
NET = "$TTL 300\n@ SOA ns.x. h.x. 1 2 3 4 5\n@ NS ns.x.\nwww A 192.0.2.20\n"
NAME = "zone-tests.yaml"
FILES = {"db.example.org": ZONE, "db.example.net": NET}


def with_tests(base: Path, text: str, *rules: ZoneRule, name: str = NAME) -> CompileReport:
    return compiled(base, {**FILES, name: text}, *rules)


def messages(report: CompileReport) -> list[str]:
    assert {problem.rule for problem in report.problems} <= {"zone-test"}
    return [problem.message for problem in report.problems]


@pytest.mark.parametrize(
    "test",
    [
        "name: www.example.org, type: A, rdata: [192.0.2.10, 192.0.2.11]",
        "name: www.example.org., type: a, rdata: [192.0.2.11, 192.0.2.10]",
        "name: WWW.Example.ORG, type: A, rdata: [192.0.2.11, 192.0.2.10], rcode: noerror",
        "name: ns.example.org, type: A, rdata: 192.0.2.1",
        # The end of aliases, or the alias itself; through every zone of the artifact.
        "name: alias.example.org, type: A, rdata: [192.0.2.10, 192.0.2.11], ttl: 30",
        "name: alias.example.org, type: CNAME, rdata: [www.example.org]",
        "name: other.example.org, type: A, rdata: [192.0.2.20]",
        "name: www.d.example.org, type: A, rdata: [192.0.2.20]",
        "name: www.d.example.org, type: CNAME, rdata: [www.example.net.]",
        "name: d.example.org, type: DNAME, rdata: [example.net]",
        "name: gone.d.example.org, type: A, rcode: NXDOMAIN",
        f"name: {'y' * 60}.e.example.org, type: A, rcode: YXDOMAIN",
        "name: away.example.org, type: A, rdata: []",
        "name: any.w.example.org, type: A, rdata: [192.0.2.12]",
        # No such type; no such name.
        "name: www.example.org, type: AAAA, rdata: []",
        "name: nothing.example.org, type: AAAA, rdata: []",
        "name: w.example.org, type: A, rdata: [], ttl: 60",
        "name: old.example.org, type: A, rcode: NXDOMAIN, ttl: 60",
        "name: old.example.org, type: A, rcode: NXDOMAIN, rdata: []",
        "name: www.example.org, type: A, rcode: NOERROR",
        # Names in rdata have no case, and strings no borders.
        'name: example.org, type: MX, rdata: ["10 MAIL.example.org."]',
        "name: example.org, type: MX, rdata: [10 mail.example.org]",
        "name: example.org, type: TXT, rdata: [v=spf1 -all]",
        'name: example.org, type: TXT, rdata: [\'"v=" "spf1 -all"\']',
        "name: example.org, type: SOA, rdata: [ns.example.org h.example.org 1 2 3 4 60]",
        "name: odd.example.org, type: TYPE65280, rdata: ['\\# 2 abcd']",
        # A delegation's NS, asked for at the cut.
        "name: sub.example.org, type: NS, rdata: [ns.example.com, ns.sub.example.org]",
        "name: x.sub.example.org, type: NS, rdata: []",
        "name: sub.example.org, type: DS, rdata: []",
        # Bounds, both within; one is enough.
        "name: www.example.org, type: A, ttl: {min: 30, max: 30}",
        "name: www.example.org, type: A, ttl: {min: 29}",
        "name: www.example.org, type: A, ttl: {max: 1m}",
        "name: ns.example.org, type: A, ttl: 5m",
    ],
)
def test_what_holds(tmp_path: Path, test: str) -> None:
    """Counted, and nothing is said."""
    report = with_tests(tmp_path, f"- {{{test}}}\n")
    assert (messages(report), report.tests) == ([], 1)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (
            "name: www.example.org, type: A, rdata: [192.0.2.10]",
            "www.example.org. A: expected 192.0.2.10, got 192.0.2.10, 192.0.2.11",
        ),
        (
            "name: www.example.org, type: A, rdata: [192.0.2.10, 192.0.2.11, 192.0.2.12]",
            (
                "www.example.org. A: expected 192.0.2.10, 192.0.2.11, 192.0.2.12, "
                "got 192.0.2.10, 192.0.2.11"
            ),
        ),
        (
            "name: www.example.org, type: A, rcode: NXDOMAIN",
            "www.example.org. A: expected NXDOMAIN, got 192.0.2.10, 192.0.2.11",
        ),
        (
            "name: old.example.org, type: A, rdata: [192.0.2.1]",
            "old.example.org. A: expected 192.0.2.1, got NXDOMAIN",
        ),
        (
            "name: old.example.org, type: A, rdata: []",
            "old.example.org. A: expected no records, got NXDOMAIN",
        ),
        (
            "name: www.example.org, type: AAAA, rdata: ['2001:db8::1']",
            "www.example.org. AAAA: expected 2001:db8::1, got no records",
        ),
        (
            "name: www.example.org, type: A, rdata: []",
            "www.example.org. A: expected no records, got 192.0.2.10, 192.0.2.11",
        ),
        (
            "name: www.example.org, type: A, ttl: 300",
            "www.example.org. A: expected a TTL of 300, got 30",
        ),
        (
            "name: www.example.org, type: A, ttl: {min: 60, max: 90}",
            "www.example.org. A: expected a TTL of 60 to 90, got 30",
        ),
        (
            "name: away.example.org, type: A, ttl: 300",
            (
                "away.example.org. A: expected a TTL of 300, got an alias to cdn.example.com., "
                "where the artifact has no answer"
            ),
        ),
        (
            "name: ns.sub.example.org, type: A, rdata: [192.0.2.13]",
            "ns.sub.example.org. A: expected 192.0.2.13, got a delegation to sub.example.org.",
        ),
        (
            "name: away.example.org, type: A, rdata: [192.0.2.1]",
            (
                "away.example.org. A: expected 192.0.2.1, got an alias to cdn.example.com., "
                "where the artifact has no answer"
            ),
        ),
        (
            "name: nothing.example.org, type: TXT, rdata: [a\\tb]",
            'nothing.example.org. TXT: expected "a\\tb", got no records',
        ),
        (
            f"name: {'y' * 60}.e.example.org, type: A, rcode: NXDOMAIN",
            f"{'y' * 60}.e.example.org. A: expected NXDOMAIN, got YXDOMAIN",
        ),
        (
            "name: www.example.com, type: A, rcode: NXDOMAIN",
            "www.example.com. A: no zone of the artifact has this name",
        ),
        (
            f"name: ns.example.org, type: A, rdata: [{', '.join(f'10.0.0.{n}' for n in range(7))}]",
            (
                "ns.example.org. A: expected 10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 "
                "and 2 more, got 192.0.2.1"
            ),
        ),
    ],
)
def test_what_fails(tmp_path: Path, test: str, message: str) -> None:
    """Refused, at the place of the test, with what was expected and what came."""
    report = with_tests(tmp_path, f"# first\n- {{{test}}}\n", name="sub/zone-tests.yml")
    assert messages(report) == [message]
    assert report.problems[0].where() == "sub/zone-tests.yml:2:3"
    assert (report.tests, report.zones, report.image_octets) == (0, (), 0)


GOOD = "name: www.example.org, type: A, rcode: NOERROR"


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a: b", "1:1", "zone tests are a list"),
        ("- a\n", "1:3", "a test is a mapping"),
        ("- name: x\n  typ: A\n", "2:3", "unknown key typ"),
        ("- {name: x, type: A}\n", "1:3", "a test that expects nothing"),
        ("- {type: A, rdata: []}\n", "1:3", "a test has a name"),
        ("- {name: [x], type: A, rdata: []}\n", "1:10", "a test has a name"),
        ("- {name: x, rdata: []}\n", "1:3", "a test has a type"),
        ("- {name: a..b, type: A, rdata: []}\n", "1:10", "no name: empty label"),
        ("- {name: '', type: A, rdata: []}\n", "1:10", "no name: empty name"),
        ("- {name: x, type: ANY, rdata: []}\n", "1:19", "ANY is no type of records"),
        ("- {name: x, type: B, rdata: []}\n", "1:19", "B is no type of records"),
        ("- {name: x, type: A, rcode: REFUSED}\n", "1:29",
         "rcode is one of NOERROR, NXDOMAIN, YXDOMAIN"),
        ("- {name: x, type: A, rdata: [y]}\n", "1:30",
         "bad A rdata y: Text input is malformed"),
        ("- {name: x, type: MX, rdata: [10 \u00e9]}\n", "1:31",
         "bad MX rdata 10 \\xe9: it is not ASCII"),
        ("- {name: x, type: A, rdata: {y: z}}\n", "1:29", "rdata is a list of texts"),
        ("- {name: x, type: A, rdata: [192.0.2.1], rcode: NXDOMAIN}\n", "1:3",
         "a name that does not exist has no rdata"),
        ("- {name: x, type: A, ttl: x}\n", "1:27", "ttl is a number of seconds"),
        ("- {name: x, type: A, ttl: {}}\n", "1:27", "ttl is a number of seconds"),
        ("- {name: x, type: A, ttl: {most: 3}}\n", "1:27", "ttl is a number of seconds"),
        ("- {name: x, type: A, ttl: {min: 3, max: 2}}\n", "1:27", "min is above max"),
        ("- {name: x, type: A, ttl: 9999999999}\n", "1:27", "TTL over 2147483647 seconds"),
        ("- {name: x\n", "2:1", "no YAML: did not find expected ',' or '}'"),
        ("- &a {name: x}\n", "1:3", "anchors and aliases are not taken"),
        ("- !!python/name:os.system x\n", "1:3",
         "the tag tag:yaml.org,2002:python/name:os.system is not taken"),
        ("- " + "[" * 40 + "]" * 40, "1:35", "nested deeper than 32"),
    ],
)  # fmt: skip
def test_malformed(tmp_path: Path, text: str, where: str, message: str) -> None:
    """Refused as a failing test is; the good tests beside it do not save it."""
    report = with_tests(tmp_path, text)
    assert messages(report) == [message]
    assert report.problems[0].where() == f"zone-tests.yaml:{where}"
    assert report.tests == 0


def test_an_empty_file(tmp_path: Path) -> None:
    """No tests, no findings."""
    assert with_tests(tmp_path, "# to be written\n").tests == 0


def test_every_failure_is_told(tmp_path: Path) -> None:
    """All of them, in the order of the file."""
    text = "".join(
        f"- name: {name}.example.org\n  type: A\n  rcode: NXDOMAIN\n" for name in ("ns", "x", "www")
    )
    report = with_tests(tmp_path, text)
    assert [problem.where() for problem in report.problems] == [
        "zone-tests.yaml:1:3",
        "zone-tests.yaml:7:3",
    ]


def test_several_files(tmp_path: Path) -> None:
    """Anywhere in the tree; their tests add up."""
    files = {**FILES, "a/zone-tests.yaml": f"- {{{GOOD}}}\n", "zone-tests.yml": f"- {{{GOOD}}}\n"}
    assert compiled(tmp_path, files).tests == 2


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many tests in all, so many octets a file."""
    monkeypatch.setattr(testfile, "ZONE_TESTS", 2)
    (tmp_path / "many").mkdir()
    report = with_tests(tmp_path / "many", f"- {{{GOOD}}}\n" * 3)
    assert (messages(report), report.problems[0].line) == (["over 2 tests"], 3)
    monkeypatch.setattr(testfile, "ZONE_TESTS_OCTETS", 10)
    (tmp_path / "long").mkdir()
    assert messages(with_tests(tmp_path / "long", " " * 11)) == ["zone tests over 10 octets"]


def test_they_are_no_zone(tmp_path: Path) -> None:
    """Whatever a rule would take: neither a zone nor a file nobody knows."""
    report = with_tests(tmp_path, f"- {{{GOOD}}}\n", auto(regexp=r"(?:db\.)?(.*)"))
    assert report.tests == 1
    assert not report.problems
    assert "zone-tests.yaml" not in report.extra["not_zones"]
    assert "zone-tests.yaml" in [file.path for file in report.files]


def test_a_part_of_an_artifact(tmp_path: Path) -> None:
    """A block that takes one zone of several passes over the tests of the others."""
    text = (
        "- {name: www.example.net, type: A, rdata: [192.0.2.20]}\n"
        "- {name: www.example.org, type: A, rdata: []}\n"
    )
    spec = spec_of(tmp_path, {**FILES, "zone-tests.yaml": text}, artifact("example.net."))
    report = compile_revision(spec, lambda: 0.0)
    assert not report.refused
    assert report.tests == 1


def test_every_view(tmp_path: Path) -> None:
    """A test holds where every view that has the zone answers so."""
    rules = (
        ZoneRule("one", "file", "db.example.org", ("example.org.",)),
        ZoneRule("two", "file", "other", ("example.org.",)),
        ZoneRule("three", "file", "db.example.net", ("example.net.",)),
    )
    same = "- {name: ns.example.org, type: A, rdata: [192.0.2.1]}\n"
    files = {**FILES, "other": ZONE.replace("192.0.2.1\n", "192.0.2.2\n"), "zone-tests.yaml": same}
    assert messages(compiled(tmp_path, files, *rules)) == [
        "ns.example.org. A: expected 192.0.2.1, got 192.0.2.2"
    ]


def test_the_parent_answers_ds(tmp_path: Path) -> None:
    """DS of a zone's apex stands above it, where the artifact has that zone (RFC 4035 3.1.4.1)."""
    ds = "1 13 2 " + "AB" * 32
    files = {
        "db.example.org": f"{ZONE}child NS ns\nchild DS {ds}\n",
        "db.child.example.org": NET,
        "zone-tests.yaml": f"- {{name: child.example.org, type: DS, rdata: [{ds}]}}\n",
    }
    assert compiled(tmp_path, files).tests == 1


def test_a_zone_that_is_refused_is_not_tested(tmp_path: Path) -> None:
    """What is wrong with the tests is told beside it; whether they hold nobody knows."""
    files = {"db.example.org": "@ A x\n", "zone-tests.yaml": f"- x\n- {{{GOOD}}}\n"}
    report = compiled(tmp_path, files)
    rules = [problem.rule for problem in report.problems]
    assert "zone-test" in rules
    assert set(rules) != {"zone-test"}


def test_a_version_that_was_served(tmp_path: Path) -> None:
    """It is compiled again after a restart or with another configuration: tests only warn then."""
    text = "- {name: www.example.org, type: A, rdata: []}\n- x\n"
    spec = spec_of(tmp_path, {**FILES, "zone-tests.yaml": text}, artifact())
    report = compile_revision(replace(spec, excuse_expired=True), lambda: 0.0)
    assert [problem.severity for problem in report.problems] == [Severity.WARNING] * 2
    assert len(report.zones) == 2
    assert {zone.view for zone in report.zones} == {VIEW}
