"""Several servers at once: do they serve the same, and do they serve what was pushed.

Blocking; asks one after the other. Not here: how it is shown (cli.status, cli.push).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ocizone.control import ControlError, Where, as_object, ask, tell
from ocizone.limits import FLEET_POLL_S
from ocizone.states import short_digest

#: Of the document that is understood here (admin.status).
SCHEMA = "ocizone.status/v1"
#: Reasons that keep a version from being served until there is another one.
_FINAL = frozenset({"ContentRefused", "TypeRefused"})
#: States of a source that is being looked at.
_UNDER_WAY = frozenset({"looking", "deploying"})


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What one server says of itself.

    Attributes:
        where: it was asked.
        document: its status; empty when it did not give one.
        error: why not, "" when it did.
    """

    where: Where
    document: dict[str, Any]
    error: str = ""


def status_of(where: Where) -> NodeStatus:
    """Return what a server says of itself, or why it says nothing."""
    try:
        code, body = ask(where, "/v1/status")
    except ControlError as error:
        return NodeStatus(where, {}, str(error))
    found = as_object(body)
    if code != HTTPStatus.OK or found.get("schema") != SCHEMA:
        said = found.get("message") or ""
        return NodeStatus(where, {}, f"{where} answers {code} instead of a status: {said[:200]}")
    return NodeStatus(where, found)


def differences(nodes: Sequence[NodeStatus]) -> list[str]:
    """Return a line for each zone that is not the same, by serial and digest, on all servers.

    Servers that said nothing are left out: they have their own line.
    """
    by_zone: dict[str, dict[str, tuple[Any, str]]] = {}
    answered = [node for node in nodes if not node.error]
    for node in answered:
        for zone in node.document["zones"]:
            version = (zone.get("serial"), zone.get("digest", ""))
            by_zone.setdefault(zone["name"], {})[str(node.where)] = version
    found = []
    for name, versions in sorted(by_zone.items()):
        absent = [str(node.where) for node in answered if str(node.where) not in versions]
        if len(set(versions.values())) > 1 or absent:
            told = [
                f"{where} {serial} {short_digest(digest)}"
                for where, (serial, digest) in versions.items()
            ]
            found.append(f"{name}: {'; '.join([*told, *(f'{where} none' for where in absent)])}")
    return found


@dataclass(frozen=True, slots=True)
class Pushed:
    """What servers are to serve.

    Attributes:
        repository: ``registry/repository``.
        tags: that name it now.
        digest: of the manifest.
    """

    repository: str
    tags: frozenset[str]
    digest: str


@dataclass(frozen=True, slots=True)
class Waited:
    """How waiting for one server ended.

    Attributes:
        where: the server.
        seconds: until it served the digest, or until it was given up.
        error: why it does not serve it, "" when it does.
        held: it waits for ``approve`` or for a signature.
    """

    where: Where
    seconds: float
    error: str = ""
    held: bool = False


def wait_for(
    nodes: Iterable[Where],
    pushed: Pushed,
    timeout_s: float,
    *,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> Iterator[Waited]:
    """Yield each server when it serves a digest, refuses it, or the time is over.

    Every server is first told to look now; one that does not let us looks when it does.

    Args:
        nodes: the servers.
        pushed: what is waited for.
        timeout_s: for all of them.
        monotonic: seconds that never go back.
        sleep: between two rounds.
    """
    begun = monotonic()
    waiting = dict.fromkeys(nodes, _Look())
    for where in waiting:
        _nudge(where, pushed)
    while waiting:
        for where in tuple(waiting):
            ended = waiting[where] = _look(where, pushed)
            if not ended.error or ended.final:
                del waiting[where]
                yield Waited(where, monotonic() - begun, ended.error, ended.held)
        if waiting and monotonic() - begun >= timeout_s:
            break
        if waiting:
            sleep(FLEET_POLL_S)
    for where, last in waiting.items():
        error = f"not within {timeout_s:g} s: {last.error}"
        yield Waited(where, monotonic() - begun, error, last.held)


@dataclass(frozen=True, slots=True)
class _Look:
    error: str = ""
    final: bool = False
    held: bool = False


def _look(where: Where, pushed: Pushed) -> _Look:
    """Return whether a server serves a digest, or what it says instead."""
    node = status_of(where)
    if node.error:
        return _Look(node.error)
    sources = _following(node, pushed)
    if not sources:
        return _Look(f"it follows nothing of {pushed.repository}", final=True)
    waiting = [source for source in sources if source.get("digest") != pushed.digest]
    return _why_not(waiting[0], pushed.digest) if waiting else _everywhere(node.document)


def _everywhere(document: dict[str, Any]) -> _Look:
    """Return whether every worker of a server serves what the server does."""
    newest = document.get("generation", 0)
    late = [one for one in document.get("workers", ()) if one.get("generation") != newest]
    return _Look(f"worker {late[0].get('worker')} does not serve it yet") if late else _Look()


def _following(node: NodeStatus, pushed: Pushed) -> list[dict[str, Any]]:
    """Return the sources that are to serve it: of its tags, or by a rule over all tags."""
    sources = [
        source
        for source in node.document.get("sources", ())
        if repository_of(str(source.get("reference", ""))) == pushed.repository
    ]
    named = [
        source
        for source in sources
        if str(source["reference"]).rpartition("/")[2].partition(":")[2] in pushed.tags
    ]
    return named or sources


def _why_not(source: dict[str, Any], digest: str) -> _Look:
    error = source.get("error") or {}
    said = f"{error.get('reason', '')}: {error.get('message', '')}".strip(": ")
    held = source.get("held") or {}
    if held.get("digest") == digest:
        why = said or str(held.get("condition", ""))
        return _Look(f"held, {why} (ocizone approve {short_digest(digest)})", final=True, held=True)
    pin = source.get("pin") or {}
    rolled_back = pin.get("kind") == "rollback"
    if pin and not rolled_back:
        return _Look(f"pinned to {pin.get('digest', '')}", final=True)
    if source.get("suspension"):
        return _Look("suspended", final=True)
    # A failure of the registry is tried again, and a signature may come; the rest stays so. While
    # a look is under way, the error is the last one's: of what the tag named before.
    under_way = source.get("state") in _UNDER_WAY
    if source.get("found") == digest and error.get("reason") in _FINAL and not under_way:
        return _Look(said, final=True)
    held_back = error.get("reason") == "WaitingForSignature"
    # A rollback ends by itself when the tag names yet another digest: the one that was pushed.
    serves = (
        f"{'rolled back to' if rolled_back else 'serves'} {source.get('digest') or 'nothing yet'}"
    )
    return _Look(said or serves, held=held_back)


def repository_of(reference: str) -> str:
    """Return ``registry/repository`` of a reference; a local path is what it is."""
    named = reference.partition("@")[0]
    head, slash, last = named.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _nudge(where: Where, pushed: Pushed) -> None:
    """Ask a server to look now; whether it lets us is its business."""
    for source in _following(status_of(where), pushed):
        try:
            tell(where, "/v1/refresh", {"source": source.get("name", "")})
        except ControlError:
            # Whether it is there at all the first look tells.
            return
