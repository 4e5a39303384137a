"""What following and pushing need of a registry: the interface the client and its fakes share.

Blocking: every method runs in a pool thread, raises only RegistryError (Transient or
Permanent), and gives up at the deadline it was made with or when ``abort`` is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ocizone.registry.manifest import Descriptor, Manifest


class PullClient(Protocol):
    """One repository of one registry, used by one thread at a time."""

    def start_attempt(self, seconds: float) -> None:
        """Begin a new attempt: everything until the next call shares this deadline."""

    def resolve(self) -> str:
        """Return the digest the followed tag names now: exactly one HEAD when nothing is odd.

        A digest reference is returned as it is, without a request.
        """

    def manifest(self, digest: str) -> Manifest:
        """Return the image manifest with this digest, its bytes verified.

        An index is resolved by the documented rule: one manifest, else the one marked for us,
        else an error.
        """

    def fetch(self, layer: Descriptor, destination: Path) -> None:
        """Stream a blob into ``destination`` (created, 0600), size and digest verified.

        On any failure the file is removed. The caller renames it into place.

        Raises:
            StoreError: the file cannot be created or written; a full disk is not the registry's.
        """

    def abort(self) -> None:
        """Make a call under way in another thread end soon, by closing its connections."""

    def close(self) -> None:
        """Close the kept connections; a later call opens new ones. May be called again."""
