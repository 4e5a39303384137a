"""``file DBFILE [ZONES...]``: which file holds which zones."""

from __future__ import annotations

from dataclasses import dataclass, field

from ocizone.corefile.arguments import duration, text, zones
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)
from ocizone.corefile.types import Position
from ocizone.plugins.zonepolicy import DNSSEC, SERIAL, ZonePolicy, zone_policy


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """One ``file`` directive.

    Attributes:
        path: absolute.
        origins: lower-case wire names; one zone each.
        reload_s: how often a file on disk is looked at; 0 means never. A file of an artifact
            changes with the artifact and ignores it.
        position: for messages.
        policy: what is done with zones that are odd.
    """

    path: str
    origins: tuple[bytes, ...]
    reload_s: float
    # A line that moved is not a change: its follower must not restart.
    position: Position = field(compare=False)
    policy: ZonePolicy = field(default_factory=ZonePolicy)


def _by_mtime(given: Given) -> None:
    given.warn(
        "property-ignored", "'reload_by_mtime' has no effect: changed content always reloads"
    )


def _upstream(given: Given) -> None:
    given.warn("property-ignored", "'upstream' has no effect, as in CoreDNS")


def _fallthrough(_given: Given) -> None:
    raise BadArgumentError(
        "'fallthrough' is not supported by ocizone",
        "a zone has one source; there is no next one to ask",
        rule="property-not-supported",
    )


DBFILE = Argument(
    "DBFILE",
    text,
    "The zone file; a relative one starts from *root*. In the PATH of an *oci* directive it is"
    " taken from that artifact.",
    required=True,
)
ZONES = Argument("ZONES", zones, "The zones it holds; without it the block's zones.", many=True)
RELOAD = Property(
    "reload",
    "DURATION",
    duration,
    "How often a file on disk is looked at; `0` is never. A file of an artifact changes with it.",
    default="1m",
)
RELOAD_BY_MTIME = Property(
    "reload_by_mtime", "", _by_mtime, "Accepted, without effect.", least=0, most=0
)
FALLTHROUGH = Property(
    "fallthrough", "[ZONES...]", _fallthrough, "Refused: a zone has one source.", least=0, most=None
)
UPSTREAM = Property("upstream", "...", _upstream, "Accepted, without effect.", least=0, most=None)


def _build(use: Use, scope: Scope) -> list[ZoneFile]:
    path = use.argument(DBFILE)
    if not path:
        raise BadArgumentError("no file name")
    origins = use.argument(ZONES) or scope.origins
    resolved = scope.resolve(path)
    return [ZoneFile(resolved, origins, use.value(RELOAD), use.position, zone_policy(use))]


DIRECTIVE = Directive(
    "file",
    "*file* serves zones from a master file.",
    (DBFILE, ZONES),
    (RELOAD, DNSSEC, SERIAL, RELOAD_BY_MTIME, FALLTHROUGH, UPSTREAM),
    build=_build,
)
