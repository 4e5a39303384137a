"""Properties that ``oci``, ``file`` and ``auto`` share: what is done with zones that are odd.

Not a directive. The one that names a zone's file decides; what it leaves open, the ``oci`` it
takes the file from does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ocizone.corefile.directive import BadArgumentError, Given, Property, Use

DnssecRule = Literal["refuse", "warn"]
SerialRule = Literal["keep", "auto", "unixtime"]


@dataclass(frozen=True, slots=True)
class ZonePolicy:
    """What a directive says of its zones; None where it says nothing.

    Attributes:
        dnssec: what becomes of a signed zone with faults.
        serial: what becomes of a serial that did not rise though the content changed.
    """

    dnssec: DnssecRule | None = None
    serial: SerialRule | None = None

    def over(self, other: ZonePolicy) -> ZonePolicy:
        """Return this policy, completed from another one."""
        return ZonePolicy(self.dnssec or other.dnssec, self.serial or other.serial)


def _dnssec(given: Given) -> DnssecRule:
    match given.text:
        case "refuse" | "warn" as rule:
            return rule
        case _:
            raise BadArgumentError(f"dnssec '{given.words[0].shown}' is neither refuse nor warn")


def _serial(given: Given) -> SerialRule:
    match given.text:
        case "keep" | "auto" | "unixtime" as rule:
            return rule
        case _:
            shown = given.words[0].shown
            raise BadArgumentError(f"serial '{shown}' is none of keep, auto and unixtime")


DNSSEC: Final = Property(
    "dnssec",
    "refuse|warn",
    _dnssec,
    "What becomes of a signed zone whose signatures or chain are not right: the last good version"
    " stays, or it is served with a warning. Without it `refuse`.",
)
SERIAL: Final = Property(
    "serial",
    "keep|auto|unixtime",
    _serial,
    "The SOA serial when the content changed and it did not rise: left as it is, raised by one, or"
    " the time of day in seconds (at every change). Without it `keep`. Not of signed zones.",
)


def zone_policy(use: Use) -> ZonePolicy:
    """Return what a directive's block says of its zones."""
    return ZonePolicy(use.last(DNSSEC), use.last(SERIAL))
