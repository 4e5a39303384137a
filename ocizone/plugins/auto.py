"""``auto``: every matching file of a directory is a zone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ocizone.corefile.arguments import duration, regexp, zones
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
class AutoZones:
    """One ``auto`` directive.

    Attributes:
        directory: absolute.
        regexp: searched in the base name; Python syntax, checked.
        template: ``{N}`` and ``{name}`` stand for captures; gives the origin.
        origins: lower-case wire names the zones must be at or below.
        reload_s: how often a directory on disk is looked at; 0 means once.
        position: for messages.
        policy: what is done with zones that are odd.
    """

    directory: str
    regexp: str
    template: str
    origins: tuple[bytes, ...]
    reload_s: float
    # A line that moved is not a change: its follower must not restart.
    position: Position = field(compare=False)
    policy: ZonePolicy = field(default_factory=ZonePolicy)


_REGEXP = r"db\.(.*)"
_TEMPLATE = "{1}"


def _directory(given: Given) -> tuple[str, str, str]:
    """Parse ``DIR [REGEXP ORIGIN_TEMPLATE]``."""
    if len(given.words) == 2:
        raise BadArgumentError(
            f"Wrong argument count or unexpected line ending after '{given.words[1].shown}'",
            "a regexp needs a template after it, such as {1}",
            rule="argument-count",
        )
    if not given.text:
        raise BadArgumentError("no directory set")
    if len(given.words) == 1:
        return given.text, _REGEXP, _TEMPLATE
    pattern = given.words[1]
    expression = regexp(Given(given.plugin, given.name, (pattern,), given.report))
    compiled = re.compile(expression)
    if not compiled.groups:
        raise BadArgumentError("Need at least one sub expression", at=pattern)
    template = given.words[2]
    for group in re.findall(r"\{(\w+)\}", template.text):
        if group not in compiled.groupindex and not (
            group.isdecimal() and int(group[:6]) <= compiled.groups
        ):
            given.warn("unknown-group", f"the regexp has no group {{{group}}}: it is empty")
    return given.text, expression, template.text


def _upstream(given: Given) -> None:
    given.warn("property-ignored", "'upstream' has no effect, as in CoreDNS")


ZONES = Argument(
    "ZONES", zones, "Serve only zones at or below these; without it the block's zones.", many=True
)
DIRECTORY = Property(
    "directory",
    "DIR [REGEXP ORIGIN_TEMPLATE]",
    _directory,
    "Where zone files are, relative to *root*. REGEXP (default `db\\.(.*)`) is searched in the base"
    " name, ORIGIN_TEMPLATE (default `{1}`) makes the origin of what its groups found.",
    most=3,
)
RELOAD = Property(
    "reload",
    "DURATION",
    duration,
    "How often a directory on disk is looked at; `0` is once.",
    default="1m",
)
UPSTREAM = Property("upstream", "...", _upstream, "Accepted, without effect.", least=0, most=None)


def _build(use: Use, scope: Scope) -> list[AutoZones]:
    found = use.last(DIRECTORY)
    if found is None:
        raise BadArgumentError("no directory set", "write 'directory DIR' in the block")
    path, expression, template = found
    origins = use.argument(ZONES) or scope.origins
    return [
        AutoZones(
            scope.resolve(path),
            expression,
            template,
            origins,
            use.value(RELOAD),
            use.position,
            zone_policy(use),
        )
    ]


DIRECTIVE = Directive(
    "auto",
    "*auto* serves every zone file of a directory.",
    (ZONES,),
    (DIRECTORY, RELOAD, DNSSEC, SERIAL, UPSTREAM),
    build=_build,
)
