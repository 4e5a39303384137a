"""unbound as the outside judge: does it validate what we answer?

The real program serves a set's zones; unbound has the trust anchors of the signed ones, follows
the DS of their children, and asks over loopback only. Used by test_validation and by
bench/show_answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import dns.flags
import dns.rcode
from dns.rdatatype import ANY, RRSIG

from tests.peers import subject
from tests.peers.compare import Asker, Response, read
from tests.peers.questions import Known, Question, known, questions
from tests.peers.servers import Peer, validator
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
        bogus: SERVFAIL that CD turns into an answer.
    """

    secure: int = 0
    insecure: int = 0
    unreachable: int = 0
    bogus: list[str] = field(default_factory=list)


def validate_zone_set(zone_set: ZoneSet, directory: Path, count: int, seed: int) -> Verdicts:
    """Ask unbound ``count`` questions about a zone set that we serve."""
    written = zone_set.write(directory / "zones")
    with subject.program(written.zones, directory / "ocizone") as server:
        origins = [zone.origin for zone in written.zones]
        with validator(directory / "unbound", server.port, origins, written.anchors) as peer:
            return _judge(peer, known(written.zones), count, seed)


def _judge(peer: Peer, zones: Known, count: int, seed: int) -> Verdicts:
    verdicts = Verdicts()
    with Asker(peer.port) as asker:
        asked = (one for one in questions(zones, 2 * count, seed) if one.qtype not in _NOT_ASKED)
        for number, question in zip(range(count), asked, strict=False):
            reply = _ask(asker, question, number, _RD)
            if reply.rcode != dns.rcode.SERVFAIL:
                verdicts.secure += bool(reply.flags & _AD)
                verdicts.insecure += not reply.flags & _AD
            elif _ask(asker, question, number, _RD | _CD).rcode == dns.rcode.SERVFAIL:
                verdicts.unreachable += 1
            else:
                verdicts.bogus.append(str(question))
    return verdicts


def _ask(asker: Asker, question: Question, number: int, flags: int) -> Response:
    """Ask as a stub that wants DNSSEC."""
    packet = Question(question.name, question.qtype, 4096, do=True, flags=flags).wire(
        number % 65_536
    )
    reply = read(asker.ask(packet, tcp=True))
    assert reply.wire is not None, f"unbound is silent: {question}"
    return reply
