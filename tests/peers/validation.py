"""unbound as the outside judge: does it validate what we answer?

The real program serves a set's zones; unbound has the trust anchors of the signed ones, follows
the DS of their children, and asks over loopback only. Used by test_validation and by
bench/show_answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.flags
import dns.rcode
from dns.rdatatype import ANY, RRSIG

from tests.peers import subject
from tests.peers.compare import Asker, Response, read
from tests.peers.questions import Known, Question, known, questions
from tests.peers.servers import AUTHORITATIVE, running, validator
from tests.peers.zonesets import Written, ZoneSet

_RD, _CD = 0x0100, 0x0010
_AD = int(dns.flags.AD)
#: What a resolver answers from anything it has, or not at all.
_NOT_ASKED = frozenset({0, int(ANY), int(RRSIG), 65_535})


@dataclass(slots=True)
class Verdicts:
    """What unbound said.

    Attributes:
        secure: validated (AD).
        insecure: answered, provably without DNSSEC.
        unreachable: SERVFAIL with CD too: servers that do not exist, loops.
        disputed: bogus, and bogus from NSD, Knot and BIND as well: the judge's own limits.
        bogus: bogus from us, and not from all of the peers.
    """

    secure: int = 0
    insecure: int = 0
    unreachable: int = 0
    disputed: list[str] = field(default_factory=list)
    bogus: list[str] = field(default_factory=list)


def validate_zone_set(zone_set: ZoneSet, directory: Path, count: int, seed: int) -> Verdicts:
    """Ask unbound ``count`` questions about a zone set that we serve."""
    written = zone_set.write(directory / "zones")
    verdicts = Verdicts()
    with subject.program(written.zones, directory / "ocizone") as server:
        suspects = _judge(
            _Judge(directory / "unbound", server.port, written),
            known(written.zones),
            count,
            seed,
            verdicts,
        )
    for suspect in _bogus_from_peers(directory, written, suspects):
        suspects.remove(suspect)
        verdicts.disputed.append(str(suspect))
    verdicts.bogus += [str(suspect) for suspect in suspects]
    return verdicts


@dataclass(frozen=True, slots=True)
class _Judge:
    """An unbound to start: where, asking whom, about what."""

    directory: Path
    port: int
    written: Written

    @contextmanager
    def asker(self) -> Iterator[Asker]:
        """Start it, and end it."""
        origins = [zone.origin for zone in self.written.zones]
        anchors = self.written.anchors
        with (
            validator(self.directory, self.port, origins, anchors) as peer,
            Asker(peer.port) as asker,
        ):
            yield asker


def _judge(
    judge: _Judge, zones: Known, count: int, seed: int, verdicts: Verdicts
) -> list[Question]:
    """Count verdicts; return the questions whose answers are bogus."""
    suspects = []
    with judge.asker() as asker:
        asked = (one for one in questions(zones, 2 * count, seed) if one.qtype not in _NOT_ASKED)
        for number, question in zip(range(count), asked, strict=False):
            reply = _ask(asker, question, number, _RD)
            if reply.rcode != dns.rcode.SERVFAIL:
                verdicts.secure += bool(reply.flags & _AD)
                verdicts.insecure += not reply.flags & _AD
            elif _ask(asker, question, number, _RD | _CD).rcode == dns.rcode.SERVFAIL:
                verdicts.unreachable += 1
            else:
                suspects.append(question)
    return suspects


def _bogus_from_peers(
    directory: Path, written: Written, suspects: Sequence[Question]
) -> list[Question]:
    """Return those of the questions that are SERVFAIL from every peer as well."""
    left = list(suspects)
    for name in AUTHORITATIVE:
        if not left:
            break
        with running(name, directory / name, written.zones) as peer:
            judge = _Judge(directory / f"unbound-{name}", peer.port, written)
            with judge.asker() as asker:
                left = [
                    question
                    for number, question in enumerate(left)
                    if _ask(asker, question, number, _RD).rcode == dns.rcode.SERVFAIL
                ]
    return left


def _ask(asker: Asker, question: Question, number: int, flags: int) -> Response:
    """Ask as a stub that wants DNSSEC."""
    packet = Question(question.name, question.qtype, 4096, do=True, flags=flags).wire(
        number % 65_536
    )
    reply = read(asker.ask(packet, tcp=True))
    assert reply.wire is not None, f"unbound is silent: {question}"
    return reply
