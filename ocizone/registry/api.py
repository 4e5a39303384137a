"""What following and pushing need of a registry: the interface the client and its fakes share.

Blocking: every method runs in a pool thread, raises only RegistryError (Transient or
Permanent), and gives up at the deadline it was made with or when ``abort`` is called.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ocizone.registry.manifest import Descriptor, IndexEntry, Manifest


@dataclass(frozen=True, slots=True)
class Resolved:
    """What is followed names this now.

    Attributes:
        digest: of the manifest or index.
        tag: that was asked for, or that the rule picked; "" for a digest reference.
        origin: ``registry/repository`` that said so; a mirror's when the registry did not answer.
    """

    digest: str
    tag: str = ""
    origin: str = ""


class SignatureClient(Protocol):
    """What looking for signatures needs; the client of registry.client is one."""

    def manifest(self, digest: str) -> Manifest:
        """Return the image manifest with this digest, its bytes verified.

        An index is resolved by the documented rule: one manifest, else the one marked for us,
        else an error.
        """

    def tagged(self, tag: str) -> Manifest | None:
        """Return the manifest a tag of the repository names, None when there is none."""

    def referrers(self, digest: str) -> tuple[IndexEntry, ...]:
        """Return what refers to a manifest (OCI 1.1), by the API or by the fallback tag.

        Only ``artifact_type`` and the descriptor of an entry count: annotations may be missing.
        """

    def small(self, blob: Descriptor, most: int) -> bytes:
        """Return a blob of at most ``most`` octets, size and digest verified."""


class PullClient(SignatureClient, Protocol):
    """One repository of one registry, used by one thread at a time."""

    def start_attempt(self, seconds: float) -> None:
        """Begin a new attempt: everything until the next call shares this deadline."""

    def resolve(self, fresh_s: float = 0.0) -> Resolved:
        """Return what the followed tag names now: at most one HEAD when nothing is odd.

        A digest reference is returned as it is, without a request.

        Args:
            fresh_s: what another client learned of the same tag will do, if its request began at
                most so many seconds ago; 0.0 for a request of our own.
        """

    def fetch(self, layer: Descriptor, destination: Path) -> None:
        """Stream a blob into ``destination`` (created, 0600), size and digest verified.

        On any failure the file is removed. The caller renames it into place.

        Raises:
            StoreError: the file cannot be created or written; a full disk is not the registry's.
        """

    def wait(self, event: threading.Event) -> None:
        """Wait for what another thread sets, no longer than this attempt lasts.

        Raises:
            Transient: aborted, or the deadline came first.
        """

    def abort(self) -> None:
        """Make a call under way in another thread end soon, by closing its connections."""

    def close(self) -> None:
        """Close the kept connections; a later call opens new ones. May be called again."""
