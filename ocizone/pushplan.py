"""What a push would change: the new zones against what the tag names now. Blocking.

Counted as a server counts before it activates (compiler.changes). Not here: the records
themselves (ocizone.compare), and words on the terminal (cli.push).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ocizone.compare import Zones
from ocizone.compiler.changes import zone_changes
from ocizone.compiler.spec import ZoneChange
from ocizone.difftext import serial_text
from ocizone.errors import ArtifactError, FetchReason, RegistryError
from ocizone.follow.guard import objections
from ocizone.opening import Opener, image_zones
from ocizone.plugins.artifact import Guard
from ocizone.publish import CHECK_VIEW
from ocizone.registry.reference import Reference
from ocizone.sides import Stored


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push would change.

    Attributes:
        former: digest the tag names now, "" for none.
        changes: of each zone that is not as it was, in order of their names.
        incomparable: why what the tag names cannot be compared, "" when it was.
    """

    former: str
    changes: tuple[ZoneChange, ...] = ()
    incomparable: str = ""

    def lines(self) -> list[str]:
        """Return a line a zone, and what is odd about it."""
        if self.incomparable:
            return [f"{self.former} cannot be compared: {self.incomparable}"]
        return [change_line(change) for change in self.changes] or ["nothing changes"]

    def over(self, most_deletes: float) -> list[str]:
        """Return a line for each zone that loses too much, by the rules of a server's guard.

        What cannot be compared may lose everything.

        Args:
            most_deletes: fraction of its records, 0 to 1; of 1 a zone may be gone as a whole.
        """
        if self.incomparable:
            return [f"deletes cannot be counted ({self.incomparable})"]
        guard = Guard(deletes=most_deletes, zones=most_deletes < 1)
        return [problem.message for problem in objections(self.changes, guard, "")]


def plan_push(opener: Opener, target: Reference, image: Path) -> Plan:
    """Return what pushing a compiled image to a tag changes.

    Args:
        opener: pulls what the tag names, into its workspace.
        target: the tag.
        image: of the files that are to be pushed.

    Raises:
        RegistryError: the registry cannot be asked.
        StoreError: the workspace cannot be written.
    """
    after = image_zones(image)
    client = opener.clients(target)
    try:
        former = client.resolve().digest
    except RegistryError as error:
        if error.reason is not FetchReason.NOT_FOUND:
            raise
        return Plan("", _changes({}, after))
    finally:
        client.close()
    try:
        before = opener.artifact(Stored(target, "", former), "former")
    except ArtifactError as error:
        return Plan(former, incomparable=str(error).partition("\n")[0])
    return Plan(former, _changes(before, after))


def change_line(change: ZoneChange) -> str:
    """Return ``example.org  +2 -1 ~0   serial 2026112001 -> 2026112002``."""
    counts = f"+{change.added:,} -{change.removed:,} ~{change.changed:,}"
    serial = serial_text(change.serial_before, change.serial)
    note = {"added": "   new zone", "removed": "   zone removed", "changed": ""}[change.kind]
    if change.kind == "changed" and change.serial_before == change.serial:
        note = " unchanged: secondaries will not notice"
    return f"{_name(change)}  {counts}   {serial}{note}"


def _name(change: ZoneChange) -> str:
    return change.apex.removesuffix(".") or "."


def _changes(before: Zones, after: Zones) -> tuple[ZoneChange, ...]:
    return zone_changes(
        {(CHECK_VIEW, apex): zone for apex, zone in before.items()},
        {(CHECK_VIEW, apex): zone for apex, zone in after.items()},
    )
