"""May this revision go live? What holds it back, and what is only told. Pure.

The guard (follow.guard) looks at what changes, the watermark (follow.watermark) at what is older;
an approval, a pin and ``allow_rollback`` let pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ocizone.compiler.spec import CompiledZone, ZoneChange
from ocizone.errors import Problem
from ocizone.follow.attempt import Revision
from ocizone.follow.guard import objections, warnings
from ocizone.follow.watermark import older
from ocizone.plugins.artifact import Guard
from ocizone.store.standing import Standing

Condition = Literal["ChangeGuard", "RollbackDetected"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate says.

    Attributes:
        condition: why it is held, None when it may pass.
        problems: what holds it; without a condition, warnings.
    """

    condition: Condition | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules of one source.

    Attributes:
        guard: which changes are held, or None.
        allow_rollback: an older artifact is like any other.
    """

    guard: Guard | None = None
    allow_rollback: bool = False

    def judge(
        self,
        revision: Revision,
        zones: tuple[CompiledZone, ...],
        changes: tuple[ZoneChange, ...],
        standing: Standing,
        *,
        compared: bool = True,
    ) -> Judged:
        """Return whether a compiled revision may go live.

        Args:
            revision: that is to be served.
            zones: as compiled.
            changes: against what is served.
            standing: what the operator decided.
            compared: False when it is not known what changes.
        """
        pinned = standing.pin is not None and standing.pin.digest == revision.digest
        if pinned or revision.digest in standing.approved:
            return Judged(None, warnings(changes, compared=compared))
        if not self.allow_rollback:
            found = older(standing.watermark, revision.digest, revision.created, zones)
            if found:
                return Judged("RollbackDetected", found)
        # What the tag had served before an operator went elsewhere was judged then.
        known = revision.digest == standing.watermark.digest
        found = () if known else objections(changes, self.guard, revision.digest, compared=compared)
        if found:
            return Judged("ChangeGuard", found)
        return Judged(None, warnings(changes, compared=compared))
