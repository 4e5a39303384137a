"""What an operator decided about a source, and what waits for a decision. Values and their JSON.

Kept in ``sources/<key>/standing.json``, so that a restart changes no decision. Not here: what
follows from them (follow.follower, follow.gatekeeper).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ocizone.errors import Problem
from ocizone.store.deployments import Deployment


@dataclass(frozen=True, slots=True)
class Pin:
    """A digest that is served whatever the tag names.

    Attributes:
        digest: of the manifest.
        kind: ``pin`` stands until ``unpin``; ``rollback`` also ends when the tag names a digest
            other than those passed over.
        since: unix seconds.
        reason: the operator's words, "" for none.
        passed_over: what the tag named when it was rolled back.
    """

    digest: str
    kind: Literal["pin", "rollback"]
    since: int
    reason: str = ""
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspension:
    """No looks. ``until`` is unix seconds, None for until ``resume``."""

    since: int
    until: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A digest that is compiled and waits for ``approve``.

    Attributes:
        digest: of the manifest.
        condition: ``ChangeGuard`` or ``RollbackDetected``.
        since: unix seconds.
        configuration: fingerprint of rules and guard it was held with.
        problems: why, one each.
        layers: digests of its layers, kept from collection.
        fingerprint: of its image, kept too; "" when none was made.
        candidate: what ``approve`` activates, without the registry.
    """

    digest: str
    condition: Literal["ChangeGuard", "RollbackDetected"]
    since: int
    configuration: str
    problems: tuple[Problem, ...]
    layers: tuple[str, ...] = ()
    fingerprint: str = ""
    candidate: Deployment | None = None


@dataclass(frozen=True, slots=True)
class Watermark:
    """The newest that was served: what is older is held (TUF's rollback attack).

    Attributes:
        digest: of the manifest with the newest ``created``, or served last.
        created: RFC 3339 UTC of its annotation; "" for none.
        serials: (file, apex, highest serial served, as it stood in the file) (RFC 1982 order):
            not by server block, which a Corefile may rename, nor as served, which `serial auto`
            raises.
    """

    digest: str = ""
    created: str = ""
    serials: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it, for one source."""

    pin: Pin | None = None
    suspension: Suspension | None = None
    held: Held | None = None
    approved: tuple[str, ...] = ()
    """Digests that need no further approval; the newest last."""
    watermark: Watermark = field(default_factory=Watermark)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)
