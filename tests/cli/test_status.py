"""``ocizone status`` and ``healthcheck`` against a unix socket that serves fixed pages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ocizone import fleet
from ocizone.admin import status
from ocizone.cli.statustable import ago
from ocizone.states import short_digest
from tests.cli.controlserver import Server
from tests.cli.test_main import run

DIGEST = "sha256:" + "0123456789ab" * 5 + "cdef"
NOW = "2026-11-21T10:00:00Z"


def document(*, ready: bool = True, **changed: Any) -> dict[str, Any]:
    """Return a status of one zone served, one stale; the reference has an IPv6 registry."""
    name = "[::1]:5000/dns/zones:prod"
    zone = {
        "name": "example.org.",
        "view": "dns://.:53",
        "serial": 2026112101,
        "records": 12345,
        "file": "db.example.org",
        "source": name,
        "reference": name,
        "digest": DIGEST,
        "since": "2026-11-21T08:00:00Z",
        "state": "Ready",
        "message": "",
    }
    source = {
        "name": name,
        "kind": "oci",
        "reference": name,
        "path": "/zones",
        "digest": DIGEST,
        "materialised": True,
        "state": "idle",
        "attempts": 1,
        "last_check": "2026-11-21T09:59:30Z",
        "last_success": "2026-11-21T09:59:30Z",
        "next_check": "2026-11-21T10:29:30Z",
        "error": None,
        "problems": [],
    }
    return {
        "schema": "ocizone.status/v1",
        "now": NOW,
        "ready": ready,
        "missing": [],
        "listeners": [
            {"endpoint": "dns://:53", "port": 53},
            {
                "endpoint": "tls://:853",
                "port": 853,
                "certificate_until": "2026-12-21T12:00:00Z",
            },
        ],
        "zones": [zone],
        "sources": [source],
        **changed,
    }


def table(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return plain(capsys.readouterr().out)


def plain(text: str) -> list[str]:
    """Return lines without the bold of a terminal, and without blanks at their ends."""
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()]


def test_the_table(server, capsys):
    """Golden: one row a zone, one line a source; wide where there is no terminal."""
    server.status(document())
    assert run("status") == 0
    assert table(capsys) == [
        "ZONE             SERIAL     RRS  TAG   DIGEST        AGE  CHECKED  NEXT  STATE",
        "example.org  2026112101  12,345  prod  0123456789ab  2h   30s      29m   Ready",
        "listening  dns://:53, tls://:853 (certificate 30d)",
        "source [::1]:5000/dns/zones:prod  idle  last ok 30s ago  attempts 1",
    ]


def test_signed_zones(server, capsys):
    """A column with what is left of the signatures, and a line where that is little."""
    shown = document()
    (zone,) = shown["zones"]
    zones = [
        {**zone, "name": f"{number}.org.", "signed_until": until, "state": state, "message": said}
        for number, (until, state, said) in enumerate(
            [
                (None, "Ready", ""),
                ("2026-12-01T10:00:00Z", "Ready", ""),
                ("2026-11-21T13:00:00Z", "Expiring", "signatures until then"),
                ("2026-11-21T09:00:00Z", "Expired", "signatures until before"),
            ]
        )
    ]
    server.status({**shown, "zones": zones})
    assert run("status") == 0
    lines = table(capsys)
    assert lines[0].split()[:4] == ["ZONE", "SERIAL", "RRS", "SIGNED"]
    assert [line.split()[3] for line in lines[1:5]] == ["-", "10d", "3h", "over"]
    assert lines[5:7] == [
        "2.org  Expiring: signatures until then",
        "3.org  Expired: signatures until before",
    ]


def test_a_zone_that_is_not_served(server, capsys):
    """1, and why."""
    zone = {
        "name": "[bold]x.org.", "view": "v", "state": "Loading",
        "message": "no version of [/red]a :smile: yet\x1b[2J",
    }  # fmt: skip
    missing = [f"{zone['name']}: {zone['message']}"]
    server.status(document(ready=False, missing=missing, zones=[zone], sources=[]))
    assert run("status") == 1
    lines = table(capsys)
    assert lines[1].split() == ["[bold]x.org", *["-"] * 7, "Loading"]
    assert lines[2] == r"[bold]x.org.: no version of [/red]a :smile: yet\x1b[2J"


def test_a_source_that_fails(server, capsys):
    """Reason, then each finding with its place and hint; brackets are no markup."""
    failing = {
        **document()["sources"][0],
        "last_success": None,
        "digest": "",
        "materialised": False,
        "error": {"reason": "ContentRefused", "message": "db.org:3:1: error[syntax]: bad [x] (see)"},
        "problems": [
            {"where": "db.org:3:1", "severity": "error", "rule": "syntax", "message": "bad [x]", "hint": "see"},
            {"where": "db.org", "severity": "warning", "rule": "odd", "message": "is odd", "hint": ""},
        ],
    }  # fmt: skip
    server.status(document(sources=[failing]))
    assert run("status") == 0
    assert table(capsys)[3:] == [
        "source [::1]:5000/dns/zones:prod  idle  never pulled  attempts 1",
        "  ContentRefused",
        "  files under /zones are not up to date: see the log",
        "  db.org:3:1: error[syntax]: bad [x] (see)",
        "  db.org: warning[odd]: is odd",
    ]


def test_a_long_row_is_not_cut_where_there_is_no_terminal(server, capsys):
    """A log or a program reads it."""
    name = ".".join(["label" * 10] * 4) + "."
    server.status(document(zones=[{**document()["zones"][0], "name": name}]))
    run("status")
    assert name.removesuffix(".") in table(capsys)[1]


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_no_color_is_honoured_on_a_terminal(server, capsys, monkeypatch, no_color, coloured):
    """no-color.org: no colour, whatever the terminal can."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", no_color)
    server.status(document())
    run("status")
    assert ("\x1b[32m" in capsys.readouterr().out) is coloured


