"""Directives that listen for HTTP: which of them may share an address.

``health``, ``ready``, ``prometheus`` and ``api`` are pages of one site. ``webhook`` and ``artifacts``
take other requests, so each has an address of its own; the same one in two blocks is one endpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ocizone.corefile.report import Report
from ocizone.corefile.types import Position
from ocizone.plugins.api import Api
from ocizone.plugins.artifacts import Artifacts
from ocizone.plugins.health import Health
from ocizone.plugins.prometheus import Prometheus
from ocizone.plugins.ready import Ready
from ocizone.plugins.webhook import Webhook

_Listens = Health | Ready | Prometheus | Api | Webhook | Artifacts


@dataclass(frozen=True, slots=True)
class _Line:
    """The place of a finding about a directive."""

    file: str
    line: int
    column: int = 0


def check_http(values: Iterable[object], report: Report) -> None:
    """Report directives of all blocks that cannot have one address together."""
    found: dict[tuple[str, int], list[_Listens]] = {}
    for value in values:
        # Port 0 is another one each time.
        if isinstance(value, _Listens) and value.port:
            found.setdefault((value.host, value.port), []).append(value)
    for sharing in found.values():
        _check_address(sharing, report)


def _check_address(sharing: list[_Listens], report: Report) -> None:
    where = f"{sharing[0].host or '*'}:{sharing[0].port}"
    for kind in (Webhook, Artifacts):
        own = [one for one in sharing if isinstance(one, kind)]
        if own and len(own) < len(sharing):
            other = next(one for one in sharing if not isinstance(one, kind))
            _refuse(
                own[0].position,
                f"plugin/{_name(own[0])}: {_name(other)} listens on {where}, too",
                "give each an address of its own",
                report,
            )
            return
    secrets = {one.secret: one for one in sharing if isinstance(one, Webhook)}
    tokens = {one.token: one for one in sharing if isinstance(one, Api)}
    for named, what in ((secrets, "secret"), (tokens, "token")):
        if len(named) > 1:
            first, second, *_ = named.values()
            _refuse(
                second.position,
                f"plugin/{_name(second)}: {where} has another {what} at {first.position}",
                "name the same file",
                report,
            )


def _name(value: _Listens) -> str:
    return type(value).__name__.lower()


def _refuse(at: Position, message: str, hint: str, report: Report) -> None:
    report.error(_Line(at.file, at.line), "http-address", message, hint)
