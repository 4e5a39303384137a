"""How the workers of a server are, as values and as metrics. Not here: keeping them (workers.crew)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


@dataclass(frozen=True, slots=True)
class WorkerState:
    """How one worker is.

    Attributes:
        number: from 1.
        pid: of the process; None while there is none.
        generation: of the snapshot it serves; 0 for none yet.
        up: it answers.
        restarts: since the server started.
        failures: times it ended in a row, each soon after it began.
        tcp_connections: open ones, as it said last.
        lag_s: the worst delay of its event loop of late, as it said last.
    """

    number: int
    pid: int | None
    generation: int
    up: bool
    restarts: int = 0
    failures: int = 0
    tcp_connections: int = 0
    lag_s: float = 0.0


class WorkerGauges:
    """A prometheus_client collector; of a server of one process there is nothing to tell."""

    def __init__(self, workers: Callable[[], Iterable[WorkerState]]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        workers = tuple(self._workers())
        if not workers:
            return
        up = GaugeMetricFamily("ocizone_worker_up", "Whether it answers.", labels=["worker"])
        generation = GaugeMetricFamily(
            "ocizone_worker_generation", "The snapshot it serves.", labels=["worker"]
        )
        restarts = CounterMetricFamily(
            "ocizone_worker_restarts", "Workers that ended and were replaced.", labels=["worker"]
        )
        for worker in workers:
            label = [str(worker.number)]
            up.add_metric(label, worker.up)
            generation.add_metric(label, worker.generation)
            restarts.add_metric(label, worker.restarts)
        yield from (up, generation, restarts)