def test_json_is_the_document(server, capsys):
    """As the server gave it."""
    server.status(document(ready=False))
    assert run("status", "--output", "json") == 1
    assert json.loads(capsys.readouterr().out) == document(ready=False)


def test_what_is_no_status_is_told(server, capsys):
    """Another program at that address, or a server of another age."""
    server.page("/v1/status", {"schema": "ocizone.status/v9", "zones": []})
    assert run("status") == 1
    assert "answers 200 instead of a status" in capsys.readouterr().err


def test_a_server_in_trouble_is_told(server, capsys):
    """An error page is no status."""
    server.pages["/v1/status"] = (500, b"<html>")
    assert run("status") == 1
    assert "answers 500 instead of a status" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "healthcheck"])
def test_no_server(command, tmp_path, capsys):
    """1, with the directory and what to do."""
    assert run(command, "--state-dir", str(tmp_path / "gone")) == 1
    assert "is `ocizone serve` running there?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "page", "status"),
    [
        ([], (200, b"OK"), 0),
        (["--ready"], (200, b"OK"), 0),
        (["--ready"], (503, b"org.: no version yet"), 1),
        ([], (404, b"not found\n"), 1),
    ],
)
def test_healthcheck(server, capsys, arguments, page, status):
    """0 or 1, as container runtimes want it; what is missing goes to stderr."""
    server.pages["/ready" if arguments else "/health"] = page
    assert run("healthcheck", *arguments) == status
    said = capsys.readouterr()
    assert (said.out if status == 0 else said.err).strip() == page[1].decode().strip()


@pytest.mark.parametrize(
    ("then", "now", "shown"),
    [
        (None, NOW, "-"),
        (NOW, None, "-"),
        (NOW, NOW, "0s"),
        ("2026-11-21T09:59:01Z", NOW, "59s"),
        ("2026-11-21T09:59:00Z", NOW, "1m"),
        ("2026-11-21T09:00:00Z", NOW, "1h"),
        ("2026-11-19T09:00:00Z", NOW, "2d"),
        ("2026-11-21T10:00:09Z", NOW, "0s"),
    ],
)
def test_ages_are_in_their_largest_unit(then, now, shown):
    """A clock that runs ahead shows nothing negative."""
    assert ago(then, now) == shown


@pytest.mark.parametrize(("digest", "shown"), [(DIGEST, "0123456789ab"), ("", "-")])
def test_digests_are_short(digest, shown):
    """Twelve digits, as git and docker."""
    assert short_digest(digest) == shown


