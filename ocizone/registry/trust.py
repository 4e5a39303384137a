"""What became of looking for a signature: a closed union, and who looks.

Not here: the formats (registry.cosign) and where signatures are found (registry.signatures).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from ocizone.plugins.artifact import Verify
from ocizone.registry.api import SignatureClient


@dataclass(frozen=True, slots=True)
class Signed:
    """The digest is signed by somebody we trust.

    Attributes:
        by: for people: ``key ops.pub``, or ``subject (issuer)``.
        layout: ``tag`` or ``bundle``.
    """

    by: str
    layout: str


@dataclass(frozen=True, slots=True)
class Unsigned:
    """There is no signature yet; one may still come (a push and its signature are two steps)."""

    why: str


@dataclass(frozen=True, slots=True)
class Untrusted:
    """There are signatures and none of them counts; ``why`` tells of each, bounded."""

    why: str


Verdict = Signed | Unsigned | Untrusted

#: Returns the verdict on the manifest with this digest. Blocking; raises RegistryError.
CheckSignature = Callable[[SignatureClient, str, Verify], Verdict]


def signers(verify: Verify) -> frozenset[str]:
    """Return who may sign, as ``Signed.by`` names them: keys by their files."""
    keys = {f"key {PurePath(path).name}" for path in verify.keys}
    return frozenset(keys | {f"{one.subject} ({one.issuer})" for one in verify.identities})
