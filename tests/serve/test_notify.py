"""NOTIFY on a clock that tests turn, through a port that keeps what is sent."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, cast

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.tsig
import pytest
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher

from ocizone import limits
from ocizone.answer.announce import Announcement
from ocizone.serve.notify import Notifier
from ocizone.wire.name import from_text
from ocizone.wire.tsig import HMAC_SHA256, TsigKey
from ocizone.zone.node import RRset

NOW = 1_790_000_000
KEY = TsigKey(from_text("key.test."), HMAC_SHA256, b"an obvious fake, of 32 octets !!")
KEYRING = {
    dns.name.from_text("key.test."): dns.tsig.Key("key.test.", KEY.secret, dns.tsig.HMAC_SHA256)
}
ONE, TWO = ("192.0.2.1", 53), ("192.0.2.2", 5353)


class FakePort:
    """A datagram port that keeps what is written."""

    def __init__(self, reactor: FakeReactor, protocol: DatagramProtocol, interface: str) -> None:
        self.reactor = reactor
        self.protocol = protocol
        self.interface = interface
        self.open = True

    def write(self, packet: bytes, to: tuple[str, int]) -> None:
        assert self.open
        if to in self.reactor.unreachable:
            raise OSError("no route to host")
        self.reactor.sent.append((self.reactor.seconds(), to, packet))

    def stopListening(self) -> None:
        self.open = False


class FakeReactor(Clock):
    """A clock with datagram ports."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[float, tuple[str, int], bytes]] = []
        self.ports: list[FakePort] = []
        self.unreachable: set[tuple[str, int]] = set()
        self.busy_addresses: set[str] = set()

    def listenUDP(self, port: int, protocol: DatagramProtocol, interface: str = "") -> FakePort:
        if interface in self.busy_addresses:
            raise CannotListenError(interface, port, OSError("not here"))
        assert port == 0
        made = FakePort(self, protocol, interface)
        self.ports.append(made)
        return made


class Site:
    """A Notifier and its secondaries."""

    def __init__(self) -> None:
        self.reactor = FakeReactor()
        self.results: Counter[str] = Counter()
        ids = itertools.count(1)
        self.notifier = Notifier(
            self.reactor,
            wall=lambda: NOW + self.reactor.seconds(),
            random_id=lambda: next(ids) % 65_536,
            counted=lambda result: self.results.update([result]),
        )

    def announce(self, *announcements: Announcement) -> None:
        self.notifier.announce(announcements)

    def wait(self, seconds: float) -> None:
        self.reactor.pump([0.01] * int(seconds * 100 + 1))

    def sent(self) -> list[tuple[float, tuple[str, int], bytes]]:
        """Return what was sent since this was last asked."""
        found, self.reactor.sent = self.reactor.sent, []
        return found

    def answer(
        self,
        packet: bytes,
        frm: tuple[str, int],
        change: Callable[[dns.message.Message], None] = lambda _: None,
        keyring: Any = None,
    ) -> None:
        request = dns.message.from_wire(packet, keyring=keyring)
        reply = dns.message.make_response(request)
        change(reply)
        self.reactor.ports[-1].protocol.datagramReceived(reply.to_wire(), frm)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def logged() -> Iterator[list[LogEvent]]:
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(cast("ILogObserver", events.append))
    yield events
    globalLogPublisher.removeObserver(cast("ILogObserver", events.append))


def announcement(
    zone: str = "example.org.",
    serial: int = 1,
    to: tuple[str, int] = ONE,
    key: TsigKey | None = None,
    source: str = "",
) -> Announcement:
    names = from_text("ns.example.org.") + from_text("h.example.org.")
    rdata = names + serial.to_bytes(4) + bytes(16)
    return Announcement(from_text(zone), RRset(6, 300, (rdata,)), to, source, key)


def test_a_notify_is_as_the_rfc_has_it(site):
    """Opcode NOTIFY, AA, question ZONE SOA, the new SOA in the answer (RFC 1996 3.7)."""
    site.announce(announcement(serial=7))
    site.wait(0)
    ((_, to, packet),) = site.sent()
    message = dns.message.from_wire(packet)
    assert to == ONE
    assert message.opcode() == dns.opcode.NOTIFY
    assert dns.flags.to_text(message.flags) == "AA"
    assert str(message.question[0]) == "example.org. IN SOA"
    assert message.answer[0][0].serial == 7
    assert message.authority == message.additional == []
    site.answer(packet, ONE)
    assert site.results == {"acknowledged": 1}
    site.wait(100)
    assert site.sent() == []


