"""``debug``: log at debug level, for the whole process."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.directive import Directive


@dataclass(frozen=True, slots=True)
class Debug:
    """Debug logging is on."""


DIRECTIVE = Directive(
    "debug",
    "*debug* logs at debug level, for the whole process.",
    build=lambda _use, _scope: [Debug()],
)
