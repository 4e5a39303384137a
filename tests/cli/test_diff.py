"""``ocizone diff``: directories, artifacts, the served image, and AXFR."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from pathlib import Path

import pytest

from ocizone.publish import check_files, collect, compile_files
from tests.cli.test_main import run
from tests.ports import free_port

OLD = """\
$ORIGIN example.org.
@ 300 IN SOA ns hostmaster {serial} 7200 3600 1209600 300
@ 300 IN NS ns
ns 300 IN A 192.0.2.1
"""
NOW = 1_795_000_000


def zones(
    directory: Path, text: str, name: str = "db.example.org", serial: int = 2026112001
) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(text.format(serial=serial))
    return directory


@pytest.fixture
def sides(tmp_path, monkeypatch) -> tuple[str, str]:
    """Two directories: the sample of docs/cli.md."""
    monkeypatch.setenv("OCIZONE_STATE_DIR", str(tmp_path / "nowhere"))
    old = zones(tmp_path / "old", OLD + "www 300 IN A 192.0.2.10\n")
    new = zones(tmp_path / "new", OLD + "www 300 IN A 192.0.2.11\napi 300 IN AAAA 2001:db8::7\n")
    return str(old), str(new)


SAMPLE = [
    "example.org",
    "+ api.example.org. 300 IN AAAA 2001:db8::7",
    "- www.example.org. 300 IN A 192.0.2.10",
    "+ www.example.org. 300 IN A 192.0.2.11",
    "1 zone changed, +2 -1 (exit 1)",
]


def test_text(sides, capsys):
    """Golden: grouped by zone, a line a record, counts at the end; 1."""
    assert run("diff", *sides) == 1
    assert capsys.readouterr().out.splitlines() == SAMPLE
    assert run("diff", sides[0], sides[0]) == 0
    assert capsys.readouterr().out == ""


def test_markdown(sides, capsys):
    """For a comment on a merge request."""
    assert run("diff", *sides, "--format", "markdown") == 1
    assert capsys.readouterr().out.splitlines() == [
        "### example.org", "", "```diff", *SAMPLE[1:4], "```", "", "**1 zone changed, +2 -1**",
    ]  # fmt: skip
    assert run("diff", sides[0], sides[0], "--format", "markdown") == 0
    assert capsys.readouterr().out == "**No difference**\n"


def test_json(sides, capsys):
    """A versioned document, also of no difference."""
    assert run("diff", *sides, "--format", "json") == 1
    told = json.loads(capsys.readouterr().out)
    (zone,) = told.pop("zones")
    assert told == {
        "schema": "ocizone.diff/v1",
        "before": sides[0],
        "after": sides[1],
        "zones_changed": 1,
        "added": 2,
        "removed": 1,
    }
    assert zone["records"][1] == {
        "change": "-", "name": "www.example.org.", "ttl": 300, "type": "A", "rdata": "192.0.2.10",
    }  # fmt: skip
    assert run("diff", sides[1], sides[1], "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["zones"] == []


def test_most_bounds_what_is_shown_and_not_what_is_counted(sides, capsys):
    """A huge difference in a terminal or a comment."""
    assert run("diff", *sides, "--most", "1") == 1
    out = capsys.readouterr().out.splitlines()
    assert out == [*SAMPLE[:2], "... and 2 more", SAMPLE[-1]]
    assert run("diff", *sides, "--most", "1", "--format", "json") == 1
    (zone,) = json.loads(capsys.readouterr().out)["zones"]
    assert (len(zone["records"]), zone["added"], zone["removed"]) == (1, 2, 1)


def test_zones_that_come_and_go(tmp_path, capsys):
    """Their records count."""
    old = zones(tmp_path / "old", OLD)
    new = zones(tmp_path / "new", OLD.replace("example.org", "example.net"), "db.example.net")
    assert run("diff", str(old), str(new)) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "example.net  new zone, serial 2026112001"
    assert out[4] == "example.org  zone removed, serial 2026112001"
    assert out[-1] == "2 zones changed, +3 -3 (exit 1)"


def test_a_serial_alone_is_a_difference_unless_it_is_ignored(tmp_path, capsys):
    """It is told beside the name; secondaries see it, and reviewers need not."""
    old = zones(tmp_path / "old", OLD, serial=1)
    new = zones(tmp_path / "new", OLD, serial=2)
    assert run("diff", str(old), str(new)) == 1
    assert capsys.readouterr().out.splitlines() == [
        "example.org  serial 1 -> 2",
        "1 zone changed, +0 -0 (exit 1)",
    ]
    assert run("diff", str(old), str(new), "--ignore-serial") == 0
    (new / "db.example.org").write_text(OLD.format(serial=2).replace("7200", "7201"))
    assert run("diff", str(old), str(new), "--ignore-serial") == 1
    assert "+ example.org. 300 IN SOA" in capsys.readouterr().out


def test_a_file_against_its_directory(sides, capsys):
    """A file is the artifact of itself."""
    assert run("diff", sides[0], f"{sides[0]}/db.example.org") == 0


@pytest.fixture
def pushed(lab_registry, sides, capsys) -> tuple[str, str]:
    """The repository, and the digest of the old side; the tag names the new one."""
    repository = f"localhost:{lab_registry.port}/dns/zones"
    assert run("push", f"{repository}:prod", sides[0]) == 0
    digest = capsys.readouterr().out.strip().rpartition("@")[2]
    assert run("push", f"{repository}:prod", sides[1]) == 0
    capsys.readouterr()
    return repository, digest


def test_artifacts(pushed, sides, capsys):
    """A digest and a tag; a tag of the other side's repository; a directory."""
    repository, digest = pushed
    for before, after in (
        (f"{repository}@{digest}", f"{repository}:prod"),
        (f"{repository}@{digest}", "prod"),
        (digest, f"{repository}:prod"),
        (sides[0], f"{repository}:prod"),
    ):
        assert run("diff", before, after) == 1
        assert capsys.readouterr().out.splitlines() == SAMPLE