def test_it_is_sent_again_with_growing_gaps(site, logged):
    """After 1, 2, 4, 8, 16 s; given up 32 s later, with one line in the log (RFC 1996 3.6)."""
    site.announce(announcement())
    site.wait(200)
    found = site.sent()
    assert [round(at) for at, _, _ in found] == [0, 1, 3, 7, 15, 31]
    assert len({packet for _, _, packet in found}) == 1
    assert site.results == {"unanswered": 1}
    (event,) = logged
    assert (event["to"], event["zones"], event["first"]) == ("192.0.2.1 port 53", 1, "example.org.")
    assert event["reason"] == "no answer to 6"
    assert [port.open for port in site.reactor.ports] == [False]
    # The sources of ids, ports and timers are at rest.
    assert site.reactor.getDelayedCalls() == []


def test_a_late_answer_counts(site):
    """To any of the tries: they have one id."""
    site.announce(announcement())
    site.wait(4)
    *_, (_, _, packet) = site.sent()
    site.answer(packet, ONE)
    site.wait(100)
    assert site.results == {"acknowledged": 1}
    assert site.sent() == []


@pytest.mark.parametrize(
    ("frm", "change"),
    [
        (TWO, lambda _: None),
        (("192.0.2.1", 54), lambda _: None),
        (ONE, lambda reply: setattr(reply, "id", reply.id + 1)),
        (ONE, lambda reply: reply.set_opcode(dns.opcode.QUERY)),
        (ONE, lambda reply: setattr(reply, "flags", 0x2400)),
    ],
)
def test_what_is_no_answer_is_passed_over(site, frm, change):
    """From another address or port, another id, another opcode, not a response."""
    site.announce(announcement())
    site.wait(0)
    ((_, _, packet),) = site.sent()
    site.answer(packet, frm, change)
    site.reactor.ports[0].protocol.datagramReceived(b"short", ONE)
    assert site.results == {}
    site.wait(1)
    assert len(site.sent()) == 1


def test_an_error_ends_it(site, logged):
    """The secondary heard it and does not want it."""
    site.announce(announcement())
    site.wait(0)
    ((_, _, packet),) = site.sent()
    site.answer(packet, ONE, lambda reply: reply.set_rcode(9))
    assert site.results == {"rejected": 1}
    assert [event["reason"] for event in logged] == ["answered NOTAUTH"]


def test_it_is_signed_and_so_must_the_answer_be(site):
    """With the key of the line; an unsigned answer is none (RFC 8945 5.4)."""
    site.announce(announcement(key=KEY))
    site.wait(2)
    first, second = (packet for _, _, packet in site.sent())
    assert first != second
    clock = NOW
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: clock)
        assert dns.message.from_wire(first, keyring=KEYRING).had_tsig
        request = dns.message.from_wire(first, keyring=KEYRING)
        unsigned = dns.message.make_response(dns.message.from_wire(first, keyring=KEYRING))
        unsigned.tsig = None
        port = site.reactor.ports[0]
        port.protocol.datagramReceived(unsigned.to_wire(), ONE)
        assert site.results == {}
        reply = dns.message.make_response(request)
        port.protocol.datagramReceived(reply.to_wire(), ONE)
    assert site.results == {"acknowledged": 1}


def test_an_unsigned_answer_is_told_of(site, logged):
    """It ends nothing, anybody may have sent it; but silence is not what happened."""
    site.announce(announcement(key=KEY))
    site.wait(0)
    ((_, _, packet),) = site.sent()
    refusal = packet[:2] + b"\xa4\x03" + bytes(8)
    site.reactor.ports[0].protocol.datagramReceived(refusal, ONE)
    assert site.results == {}
    site.wait(100)
    assert [event["reason"] for event in logged] == ["answered NXDOMAIN, not signed with the key"]


