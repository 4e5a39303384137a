"""``reload``: look at the Corefile again and again, and take up changes."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.arguments import duration
from ocizone.corefile.directive import Argument, BadArgumentError, Directive, Scope, Use
from ocizone.limits import MINIMUM_JITTER_S, MINIMUM_RELOAD_S


@dataclass(frozen=True, slots=True)
class Reload:
    """How often to look, and the jitter around it, in seconds."""

    interval_s: float
    jitter_s: float


INTERVAL = Argument("INTERVAL", duration, "Time between looks, at least 2s.", default="30s")
JITTER = Argument(
    "JITTER",
    duration,
    "How far a look may move, 0 or at least 1s; at most half the interval counts.",
    default="15s",
)


def _build(use: Use, _scope: Scope) -> list[Reload]:
    interval, jitter = use.argument(INTERVAL), use.argument(JITTER)
    if interval < MINIMUM_RELOAD_S:
        raise BadArgumentError("interval value must be greater or equal to 2s")
    if 0 < jitter < MINIMUM_JITTER_S:
        raise BadArgumentError("jitter value must be greater or equal to 1s", at=use.given.words[1])
    return [Reload(interval, min(jitter, interval / 2))]


DIRECTIVE = Directive(
    "reload",
    "*reload* looks at the Corefile and what it imports again and again, and takes up changes.",
    (INTERVAL, JITTER),
    build=_build,
)
