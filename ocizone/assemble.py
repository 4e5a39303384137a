"""From a plan and the images there are to the snapshot that is served.

Pure. Two sources that claim one origin in one view: the first in Corefile order keeps it and
the other is a Problem; whoever activates asks ``conflicts`` first, so that it happens only when
a Corefile was changed under deployed artifacts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Protocol

from ocizone import __version__
from ocizone.answer.blocks import (
    Block,
    Loaded,
    NotReady,
    Policy,
    Provenance,
    ServedZone,
    Snapshot,
)
from ocizone.catalogs import catalog_of, claimed_by_catalog
from ocizone.compiler.spec import ZoneRule
from ocizone.errors import Problem, Severity
from ocizone.limits import IXFR_VERSIONS
from ocizone.plan import Plan, View
from ocizone.plugins.acl import Acl
from ocizone.plugins.any import AnyHinfo
from ocizone.plugins.bufsize import BufferSize
from ocizone.plugins.catalog import Catalog
from ocizone.plugins.chaos import Chaos
from ocizone.plugins.cookies import Cookies
from ocizone.plugins.loadbalance import LoadBalance
from ocizone.plugins.minimal import Minimal
from ocizone.plugins.nsid import Nsid
from ocizone.plugins.provenance import Provenance as ProvenanceDirective
from ocizone.plugins.transfer import Transfer
from ocizone.plugins.tsig import Tsig
from ocizone.plugins.whoami import Whoami
from ocizone.store.deployments import Deployment
from ocizone.wire.cookie import CookieSecrets
from ocizone.wire.name import from_text, is_at_or_below, to_text
from ocizone.zone.reader import ZoneReader
from ocizone.zone.serial import newer


class ZonesOfImage(Protocol):
    """The part of an image that assembling needs."""

    def zones(self) -> Mapping[tuple[str, bytes], ZoneReader]:
        """Return the zones by (view, apex)."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """A snapshot, and what had to be left out of it."""

    snapshot: Snapshot
    problems: tuple[Problem, ...]


def assemble(
    plan: Plan,
    images: Mapping[str, ZonesOfImage],
    earlier: Mapping[str, Sequence[ZonesOfImage]] = MappingProxyType({}),
    *,
    hostname: str,
    generation: int,
    before: Snapshot | None = None,
    now: int = 0,
    cookie_secret: bytes | None = None,
    deployments: Mapping[str, Deployment] = MappingProxyType({}),
) -> Assembly:
    """Return the snapshot of a plan.

    Args:
        plan: views and sources.
        images: by source key; a source without one has no version yet.
        earlier: by source key, images of before, newest first.
        hostname: of this server, for ``chaos`` and ``nsid``.
        generation: number of the snapshot.
        before: what is served until now: catalogs go on from there.
        now: unix seconds, the serial of a catalog that changed.
        cookie_secret: of this process, for a plan without secrets; None for no cookies then.
        deployments: by source key, what the images are of, for ``provenance``.
    """
    names = {source.key: source.name for source in plan.sources}
    problems: list[Problem] = []
    listeners: dict[str, dict[bytes, Block]] = {str(endpoint): {} for endpoint in plan.endpoints}
    known = frozenset(view.name for view in plan.views)
    served = {} if before is None else before.blocks
    for view in plan.views:
        told = deployments if view.block.get(ProvenanceDirective) is not None else {}
        origins = {key: _provenance(deployment) for key, deployment in told.items()}
        zones = _zones(view, known, images, earlier, names, problems, origins)
        pending = _pending(view, images, names)
        catalog = view.block.get(Catalog)
        if catalog is not None and catalog.name not in zones:
            was = served.get(view.name)
            zones[catalog.name] = catalog_of(catalog, zones, pending, was, now)
        block = Block(
            name=view.name,
            keys=view.zones,
            policy=policy_of(view, hostname),
            zones=MappingProxyType(zones),
            pending=pending,
        )
        for endpoint, zone in view.keys:
            listeners[str(endpoint)][zone] = block
            if catalog is not None:
                # Its name is in no zone of the key line.
                listeners[str(endpoint)][catalog.name] = block
    frozen = {name: MappingProxyType(blocks) for name, blocks in listeners.items()}
    secrets = plan.cookie_secrets or (() if cookie_secret is None else (cookie_secret,))
    snapshot = Snapshot(
        generation,
        MappingProxyType(frozen),
        keys=MappingProxyType(dict(plan.keys)),
        cookies=CookieSecrets(secrets) if secrets else None,
    )
    return Assembly(snapshot, tuple(sorted(problems)))


def policy_of(view: View, hostname: str) -> Policy:
    """Return what the view's directives ask of its answers."""
    block = view.block
    nsid = block.get(Nsid)
    chaos = block.get(Chaos)
    cookies = block.get(Cookies)
    tsig = block.get(Tsig)
    return Policy(
        acl=block.all(Acl),
        any_hinfo=block.get(AnyHinfo) is not None,
        bufsize=block.get(BufferSize),
        nsid=None if nsid is None else nsid.data if nsid.data is not None else hostname.encode(),
        chaos=chaos and Chaos(chaos.version or f"ocizone-{__version__}", chaos.authors),
        hostname=hostname,
        minimal=block.get(Minimal) is not None,
        loadbalance=block.get(LoadBalance),
        whoami=block.get(Whoami) is not None,
        cookies="on" if cookies is None else cookies.mode,
        tsig=None if tsig is None else tsig.rules,
        transfer=block.all(Transfer),
        provenance=block.get(ProvenanceDirective) is not None,
    )


