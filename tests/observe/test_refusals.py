"""Refused transfers and signatures are told of, and not too often."""

from __future__ import annotations

import dns.message
import dns.tsig
import pytest
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from ocizone import limits
from ocizone.answer.blocks import Transport
from ocizone.answer.respond import Reply
from ocizone.observe.refusals import RefusalLog
from tests.zonebuilder import UDP, replied, serving

SERVED = serving("$TTL 5\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n", "z.")
STRANGER = dns.tsig.Key("stranger.", b"not a secret at all", "hmac-sha256")


@implementer(ILogObserver)
class Log:
    """A RefusalLog whose lines are kept."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.lines: list[str] = []
        self.refused = RefusalLog(self.clock.seconds)

    def ask(
        self, name: str, rrtype: str, client: str = "192.0.2.9", key: dns.tsig.Key | None = None
    ) -> None:
        query = dns.message.make_query(name, rrtype, use_edns=False)
        if key is not None:
            query.use_tsig(key)
        transport = Transport("tcp", "main", client, 4000, UDP.received)
        reply = replied(query.to_wire(), SERVED, transport)
        assert isinstance(reply, Reply)
        self.refused(reply, transport)

    def __call__(self, event: LogEvent) -> None:
        self.lines.append(f"{event.get('client', '')} {event.get('reason', event.get('times'))}")


@pytest.fixture
def log():
    """A log that hears what the program says."""
    made = Log()
    globalLogPublisher.addObserver(made)
    yield made
    globalLogPublisher.removeObserver(made)


def test_why_a_secondary_gets_nothing(log: Log) -> None:
    """Without permission, with a key nobody knows, for what is no zone."""
    log.ask("z.", "AXFR")
    log.ask("z.", "SOA", key=STRANGER)
    assert log.lines == [
        "192.0.2.9 transfer not permitted, unsigned",
        "192.0.2.9 BADKEY: no such key here, or with another algorithm (stranger.)",
    ]
    log.ask("a.z.", "AXFR")
    assert log.lines[2:] == ["192.0.2.9 transfer of what is no zone here"]


def test_what_is_no_secondarys_question_is_passed_over(log: Log) -> None:
    """A name nobody serves is asked by anybody."""
    log.ask("elsewhere.", "A")
    log.ask("elsewhere.", "AXFR")
    assert not log.lines


def test_the_same_is_told_once_in_a_while(log: Log) -> None:
    """A secondary that retries is one line, and again after REFUSALS_QUIET_S."""
    for _ in range(3):
        log.ask("z.", "AXFR")
    assert len(log.lines) == 1
    log.clock.advance(limits.REFUSALS_QUIET_S)
    log.ask("z.", "AXFR")
    assert len(log.lines) == 2


def test_many_strangers_fill_no_disk(log: Log) -> None:
    """So many lines, then how many more there were."""
    for number in range(limits.REFUSALS_TOLD + 7):
        log.ask("z.", "AXFR", f"192.0.2.{number}")
    assert len(log.lines) == limits.REFUSALS_TOLD
    log.clock.advance(limits.REFUSALS_QUIET_S)
    log.ask("z.", "AXFR")
    assert log.lines[-2:] == [" 7", "192.0.2.9 transfer not permitted, unsigned"]