def test_a_newer_version_takes_the_place_of_an_older_one(site):
    """One pending NOTIFY a zone and secondary; the old one's answer says nothing."""
    site.announce(announcement(serial=1))
    site.wait(0)
    ((_, _, old),) = site.sent()
    site.announce(announcement(serial=2), announcement(serial=2, to=TWO))
    site.wait(0)
    sent = site.sent()
    assert [dns.message.from_wire(packet).answer[0][0].serial for _, _, packet in sent] == [2, 2]
    assert site.results == {"superseded": 1}
    site.answer(old, ONE)
    assert site.results == {"superseded": 1}
    site.answer(sent[0][2], ONE)
    site.answer(sent[1][2], TWO)
    assert site.results == {"superseded": 1, "acknowledged": 2}


def test_many_zones_go_out_at_a_bounded_rate(site):
    """10,000 zones are no burst, and none waits for a dead secondary's."""
    zones = [f"z{number}.test." for number in range(3000)]
    site.announce(*(announcement(zone, to=to) for zone in zones for to in (ONE, TWO)))
    for _ in range(1300):
        site.reactor.advance(0.01)
        for _, to, packet in site.sent():
            if to == TWO:
                site.answer(packet, TWO)
    # All of them within their share of the rate, though every NOTIFY to ONE is lost.
    assert site.results == {"acknowledged": 3000}
    assert site.reactor.seconds() * limits.NOTIFY_PER_S >= 6000


def test_a_dead_secondary_costs_one_line_of_log(site, logged):
    """However many zones it does not take."""
    site.announce(*(announcement(f"z{number}.test.") for number in range(100)))
    site.wait(100)
    assert site.results == {"unanswered": 100}
    assert [(event["zones"], event["first"]) for event in logged] == [(100, "z0.test.")]


def test_a_secondary_that_never_answers_is_complained_about_though_there_is_always_more(
    site, logged
):
    """One line a minute at most, and not never."""
    for number in range(200):
        site.announce(announcement(f"z{number}.test."))
        site.reactor.advance(1)
    assert 2 <= len(logged) <= 3
    assert sum(event["zones"] for event in logged) <= 200


def test_a_port_of_each_source(site):
    """``source`` is where it leaves from; IPv6 has a port of its own."""
    site.announce(
        announcement("a.test."),
        announcement("b.test.", to=("2001:db8::1", 53)),
        announcement("c.test.", source="198.51.100.1"),
    )
    site.wait(0)
    assert [port.interface for port in site.reactor.ports] == ["", "::", "198.51.100.1"]


def test_what_cannot_be_sent_is_tried_again(site, logged):
    """No route, or no such source address: as if it was lost, and the reason in the log."""
    site.reactor.unreachable.add(ONE)
    site.reactor.busy_addresses.add("198.51.100.1")
    site.announce(announcement(), announcement(to=TWO, source="198.51.100.1"))
    site.wait(2)
    site.reactor.busy_addresses.clear()
    site.wait(100)
    assert site.results == {"unanswered": 2}
    assert {to for _, to, _ in site.sent()} == {TWO}
    assert "no route to host" in {event["reason"] for event in logged}


def test_new_zones_do_not_wait_for_old_ones(site):
    """An announcement goes out at once though the next retry is far away."""
    site.announce(announcement("a.test."))
    site.wait(20)
    site.sent()
    site.announce(announcement("b.test."))
    site.wait(0.05)
    assert len(site.sent()) == 1


def test_announcements_are_taken_a_few_at_a_time(site):
    """A source of 100,000 holds nobody up; a None ends a turn, and what follows is in order."""
    taken = []

    def source(serial: int) -> Iterator[Announcement | None]:
        for number in range(200):
            taken.append(number)
            yield announcement(f"z{number}.test.", serial)
            yield None

    site.announce()
    site.notifier.announce(source(1))
    site.notifier.announce(source(2))
    assert len(taken) == 1
    site.reactor.pump([0.001] * 500)
    assert len(taken) == 400
    assert site.results == {"superseded": 200}
    site.wait(1)
    newest = {dns.message.from_wire(wire).answer[0][0].serial for _, _, wire in site.sent()[-200:]}
    assert newest == {2}


def test_what_was_not_taken_yet_is_forgotten_by_stop(site):
    """No timer is left."""
    site.notifier.announce([announcement(), None, announcement("b.test.")])
    site.notifier.stop()
    assert site.reactor.getDelayedCalls() == []


def test_stopped_is_quiet(site):
    """No timer, no port; twice is fine."""
    site.announce(announcement())
    site.wait(0)
    site.notifier.stop()
    site.notifier.stop()
    assert site.reactor.getDelayedCalls() == []
    assert [port.open for port in site.reactor.ports] == [False]
