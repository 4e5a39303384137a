"""The report of one deployment: what became of a manifest, state by state. Values and JSON.

Kept in ``sources/<key>/reports/<hex>.json``, one a manifest, written at each change of state, so
that it tells how far a deployment came whatever ended it (claircore's IndexReport).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ocizone.compiler.spec import CompiledZone, ZoneChange
from ocizone.errors import Problem
from ocizone.plain import plain

#: In order; ``held``, ``refused``, ``failed`` and ``waiting`` end one that did not get through.
DeployState = Literal[
    "resolved",  # the tag names it
    "verifying",  # allowed types and signature
    "fetching",  # missing blobs
    "compiling",  # or an image is reused; zone tests are part of it
    "guarding",  # changes against the guard and the watermark
    "activating",
    "served",
    "superseded",  # was served
    "waiting",  # for a signature
    "held",
    "refused",
    "failed",
]


@dataclass(frozen=True, slots=True)
class DeployReport:
    """What became of one manifest of one source.

    Attributes:
        source: key of the source.
        name: of the source.
        reference: what was followed, as text.
        digest: of the manifest.
        state: see DeployState.
        history: (state, unix seconds) in order of time.
        configuration: fingerprint of what beside the content decides (rules, trust, guard).
        tag: that named it, "" for none.
        created: of the manifest's annotation, "" for none.
        revision: ``org.opencontainers.image.revision``: who reads the history wants to know.
        verified_by: see registry.trust.Signed; "" for nobody.
        generation: of the deployment; 0 when it was never served.
        zones: as compiled.
        changes: against what was served before.
        tests: zone tests that held.
        derived: how many zones were taken over unread from what was served, amended where their
            file had changed, or read, and how many names were changed by it; {} when all was read.
        octets: fetched for it.
        seconds: from resolved to the end.
        reason: why it is not served; one word.
        message: the same in a line.
        problems: findings, with file and line.
    """

    source: str
    name: str
    reference: str
    digest: str
    state: DeployState
    history: tuple[tuple[str, float], ...] = ()
    configuration: str = ""
    tag: str = ""
    created: str = ""
    revision: str = ""
    verified_by: str = ""
    generation: int = 0
    zones: tuple[CompiledZone, ...] = ()
    changes: tuple[ZoneChange, ...] = ()
    tests: int = 0
    derived: dict[str, int] = field(default_factory=dict)
    octets: int = 0
    seconds: float = 0.0
    reason: str = ""
    message: str = ""
    problems: tuple[Problem, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        found: dict[str, Any] = plain(self)
        return found
