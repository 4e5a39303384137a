"""The control commands against a server on a unix socket and over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ocizone.admin.verbs import VerbResult
from ocizone.compiler.spec import CompiledZone, ZoneChange
from ocizone.errors import Problem, Severity
from ocizone.store.reports import DeployReport
from tests.cli.test_main import run
from tests.cli.test_status import plain, terminal

DIGEST = "sha256:" + "6b1f" * 16


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        (["rollback"], ("rollback", {})),
        (["rollback", "--to", "12", "--reason", "typo"], ("rollback", {"to": "12", "reason": "typo"})),
        (["rollback", "r.test/z", "--to", "6b1f"], ("rollback", {"source": "r.test/z", "to": "sha256:6b1f"})),
        (["pin", "r.test/z:prod", DIGEST], ("pin", {"source": "r.test/z:prod", "digest": DIGEST})),
        (["pin", "6b1f"], ("pin", {"digest": "sha256:6b1f"})),
        (["unpin"], ("unpin", {})),
        (["suspend", "--for", "2h"], ("suspend", {"seconds": 7200.0})),
        (["suspend", "r.test/z", "--for", "1d", "--reason", "move"],
         ("suspend", {"source": "r.test/z", "seconds": 86400.0, "reason": "move"})),
        (["suspend"], ("suspend", {})),
        (["resume"], ("resume", {})),
        (["refresh"], ("refresh", {"wait": False, "hard": False})),
        (["refresh", "r.test/z", "--wait", "--hard"],
         ("refresh", {"source": "r.test/z", "wait": True, "hard": True})),
        (["approve", "6b1f"], ("approve", {"digest": "sha256:6b1f"})),
        (["verify"], ("verify", {})),
        (["gc", "--forgotten"], ("gc", {"forgotten": True})),
    ],
)  # fmt: skip
def test_what_is_sent(server, capsys, arguments, sent):
    """admin.verbs: one POST with what was said and nothing else; the message on stdout."""
    verb, body = sent
    server.verbs[verb] = lambda _: VerbResult(ok=True, exit=0, message="done: so it is")
    assert run(*arguments) == 0
    assert server.asked == [f"POST /v1/{verb} {json.dumps(body)}"]
    out, err = capsys.readouterr()
    assert (out.splitlines()[0], err) == ("done: so it is", "")


@pytest.mark.parametrize(
    ("arguments", "ok", "said"),
    [
        (["--for", "2h"], True, "so it is\nfor 2h: then it looks again by itself\n"),
        ([], True, "so it is\n"),
        (["--for", "2h"], False, ""),
    ],
)
def test_a_suspension_says_when_it_ends(server, capsys, arguments, ok, said):
    """The server says how it is ended sooner."""
    server.verbs["suspend"] = lambda _: VerbResult(ok=ok, exit=int(not ok), message="so it is")
    assert run("suspend", *arguments) == int(not ok)
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("status", [1, 5, 6, 7])
def test_what_did_not_succeed(server, capsys, status):
    """The server's words on stderr with each source's findings; its exit status is ours."""
    problem = {
        "where": "db.org:3:1",
        "severity": "error",
        "rule": "syntax",
        "message": "bad",
        "hint": "see",
    }
    sources = (
        {"name": "r.test/z:prod", "outcome": "refused", "reason": "ContentRefused",
         "message": "db.org:3:1 is bad\nand more", "problems": [problem]},
        {"name": "r.test/y", "outcome": "unchanged", "reason": "", "message": ""},
    )  # fmt: skip
    said = VerbResult(False, status, "1 of 2 refused\x1b[2J", sources)
    server.verbs["refresh"] = lambda _: said
    assert run("refresh", "--wait") == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        r"1 of 2 refused\x1b[2J",
        "r.test/z:prod  ContentRefused: db.org:3:1 is bad",
        "  db.org:3:1: error[syntax]: bad (see)",
    ]


@pytest.mark.parametrize(
    ("page", "said", "status"),
    [
        ((404, b"not found\n"), "not found", 1),
        ((401, b'{"message": "this needs the token"}'), "this needs the token", 3),
        ((500, b""), "the server answers 500", 1),
        ((200, b"[]"), "[]", 1),
        ((200, b'{"ok": true, "message": "done"}'), "done", 0),
        ((409, b'{"ok": false, "exit": 0, "message": "no"}'), "no", 1),
        ((409, b'{"ok": false, "exit": 99, "message": "no"}'), "no", 1),
    ],
)
def test_answers_of_odd_servers(server, capsys, page, said, status):
    """An older one, a proxy: never success by mistake."""
    server.pages["/v1/unpin"] = page
    assert run("unpin") == status
    out, err = capsys.readouterr()
    assert (out if status == 0 else err) == f"{said}\n"


def test_a_node_and_its_token(server, capsys, monkeypatch, tmp_path):
    """Over HTTP what changes something needs the token, from a file or the environment."""
    server.token = "fake-token"
    server.verbs["unpin"] = lambda _: VerbResult(ok=True, exit=0, message="unpinned")
    monkeypatch.delenv("OCIZONE_STATE_DIR")
    assert run("unpin", "--node", server.url) == 3
    monkeypatch.setenv("OCIZONE_API_TOKEN", "fake-token")
    assert run("unpin", "--node", server.url) == 0
    monkeypatch.setenv("OCIZONE_API_TOKEN", "another")
    file = tmp_path / "token"
    file.write_text("fake-token\n")
    assert run("unpin", "--node", server.url, "--token-file", str(file)) == 0
    file.write_text("two\nlines\n")
    assert run("unpin", "--node", server.url, "--token-file", str(file)) == 2
    assert "fake-token" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "http://", "http://a:b@x:1", "http://x:1/path", "http://x:1/?q", "http://x:bad"],
)
def test_what_is_no_node(url, capsys):
    """2, before anything is sent."""
    assert run("unpin", "--node", url) == 2
    assert "--node" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["pin"], ["approve"], ["pin", "a", "b", "c"], ["suspend", "--for", "soon"],
     ["suspend", "--for", "-2h"], ["history", "-n", "0"], ["refresh", "--timeout", "x"],
     ["verify", "r.test/x:y"], ["verify", "--key", "/dev/null"]],
)  # fmt: skip
def test_a_wrong_command_line_is_2(arguments, server):
    """And the server hears nothing."""
    assert run(*arguments) == 2
    assert server.asked == []


def test_no_server(tmp_path, capsys):
    """1, where it was looked for and what to do."""
    assert run("rollback", "--state-dir", str(tmp_path)) == 1
    assert "is `ocizone serve` running there?" in capsys.readouterr().err
    assert run("rollback", "--node", "http://127.0.0.1:1") == 1
    assert "no server answers at 127.0.0.1:1" in capsys.readouterr().err


def deployment(generation: int, digest: str, **more: Any) -> dict[str, Any]:
    zones = [{"view": "v", "apex": "example.org.", "serial": 2026112000 + generation}]
    at = 1795000000 + 60 * generation
    found = {"generation": generation, "digest": digest, "activated_at": at, "zones": zones}
    return {**found, "tag": "prod", **more}


def test_history(server, capsys):
    """Golden: deployments with what their reports add, and what did not get so far."""
    first, second, held = (f"sha256:{letter * 64}" for letter in "abc")
    change = {"view": "v", "apex": "example.org.", "kind": "changed", "added": 2, "removed": 1}
    server.page("/v1/history", {
        "schema": "ocizone.history/v1",
        "source": "r.test/z:prod",
        "current": 2,
        "deployments": [deployment(2, second, verified_by="key ops.pub"), deployment(1, first)],
        "reports": [
            {"digest": held, "state": "held", "tag": "prod", "reason": "ChangeGuard",
             "message": "41 % deletes > 30 %\nmore", "history": [["resolved", 1795000200], ["held", 1795000201]]},
            {"digest": second, "state": "served", "generation": 2, "changes": [change], "revision": "4f2a"},
            # Generation 3 of the same digest is not kept any more.
            {"digest": first, "state": "superseded", "generation": 3, "changes": [change]},
        ],
    })  # fmt: skip
    assert run("history", "r.test/z") == 0
    assert server.asked == ["GET /v1/history?source=r.test%2Fz&most=10"]
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "GEN  WHEN                  TAG   DIGEST        SERIALS     CHANGE    BY           STATE",
        "  -  2026-11-18T11:10:01Z  prod  cccccccccccc  -           -         -            held: ChangeGuard",
        "  2  2026-11-18T11:08:40Z  prod  bbbbbbbbbbbb  2026112002  +2 -1 ~0  key ops.pub  served",
        "  1  2026-11-18T11:07:40Z  prod  aaaaaaaaaaaa  2026112001  -         -            superseded",
        "  -  cccccccccccc  41 % deletes > 30 %",
        "  2  bbbbbbbbbbbb  revision 4f2a",
    ]


AT_80 = [
    "GEN  WHEN                  TAG   DIGEST        CHANGE    STATE",
    "  -  2026-11-18T11:10:01Z  prod  cccccccccccc  -         held: ChangeGuard",
    "  3  2026-11-18T11:09:40Z  prod  bbbbbbbbbbbb  +2 -1 ~0  served",
    "  2  2026-11-18T11:08:40Z  prod  aaaaaaaaaaaa  -         superseded",
    "  1  2026-11-18T11:07:40Z  prod  bbbbbbbbbbbb  -         superseded",
    "  -  cccccccccccc  41 % deletes > 30 %",
    (
        "  3  bbbbbbbbbbbb  serial example.com. 2026112003, example.net. 2026112003, example.org. "
        "2026112003 and 1 more; verified: key ops.pub"
    ),
    "  2  aaaaaaaaaaaa  serial 2026112002",
    "  1  bbbbbbbbbbbb  serial 2026112001",
]
AT_160 = [
    "GEN  WHEN                  TAG   DIGEST        CHANGE    BY           STATE",
    "  -  2026-11-18T11:10:01Z  prod  cccccccccccc  -         -            held: ChangeGuard",
    "  3  2026-11-18T11:09:40Z  prod  bbbbbbbbbbbb  +2 -1 ~0  key ops.pub  served",
    "  2  2026-11-18T11:08:40Z  prod  aaaaaaaaaaaa  -         -            superseded",
    "  1  2026-11-18T11:07:40Z  prod  bbbbbbbbbbbb  -         -            superseded",
    "  -  cccccccccccc  41 % deletes > 30 %",
    (
        "  3  bbbbbbbbbbbb  serial example.com. 2026112003, example.net. 2026112003, example.org. "
        "2026112003 and 1 more"
    ),
    "  2  aaaaaaaaaaaa  serial 2026112002",
    "  1  bbbbbbbbbbbb  serial 2026112001",
]


@pytest.mark.parametrize(("columns", "expected"), [(80, AT_80), (160, AT_160)])
def test_history_on_a_terminal(server, capsys, monkeypatch, columns, expected):
    """Golden: no cell is cut; what there is no room for stands below. One digest served twice."""
    terminal(monkeypatch, columns)
    twice, other, held = (f"sha256:{letter * 64}" for letter in "bac")
    zones = [
        {"view": "v", "apex": f"example.{last}.", "serial": 2026112003}
        for last in ("org", "net", "com", "xyz")
    ]
    change = {"view": "v", "apex": "example.org.", "kind": "changed", "added": 2, "removed": 1}
    server.page("/v1/history", {
        "current": 3,
        "deployments": [
            deployment(3, twice, zones=zones, verified_by="key ops.pub"),
            deployment(2, other), deployment(1, twice),
        ],
        "reports": [
            {"digest": held, "state": "held", "tag": "prod", "reason": "ChangeGuard",
             "message": "41 % deletes > 30 %", "history": [["held", 1795000201]]},
            {"digest": twice, "state": "served", "generation": 3, "changes": [change]},
        ],
    })  # fmt: skip
    assert run("history") == 0
    assert plain(capsys.readouterr().out) == expected


def test_a_message_is_told_of_its_own_generation_only(server, capsys):
    """A digest has one report, of the last time: an earlier deployment of it was served well."""
    server.page("/v1/history", {
        "current": 1,
        "deployments": [deployment(1, DIGEST)],
        "reports": [{"digest": DIGEST, "state": "held", "reason": "ChangeGuard", "generation": 0,
                     "message": "41 % deletes > 30 %", "revision": "4f2a"}],
    })  # fmt: skip
    run("history")
    _, row, below = capsys.readouterr().out.splitlines()
    assert row.split()[-1] == "served"
    assert below.split("  ")[-1] == "revision 4f2a"


def test_history_as_json_and_bounded(server, capsys):
    """As the server gave it; -n is asked of the server, and kept to."""
    document = {"deployments": [deployment(2, DIGEST), deployment(1, DIGEST)]}
    server.page("/v1/history", document)
    assert run("history", "-n", "1", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out) == document
    assert server.asked == ["GET /v1/history?most=1"]
    assert run("history", "-n", "1") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_history_of_no_such_source(server, capsys):
    """The server's words, 1."""
    server.pages["/v1/history"] = (404, b'{"message": "no source nosuch; there are: a, b"}')
    assert run("history", "nosuch") == 1
    assert capsys.readouterr().err == "no source nosuch; there are: a, b\n"