def test_a_narrow_terminal_spares_columns_not_names(server, capsys, monkeypatch):
    """What tells zones apart is never folded or cut."""
    terminal(monkeypatch, 60)
    name = "2.0.192.in-addr.arpa."
    server.status(document(zones=[{**document()["zones"][0], "name": name}]))
    assert run("status") == 0
    head, row = table(capsys)[:2]
    assert head.split() == ["ZONE", "SERIAL", "AGE", "NEXT", "STATE"]
    assert row.split() == [name.removesuffix("."), "2026112101", "2h", "29m", "Ready"]


def terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """A terminal of so many columns."""
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", str(columns)), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)


def troubled() -> dict[str, Any]:
    """Return a status of zones in several states, of two sources."""
    held, pinned = "sha256:" + "6b1f" * 16, "sha256:" + "90aa" * 16
    (zone,), (source,) = document()["zones"], document()["sources"]
    other = "registry.example.net/dns/more-zones:prod"
    guard = "ChangeGuard: example.net. 41 % deletes > 30 % (release: ocizone approve 6b1f)"
    silent = "Network: registry.example.net: connection refused; last success 2026-11-20T10:00:00Z"
    pin = {"digest": pinned, "kind": "pin", "reason": "move", "since": NOW}
    zones = [
        {**zone, "state": "Held", "message": guard},
        {**zone, "name": "example.net.", "serial": 7, "state": "Held", "message": guard},
        {**zone, "name": "2.0.192.in-addr.arpa.", "source": other, "state": "Stale", "message": silent},
        {**zone, "name": "example.com.", "source": other, "digest": pinned, "state": "Pinned",
         "message": "Pinned: sha256:90aa90aa90aa: move"},
    ]  # fmt: skip
    error = {"reason": "Network", "message": "registry.example.net: connection refused"}
    odd = {"where": "db.x:2", "severity": "warning", "rule": "odd", "message": "x is odd", "hint": ""}  # fmt: skip
    return document(
        zones=zones,
        sources=[
            {**source, "error": {"reason": "ChangeGuard", "message": guard[13:]},
             "held": {"digest": held, "condition": "ChangeGuard", "problems": []}},
            {**source, "name": other, "error": error, "pin": pin, "last_success": None,
             "last_check": NOW, "problems": [odd]},
        ],
    )  # fmt: skip


BELOW = [
    (
        "example.org, example.net  Held: ChangeGuard: example.net. 41 % deletes > 30 % "
        "(release: ocizone approve 6b1f)"
    ),
    (
        "2.0.192.in-addr.arpa  Stale: Network: registry.example.net: connection refused; "
        "last success 2026-11-20T10:00:00Z"
    ),
    "listening  dns://:53, tls://:853 (certificate 30d)",
    "source [::1]:5000/dns/zones:prod  idle  last ok 30s ago  attempts 1",
    f"  held sha256:{'6b1f' * 16} (release: ocizone approve 6b1f6b1f6b1f)",
    "source registry.example.net/dns/more-zones:prod  idle  no good look since the start  attempts 1",
    f"  pinned to sha256:{'90aa' * 16} since {NOW}: move (end: ocizone unpin)",
    "  Network: registry.example.net: connection refused",
    "  db.x:2: warning[odd]: x is odd",
]
AT_80 = [
    "ZONE                      SERIAL  DIGEST        AGE  NEXT  STATE",
    "example.org           2026112101  0123456789ab  2h   29m   Held: ChangeGuard",
    "example.net                    7  0123456789ab  2h   29m   Held: ChangeGuard",
    "2.0.192.in-addr.arpa  2026112101  0123456789ab  2h   29m   Stale: Network",
    "example.com           2026112101  90aa90aa90aa  2h   29m   Pinned",
]
AT_160 = [
    "ZONE                      SERIAL     RRS  TAG   DIGEST        AGE  CHECKED  NEXT  STATE",
    "example.org           2026112101  12,345  prod  0123456789ab  2h   30s      29m   Held: ChangeGuard",
    "example.net                    7  12,345  prod  0123456789ab  2h   30s      29m   Held: ChangeGuard",
    "2.0.192.in-addr.arpa  2026112101  12,345  prod  0123456789ab  2h   0s       29m   Stale: Network",
    "example.com           2026112101  12,345  prod  90aa90aa90aa  2h   0s       29m   Pinned",
]


