"""One attempt to learn what a tag names and to have its layers. Blocking; no Twisted.

Runs in a pool thread. Decides as early as it can: an unchanged tag costs one HEAD and no write.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from ocizone import limits
from ocizone.errors import FetchReason, OcizoneError, Permanent
from ocizone.registry.api import PullClient
from ocizone.registry.manifest import TITLE, UNPACK, Descriptor
from ocizone.store.deployments import Deployment, StoredLayer
from ocizone.store.gc import Hold
from ocizone.store.store import Store


@dataclass(frozen=True, slots=True)
class Known:
    """What need not be fetched again.

    Attributes:
        current: the deployment that is served, with the configuration of now.
        rejected: the digest last refused with the configuration of now, "" for none.
    """

    current: Deployment | None
    rejected: str


@dataclass(frozen=True, slots=True)
class Same:
    """The tag names what is served."""

    digest: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The tag names what was refused before."""

    digest: str


@dataclass(frozen=True, slots=True)
class Relabelled:
    """Another manifest with the same layers: a push of the same content has a new date."""

    digest: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A new revision, all of whose layers are in the store and verified."""

    digest: str
    layers: tuple[StoredLayer, ...]


Found = Same | Rejected | Relabelled | Fetched


def attempt(client: PullClient, store: Store, hold: Hold, known: Known) -> Found:
    """Make one attempt.

    Args:
        client: used by this thread alone until it returns.
        store: takes the layers.
        hold: keeps them from being collected.
        known: what need not be fetched again.

    Raises:
        RegistryError: talking to the registry failed.
        StoreError: the disk failed.
    """
    client.start_attempt(limits.ATTEMPT_DEADLINE_S)
    digest = client.resolve().digest
    if known.current is not None and known.current.digest == digest:
        return Same(digest)
    if known.rejected == digest:
        return Rejected(digest)
    descriptors = client.manifest(digest).layers
    total = sum(descriptor.size for descriptor in descriptors)
    if total > limits.ARTIFACT_OCTETS:
        raise Permanent(
            f"{digest} has {total} octets of layers, more than {limits.ARTIFACT_OCTETS}",
            reason=FetchReason.TOO_LARGE,
        )
    layers = tuple(_stored(descriptor) for descriptor in descriptors)
    if known.current is not None and known.current.layers == layers:
        return Relabelled(digest)
    for descriptor in descriptors:
        # Held before it is looked for: it must not be collected in between.
        hold.keep(descriptor.digest)
        if not store.blobs.verified(descriptor.digest):
            _fetch(client, store, descriptor)
    return Fetched(digest, layers)


def _stored(descriptor: Descriptor) -> StoredLayer:
    return StoredLayer(
        digest=descriptor.digest,
        size=descriptor.size,
        title=descriptor.annotations.get(TITLE, ""),
        unpack=descriptor.annotations.get(UNPACK) == "true",
        media_type=descriptor.media_type,
    )


def _fetch(client: PullClient, store: Store, descriptor: Descriptor) -> None:
    temporary = store.disk.temporary()
    try:
        with store.disk.step("fetch", "blob", temporary):
            client.fetch(descriptor, temporary)
        store.blobs.ingest(temporary, descriptor.digest)
    except OcizoneError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
