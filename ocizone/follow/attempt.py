"""One attempt to learn what to serve and to have its layers. Blocking; no Twisted.

Runs in a pool thread. Decides as early as it can: an unchanged tag costs one HEAD and no write.
Then, each before the next costs anything: the manifest by its digest, allowed types, whose
signature it has, missing layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, assert_never

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, Problem, Severity
from ocizone.follow.status import SIGNATURE_REFUSED, TYPE_REFUSED
from ocizone.plugins.artifact import Verify
from ocizone.registry.api import PullClient
from ocizone.registry.manifest import CREATED, REVISION, TITLE, UNPACK, Descriptor, Manifest
from ocizone.registry.trust import CheckSignature, Signed, Unsigned, Untrusted
from ocizone.store.deployments import Deployment, StoredLayer
from ocizone.store.gc import Hold
from ocizone.store.reports import DeployState
from ocizone.store.standing import Pin
from ocizone.store.store import Store


@dataclass(frozen=True, slots=True)
class Known:
    """What need not be fetched again.

    Attributes:
        current: the deployment that is served, with the configuration of now.
        rejected: the digest last refused with the configuration of now, "" for none.
        held: the digest that waits for ``approve``, "" for none.
        trusted: a digest whose signature was found good since the start, "" for none.
    """

    current: Deployment | None
    rejected: str
    held: str = ""
    trusted: str = ""


class Enter(Protocol):
    """Is told how far a deployment came."""

    def __call__(self, state: DeployState, found: Revision, /) -> None:
        """Note it; blocking, in the thread of the attempt."""


#: Returns when a blob is in the store (store.arena); the octets that were fetched for it.
Have = Callable[[PullClient, Descriptor], int]


def _nowhere(_state: DeployState, _found: Revision) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms an artifact is taken.

    Attributes:
        pin: what the source is held to, or None.
        fresh_s: see registry.api.PullClient.resolve; asked when the request is made.
        timeout_s: of the attempt.
        allowed_types: see plugins.artifact.
        verify: whose signature it needs, or None.
        check_signature: looks for one.
        have: gets a blob into the store.
        max_octets: of all layers.
        enter: is told how far it came.
    """

    check_signature: CheckSignature
    have: Have
    pin: Pin | None = None
    fresh_s: Callable[[], float] = lambda: 0.0
    timeout_s: float = limits.ATTEMPT_DEADLINE_S
    allowed_types: tuple[str, ...] = ()
    verify: Verify | None = None
    max_octets: int = limits.ARTIFACT_OCTETS
    enter: Enter = _nowhere


