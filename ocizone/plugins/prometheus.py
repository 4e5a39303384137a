"""``prometheus``: ``GET /metrics`` in CoreDNS' names, and ocizone's own."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.arguments import address
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Where to listen ("" is every address)."""

    host: str
    port: int


def _runtime_metrics(given: Given) -> None:
    given.warn("property-ignored", "'runtime_metrics' has no effect: it exports Go's runtime")


def _tls(_given: Given) -> None:
    raise BadArgumentError(
        "'tls' is not supported by ocizone",
        "listen on localhost, or put a proxy in front",
        rule="property-not-supported",
    )


ADDRESS = Argument(
    "ADDRESS", address, "Where to listen, HOST:PORT or :PORT.", default="localhost:9153"
)
RUNTIME_METRICS = Property(
    "runtime_metrics", "", _runtime_metrics, "Accepted, without effect.", least=0, most=0
)
TLS = Property("tls", "FILE", _tls, "Refused: metrics are served over plain HTTP only.", most=None)


def _build(use: Use, _scope: Scope) -> list[Prometheus]:
    host, port = use.argument(ADDRESS)
    return [Prometheus(host, port)]


DIRECTIVE = Directive(
    "prometheus",
    "*prometheus* answers `GET /metrics` under CoreDNS' metric names, and ocizone's own.",
    (ADDRESS,),
    (RUNTIME_METRICS, TLS),
    build=_build,
    once=True,
)
