"""``ocizone push`` against the lab registry."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from ocizone.cli.push import is_localhost
from ocizone.lab import LabRegistry
from ocizone.lab.gate import Access
from ocizone.registry.reference import Reference
from tests.cli.test_check import BAD, GOOD
from tests.cli.test_main import run


@pytest.fixture
def zones(tmp_path):
    """A directory with one good zone."""
    directory = tmp_path / "zones"
    directory.mkdir()
    (directory / "db.example.org").write_text(GOOD)
    return directory


def target(registry: LabRegistry) -> str:
    return f"localhost:{registry.port}/dns/zones:prod"


def manifest(registry: LabRegistry) -> dict[str, object]:
    raw = registry.storage.manifest("dns/zones", "prod")
    assert raw is not None
    found: dict[str, object] = json.loads(raw.raw)
    return found


def test_it_prints_what_it_pushed(lab_registry, zones, capsys):
    """``REF@DIGEST`` alone on stdout; the talk on stderr."""
    assert run("push", target(lab_registry), str(zones)) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{target(lab_registry)}@sha256:")
    assert len(out.splitlines()) == 1
    assert err == "check    1 zone, 0 errors, 0 warnings, 3 records\n"


def test_the_same_files_give_the_same_digest(lab_registry, zones, capsys, monkeypatch):
    """Whenever, in whatever order, from wherever."""
    (zones / "db.example.net").write_text(GOOD.replace("org", "net"))
    run("push", target(lab_registry), str(zones))
    first = capsys.readouterr().out
    run("push", target(lab_registry), str(zones / "db.example.org"), str(zones / "db.example.net"))
    assert capsys.readouterr().out == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    run("push", target(lab_registry), str(zones))
    assert capsys.readouterr().out != first


def test_a_broken_zone_is_not_pushed(lab_registry, zones, capsys):
    """Every finding on stderr, 1, and not one request."""
    (zones / "db.example.net").write_text(BAD.replace("org", "net"))
    assert run("push", target(lab_registry), str(zones)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "db.example.net:5" in err
    assert lab_registry.requests == []


def test_no_check_pushes_it_nevertheless(lab_registry, zones, capsys):
    """What it is, checked or not."""
    (zones / "db.example.org").write_text(BAD)
    assert run("push", "--no-check", target(lab_registry), str(zones)) == 0


def test_annotations_are_of_the_manifest(lab_registry, zones):
    """KEY=VALUE; the value may hold an equals sign."""
    arguments = ("-a", "org.example.build=7", "-a", "note=a=b")
    assert run("push", *arguments, target(lab_registry), str(zones)) == 0
    annotations = manifest(lab_registry)["annotations"]
    assert isinstance(annotations, dict)
    assert annotations.items() >= {"org.example.build": "7", "note": "a=b"}.items()


def test_a_login_is_used_and_a_wrong_one_is_3(zones, capsys, monkeypatch):
    """The password comes from standard input, never from the command line."""
    with LabRegistry(access=Access.BASIC, users={"alice": "fake-password"}) as registry:
        for password, status in (("fake-password\n", 0), ("wrong\n", 3)):
            monkeypatch.setattr("sys.stdin", io.StringIO(password))
            arguments = ("-u", "alice", "--password-stdin")
            assert run("push", *arguments, target(registry), str(zones)) == status
        assert run("push", target(registry), str(zones)) == 3
    assert "fake-password" not in "".join(capsys.readouterr())


def test_a_registry_that_is_gone_is_4(zones, capsys):
    """One message with the host."""
    with LabRegistry() as registry:
        gone = target(registry)
    assert run("push", gone, str(zones)) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert gone.partition("/")[0] in err.splitlines()[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["localhost:1/x@sha256:" + "a" * 64, "{zones}"],
        ["localhost:1/UPPER:y", "{zones}"],
        ["-a", "noequals", "localhost:1/x:y", "{zones}"],
        ["-a", "=x", "localhost:1/x:y", "{zones}"],
        ["-u", "alice", "localhost:1/x:y", "{zones}"],
        ["--password-stdin", "localhost:1/x:y", "{zones}"],
    ],
)
def test_a_wrong_command_line_is_2(arguments, zones, capsys):
    """Told before anything is read or sent."""
    assert run("push", *(word.format(zones=zones) for word in arguments)) == 2
    assert "Error: " in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["gone", "id_rsa"])
def test_what_cannot_be_pushed_is_1(missing, zones, capsys):
    """No such file; a private key."""
    path = zones / missing
    if missing == "id_rsa":
        path.write_text("x")
    assert run("push", "localhost:1/x:y", str(path)) == 1
    assert missing in capsys.readouterr().err


@pytest.mark.parametrize(
    ("registry", "plain"),
    [("localhost", True), ("localhost:5000", True), ("LOCALHOST:1", True),
     ("localhost.example", False), ("127.0.0.1:5000", False)],
)  # fmt: skip
def test_plain_http_is_the_default_of_localhost_only(registry, plain):
    """As in the oras CLI."""
    assert is_localhost(Reference(registry, "x", "latest", None)) is plain


def test_a_relative_file_is_titled_by_its_name(lab_registry, zones, monkeypatch):
    """Where it was pushed from is nobody's business."""
    monkeypatch.chdir(zones.parent)
    assert run("push", target(lab_registry), str(Path("zones") / "db.example.org")) == 0
    layers = manifest(lab_registry)["layers"]
    assert isinstance(layers, list)
    titles = [layer["annotations"]["org.opencontainers.image.title"] for layer in layers]
    assert titles == ["db.example.org"]