@pytest.mark.parametrize(("columns", "expected"), [(80, AT_80), (160, AT_160)])
def test_states_on_a_terminal(server, capsys, monkeypatch, columns, expected):
    """Golden: no cell is cut; reasons stand below the table, a line each."""
    terminal(monkeypatch, columns)
    server.status(troubled())
    assert run("status") == 0
    assert table(capsys) == [*expected, *BELOW]


def test_wide_is_whole_on_any_terminal(server, capsys, monkeypatch):
    """Who asks for every column gets it; the terminal wraps the line."""
    terminal(monkeypatch, 80)
    server.status(troubled())
    run("status", "-o", "wide")
    head, first, _, third, _ = table(capsys)[:5]
    assert head.split()[-4:] == ["VIEW", "SOURCE", "FILE", "STATE"]
    assert "[::1]:5000/dns/zones:prod" in first
    assert third.split()[-3:] == ["db.example.org", "Stale:", "Network"]
    assert "registry.example.net/dns/more-zones:prod" in third


STANDING = {
    "held": {"digest": "sha256:6b1f" + "0" * 60, "condition": "ChangeGuard", "problems": []},
    "pin": {"digest": DIGEST, "kind": "pin", "reason": "move", "since": NOW},
    "suspension": {"since": NOW, "until": "2026-11-21T12:00:00Z", "reason": ""},
}


@pytest.mark.parametrize(
    ("state", "message", "shown", "below"),
    [
        ("Held", "ChangeGuard: 41 % deletes > 30 % (release: ocizone approve 6b1f)",
         "Held: ChangeGuard",
         ["example.org  Held: ChangeGuard: 41 % deletes > 30 % (release: ocizone approve 6b1f)"]),
        ("Pinned", "Pinned: sha256:0123: move", "Pinned", []),
        ("Stale", "Network: connection refused; more\nand more", "Stale: Network",
         ["example.org  Stale: Network: connection refused; more"]),
        ("Invalid", "db.org:3:1 is bad", "Invalid", ["example.org  Invalid: db.org:3:1 is bad"]),
        ("Invalid", "", "Invalid", []),
    ],
)  # fmt: skip
def test_states_come_with_their_reason(server, capsys, state, message, shown, below):
    """The state, why, and the command that releases it; in the server's words."""
    server.status(document(zones=[{**document()["zones"][0], "state": state, "message": message}]))
    assert run("status") == 0
    lines = table(capsys)
    assert lines[1].endswith(f"29m   {shown}")
    assert lines[2:-2] == below


def test_zones_with_one_reason_share_a_line(server, capsys):
    """An artifact of 1,000 zones is held as a whole."""
    zone = {**document()["zones"][0], "state": "Held", "message": "ChangeGuard: zones are gone"}
    server.status(document(zones=[{**zone, "name": f"{number}.org."} for number in range(5)]))
    run("status")
    assert table(capsys)[6] == "0.org, 1.org, 2.org and 2 more  Held: ChangeGuard: zones are gone"


def test_decisions_are_loud(server, capsys):
    """A pin, a suspension and what is held: a line each below the source, with its end."""
    source = {**document()["sources"][0], "verified_by": "key ops.pub", **STANDING}
    server.status(document(sources=[source], zones=[{**document()["zones"][0], "tag": "v1.2"}]))
    run("status")
    lines = table(capsys)
    assert lines[1].split()[3] == "v1.2"
    assert lines[3:] == [
        "source [::1]:5000/dns/zones:prod  idle  last ok 30s ago  attempts 1  verified: key ops.pub",
        f"  pinned to {DIGEST} since {NOW}: move (end: ocizone unpin)",
        f"  suspended until 2026-11-21T12:00:00Z since {NOW} (end: ocizone resume)",
        f"  held sha256:6b1f{'0' * 60} (release: ocizone approve 6b1f00000000)",
    ]


def test_wide(server, capsys):
    """Also view, source and file."""
    server.status(document())
    assert run("status", "-o", "wide") == 0
    head, row = table(capsys)[:2]
    assert head.split()[-4:] == ["VIEW", "SOURCE", "FILE", "STATE"]
    assert row.split()[-3:] == ["[::1]:5000/dns/zones:prod", "db.example.org", "Ready"]


