"""Certificates change under a running server: taken up when good, told of when not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher

from ocizone.endpoint import Endpoint
from ocizone.errors import ConfigError
from ocizone.limits import TLS_LOOK_S
from ocizone.plugins.tls import Tls
from ocizone.serve.identities import Identities
from tests.certificates import NOW, named, self_signed

ONE, TWO = Endpoint("tls", "127.0.0.1", 853), Endpoint("tls", "127.0.0.2", 853)


class Site:
    def __init__(self) -> None:
        self.clock = Clock()
        self.now = NOW.timestamp()
        self.held: list[Callable[[], None]] = []
        self.hold = False
        self.changes = 0
        self.identities = Identities(self.clock, lambda: self.now, self._in_thread, self._changed)
        self.events: list[LogEvent] = []

    def _changed(self) -> None:
        self.changes += 1

    def _in_thread(self, work: Callable[[], Any]) -> Deferred[Any]:
        if not self.hold:
            return execute(work)
        later: Deferred[Any] = Deferred()
        found = work()
        self.held.append(lambda: later.callback(found))
        return later

    def serve(self, *wanted: tuple[Endpoint, Tls]) -> None:
        by_endpoint = dict(wanted)
        self.identities.move_to(by_endpoint, self.identities.read(by_endpoint))

    def later(self, seconds: float = TLS_LOOK_S) -> None:
        self.now += seconds
        self.clock.advance(seconds)

    def serial(self, endpoint: Endpoint = ONE) -> str:
        return self.identities.cell(endpoint).identity.serial

    @property
    def said(self) -> list[str]:
        return [event["log_format"] for event in self.events]


@pytest.fixture
def site():
    made = Site()
    observer: ILogObserver = made.events.append  # type: ignore[assignment]  # any callable will do
    globalLogPublisher.addObserver(observer)
    yield made
    globalLogPublisher.removeObserver(observer)


def test_a_changed_file_is_taken_up(site, tmp_path):
    """Within TLS_LOOK_S; the cell stays, so that the open address need not know."""
    site.serve((ONE, self_signed(tmp_path)))
    cell, before = site.identities.cell(ONE), site.serial()
    site.later()
    assert (site.serial(), site.changes) == (before, 0)
    self_signed(tmp_path)
    site.later()
    assert site.serial() != before
    assert site.changes == 1
    assert site.identities.cell(ONE) is cell
    assert site.said == ["certificate taken up"]


def test_a_reload_reaches_an_open_address(site, tmp_path):
    """The listener holds on to its cell: the new certificate must be in that one."""
    site.serve((ONE, self_signed(tmp_path)))
    cell, before = site.identities.cell(ONE), site.serial()
    site.serve((ONE, self_signed(tmp_path)))
    assert cell.identity.serial == site.serial() != before


def test_a_bad_file_changes_nothing_and_is_told_once(site, tmp_path):
    """The old certificate stays until the new one is whole."""
    site.serve((ONE, self_signed(tmp_path)))
    before = site.serial()
    (tmp_path / "tls.crt").write_text("half a certif")
    for _ in range(3):
        site.later()
    assert site.serial() == before
    assert site.said == ["certificate not taken up, the old one stays"]
    assert site.events[0]["error"] == f"{tmp_path}/tls.crt: no certificate in PEM form"
    self_signed(tmp_path)
    site.later()
    assert site.serial() != before
    (tmp_path / "tls.crt").write_text("half a certif")
    site.later()
    assert site.said[1:] == [
        "certificate taken up",
        "certificate not taken up, the old one stays",
    ]


def test_an_operator_need_not_wait(site, tmp_path):
    """SIGHUP looks now, and the next look is a whole interval later."""
    site.serve((ONE, self_signed(tmp_path)))
    before = site.serial()
    self_signed(tmp_path)
    site.identities.look()
    assert site.serial() != before
    assert len(site.clock.getDelayedCalls()) == 1


def test_looks_do_not_overlap(site, tmp_path):
    """A disk that hangs is asked once."""
    site.serve((ONE, self_signed(tmp_path)))
    site.hold = True
    for _ in range(3):
        site.later()
    assert len(site.held) == 1
    site.held[0]()
    site.later()
    assert len(site.held) == 2


def test_a_reload_during_a_look_wins(site, tmp_path):
    """What the look read is of files that are not wanted any more."""
    site.serve((ONE, self_signed(tmp_path)))
    site.hold = True
    self_signed(tmp_path)
    site.later()
    other = tmp_path / "other"
    other.mkdir()
    site.serve((TWO, self_signed(other)))
    before = site.serial(TWO)
    site.held[0]()
    assert site.serial(TWO) == before


def test_a_bug_while_looking_does_not_end_the_looking(site, tmp_path, monkeypatch):
    """It is told with its traceback, and the next look works."""
    site.serve((ONE, self_signed(tmp_path)))
    before = site.serial()
    self_signed(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr("ocizone.serve.identities.read_identity", lambda *_: 1 // 0)
        site.later()
    assert site.said == ["bug while looking at certificates"]
    site.later()
    assert site.serial() != before


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        (-30, 60, []),
        (-30, 13, ["certificate expires soon"]),
        (-30, -1, ["certificate has expired"]),
        (3, 60, ["certificate is not valid yet"]),
    ],
)
def test_expiry_is_told_once_a_day(site, tmp_path, begins, ends, said):
    """14 days ahead; a certificate for two addresses is one."""
    tls = self_signed(tmp_path, begins=timedelta(days=begins), ends=timedelta(days=ends))
    site.serve((ONE, tls), (TWO, tls))
    for _ in range(4):
        site.later()
    assert site.said == said
    site.now += 86_400
    site.later()
    assert len(site.said) == 2 * len(said)


def test_all_that_cannot_be_served_is_refused_at_once(site, tmp_path):
    """At start and reload: each at its line of the Corefile."""
    wanted = {
        ONE: named(tmp_path / "a.crt", tmp_path / "a.key"),
        TWO: named(tmp_path / "b.crt", tmp_path / "b.key"),
    }
    with pytest.raises(ConfigError) as caught:
        site.identities.read(wanted)
    assert [(one.file, one.line, one.message) for one in caught.value.problems] == [
        ("Corefile", 2, f"plugin/tls: {tmp_path}/a.crt: No such file or directory"),
        ("Corefile", 2, f"plugin/tls: {tmp_path}/b.crt: No such file or directory"),
    ]


def test_expiries_are_those_of_what_is_served(site, tmp_path):
    """For the metric; an address that is gone has none."""
    site.serve((ONE, self_signed(tmp_path)))
    ends = (NOW + timedelta(days=60)).timestamp()
    assert site.identities.expiries == {"tls://127.0.0.1:853": ends}
    site.serve()
    assert site.identities.expiries == {}
    assert site.clock.getDelayedCalls() == []


def test_stopped_is_stopped(site, tmp_path):
    """No timer is left; stopping twice is stopping."""
    site.serve((ONE, self_signed(tmp_path)))
    site.identities.stop()
    site.identities.stop()
    assert site.clock.getDelayedCalls() == []


def test_the_directory_may_be_replaced_whole(site, tmp_path):
    """As Kubernetes does with a secret: a link that points elsewhere."""
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        self_signed(tmp_path / version)
    link = tmp_path / "current"
    link.symlink_to("one")
    site.serve((ONE, named(link / "tls.crt", link / "tls.key")))
    before = site.serial()
    _repoint(link, "two")
    site.later()
    assert site.serial() != before


def _repoint(link: Path, target: str) -> None:
    fresh = link.with_name("fresh")
    fresh.symlink_to(target)
    fresh.rename(link)
