"""``ocizone check``: every finding at once, as text and as JSON (golden)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ocizone.cli import findings
from ocizone.cli.check import is_corefile
from tests.cli.test_main import run

GOOD = """\
$ORIGIN example.org.
@ 300 IN SOA ns hostmaster 2026112101 7200 3600 1209600 300
@ 300 IN NS ns
ns 300 IN A 192.0.2.1
"""
BAD = GOOD + "www 300 IN A 192.0.2.256\nwww 300 IN CNAME ns\n"
WARNS = GOOD + "ns 300 IN A 192.0.2.1\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_good_zone(capsys):
    """The zone on stdout, the sum on stderr, 0."""
    Path("db.example.org").write_text(GOOD)
    assert run("check", "db.example.org") == 0
    out, err = capsys.readouterr()
    assert out == "db.example.org: example.org. serial 2026112101, 3 records\n"
    assert err == "1 zone, 0 errors, 0 warnings\n"


def test_a_bad_zone_as_text(capsys):
    """FILE:LINE:COL: error[rule]: what, and the hint below it; 1."""
    Path("db.example.org").write_text(BAD)
    assert run("check", "db.example.org") == 1
    out, err = capsys.readouterr()
    first = out.splitlines()[0]
    assert first.startswith("db.example.org:5:")
    assert ": error[" in first
    assert err == "1 zone, 1 error, 0 warnings\n"
    assert "\x1b" not in out


def test_a_bad_zone_as_json(capsys):
    """A versioned document; nothing else on stdout."""
    Path("db.example.org").write_text(BAD)
    Path("db.example.net").write_text(GOOD.replace("org", "net"))
    assert run("check", "--format", "json", "db.example.org", "db.example.net") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "ocizone.check/v1"
    assert document["zones"] == [
        {"file": "db.example.net", "origin": "example.net.", "serial": 2026112101, "records": 3}
    ]
    (finding,) = document["findings"]
    assert set(finding) == {"file", "line", "column", "severity", "rule", "message", "hint"}
    assert (finding["file"], finding["line"], finding["severity"]) == ("db.example.org", 5, "error")


def test_strict_makes_warnings_count(capsys):
    """0 without, 1 with."""
    Path("db.example.org").write_text(WARNS)
    assert run("check", "db.example.org") == 0
    assert capsys.readouterr().err == "1 zone, 0 errors, 1 warning\n"
    assert run("check", "--strict", "db.example.org") == 1


def test_the_line_and_a_caret(capsys):
    """Below a finding about a file on disk; the hint below both."""
    Path("db.example.org").write_text(GOOD + "www 300 IN A 192.0.2.10\nwww 300 IN CNAME ns\n")
    assert run("check", "db.example.org") == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("db.example.org:5:1: error[cname-and-other-data]: ")
    assert out[1:3] == ["    5 | www 300 IN A 192.0.2.10", "      | ^"]
    assert out[3].startswith("      = ")


def test_a_corefile_shows_no_source(capsys):
    """A line of it may hold a password."""
    Path("Corefile").write_text(". {\n  oci r.test/z /z {\n    pasword canary-42\n  }\n}\n")
    assert run("check") == 1
    out = capsys.readouterr().out
    assert "Corefile:3" in out
    assert "canary-42" not in out


TESTS = "- {name: ns.example.org, type: A, rdata: [192.0.2.1]}\n"
FAILS = TESTS + "- name: ns.example.org\n  type: A\n  rcode: NXDOMAIN\n"


@pytest.mark.parametrize("paths", [["."], ["db.example.org", "zone-tests.yaml"]])
def test_zone_tests(paths, capsys):
    """Of a directory, and of files that are given together; those that held are counted."""
    Path("db.example.org").write_text(GOOD)
    Path("zone-tests.yaml").write_text(TESTS)
    assert run("check", *paths) == 0
    out, err = capsys.readouterr()
    assert out == "db.example.org: example.org. serial 2026112101, 3 records\n"
    assert err == "1 zone, 1 zone test, 0 errors, 0 warnings\n"
    assert run("check", "--format", "json", *paths) == 0
    assert json.loads(capsys.readouterr().out)["tests"] == 1
    Path("zone-tests.yaml").write_text(FAILS)
    assert run("check", *paths) == 1
    assert capsys.readouterr().out.splitlines()[:4] == [
        "zone-tests.yaml:2:3: error[zone-test]: ns.example.org. A: expected NXDOMAIN, got 192.0.2.1",
        "    2 | - name: ns.example.org",
        "      |   ^",
        "      = correct the zone, or the test",
    ]


def test_a_corefile_of_any_name(capsys):
    """``--corefile``; nothing else is looked for then."""
    Path("ocizone.conf").write_text("example.org {\n  nosuch\n}\n")
    assert run("check", "--corefile", "ocizone.conf") == 1
    assert capsys.readouterr().out.startswith("ocizone.conf:2:3: error[")
    Path("ocizone.conf").write_text("example.org {\n  oci r.test/zones /z\n}\n")
    Path("db.example.org").write_text(GOOD)
    assert run("check", "--corefile", "ocizone.conf", "db.example.org") == 0
    assert "ocizone.conf: no findings" in capsys.readouterr().out


def test_a_corefile_is_the_default(capsys):
    """``./Corefile``; needs no network, opens no port."""
    assert run("check") == 1
    assert (
        "Corefile: error[corefile-unreadable]: open Corefile: no such file"
        in capsys.readouterr().out
    )
    Path("Corefile").write_text("example.org {\n  oci r.test/zones /z\n}\n")
    assert run("check") == 0
    Path("Corefile").write_text("example.org {\n  nosuch\n}\n")
    assert run("check") == 1
    assert "Corefile:2:3: error[" in capsys.readouterr().out


def test_corefiles_and_zones_together(capsys):
    """Each is read as what its name says."""
    Path("a.corefile").write_text("example.org {\n  nosuch\n}\n")
    Path("db.example.org").write_text(BAD)
    assert run("check", "a.corefile", "db.example.org") == 1
    out, err = capsys.readouterr()
    assert out.index("a.corefile:2:3") < out.index("db.example.org:5")
    assert err == "1 zone, 2 errors, 0 warnings\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Corefile", True), ("x/Corefile.prod", True), ("a.corefile", True), ("-", False),
     ("db.example.org", False), ("corefile", False)],
)  # fmt: skip
def test_what_is_a_corefile(name, expected):
    """By its name."""
    assert is_corefile(Path(name)) is expected


def test_one_zone_twice(capsys):
    """Two files cannot be one zone."""
    Path("db.example.org").write_text(GOOD)
    Path("example.org.zone").write_text(GOOD)
    assert run("check", ".") == 1
    out = capsys.readouterr().out
    assert "error[origin-claimed-twice]: example.org. is claimed by" in out


def test_origin_names_the_zone(capsys):
    """For a file whose name does not tell."""
    Path("zonefile").write_text(GOOD.partition("\n")[2])
    assert run("check", "zonefile") == 1
    assert run("check", "--origin", "example.org", "zonefile") == 0
    assert run("check", "--origin", "a..b", "zonefile") == 2
    assert "--origin" in capsys.readouterr().err


def test_a_path_that_is_not_there(capsys):
    """A finding, 1."""
    assert run("check", "gone") == 1
    assert capsys.readouterr().out == "gone: error[unreadable]: gone does not exist\n"


def test_hostile_names_are_escaped(capsys):
    """A file name may hold anything but NUL and slash."""
    Path("db.ex\x1b[2J.org").write_text(BAD)
    run("check", ".")
    out, _ = capsys.readouterr()
    assert "\x1b" not in out
    assert "example.org" in out or "x1b" in out


@pytest.mark.parametrize(("environment", "coloured"), [("", True), ("1", False)])
def test_no_color_is_honoured(environment, coloured, monkeypatch, capsys):
    """no-color.org: set and not empty, even on a terminal."""
    monkeypatch.setenv("NO_COLOR", environment)
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda _stream, color: color is False)
    findings.echo("\x1b[31mred\x1b[0m", err=False)
    assert ("\x1b" in capsys.readouterr().out) is coloured


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 zones"), (1, "1 zone"), (1234, "1,234 zones")]
)
def test_amounts_are_readable(count, expected):
    """Singular, plural, thousands."""
    assert findings.amount(count, "zone") == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 B"), (1023, "1023 B"), (18637, "18.2 KiB"), (5 * 1024 * 1024, "5.0 MiB")],
)
def test_sizes_are_readable(count, expected):
    """In the unit that fits."""
    assert findings.octets(count) == expected


def test_what_only_a_plan_shows_is_found(capsys):
    """`bind` to an interface that does not exist, with its place."""
    Path("Corefile").write_text(". {\nbind nosuch0\nwhoami\n}\n")
    assert run("check") == 1
    assert capsys.readouterr().out.startswith("Corefile:1: error[bind]: bind: not a valid IP")