def report(digest: str) -> dict[str, Any]:
    """Return a report as the server keeps it."""
    made = DeployReport(
        "key",
        "r.test/z:prod",
        "r.test/z:prod",
        digest,
        "held",
        (("resolved", 1795000000), ("held", 1795000001.5)),
        tag="prod",
        revision="4f2a",
        verified_by="key ops.pub",
        zones=(CompiledZone("v", "example.org.", 7, 1204, "db.example.org"),),
        changes=(
            ZoneChange("v", "example.org.", "changed", 2, 41, 1, serial_before=6, serial=7),
            ZoneChange("v", "example.net.", "removed", removed=3, serial_before=9),
        ),
        tests=3,
        derived={"zones_kept": 9998, "zones_amended": 1, "names_changed": 2, "zones_read": 1},
        octets=2048,
        seconds=1.5,
        reason="ChangeGuard",
        message="41 % deletes > 30 %\nmore",
        problems=(
            Problem("db.example.org", 3, 1, Severity.WARNING, "odd", "is odd", "see"),
            Problem("", 0, 0, Severity.ERROR, "guard", "41 % deletes"),
        ),
    )
    return {"schema": "ocizone.report/v1", **made.to_json()}


def test_report(server, capsys):
    """Golden: one version, state by state."""
    server.page(f"/v1/reports/{DIGEST}", report(DIGEST))
    assert run("report", "r.test/z", DIGEST) == 0
    assert server.asked == [f"GET /v1/reports/{DIGEST}?source=r.test%2Fz"]
    assert capsys.readouterr().out.splitlines() == [
        f"r.test/z:prod@{DIGEST}",
        "  held: ChangeGuard: 41 % deletes > 30 %",
        "  tag       prod",
        "  revision  4f2a",
        "  verified  key ops.pub",
        "  tests     3 zone tests held",
        "  derived   9,998 zones as before, 1 amended (2 names), 1 read",
        "  fetched   2.0 KiB",
        "  took      1.5 s",
        "  2026-11-18T11:06:40Z  resolved",
        "  2026-11-18T11:06:41Z  held",
        "  example.org  serial 7, 1,204 records  db.example.org   +2 -41 ~1 (serial 6 -> 7)",
        "  example.net  removed   +0 -3 ~0 (serial 9)",
        "  db.example.org:3:1: warning[odd]: is odd (see)",
        "  error[guard]: 41 % deletes",
    ]


def test_report_as_json(server, capsys):
    """As the server gave it; the beginning of a digest will do."""
    server.page("/v1/reports/sha256:6b1f", report(DIGEST))
    assert run("report", "6b1f", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(report(DIGEST)))


def test_report_of_what_nobody_knows(server, capsys):
    """1, in the server's words."""
    server.pages["/v1/reports/sha256:00"] = (404, b'{"message": "nothing is known of 00"}')
    assert run("report", "00") == 1
    assert capsys.readouterr().err == "nothing is known of 00\n"
