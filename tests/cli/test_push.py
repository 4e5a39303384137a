"""``ocizone push`` against the lab registry."""

from __future__ import annotations

import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ocizone.admin.verbs import VerbResult
from ocizone.cli.registry import is_localhost
from ocizone.fleet import SCHEMA
from ocizone.lab import LabRegistry
from ocizone.lab.gate import Access
from tests.cli.controlserver import Server
from tests.cli.test_check import BAD, GOOD
from tests.cli.test_main import run


@pytest.fixture
def zones(tmp_path, monkeypatch):
    """A directory with one good zone; no server, and no credentials but those of the test."""
    monkeypatch.setenv("OCIZONE_STATE_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "nowhere"))
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
    assert err.splitlines() == [
        "check    1 zone, 3 records                           ok",
        "plan     example.org  +2 -0 ~0   serial 2026112101   new zone",
        "upload   1 file, 118 B",
        f"pushed   {out.strip()}  (new tag)",
    ]


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
    assert is_localhost(registry) is plain


def test_a_relative_file_is_titled_by_its_name(lab_registry, zones, monkeypatch):
    """Where it was pushed from is nobody's business."""
    monkeypatch.chdir(zones.parent)
    assert run("push", target(lab_registry), str(Path("zones") / "db.example.org")) == 0
    layers = manifest(lab_registry)["layers"]
    assert isinstance(layers, list)
    titles = [layer["annotations"]["org.opencontainers.image.title"] for layer in layers]
    assert titles == ["db.example.org"]


# --- Plan ------------------------------------------------------------------------------------


def changed(zones: Path, serial: int, *lines: str) -> None:
    text = GOOD.replace("2026112101", str(serial)) + "".join(f"{line}\n" for line in lines)
    (zones / "db.example.org").write_text(text)


def plan(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().err.splitlines()
    return [line.removeprefix("plan     ") for line in lines if line.startswith("plan ")]


def test_the_plan_is_against_the_tag(lab_registry, zones, capsys):
    """Zone, counts, serials; what was there before."""
    changed(zones, 2026112001, "www 300 IN A 192.0.2.10", "old 300 IN TXT x")
    run("push", target(lab_registry), str(zones))
    first = capsys.readouterr().out.strip().rpartition("@")[2]
    changed(zones, 2026112002, "www 300 IN A 192.0.2.11", "api 300 IN AAAA 2001:db8::7")
    assert run("push", target(lab_registry), str(zones)) == 0
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[1] == "plan     example.org  +2 -2 ~1   serial 2026112001 -> 2026112002"
    assert lines[-1] == f"pushed   {out.strip()}  (was {first})"
    run("push", target(lab_registry), str(zones))
    said = capsys.readouterr().err
    assert "plan     nothing changes\n" in said
    assert said.endswith("(unchanged)\n")


def test_a_serial_that_stayed_is_told(lab_registry, zones, capsys):
    """The trap every CI falls into."""
    run("push", target(lab_registry), str(zones))
    capsys.readouterr()
    changed(zones, 2026112101, "www 300 IN A 192.0.2.10")
    run("push", target(lab_registry), str(zones))
    (line,) = plan(capsys)
    assert line.endswith("serial 2026112101 unchanged: secondaries will not notice")


def test_dry_run_uploads_nothing(lab_registry, zones, capsys):
    """Check and plan; 0 whatever would change; nothing on stdout."""
    run("push", target(lab_registry), str(zones))
    capsys.readouterr()
    before = lab_registry.storage.manifest("dns/zones", "prod")
    changed(zones, 2026112102, "www 300 IN A 192.0.2.10")
    assert run("push", "--dry-run", target(lab_registry), str(zones)) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[1:] == [
        "plan     example.org  +1 -0 ~0   serial 2026112101 -> 2026112102",
        "dry-run  nothing was uploaded",
    ]
    assert lab_registry.storage.manifest("dns/zones", "prod") == before


def test_max_deletes_refuses(lab_registry, zones, capsys):
    """6, by the rules of a server's guard; nothing is uploaded."""
    changed(zones, 1, *(f"h{number} 300 IN A 192.0.2.{number}" for number in range(28)))
    run("push", target(lab_registry), str(zones))
    before = lab_registry.storage.manifest("dns/zones", "prod")
    changed(zones, 2, *(f"h{number} 300 IN A 192.0.2.{number}" for number in range(16)))
    capsys.readouterr()
    assert run("push", "--max-deletes", "39%", target(lab_registry), str(zones)) == 6
    out, err = capsys.readouterr()
    assert out == ""
    assert "held     example.org. 40 % deletes > 39 % (12 of 30 records); push it" in err
    assert lab_registry.storage.manifest("dns/zones", "prod") == before
    assert run("push", "--max-deletes", "40", target(lab_registry), str(zones)) == 0
    (zones / "db.example.org").rename(zones / "db.example.net")
    (zones / "db.example.net").write_text(GOOD.replace("org", "net"))
    assert run("push", "--max-deletes", "99", target(lab_registry), str(zones)) == 6
    assert "example.org. is gone" in capsys.readouterr().err
    assert run("push", "--max-deletes", "100", target(lab_registry), str(zones)) == 0


def test_what_cannot_be_compared_is_told_and_replaced(lab_registry, zones, capsys):
    """The way out of a broken tag is a push."""
    (zones / "db.example.org").write_text(BAD)
    run("push", "--no-check", target(lab_registry), str(zones))
    changed(zones, 2)
    capsys.readouterr()
    assert run("push", target(lab_registry), str(zones)) == 0
    (line,) = plan(capsys)
    assert "cannot be compared: db.example.org:5" in line


def test_max_deletes_refuses_what_it_cannot_count(lab_registry, zones, capsys):
    """6, and why: nobody knows how many records go."""
    (zones / "db.example.org").write_text(BAD)
    run("push", "--no-check", target(lab_registry), str(zones))
    before = lab_registry.storage.manifest("dns/zones", "prod")
    changed(zones, 2)
    capsys.readouterr()
    assert run("push", "--max-deletes", "30", target(lab_registry), str(zones)) == 6
    out, err = capsys.readouterr()
    assert out == ""
    assert "held     deletes cannot be counted (db.example.org:5" in err
    assert "push it nevertheless without --max-deletes" in err
    assert lab_registry.storage.manifest("dns/zones", "prod") == before


def test_without_a_plan_nothing_is_pulled(lab_registry, zones, capsys):
    """For a token that may only push."""
    run("push", "--no-plan", target(lab_registry), str(zones))
    assert plan(capsys) == []
    assert not [
        one for one in lab_registry.requests if "manifests/prod" in one.path and one.method != "PUT"
    ]


def test_further_tags(lab_registry, zones):
    """The same manifest; its blobs travel once."""
    assert run("push", "--tag", "v1.2.3", "--tag", "v1", target(lab_registry), str(zones)) == 0
    found = {lab_registry.storage.manifest("dns/zones", tag) for tag in ("prod", "v1.2.3", "v1")}
    assert len(found) == 1
    assert None not in found


@pytest.mark.parametrize(
    "arguments",
    [["--max-deletes", "x"], ["--max-deletes", "101%"], ["--tag", "a/b"], ["--no-check", "--dry-run"],
     ["--no-plan", "--max-deletes", "3"], ["--node", "http://h:1"], ["--wait", "--node", "ftp://x"]],
)  # fmt: skip
def test_options_that_do_not_fit_are_2(arguments, zones):
    """Before anything is read or sent."""
    assert run("push", *arguments, "localhost:1/x:y", str(zones)) == 2


# --- Git -------------------------------------------------------------------------------------


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-C", str(directory), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.peers("git")
def test_from_git(lab_registry, zones, capsys):
    """Revision, source without its token, and the time of the commit: one commit, one digest."""
    git(zones, "init", "-q")
    git(zones, "add", ".")
    git(zones, "commit", "-q", "-m", "x", "--date", "2026-11-20T00:00:00Z")
    git(zones, "remote", "add", "origin", "https://ci:fake-token@git.example.org/dns.git")
    arguments = ("--from-git", "-a", "note=mine", target(lab_registry), str(zones))
    assert run("push", *arguments) == 0
    annotations = manifest(lab_registry)["annotations"]
    assert isinstance(annotations, dict)
    revision = git(zones, "rev-parse", "HEAD")
    created = annotations.pop("org.opencontainers.image.created")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
    assert annotations == {
        "note": "mine",
        "org.opencontainers.image.revision": revision,
        "org.opencontainers.image.source": "https://git.example.org/dns.git",
    }
    first = capsys.readouterr().out
    run("push", *arguments)
    assert capsys.readouterr().out == first
    changed(zones, 9)
    assert run("push", *arguments) == 0
    annotations = manifest(lab_registry)["annotations"]
    assert isinstance(annotations, dict)
    assert annotations["org.opencontainers.image.revision"] == f"{revision}-dirty"
    assert "org.opencontainers.image.created" not in annotations


@pytest.mark.peers("git")
def test_from_git_outside_of_a_repository(zones, capsys, monkeypatch):
    """1, with git's own words; nor without git."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(zones.parent))
    assert run("push", "--from-git", "localhost:1/x:y", str(zones)) == 1
    assert "--from-git: git log in" in capsys.readouterr().err
    monkeypatch.setenv("PATH", "")
    assert run("push", "--from-git", "localhost:1/x:y", str(zones)) == 1
    assert "no git on PATH" in capsys.readouterr().err


# --- Sign ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["tag", "bundle"])
def test_sign_and_verify(lab_registry, zones, tmp_path, capsys, layout):
    """Push --sign-key, then verify with the public key; 5 with another."""
    keys = []
    for name in ("ours", "other"):
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{name}.key").write_bytes(pem)
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.pub").write_bytes(public)
        keys.append(str(tmp_path / name))
    arguments = ("--sign-key", f"{keys[0]}.key", "--sign-layout", layout)
    assert run("push", *arguments, target(lab_registry), str(zones)) == 0
    out, err = capsys.readouterr()
    assert "signed   ours.key, as " in err
    assert run("verify", target(lab_registry), "--key", f"{keys[0]}.pub") == 0
    assert capsys.readouterr().out == f"{out.strip()} signed by key ours.pub\n"
    assert run("verify", target(lab_registry), "--key", f"{keys[1]}.pub") == 5
    assert capsys.readouterr().err.startswith(f"{out.strip()} not signed")
    run("push", *arguments, target(lab_registry), str(zones))
    assert "signed   ours.key, already" in capsys.readouterr().err


# --- Wait ------------------------------------------------------------------------------------


def follower(server: Server, reference: str, **source: Any) -> None:
    """Make a server that follows a reference."""
    followed = {"name": "x", "reference": reference, "digest": "", "error": None, **source}
    server.status({"schema": SCHEMA, "zones": [], "sources": [followed]})


def pushed_digest(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, err = capsys.readouterr()
    return out.strip().rpartition("@")[2], err


def test_wait_until_every_node_serves_it(lab_registry, zones, server, capsys):
    """The server is told to look; 0 when it serves the digest."""
    monkey = target(lab_registry)
    run("push", monkey, str(zones))
    digest, _ = pushed_digest(capsys)

    def refresh(_: dict[str, Any]) -> VerbResult:
        follower(server, monkey, digest=digest)
        return VerbResult(ok=True, exit=0, message="looking")

    follower(server, monkey)
    server.verbs["refresh"] = refresh
    assert run("push", "--wait", "--state-dir", server.directory, monkey, str(zones)) == 0
    assert re.search(r"^wait     here ok \d\.\ds$", capsys.readouterr().err, re.MULTILINE)
    assert 'POST /v1/refresh {"source": "x"}' in server.asked
    assert run("push", "--wait", "--node", server.url, monkey, str(zones)) == 0


@pytest.mark.parametrize(
    ("source", "said", "status"),
    [
        ({"held": True, "error": {"reason": "ChangeGuard", "message": "41 % deletes"}},
         "held, ChangeGuard: 41 % deletes (ocizone approve ", 6),
        ({"found": True, "error": {"reason": "ContentRefused", "message": "db:3: bad"}},
         "not served: ContentRefused: db:3: bad", 1),
        ({"found": True, "error": {"reason": "ContentRefused", "message": "db:3: bad"},
          "state": "deploying"},
         "not within 0 s: ContentRefused: db:3: bad", 1),
        ({"pin": {"digest": "sha256:aa", "kind": "pin"}}, "not served: pinned to sha256:aa", 1),
        ({"pin": {"digest": "sha256:aa", "kind": "rollback"}, "digest": "sha256:aa"},
         "not within 0 s: rolled back to sha256:aa", 1),
        ({"pin": {"digest": "sha256:aa", "kind": "rollback"}, "found": True,
          "error": {"reason": "WaitingForSignature", "message": "none yet"}},
         "not within 0 s: WaitingForSignature: none yet", 6),
        ({"suspension": {"until": None}}, "not served: suspended", 1),
        ({"error": {"reason": "Network", "message": "refused"}}, "not within 0 s: Network: refused", 1),
        ({}, "not within 0 s: serves nothing yet", 1),
        ({"found": True, "error": {"reason": "WaitingForSignature", "message": "none yet"}},
         "not within 0 s: WaitingForSignature: none yet", 6),
        ({"reference": "r.test/other:prod"}, "it follows nothing of localhost:", 1),
    ],
)  # fmt: skip
def test_wait_says_who_does_not_and_why(lab_registry, zones, server, capsys, source, said, status):
    """And does not wait for what will not come."""
    reference = target(lab_registry)
    run("push", reference, str(zones))
    digest, _ = pushed_digest(capsys)
    for key, value in (("held", {"digest": digest}), ("found", digest)):
        if source.get(key):
            source = {**source, key: value}
    follower(server, source.pop("reference", reference), **source)
    assert run("push", "--wait", "--timeout", "0", reference, str(zones)) == status
    assert said in capsys.readouterr().err


def test_wait_after_a_rollback(lab_registry, zones, server, capsys, monkeypatch):
    """The fix is pushed: the rollback ends when the server looks, a moment later."""
    reference = target(lab_registry)
    run("push", reference, str(zones))
    digest, _ = pushed_digest(capsys)
    old = "sha256:aa"
    follower(server, reference, digest=old, pin={"digest": old, "kind": "rollback"})
    monkeypatch.setattr(
        "ocizone.cli.push.time.sleep", lambda _: follower(server, reference, digest=digest)
    )
    assert run("push", "--wait", reference, str(zones)) == 0
    assert "wait     here ok" in capsys.readouterr().err


def test_wait_until_every_worker_serves_it(lab_registry, zones, server, capsys):
    """A client may have any of them."""
    reference = target(lab_registry)
    run("push", reference, str(zones))
    digest, _ = pushed_digest(capsys)
    followed = {"name": "x", "reference": reference, "digest": digest, "error": None}
    document = {"schema": SCHEMA, "zones": [], "sources": [followed], "generation": 2}
    for second, status in ((1, 1), (2, 0)):
        workers = [{"worker": 1, "generation": 2}, {"worker": 2, "generation": second}]
        server.status({**document, "workers": workers})
        wait = ("--wait", "--timeout", "0s", "--state-dir", server.directory)
        assert run("push", *wait, reference, str(zones)) == status
    assert "worker 2 does not serve it yet" in capsys.readouterr().err


def test_wait_for_several_of_which_one_fails(lab_registry, zones, server, tmp_path, capsys):
    """7: some of them."""
    reference = target(lab_registry)
    run("push", reference, str(zones))
    digest, _ = pushed_digest(capsys)
    follower(server, reference, digest=digest)
    gone = "http://127.0.0.1:1"
    arguments = ("--wait", "--timeout", "0", "--node", server.url, "--node", gone)
    assert run("push", *arguments, reference, str(zones)) == 7
    out, err = capsys.readouterr()
    assert out.strip().endswith(digest)
    assert "wait     127.0.0.1:1 not served: not within 0 s: no server answers" in err


def test_the_tag_that_was_pushed_counts(lab_registry, zones, server, capsys):
    """A source of another tag of the same repository serves something else, and may."""
    reference = target(lab_registry)
    run("push", reference, str(zones))
    digest, _ = pushed_digest(capsys)
    ours = {"name": "x", "reference": reference, "digest": digest, "error": None}
    other = {
        "name": "y",
        "reference": reference.replace("prod", "next"),
        "digest": "",
        "error": None,
    }
    server.status({"schema": SCHEMA, "zones": [], "sources": [other, ours]})
    assert run("push", "--wait", "--timeout", "0", reference, str(zones)) == 0


def test_zone_tests_are_run(lab_registry, zones, capsys):
    """Those that hold are counted and travel along; one that fails keeps the push here."""
    tests = zones / "zone-tests.yaml"
    tests.write_text("- {name: ns.example.org, type: A, rcode: NOERROR}\n")
    assert run("push", target(lab_registry), str(zones)) == 0
    err = capsys.readouterr().err
    assert err.startswith("check    1 zone, 3 records, 1 zone test ")
    layers = manifest(lab_registry)["layers"]
    assert isinstance(layers, list)
    assert len(layers) == 2
    tests.write_text("- {name: ns.example.org, type: A, rcode: NXDOMAIN}\n")
    assert run("push", target(lab_registry), str(zones)) == 1
    assert f"{tests}:1:3: error[zone-test]" in capsys.readouterr().err


def test_nobody_to_wait_for_is_told_before_the_push(lab_registry, zones, capsys):
    """No --node and no server here: a slip, not a minute of waiting."""
    assert run("push", "--wait", target(lab_registry), str(zones)) == 1
    assert "name servers elsewhere with --node" in capsys.readouterr().err
    assert lab_registry.requests == []


def test_several_that_serve_it_are_one_line(lab_registry, zones, server, capsys):
    """Each with its time."""
    reference = target(lab_registry)
    run("push", reference, str(zones))
    digest, _ = pushed_digest(capsys)
    follower(server, reference, digest=digest)
    other = server.url.replace("127.0.0.1", "localhost")
    assert run("push", "--wait", "--node", server.url, "--node", other, reference, str(zones)) == 0
    here, there = (url.removeprefix("http://") for url in (server.url, other))
    line = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(rf"wait     {here} ok \d\.\ds   {there} ok \d\.\ds", line)
