"""One comparison: a zone set, all peers, many questions; counted.

Used by test_answers and by bench/show_answers.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers import subject
from tests.peers.compare import Asker, Difference, ask_all, differing, read
from tests.peers.explained import explain
from tests.peers.questions import known, questions
from tests.peers.servers import AUTHORITATIVE, running
from tests.peers.zonesets import ZoneSet

_THROUGH_PROGRAM = 10


@dataclass(slots=True)
class Tally:
    """Counts of one zone set and one peer."""

    compared: int = 0
    equal: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[Difference] = field(default_factory=list)


def compare_zone_set(
    zone_set: ZoneSet, directory: Path, count: int, seed: int, *, through_program: bool = False
) -> dict[str, Tally]:
    """Ask ``count`` questions about a zone set of all peers; return the counts by peer.

    Args:
        zone_set: what is served.
        directory: to be made.
        count: questions; each is asked of every peer.
        seed: of the questions.
        through_program: ask one in ten of the real program, too: its octets must be ours.
    """
    written = zone_set.write(directory / "zones")
    snapshot = subject.compiled(written.zones, directory / "compiled")
    tallies = {name: Tally() for name in AUTHORITATIVE}
    zones = known(written.zones)
    with ExitStack() as stack:
        askers = []
        for name in AUTHORITATIVE:
            peer = stack.enter_context(running(name, directory / name, written.zones))
            askers.append(stack.enter_context(Asker(peer.port)))
        program: Asker | None = None
        if through_program:
            server = stack.enter_context(subject.program(written.zones, directory / "program"))
            program = stack.enter_context(Asker(server.port))
        for number, question in enumerate(questions(zones, count, seed)):
            packet = question.wire(number % 65_536)
            wire = subject.answer(snapshot, packet, tcp=question.tcp)
            if program is not None and number % _THROUGH_PROGRAM == 0:
                assert program.ask(packet, tcp=question.tcp) == wire, question
            ours = read(wire)
            theirs = ask_all(askers, packet, tcp=question.tcp)
            for name, reply in zip(tallies, theirs, strict=True):
                aspects = differing(ours, reply)
                difference = Difference(zone_set.name, name, question, ours, reply, aspects, zones)
                count_one(tallies[name], difference)
    return tallies


def count_one(tally: Tally, difference: Difference) -> None:
    """Put one comparison where it belongs."""
    tally.compared += 1
    if not difference.aspects:
        tally.equal += 1
        return
    used, left = explain(difference)
    if left:
        tally.unexplained.append(difference)
    else:
        tally.explained.update(used)
