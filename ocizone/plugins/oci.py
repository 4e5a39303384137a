"""``oci REPO [PATH] { ... }``: follow a tag of a registry and serve the zones it holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from ocizone.corefile.types import Position
from ocizone.registry.reference import Reference


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the block says of who we are; passwords never show in a repr.

    Exactly one of ``password`` and ``password_file`` is set when ``username`` is.
    """

    username: str
    password: str | None = field(default=None, repr=False)
    password_file: str | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """One ``oci`` directive: what to follow and where to put it.

    Attributes:
        reference: registry, repository, tag or digest.
        path: absolute directory its files are materialised in.
        interval_s: seconds between looks, at least limits.MINIMUM_INTERVAL_S.
        insecure: plain HTTP.
        credentials: from the block, or None for anonymous.
        ca_file: PEM file to trust instead of the system's, or None.
        position: for messages.
    """

    reference: Reference
    path: str
    interval_s: float
    insecure: bool
    credentials: Credentials | None
    ca_file: str | None
    position: Position
