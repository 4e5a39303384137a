"""Bugs while answering: each is counted, a traceback is news once in a while."""

from __future__ import annotations

from typing import Any

import pytest

from ocizone.observe import bugs
from ocizone.observe.bugs import BugLog
from ocizone.observe.counters import Counters
from tests.zonebuilder import UDP


class FakeLog:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def failure(self, event: str, fault: object, **fields: Any) -> None:
        self.events.append({"event": event, "fault": fault, **fields})


class Site:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.log = FakeLog()
        monkeypatch.setattr(bugs, "log", self.log)
        self.counters = Counters()
        self.bug_log = BugLog(self.counters, lambda: self.now)

    def bug(self, packet: bytes = b"\x01") -> None:
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            self.bug_log(packet, UDP)


def test_a_bug_is_logged_with_its_packet(monkeypatch):
    """Enough to reproduce it; at most 512 octets of it."""
    site = Site(monkeypatch)
    site.bug(b"\xab" * 1000)
    (event,) = site.log.events
    assert event["packet"] == "ab" * 512
    assert (event["client"], event["protocol"], event["suppressed"]) == ("192.0.2.53", "udp", 0)
    assert "ZeroDivisionError" in str(event["fault"])


def test_a_packet_sent_a_million_times_fills_no_disk(monkeypatch):
    """All are counted; one in ten seconds is logged and says how many were not."""
    site = Site(monkeypatch)
    for _ in range(1000):
        site.bug()
    site.now = 9.9
    site.bug()
    assert len(site.log.events) == 1
    site.now = 10.0
    site.bug()
    assert [event["suppressed"] for event in site.log.events] == [0, 1000]
    site.now = 20.0
    site.bug()
    assert site.log.events[-1]["suppressed"] == 0
    assert site.counters.panics == 1003
