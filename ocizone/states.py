"""In which state a zone is, in a table's cell; and which sources nobody has seen fine for long. Pure.

Reads the status document (admin.status). Not here: the table (cli.statustable).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

#: States whose message has a line of its own below the table.
_TOLD_BELOW: Final = frozenset({"Loading", "Expired", "Expiring"})


def zone_state(zone: dict[str, Any]) -> str:
    """Return ``Ready``, or ``Held: ChangeGuard: ... (release: ocizone approve 6b1f)``.

    Args:
        zone: of the document's ``zones``.
    """
    state = str(zone["state"])
    message = str(zone.get("message", "")).partition("\n")[0].removeprefix(f"{state}: ")
    return state if state in _TOLD_BELOW or not message else f"{state}: {message}"


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