@dataclass(frozen=True, slots=True)
class Revision:
    """What may be deployed.

    Attributes:
        digest: of the manifest; for local files a digest over their names and contents.
        layers: in manifest order.
        tag: that names it, "" for none.
        created: of the manifest's annotation, "" for none.
        revision: of the manifest's annotation, "" for none.
        verified_by: whose signature it has, "" for nobody's.
        octets: that were fetched for it.
        problems: warnings about it.
    """

    digest: str
    layers: tuple[StoredLayer, ...] = ()
    tag: str = ""
    created: str = ""
    revision: str = ""
    verified_by: str = ""
    octets: int = 0
    problems: tuple[Problem, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Same:
    """What is to be served is served. ``named`` is what the tag names, "" without a tag."""

    digest: str
    named: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """What is to be served was refused before, with the configuration of now."""

    digest: str
    named: str = ""


@dataclass(frozen=True, slots=True)
class StillHeld:
    """What is to be served waits for ``approve``."""

    digest: str
    named: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """What is to be served may not be; ``lasting`` until the configuration changes."""

    digest: str
    named: str
    reason: str
    message: str
    lasting: bool
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is to be served has no signature yet."""

    digest: str
    named: str
    message: str


@dataclass(frozen=True, slots=True)
class Relabelled:
    """Another manifest with the same layers: a push of the same content has a new date."""

    revision: Revision
    named: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A new revision, all of whose layers are in the store and verified."""

    revision: Revision
    named: str = ""


Found = Same | Rejected | StillHeld | Refused | Waiting | Relabelled | Fetched


def wanted(pin: Pin | None, named: str) -> str:
    """Return the digest that is to be served.

    A rollback ends by itself when the tag names yet another digest.

    Args:
        pin: what the source is held to.
        named: what the tag names.
    """
    if pin is None:
        return named
    if pin.kind == "rollback" and named not in {pin.digest, *pin.passed_over}:
        return named
    return pin.digest


def attempt(client: PullClient, store: Store, hold: Hold, known: Known, terms: Terms) -> Found:
    """Make one attempt.

    Args:
        client: used by this thread alone until it returns.
        store: takes the layers.
        hold: keeps them from being collected.
        known: what need not be fetched again.
        terms: see Terms.

    Raises:
        RegistryError: talking to the registry failed.
        StoreError: the disk failed.
    """
    client.start_attempt(terms.timeout_s)
    resolved = client.resolve(terms.fresh_s())
    named = resolved.digest
    digest = wanted(terms.pin, named)
    current = known.current
    trusted = terms.verify is None or known.trusted == digest
    if current is not None and current.digest == digest and trusted and _is_whole(current, store):
        return Same(digest, named)
    if known.rejected == digest:
        return Rejected(digest, named)
    if known.held == digest:
        return StillHeld(digest, named)
    manifest = client.manifest(digest)
    found = Revision(
        digest,
        tuple(_stored(descriptor) for descriptor in manifest.layers),
        resolved.tag if digest == named else "",
        manifest.annotations.get(CREATED, ""),
        manifest.annotations.get(REVISION, ""),
    )
    is_new = current is None or current.layers != found.layers
    enter = terms.enter if is_new else _nowhere
    enter("resolved", found)
    _bounded(manifest, digest, terms.max_octets)
    wrong_type = _wrong_type(manifest, terms.allowed_types)
    if wrong_type:
        problem = Problem("", 0, 0, Severity.ERROR, "type-not-allowed", wrong_type)
        return Refused(digest, named, TYPE_REFUSED, wrong_type, True, (problem,))
    if terms.verify is not None:
        enter("verifying", found)
        verdict = terms.check_signature(client, digest, terms.verify)
        match verdict:
            case Signed(by):
                found = replace(found, verified_by=by)
            case Unsigned(why) | Untrusted(why) if terms.verify.policy == "warn":
                problem = Problem("", 0, 0, Severity.WARNING, "not-verified", why)
                found = replace(found, problems=(problem,))
            case Unsigned(why):
                return Waiting(digest, named, why)
            case Untrusted(why):
                problem = Problem("", 0, 0, Severity.ERROR, "signature", why)
                return Refused(digest, named, SIGNATURE_REFUSED, why, False, (problem,))
            case _:
                assert_never(verdict)
    enter("fetching", found)
    octets = 0
    for layer in manifest.layers:
        # Held before it is looked for: it must not be collected in between.
        hold.keep(layer.digest)
        if not store.blobs.verified(layer.digest):
            octets += terms.have(client, layer)
    found = replace(found, octets=octets)
    return Fetched(found, named) if is_new else Relabelled(found, named)


def _is_whole(current: Deployment, store: Store) -> bool:
    """Tell whether the blobs of what is served are here: a scrub takes damaged ones away."""
    return all(store.blobs.path(layer.digest).is_file() for layer in current.layers)


def _wrong_type(manifest: Manifest, allowed: tuple[str, ...]) -> str:
    """Return what is wrong with an artifact's types, "" for nothing.

    Its own type is allowed, or that of every layer with a title: the oras CLI gives an artifact
    no type of its own unless it is told one.
    """
    if not allowed or manifest.artifact_type in allowed:
        return ""
    titled = [layer.media_type for layer in manifest.layers if TITLE in layer.annotations]
    if titled and all(one in allowed for one in titled):
        return ""
    found = ", ".join(dict.fromkeys([manifest.artifact_type or "(none)", *titled]))
    return f"allowed_types does not name its type: {found[:200]!a}"


def _bounded(manifest: Manifest, digest: str, most: int) -> None:
    total = sum(descriptor.size for descriptor in manifest.layers)
    if total > most:
        raise Permanent(
            f"{digest} has {total} octets of layers, more than {most}",
            reason=FetchReason.TOO_LARGE,
        )


def _stored(descriptor: Descriptor) -> StoredLayer:
    return StoredLayer(
        digest=descriptor.digest,
        size=descriptor.size,
        title=descriptor.annotations.get(TITLE, ""),
        unpack=descriptor.annotations.get(UNPACK) == "true",
        media_type=descriptor.media_type,
    )
