"""``ocizone which``: the server names the artifact, the command finds the line."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_main import run

ZONE = """\
$ORIGIN example.org.
@ 300 IN SOA ns hostmaster 7 7200 3600 1209600 300
@ 300 IN NS ns
ns 300 IN A 192.0.2.1
$INCLUDE more/hosts
WWW 300 IN A 192.0.2.2
    300 IN A 192.0.2.3
    300 IN TXT "x"
*.apps 300 IN CNAME www
"""
HOSTS = "; a comment\napi 300 IN AAAA 2001:db8::7\n"
YAML = "www:\n  - type: A\n    value: 192.0.2.1\n  - {type: TXT, value: x}\n"
VIEW = "dns://.:53"
DIGEST = "sha256:" + "6b1f" * 16


@pytest.fixture
def layers(tmp_path) -> list[dict[str, Any]]:
    """A zone as a file of its own, what it includes in an archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("more/hosts")
        member.size = len(HOSTS)
        archive.addfile(member, io.BytesIO(HOSTS.encode()))
    made = []
    for title, content in (("db.example.org", ZONE.encode()), ("", packed.getvalue())):
        digest = hashlib.sha256(content).hexdigest()
        blob = tmp_path / digest
        blob.write_bytes(content)
        made.append(
            {"blob": str(blob), "digest": f"sha256:{digest}", "title": title,
             "unpack": not title, "media_type": "text/dns"}
        )  # fmt: skip
    return made


def answer(
    layers: list[dict[str, Any]], owner: str, types: list[str], **more: Any
) -> dict[str, Any]:
    return {
        "view": VIEW,
        "zone": "example.org.",
        "match": "exact",
        "owner": owner,
        "types": types,
        "file": "db.example.org",
        "source": "r.test/z:prod",
        "reference": "r.test/z:prod",
        "digest": DIGEST,
        "layers": layers,
        **more,
    }


@pytest.mark.parametrize(
    ("arguments", "owner", "types", "more", "expected", "status"),
    [
        (["www.example.org"], "www.example.org.", ["A", "TXT"], {},
         ["www.example.org.  A TXT", "db.example.org:6 A", "db.example.org:7 A", "db.example.org:8 TXT"], 0),
        (["www.example.org", "txt"], "www.example.org.", ["A", "TXT"], {},
         ["www.example.org.  TXT", "db.example.org:8 TXT"], 0),
        (["api.example.org"], "api.example.org.", ["AAAA"], {}, ["api.example.org.  AAAA", "more/hosts:2 AAAA"], 0),
        (["api.example.org", "TYPE28"], "api.example.org.", ["AAAA"], {},
         ["api.example.org.  AAAA", "more/hosts:2 AAAA"], 0),
        (["a.apps.example.org", "A"], "*.apps.example.org.", ["CNAME"], {"match": "wildcard"},
         ["a.apps.example.org. by the wildcard *.apps.example.org.  CNAME", "db.example.org:9 CNAME"], 0),
        (["www.example.org", "MX"], "www.example.org.", ["A", "TXT"], {},
         ["www.example.org.  has no MX, but A TXT", "db.example.org"], 1),
        (["www.example.org", "any"], "www.example.org.", ["TXT"], {},
         ["www.example.org.  TXT", "db.example.org:8 TXT"], 0),
        (["gone.example.org"], "gone.example.org.", [], {"match": "nxdomain"},
         ["gone.example.org. does not exist", "db.example.org"], 1),
    ],
)  # fmt: skip
def test_lines(server, layers, capsys, arguments, owner, types, more, expected, status):
    """The name that was asked, how, the artifact, each line; an included file by its own name."""
    found = {"name": f"{arguments[0]}.", "answers": [answer(layers, owner, types, **more)]}
    server.page("/v1/which", found)
    assert run("which", *arguments) == status
    first, *rest = expected
    assert capsys.readouterr().out.splitlines() == [
        f"{first}  in example.org. of {VIEW}",
        f"  r.test/z:prod@{DIGEST}",
        *(f"  {line}" for line in rest),
    ]
    assert server.asked == [f"GET /v1/which?name={arguments[0]}"]


def test_yaml(server, tmp_path, capsys):
    """A YAML zone has lines, too; a local source's file comes with its directory."""
    blob = tmp_path / "blob"
    blob.write_text(YAML)
    digest = f"sha256:{hashlib.sha256(YAML.encode()).hexdigest()}"
    layer = {"blob": str(blob), "digest": digest, "title": "example.org.yaml", "unpack": False, "media_type": ""}  # fmt: skip
    found = answer([layer], "www.example.org.", ["A", "TXT"], file="/zones/example.org.yaml")
    server.page("/v1/which", {"answers": [found]})
    assert run("which", "www.example.org", "-o", "json", "--view", VIEW) == 0
    (told,) = json.loads(capsys.readouterr().out)["answers"]
    assert [(line["line"], line["type"]) for line in told["lines"]] == [(3, "A"), (4, "TXT")]


def test_blobs_that_are_elsewhere(server, layers, capsys):
    """A server on another machine: the file, and why without its line."""
    Path(layers[0]["blob"]).unlink()
    server.page("/v1/which", {"answers": [answer(layers, "www.example.org.", ["A"])]})
    assert run("which", "www.example.org", "--node", server.url) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "  db.example.org (no line: its blobs are not here)"
    assert run("which", "www.example.org", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["answers"][0]["lines"] is None


@pytest.mark.parametrize("rrtype", ["FOO", "TYPE70000", ""])
def test_what_is_no_type(server, capsys, rrtype):
    """2, before the server is asked: never "has no FOO"."""
    assert run("which", "www.example.org", rrtype) == 2
    assert "is no type of records" in capsys.readouterr().err
    assert server.asked == []


def test_no_zone(server, capsys):
    """1, on stderr; and what is no name, in the server's words."""
    server.page("/v1/which", {"answers": []})
    assert run("which", "x.example.net") == 1
    assert capsys.readouterr().err == "no zone that is served holds x.example.net\n"
    server.pages["/v1/which"] = (400, b'{"message": "not a name"}')
    assert run("which", "a..b") == 1
    assert capsys.readouterr().err == "not a name\n"


def test_many_lines_are_cut(server, tmp_path, capsys):
    """An RRset of thousands."""
    text = ZONE + "".join(f"many 300 IN A 192.0.2.{number}\n" for number in range(30))
    blob = tmp_path / "blob"
    blob.write_text(text.replace("$INCLUDE more/hosts\n", ""))
    digest = f"sha256:{hashlib.sha256(blob.read_bytes()).hexdigest()}"
    layer = {"blob": str(blob), "digest": digest, "title": "db.example.org", "unpack": False, "media_type": ""}  # fmt: skip
    server.page("/v1/which", {"answers": [answer([layer], "many.example.org.", ["A"])]})
    assert run("which", "many.example.org") == 0
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[-1]) == (23, "  ... and 10 more")