def _zones(
    view: View,
    known: frozenset[str],
    images: Mapping[str, ZonesOfImage],
    earlier: Mapping[str, Sequence[ZonesOfImage]],
    names: Mapping[str, str],
    problems: list[Problem],
    origins: Mapping[str, Provenance],
) -> dict[bytes, ServedZone]:
    zones: dict[bytes, ServedZone] = {}
    owners: dict[bytes, str] = {}
    for key in dict.fromkeys(key for key, _ in view.rules):
        image = images.get(key)
        if image is None:
            continue
        past = [_of_view(one, view.name, known) for one in earlier.get(key, ())]
        asked = [_asked(rule) for at, rule in view.rules if at == key]
        for apex, reader in _of_view(image, view.name, known).items():
            # An image of before a reload may hold zones the Corefile no longer asks for.
            if not any(wants(apex) for wants in asked):
                continue
            problem = claimed_by_catalog(view, apex, names[key])
            if problem is not None:
                problems.append(problem)
                continue
            if apex in owners:
                problems.append(claimed_twice(view, to_text(apex), names[owners[apex]], names[key]))
                continue
            owners[apex] = key
            zones[apex] = Loaded(
                reader,
                history([reader, *(one[apex] for one in past if apex in one)]),
                provenance=origins.get(key),
            )
    for key, rule in view.rules:
        for origin in rule.origins if rule.kind == "file" else ():
            apex = from_text(origin)
            if apex not in zones:
                zones[apex] = NotReady(f"no version of {names[key]} holds {origin} yet")
    return zones


def _provenance(deployment: Deployment) -> Provenance:
    """Return where a deployment comes from, as DNS tells it."""
    since = datetime.fromtimestamp(deployment.activated_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Provenance(deployment.reference, deployment.digest, since)


def history(versions: Sequence[ZoneReader]) -> tuple[ZoneReader, ...]:
    """Return the versions a difference to the newest may start from (RFC 1995 2).

    A serial that named two contents says nothing of what a secondary holds, and neither does
    one that the newest does not exceed: those get the whole zone.

    Args:
        versions: of one zone in one view, newest first.
    """
    newest = versions[0].info
    contents: dict[int, set[str]] = {}
    for reader in versions:
        contents.setdefault(reader.info.serial, set()).add(reader.info.content)
    found: dict[int, ZoneReader] = {}
    for reader in versions[1:]:
        serial = reader.info.serial
        if newer(newest.serial, serial) and len(contents[serial]) == 1 and reader.info.content:
            found.setdefault(serial, reader)
    return tuple(found.values())[:IXFR_VERSIONS]


def _of_view(image: ZonesOfImage, view: str, known: frozenset[str]) -> dict[bytes, ZoneReader]:
    """Return an image's zones for a view.

    An image of before the view's key line changed names the view as it was: until the new one
    is compiled its zones go on being served, under the new name.
    """
    zones = image.zones()
    own = {apex: reader for (name, apex), reader in zones.items() if name == view}
    if own:
        return own
    return {apex: reader for (name, apex), reader in zones.items() if name not in known}


def _asked(rule: ZoneRule) -> Callable[[bytes], bool]:
    """Return what tells whether a rule asks for an apex; its origins are read once."""
    origins = frozenset(from_text(origin) for origin in rule.origins)
    if rule.kind == "file":
        return origins.__contains__
    return lambda apex: any(is_at_or_below(apex, origin) for origin in origins)


def _pending(
    view: View, images: Mapping[str, ZonesOfImage], names: Mapping[str, str]
) -> str | None:
    missing = [names[key] for key, rule in view.rules if key not in images and rule.kind != "file"]
    return f"no version of {', '.join(dict.fromkeys(missing))} yet" if missing else None


def conflicts(
    plan: Plan,
    images: Mapping[str, ZonesOfImage],
    key: str,
    zones: Iterable[tuple[str, str]],
) -> list[Problem]:
    """Return what keeps a source from being activated: origins another source has in a view.

    Args:
        plan: views and sources.
        images: what is served now, by source key.
        key: of the source that wants to be activated.
        zones: (view name, apex in presentation form) it holds.
    """
    names = {source.key: source.name for source in plan.sources}
    views = {view.name: view for view in plan.views}
    taken = {
        (name, apex): other
        for other, image in images.items()
        if other != key and other in names
        for name, apex in image.zones()
    }
    found: list[Problem] = []
    if not taken and all(view.block.get(Catalog) is None for view in plan.views):
        # The common case; who activates thousands of zones holds up queries meanwhile.
        return found
    for name, apex in zones:
        view = views.get(name)
        if view is None:
            # A follower that a reload just stopped is in no plan any more.
            continue
        origin = from_text(apex)
        holder = taken.get((name, origin))
        if holder is not None:
            found.append(claimed_twice(view, apex, names[holder], names.get(key, key)))
        problem = claimed_by_catalog(view, origin, names.get(key, key))
        if problem is not None:
            found.append(problem)
    return found


def claimed_twice(view: View, origin: str, holder: str, claimant: str) -> Problem:
    """Return the finding that two sources claim one origin in one view; it names both."""
    position = view.block.position
    return Problem(
        position.file,
        position.line,
        0,
        Severity.ERROR,
        "origin-claimed-twice",
        f"{origin} is served from {holder} and claimed by {claimant} too",
        "remove the zone from one of them, or name its file with `file`",
    )
