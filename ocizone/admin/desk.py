"""Which admin pages a plan asks for, and at which addresses.

``health``, ``ready``, ``prometheus`` and ``api`` of several blocks may share an address; the
control socket has every page. Not here: what the pages say (readiness, status, metrics, api), and
what has an address of its own (webhook, artifacts).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from ocizone.admin.endpoints import Address
from ocizone.admin.pages import Page, Render
from ocizone.admin.readiness import Readiness, Reasons, health
from ocizone.admin.shared import InThread, SharedPage, Taken, at_once
from ocizone.answer.blocks import Snapshot
from ocizone.observe.metrics import AsOf
from ocizone.observe.workers import WorkerState
from ocizone.plan import Plan
from ocizone.plugins.health import Health
from ocizone.plugins.prometheus import Prometheus
from ocizone.plugins.ready import Ready


class About(Protocol):
    """What the pages ask of the server."""

    @property
    def snapshot(self) -> Snapshot:
        """What is served now."""

    @property
    def stopping(self) -> bool:
        """Whether it is shutting down."""


class AdminDesk:
    """Makes the pages."""

    def __init__(
        self,
        about: About,
        collectors: tuple[Collector, ...],
        reasons: Callable[[], Reasons] = Reasons,
        in_thread: InThread = at_once,
        seconds: Callable[[], float] = time.monotonic,
        workers: Callable[[], Iterable[WorkerState]] = tuple,
    ) -> None:
        """Make it.

        Args:
            about: the server.
            collectors: of every metric.
            reasons: returns why zones are missing now.
            in_thread: see admin.shared.
            seconds: monotonic.
            workers: returns how they are.
        """
        self._about = about
        self._workers = workers
        self._reasons = reasons
        self.metrics: Render = SharedPage(lambda: _scrape(collectors), in_thread, seconds)
        """Every metric in Prometheus' text format."""

    def control(self, plan: Plan) -> dict[str, Render]:
        """Return the pages of the control socket: all of them, for every block."""
        return {
            "/health": health,
            "/ready": self._readiness([view.name for view in plan.views], latch=False),
            "/metrics": self.metrics,
        }

    def addresses(self, plan: Plan) -> dict[Address, dict[str, Render]]:
        """Return the pages of each TCP address the plan names."""
        found: dict[Address, dict[str, Render]] = {}
        ready: dict[Address, list[tuple[str, Ready]]] = {}
        for view in plan.views:
            for one in view.block.all(Health):
                found.setdefault((one.host, one.port), {})["/health"] = health
            for directive in view.block.all(Ready):
                ready.setdefault((directive.host, directive.port), []).append(
                    (view.name, directive)
                )
            for exporter in view.block.all(Prometheus):
                found.setdefault((exporter.host, exporter.port), {})["/metrics"] = self.metrics
        for address, directives in ready.items():
            latch = all(one.monitor == "until-ready" for _, one in directives)
            found.setdefault(address, {})["/ready"] = self._readiness(
                [name for name, _ in directives], latch=latch
            )
        return found

    def _readiness(self, views: list[str], *, latch: bool) -> Callable[[], Page]:
        about = self._about
        return Readiness(
            lambda: about.snapshot,
            lambda: about.stopping,
            views,
            latch=latch,
            reasons=self._reasons,
            workers=self._workers,
        ).page


def _scrape(collectors: tuple[Collector, ...]) -> Taken:
    now = AsOf(collectors)
    return Taken(lambda: Page(200, CONTENT_TYPE_LATEST, generate_latest(now)))
