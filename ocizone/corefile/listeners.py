"""Which server blocks may share a listening address, by CoreDNS' rules.

One zone on one port is served by one block; the same zone on different addresses is allowed,
but not on one address and on every address at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ocizone.corefile.lexer import Token
from ocizone.corefile.report import Report
from ocizone.corefile.types import Key
from ocizone.wire.name import to_text


@dataclass(frozen=True, slots=True)
class Claim:
    """One key and where it is to be served.

    Attributes:
        key: with its zone and port.
        hosts: addresses or interface names of ``bind``; empty for every address.
        token: the key as written.
    """

    key: Key
    hosts: tuple[str, ...]
    token: Token


def check_overlap(claims: Sequence[Claim], report: Report) -> None:
    """Report claims that exclude one another, and those that race for packets."""
    served: dict[tuple[str, int, bytes], dict[str, Claim]] = {}
    for claim in claims:
        key = claim.key
        known = served.setdefault((key.scheme, key.port, key.zone), {})
        for host in claim.hosts or ("",):
            if host in known:
                _refuse(claim, host, known[host], report, "it is already defined")
                continue
            # Bound and unbound exclude one another; two bound addresses do not.
            other = next((at for at in known if not at or not host), None)
            if other is not None:
                where = _where(known[other].key, other)
                text = f"zone overlap listener capacity with {where}"
                _refuse(claim, host, known[other], report, text)
                continue
            known[host] = claim
    _warn_of_races(claims, report)


def _refuse(claim: Claim, host: str, first: Claim, report: Report, why: str) -> None:
    report.error(
        claim.token,
        "listener-overlap",
        f"cannot serve {_where(claim.key, host)} - {why}",
        f"first at {first.token.position}",
    )


def _warn_of_races(claims: Sequence[Claim], report: Report) -> None:
    """Warn where a port is served both on some addresses and on every address."""
    unbound = {(claim.key.scheme, claim.key.port): claim for claim in claims if not claim.hosts}
    for claim in claims:
        other = unbound.get((claim.key.scheme, claim.key.port))
        if claim.hosts and other is not None:
            report.warning(
                claim.token,
                "listener-race",
                f"port {claim.key.port} is bound to {', '.join(claim.hosts)} here and to every"
                f" address at {other.token.position}: only one of the two gets a query",
                "give both blocks a 'bind', or neither",
            )


def _where(key: Key, host: str) -> str:
    return f"{key.scheme}://{to_text(key.zone)}:{key.port}" + (f" on {host}" if host else "")
