"""Which zones of which source a server block asks for. Pure; a part of planning (ocizone.plan).

A ``file`` or ``auto`` whose path lies in the PATH of an ``oci`` directive takes its zones from
that artifact, every other one from the disk; an ``oci`` that no ``file`` or ``auto`` points into
serves the zones the artifact itself names.
"""

from __future__ import annotations

import hashlib
import os.path
from dataclasses import dataclass, replace

from ocizone.compiler.spec import ZoneRule
from ocizone.corefile.types import ServerBlock
from ocizone.endpoint import Endpoint
from ocizone.follow.source import LocalSource
from ocizone.plugins.artifact import Artifact
from ocizone.plugins.auto import AutoZones
from ocizone.plugins.file import ZoneFile
from ocizone.plugins.zonepolicy import ZonePolicy
from ocizone.wire.name import to_text


def digest_of(*parts: str) -> str:
    """Return a key made of texts, 32 hex digits."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Found:
    """One rule, the key of the source it belongs to, and that source when it is a local one."""

    key: str
    rule: ZoneRule
    local: LocalSource | None = None


Artifacts = list[tuple[str, Artifact]]


def rules_for(
    view: str,
    block: ServerBlock,
    keys: tuple[tuple[Endpoint, bytes], ...],
    own: Artifacts,
    others: Artifacts,
) -> list[Found]:
    """Return a block's rules in order: its files, its directories, then bare artifacts."""
    found = [_file_rule(view, directive, own, others) for directive in block.all(ZoneFile)]
    found += [_auto_rule(view, directive, own, others) for directive in block.all(AutoZones)]
    pointed_at = {one.key for one in found}
    origins = tuple(dict.fromkeys(to_text(zone) for _, zone in keys))
    for key, artifact in own:
        if key not in pointed_at:
            rule = _under(artifact.policy, ZoneRule(view, "artifact", "", origins))
            found.append(Found(key, rule))
    return found


def _under(policy: ZonePolicy, rule: ZoneRule) -> ZoneRule:
    """Return a rule with what the directives say of its zones."""
    return replace(rule, dnssec=policy.dnssec or "refuse", serial=policy.serial or "keep")


def _file_rule(view: str, directive: ZoneFile, own: Artifacts, others: Artifacts) -> Found:
    origins = tuple(to_text(origin) for origin in directive.origins)
    inside = _inside(directive.path, own) or _inside(directive.path, others)
    if inside:
        key, path, artifact = inside
        rule = ZoneRule(view, "file", path, origins)
        return Found(key, _under(directive.policy.over(artifact.policy), rule))
    root, path = os.path.split(directive.path)
    key = digest_of("file", view, directive.path)
    rule = _under(directive.policy, ZoneRule(view, "file", path, origins))
    return Found(
        key, rule, LocalSource(key, directive.path, root, (path,), (rule,), directive.reload_s)
    )


def _auto_rule(view: str, directive: AutoZones, own: Artifacts, others: Artifacts) -> Found:
    origins = tuple(to_text(origin) for origin in directive.origins)
    inside = _inside(directive.directory, own) or _inside(directive.directory, others)
    if inside:
        key, path, artifact = inside
        rule = ZoneRule(view, "auto", path, origins, directive.regexp, directive.template)
        return Found(key, _under(directive.policy.over(artifact.policy), rule))
    key = digest_of("auto", view, directive.directory)
    rule = ZoneRule(view, "auto", "", origins, directive.regexp, directive.template)
    rule = _under(directive.policy, rule)
    local = LocalSource(
        key, directive.directory, directive.directory, None, (rule,), directive.reload_s
    )
    return Found(key, rule, local)


def _inside(path: str, artifacts: Artifacts) -> tuple[str, str, Artifact] | None:
    """Return the artifact whose PATH holds ``path``: its key, the path relative to it, itself.

    The longest PATH wins, so that an artifact in a sub-directory of another's is found.
    """
    best: tuple[str, str, Artifact] | None = None
    longest = -1
    for key, artifact in artifacts:
        base = artifact.path.rstrip("/") + "/"
        if (path + "/").startswith(base) and len(base) > longest:
            best, longest = (key, path[len(base) :], artifact), len(base)
    return best
