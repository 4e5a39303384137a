"""Which changes wait for an operator (``guard``), and which are only told. Pure."""

from __future__ import annotations

from ocizone.compiler.spec import ZoneChange
from ocizone.errors import Problem
from ocizone.plugins.artifact import Guard


def objections(
    changes: tuple[ZoneChange, ...], guard: Guard | None, digest: str
) -> tuple[Problem, ...]:
    """Return what the guard holds a version for; nothing without one."""
    del changes, guard, digest
    return ()


def warnings(changes: tuple[ZoneChange, ...]) -> tuple[Problem, ...]:
    """Return what is worth telling of a version that goes live."""
    del changes
    return ()
