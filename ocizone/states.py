"""In which state a zone is, for people: the worst thing that is true of it, and what to do. Pure.

Reads the status document (admin.status), and misses what is missing there: an older server
knows less. Not here: the table (cli.status).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

#: What refuses a version; the one before is served.
_INVALID: Final = frozenset({"ContentRefused", "SignatureRefused", "TypeRefused"})
#: States that say more than what the source is doing.
_OF_ZONE: Final = frozenset({"Loading", "Expired", "Expiring"})
_DIGITS: Final = 4


def zone_state(zone: dict[str, Any], source: dict[str, Any]) -> tuple[str, str]:
    """Return the state of a zone, and the rest of the sentence, "" for none.

    Loading, Expired, Expiring, Invalid, Held, Stale, Suspended, Pinned, Ready: the first that is
    true. What waits for an operator comes with the command that ends it.

    Args:
        zone: of the document's ``zones``.
        source: of its ``sources`` that the zone comes from; empty when there is none.
    """
    state = str(zone.get("state", "-"))
    if state in _OF_ZONE:
        return state, ""
    error = source.get("error") or {}
    reason, message = str(error.get("reason", "")), str(error.get("message", ""))
    if reason in _INVALID:
        return "Invalid", _first_line(message)
    if held := source.get("held"):
        return "Held", f"{_why_held(held, message)} (release: ocizone approve {_short(held)})"
    if error:
        return "Stale", f"{reason}: {_first_line(message)}".rstrip(": ")
    if suspension := source.get("suspension"):
        until = suspension.get("until")
        return "Suspended", f"until {until}" if until else "until `ocizone resume`"
    if pin := source.get("pin"):
        what = "rolled back" if pin.get("kind") == "rollback" else "pinned"
        return "Pinned", f"{what} {_short(pin)} (release: ocizone unpin)"
    return state, _first_line(str(zone.get("message", "")))


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


def _why_held(held: dict[str, Any], message: str) -> str:
    """Return ``ChangeGuard 41 % deletes > 30 %``: the condition, and the first finding."""
    problems = held.get("problems") or ()
    first = problems[0].get("message", "") if problems else _first_line(message)
    return f"{held.get('condition', '')} {first}".strip()


def _short(about: dict[str, Any]) -> str:
    """Return the beginning of a digest that commands take."""
    return str(about.get("digest", "")).partition(":")[2][:_DIGITS]


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
