"""In which state a zone is, in a word for a table and in a line below it; names and digests, short.

Also which sources nobody has seen fine for long. Pure; reads the status document (admin.status).
Not here: the table (cli.statustable).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from ocizone.registry import manifest

#: States that are told elsewhere: what is missing, and what an operator decided about a source.
_TOLD_ELSEWHERE: Final = frozenset({"Loading", "Suspended", "Pinned"})
#: A reason is one word (follow.status, errors.FetchReason).
_REASON: Final = re.compile(r"(?P<reason>[A-Z][A-Za-z]+): ")
#: Zones that are named in one line; an artifact of 1,000 has one reason for all of them.
_NAMED: Final = 3


def zone_state(zone: dict[str, Any]) -> str:
    """Return ``Ready``, or ``Held: ChangeGuard``: a state, and why in a word where there is one.

    Args:
        zone: of the document's ``zones``.
    """
    state = str(zone["state"])
    found = _REASON.match(_why(zone))
    return f"{state}: {found['reason']}" if found else state


def zone_reasons(zones: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return a state and a line each for why zones are not simply ready; one for each reason.

    Args:
        zones: of the document.
    """
    named: dict[tuple[str, str], list[str]] = {}
    for zone in zones:
        state, why = str(zone["state"]), _why(zone)
        if why and state not in _TOLD_ELSEWHERE:
            named.setdefault((state, why), []).append(short_name(zone["name"]))
    return [(state, f"{_names(names)}  {state}: {why}") for (state, why), names in named.items()]


def _names(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _why(zone: dict[str, Any]) -> str:
    message = str(zone.get("message", "")).partition("\n")[0]
    return message.removeprefix(f"{zone['state']}: ")


def short_name(name: str) -> str:
    """Return a zone's name without its last dot, as people write it; the root as it is."""
    return name.removesuffix(".") or "."


def short_digest(digest: str) -> str:
    """Return the first twelve hex digits of a digest, as git and docker do; ``-`` for none."""
    return manifest.short_digest(digest) or "-"


def stale_sources(document: dict[str, Any], most_s: float) -> list[str]:
    """Return what is wrong with each source that was last fine more than ``most_s`` ago.

    A source that is suspended on purpose counts, too: nobody looks whether it changed.
    """
    now = datetime.fromisoformat(document["now"])
    found = []
    for source in document["sources"]:
        last = source.get("last_success")
        if last is None:
            found.append(f"{source['name']}: never looked at with success since the start")
            continue
        age = (now - datetime.fromisoformat(last)).total_seconds()
        if age > most_s:
            found.append(f"{source['name']}: last ok {int(age)} s ago, over {most_s:g} s")
    return found
