"""What watches the server: counters, journal, log of queries, conditions, metrics, status.

A part of the composition root (ocizone.app), apart because it is one idea: nothing here changes
what is served.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client.registry import Collector

from ocizone.admin.enabled import enabled
from ocizone.admin.shared import InThread
from ocizone.admin.status import Facts
from ocizone.admin.statuspage import Moment, StatusPage
from ocizone.answer.blocks import Snapshot
from ocizone.deployed import Deployed
from ocizone.follow.following import Following
from ocizone.follow.status import Event, Looked, Outcome, SourceStatus
from ocizone.front import Front
from ocizone.observe.conditionbook import ConditionBook
from ocizone.observe.counters import Counters
from ocizone.observe.events import FollowJournal
from ocizone.observe.metrics import collectors
from ocizone.observe.registrytimes import RegistryTimes
from ocizone.observe.server import ServerFacts


@dataclass(frozen=True, slots=True)
class Watched:
    """What is told of, asked for whenever somebody wants to know.

    Attributes:
        snapshot: what is served.
        deployed: from what.
        following: the followers.
        front: of DNS.
        certificates: until when they are good, by listening address.
        store: ``octets`` and ``generations`` of the state directory, None while not counted.
        state_dir: absolute path.
        started: unix seconds.
    """

    snapshot: Callable[[], Snapshot]
    deployed: Deployed
    following: Following
    front: Front
    certificates: Callable[[], Mapping[str, float]]
    store: Callable[[], Mapping[str, int] | None]
    state_dir: str
    started: float


class Observing:
    """Everything that watches."""

    def __init__(self, wall: Callable[[], float]) -> None:
        """Make it; ``wall`` tells unix seconds."""
        self.hostname = socket.gethostname()
        self.counters = Counters()
        self.journal = FollowJournal()
        self.registry = RegistryTimes()
        self._conditions = ConditionBook()
        self._wall = wall

    def happened(self, event: Event, status: SourceStatus | None) -> None:
        """Log and count what following did, and since when conditions are so."""
        self.journal(event)
        if isinstance(event, Looked):
            good = event.result.outcome in {Outcome.UNCHANGED, Outcome.ACTIVATED}
            self.registry.fetch(good, event.seconds)
        if status is not None:
            self._conditions.note(status, self._wall())

    def collectors(self, watched: Watched) -> tuple[Collector, ...]:
        """Return every metric."""
        deployed = watched.deployed

        def octets() -> int | None:
            found = watched.store()
            return None if found is None else found["octets"]

        facts = ServerFacts(
            config_hash=lambda: deployed.plan.corefile.fingerprint,
            enabled=lambda: enabled(deployed.plan),
            tcp_connections=lambda: {"open": watched.front.tcp_connections},
            store_octets=octets,
            loop_lag_s=lambda: watched.front.lag_s,
        )
        return collectors(
            counters=self.counters,
            journal=self.journal,
            registry=self.registry,
            snapshot=watched.snapshot,
            statuses=lambda: watched.following.statuses,
            facts=facts,
            certificates=watched.certificates,
            wall=self._wall,
            workers=lambda: watched.front.workers,
        )

    def status_page(
        self, watched: Watched, in_thread: InThread, seconds: Callable[[], float]
    ) -> StatusPage:
        """Return what answers with the status document."""
        return StatusPage(lambda: self._moment(watched), self._conditions, in_thread, seconds)

    def _moment(self, watched: Watched) -> Moment:
        front = watched.front
        facts = Facts(
            node=self.hostname,
            started=watched.started,
            now=self._wall(),
            state_dir=watched.state_dir,
            listening={str(one): open_.port for one, open_ in front.open.items()},
            tcp_connections=front.tcp_connections,
            rcodes=self.counters.by_rcode(),
            panics=self.counters.panics,
            certificates=dict(watched.certificates()),
            store=watched.store(),
            dropped=self.counters.drops.total(),
            workers=front.workers,
        )
        statuses = tuple(watched.following.statuses)
        return Moment(facts, watched.deployed.plan, watched.snapshot(), statuses)
