"""What is older than what was served (TUF's rollback attack). Pure."""

from __future__ import annotations

from ocizone.compiler.spec import CompiledZone
from ocizone.errors import Problem
from ocizone.store.standing import Watermark


def older(
    mark: Watermark, digest: str, created: str, zones: tuple[CompiledZone, ...]
) -> tuple[Problem, ...]:
    """Return in what a version is older than the mark; nothing when it is not."""
    del mark, digest, created, zones
    return ()


def raised(
    mark: Watermark, digest: str, created: str, zones: tuple[CompiledZone, ...], now: int
) -> Watermark:
    """Return the mark after a version was served."""
    del digest, created, zones, now
    return mark
