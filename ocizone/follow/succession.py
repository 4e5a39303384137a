"""What secondaries and validators make of one version of a zone after another. Pure.

A changed artifact is served in any case; this tells what others will not notice, or not like.
"""

from __future__ import annotations

from ocizone.compiler.spec import CompiledZone
from ocizone.errors import Problem, Severity
from ocizone.zone.serial import newer


def unnoticed(
    before: tuple[CompiledZone, ...], after: tuple[CompiledZone, ...]
) -> tuple[Problem, ...]:
    """Return warnings about zones that changed in a way that others miss or mistrust.

    Args:
        before: what was deployed; records of old programs tell nothing of content.
        after: what is deployed now.
    """
    known = {(zone.view, zone.apex): zone for zone in before}
    found: dict[Problem, None] = {}
    for zone in after:
        former = known.get((zone.view, zone.apex))
        if former is None:
            continue
        # One file may serve several views: told once.
        found.update(dict.fromkeys(_of_zone(former, zone)))
    return tuple(found)


def _of_zone(former: CompiledZone, zone: CompiledZone) -> list[Problem]:
    found = []
    if former.content and zone.content and former.content != zone.content:
        hint = (
            "raise it and sign again: the serial of a signed zone is not changed here"
            if zone.signed_until
            else "raise it, or let `serial auto` do it"
        )
        if zone.serial == former.serial:
            message = (
                f"{zone.apex} changed and secondaries will not notice: "
                f"serial {zone.serial} did not rise"
            )
            found.append(_warning(zone, "serial-not-risen", message, f"{hint} (RFC 1034 4.3.5)"))
        elif not newer(zone.serial, former.serial):
            message = (
                f"{zone.apex} changed and secondaries will not notice: "
                f"serial {zone.serial} is not above {former.serial}"
            )
            found.append(_warning(zone, "serial-backwards", message, f"{hint} (RFC 1982 3.2)"))
    if former.signed_until and not zone.signed_until:
        message = f"{zone.apex} was signed and is not any more"
        hint = "as long as the parent has a DS, validators refuse all of it (RFC 4035 5.2)"
        found.append(_warning(zone, "signatures-gone", message, hint))
    return found


def _warning(zone: CompiledZone, rule: str, message: str, hint: str) -> Problem:
    return Problem(zone.file, 0, 0, Severity.WARNING, rule, message, hint)