def test_beginnings_of_digests_and_bare_tags(pushed, server, capsys):
    """The sample of the documentation: the server knows the repository and its versions."""
    repository, digest = pushed
    source = {"kind": "oci", "reference": f"{repository}:prod", "name": "x"}
    server.status({"sources": [source, {"kind": "local", "reference": "/z", "name": "z"}]})
    other = "sha256:" + digest[7:11] + "0" * 60
    server.page(
        "/v1/history", {"deployments": [{"digest": digest}], "reports": [{"digest": digest}]}
    )
    assert run("diff", f"prod@{digest[:11]}", "prod") == 1
    assert capsys.readouterr().out.splitlines() == SAMPLE
    server.page("/v1/history", {"deployments": [{"digest": digest}, {"digest": other}]})
    assert run("diff", f"prod@{digest[:11]}", "prod") == 2
    assert "is the beginning of 2" in capsys.readouterr().err
    server.status({"sources": [source, {**source, "reference": "r.test/other:prod"}]})
    assert run("diff", "prod", "latest") == 2
    assert "follows 2 repositories" in capsys.readouterr().err


def test_what_is_served(sides, server, tmp_path, capsys):
    """The image of the running server, opened where it is."""
    image = tmp_path / "compiled"
    image.mkdir()
    compile_files(collect([Path(sides[0])]), NOW, image)
    server.page("/v1/served", {"source": "x", "image": str(image / "image")})
    assert run("diff", "@served", sides[1]) == 1
    assert capsys.readouterr().out.splitlines() == SAMPLE
    assert run("diff", sides[1], "@served/r.test/z") == 1
    assert server.asked == ["GET /v1/served", "GET /v1/served?source=r.test%2Fz"]
    server.page("/v1/served", {"source": "x", "image": None})
    assert run("diff", "@served", sides[1]) == 2
    assert "serves nothing that can be read here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("{old}", "gone/", "gone/"),
        ("{old}", "./gone", "gone does not exist"),
        ("{old}", "localhost:1/x:y", "localhost:1"),
        ("{old}", "@served", "no server answers"),
        ("{old}", "prod", "no server answers"),
        ("{old}", "@127.0.0.1:1", "AXFR of example.org. from 127.0.0.1:1"),
        ("@127.0.0.1:1", "@127.0.0.1:2", "two servers cannot be compared"),
        ("{bad}", "{old}", "error[rdata]"),
        ("{old}", "no such thing", "is no path"),
    ],
)  # fmt: skip
def test_trouble_is_2(sides, tmp_path, capsys, before, after, said):
    """As diff(1): never "they differ"; whatever it would be elsewhere."""
    bad = zones(tmp_path / "bad", OLD + "www 300 IN A 192.0.2.256\n")
    words = (word.format(old=sides[0], bad=bad) for word in (before, after))
    assert run("diff", *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_findings_say_of_which_side(sides, tmp_path, lab_registry, capsys):
    """Both have a file of that name."""
    bad = zones(tmp_path / "bad", OLD + "www 300 IN A 192.0.2.256\n")
    assert run("diff", sides[0], str(bad)) == 2
    assert capsys.readouterr().err.startswith(f"{bad}: db.example.org:5:")
    pushed = f"localhost:{lab_registry.port}/z:prod"
    assert run("push", "--no-check", pushed, str(bad)) == 0
    capsys.readouterr()
    assert run("diff", pushed, sides[0]) == 2
    assert capsys.readouterr().err.startswith(f"{pushed}: db.example.org:5:")


KEY = 'key "transfer" {\n  algorithm hmac-sha256;\n  secret "ZmFrZS1mYWtlLWZha2UtZmFrZS1mYWtlLWZha2U=";\n};\n'
NSD = """\
server:
  ip-address: 127.0.0.1@{port}
  username: ""
  database: ""
  zonesdir: "{dir}"
  pidfile: "{dir}/pid"
  xfrdfile: "{dir}/xfrd"
  xfrdir: "{dir}"
  zonelistfile: "{dir}/list"
  server-count: 1
remote-control:
  control-enable: no
key:
  name: "transfer"
  algorithm: hmac-sha256
  secret: "ZmFrZS1mYWtlLWZha2UtZmFrZS1mYWtlLWZha2U="
zone:
  name: "example.org"
  zonefile: "{zone}"
  provide-xfr: 127.0.0.1 transfer
"""


@pytest.mark.peers("nsd")
def test_axfr(sides, tmp_path, capsys):
    """What NSD gives away, signed; the other side says which zones."""
    port = free_port()
    config = tmp_path / "nsd.conf"
    zone = f"{sides[0]}/db.example.org"
    config.write_text(NSD.format(port=port, dir=tmp_path, zone=zone))
    key = tmp_path / "key"
    key.write_text(KEY)
    arguments = ("--tsig-key-file", str(key))
    nsd = subprocess.Popen(["nsd", "-d", "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        status = 2
        while status == 2 and time.monotonic() < deadline:
            status = run("diff", f"@127.0.0.1:{port}", sides[0], *arguments)
        assert status == 0
        capsys.readouterr()
        assert run("diff", f"@127.0.0.1:{port}", sides[1], *arguments) == 1
        assert capsys.readouterr().out.splitlines() == SAMPLE
        assert run("diff", sides[1], f"@127.0.0.1:{port}", *arguments) == 1
        assert "- api.example.org." in capsys.readouterr().out
        # NSD refuses who has no key.
        assert run("diff", sides[1], f"@127.0.0.1:{port}") == 2
    finally:
        nsd.terminate()
        nsd.wait(10)


@pytest.mark.parametrize("text", ["", "nonsense", KEY + KEY.replace("transfer", "other")])
def test_a_bad_key_file_is_2(sides, tmp_path, capsys, text):
    """None, several, or not in that form; no secret is shown."""
    key = tmp_path / "key"
    key.write_text(text)
    assert run("diff", *sides, "--tsig-key-file", str(key)) == 2
    err = capsys.readouterr().err
    assert "tsig-key" in err
    assert "ZmFrZ" not in err


def test_checks_leave_no_image_when_refused(tmp_path):
    """What push and diff compile: as check does."""
    bad = zones(tmp_path / "bad", OLD + "www 300 IN A 192.0.2.256\n")
    files = collect([bad])
    folder = tmp_path / "folder"
    folder.mkdir()
    assert compile_files(files, NOW, folder) == check_files(files, NOW)
    assert not (folder / "image").exists()


def test_blobs_of_the_server_here_are_not_fetched(
    pushed, lab_registry, tmp_path, monkeypatch, capsys
):
    """A store beside it has them: verified, never trusted by name."""
    repository, _ = pushed
    blobs = tmp_path / "state" / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    monkeypatch.setenv("OCIZONE_STATE_DIR", str(tmp_path / "state"))
    content = (tmp_path / "new" / "db.example.org").read_bytes()
    name = hashlib.sha256(content).hexdigest()
    for stored, fetched in ((content, 0), (b"damaged", 1)):
        (blobs / name).write_bytes(stored)
        lab_registry.clear_requests()
        assert run("diff", f"{repository}:prod", str(tmp_path / "new")) == 0
        assert lab_registry.count("GET", "blob") == fetched
