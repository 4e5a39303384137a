"""How much of a process tree's resident memory is the shared map of images (proc_pid_smaps(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bench.processes import tree

_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$")


@dataclass(frozen=True, slots=True)
class Mapped:
    """Resident octets of a process tree: all, and those of mapped images; each page once."""

    resident: int
    images: int


def mapped(pid: int) -> Mapped:
    """Return the resident memory of a process and all below it."""
    resident = images = 0
    for member in tree(pid):
        try:
            text = Path(f"/proc/{member}/smaps").read_text()
        except OSError:
            continue
        found = parse_smaps(text)
        resident, images = resident + found.resident, images + found.images
    return Mapped(resident, images)


def parse_smaps(text: str) -> Mapped:
    """Add up the Pss of one process; an image is a mapping of a ``.mdb`` file."""
    resident = images = 0
    name = ""
    for line in text.splitlines():
        if line.startswith("Pss:"):
            octets = int(line.split()[1]) * 1024
            resident += octets
            images += octets if name.removesuffix(" (deleted)").endswith(".mdb") else 0
        elif (found := _MAPPING.match(line)) is not None:
            name = found[1]
    return Mapped(resident, images)
