"""``any``: QTYPE ANY is answered with one HINFO record (RFC 8482 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.directive import Directive


@dataclass(frozen=True, slots=True)
class AnyHinfo:
    """The block answers ANY with HINFO."""


DIRECTIVE = Directive(
    "any",
    "*any* answers queries of type ANY with one HINFO record, as RFC 8482 allows.",
    build=lambda _use, _scope: [AnyHinfo()],
)