@pytest.mark.parametrize(
    ("last", "status", "said"),
    [
        ("2026-11-21T09:46:00Z", 0, ""),
        ("2026-11-21T09:44:00Z", 1, "stale: [::1]:5000/dns/zones:prod: last ok 960 s ago, over 900 s\n"),
        (None, 1, "stale: [::1]:5000/dns/zones:prod: never looked at with success since the start\n"),
    ],
)  # fmt: skip
def test_fail_if_stale(server, capsys, last, status, said):
    """For monitoring: 1 and why, however well it answers."""
    server.status(document(sources=[{**document()["sources"][0], "last_success": last}]))
    assert run("status", "--fail-if-stale", "15m") == status
    assert capsys.readouterr().err == said
    assert run("status") == 0


def test_watch_shows_it_again(server, capsys, monkeypatch):
    """Until Ctrl-C."""
    server.status(document())
    rounds = iter([None, None])

    def sleep(_seconds: float) -> None:
        if next(rounds, 0) == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr("ocizone.cli.status.time.sleep", sleep)
    assert run("status", "--watch") == 130
    assert capsys.readouterr().out.count("listening") == 3


@pytest.fixture
def others(tmp_path):
    """Make further servers."""
    made: list[Server] = []

    def another(shown: dict[str, Any]) -> Server:
        directory = tmp_path / f"node{len(made)}"
        directory.mkdir()
        made.append(Server(directory))
        made[-1].status(shown)
        return made[-1]

    yield another
    for one in made:
        one.close()


def test_a_fleet_that_is_the_same(server, others, capsys):
    """A row a zone and node; 0."""
    server.status(document())
    urls = [server.url, others(document()).url]
    assert run("status", "--node", urls[0], "--node", urls[1]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["ZONE", "example.org", "example.org"]
    assert err == "the same on 2 nodes\n"
    assert run("status", "--node", urls[0], "--node", urls[1], "-o", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["status"]["ready"] for one in told["nodes"]] == [True, True]


def test_a_fleet_that_differs(server, others, capsys):
    """1, with zone, nodes, serials and digests; and what only one of them has."""
    zone = document()["zones"][0]
    server.status(document(zones=[{**zone, "serial": 1}, {**zone, "name": "only.org."}]))
    other = others(document())
    assert run("status", "--node", server.url, "--node", other.url) == 1
    here, there = server.url.removeprefix("http://"), other.url.removeprefix("http://")
    short = "0123456789ab"
    assert capsys.readouterr().err.splitlines() == [
        f"differs: example.org.: {here} 1 {short}; {there} 2026112101 {short}",
        f"differs: only.org.: {here} 2026112101 {short}; {there} none",
    ]


def test_a_fleet_with_one_that_is_silent(server, others, capsys):
    """7: some of several; 1 when it is all of them."""
    server.status(document())
    broken = others(document())
    broken.pages["/v1/status"] = (500, b"oops")
    assert run("status", "--node", server.url, "--node", broken.url) == 7
    assert "answers 500 instead of a status: oops" in capsys.readouterr().err
    assert run("status", "--node", broken.url, "--node", broken.url) == 1


def test_the_document_is_the_one_the_server_makes():
    """One schema on both sides; the command does not import the server for it."""
    assert fleet.SCHEMA == status.SCHEMA


def worker(
    number: int, generation: int = 7, *, up: bool = True, restarts: int = 0
) -> dict[str, Any]:
    return {
        "worker": number,
        "pid": 4711,
        "up": up,
        "generation": generation,
        "restarts": restarts,
    }


@pytest.mark.parametrize(
    ("workers", "lines"),
    [
        ([], []),
        ([worker(1), worker(2)], ["workers    2 of 2 serve generation 7"]),
        (
            [worker(1), worker(2, 6), worker(3, 0, up=False, restarts=4)],
            [
                "workers    1 of 3 serve generation 7",
                "worker 2: serves generation 6, 0 restarts",
                "worker 3: does not answer, 4 restarts",
            ],
        ),
    ],
)
def test_workers_and_what_they_serve(server, capsys, workers, lines):
    """One line when all is well, and one more for each that is not."""
    server.status(document(generation=7, workers=workers))
    run("status")
    assert [line for line in table(capsys) if line.startswith("worker")] == lines
