"""How much of processes' resident memory is the shared map of images (proc_pid_smaps(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bench.processes import tree

_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$")


@dataclass(frozen=True, slots=True)
class Mapped:
    """Resident octets of a process or of several.

    Attributes:
        resident: everything; a page that several map counts once among them (Pss).
        images: of it pages of mapped images.
        alone: pages beyond images that no other process maps (Private_Clean and Private_Dirty).
    """

    resident: int
    images: int
    alone: int


def mapped(pid: int) -> Mapped:
    """Return the resident memory of a process and all below it."""
    found = [mapped_by_one(member) for member in tree(pid)]
    return Mapped(
        sum(one.resident for one in found),
        sum(one.images for one in found),
        sum(one.alone for one in found),
    )


def mapped_by_one(pid: int) -> Mapped:
    """Return the resident memory of one process; zeros when it is gone."""
    try:
        return parse_smaps(Path(f"/proc/{pid}/smaps").read_text())
    except OSError:
        return Mapped(0, 0, 0)


def parse_smaps(text: str) -> Mapped:
    """Add up what one process has; an image is a mapping of a ``.mdb`` file."""
    resident = images = alone = 0
    of_image = False
    for line in text.splitlines():
        field, _, value = line.partition(":")
        if field == "Pss":
            octets = int(value.split()[0]) * 1024
            resident += octets
            images += octets if of_image else 0
        elif field in {"Private_Clean", "Private_Dirty"}:
            alone += 0 if of_image else int(value.split()[0]) * 1024
        elif (found := _MAPPING.match(line)) is not None:
            of_image = found[1].removesuffix(" (deleted)").endswith(".mdb")
    return Mapped(resident, images, alone)
