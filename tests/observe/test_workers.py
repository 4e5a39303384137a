"""Workers as metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from ocizone.observe.workers import WorkerGauges, WorkerState


def scrape(*workers: WorkerState) -> list[str]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(WorkerGauges(lambda: workers))
    return [line for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]


def test_each_worker_has_its_series():
    """Which is up, what each serves, how often each was replaced."""
    up = WorkerState(1, 4711, 5, up=True)
    down = WorkerState(2, None, 4, up=False, restarts=3)
    assert scrape(up, down) == [
        'ocizone_worker_up{worker="1"} 1.0',
        'ocizone_worker_up{worker="2"} 0.0',
        'ocizone_worker_generation{worker="1"} 5.0',
        'ocizone_worker_generation{worker="2"} 4.0',
        'ocizone_worker_restarts_total{worker="1"} 0.0',
        'ocizone_worker_restarts_total{worker="2"} 3.0',
    ]


def test_one_process_has_none():
    """Nobody wonders where the workers are."""
    assert scrape() == []
