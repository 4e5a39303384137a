"""What ``ocizone status`` shows: one JSON document, versioned, without secrets.

Pure: a function of what is served and followed. Times are RFC 3339 UTC. Not here: the table a
person reads (cli.status).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ocizone import __version__
from ocizone.admin.readiness import missing
from ocizone.answer.blocks import Loaded, NotReady, Snapshot
from ocizone.follow.source import OciSource
from ocizone.follow.status import Failure, SourceStatus
from ocizone.limits import EXPIRING_S
from ocizone.plan import Plan
from ocizone.wire.name import to_text

SCHEMA = "ocizone.status/v1"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server knows of itself.

    Attributes:
        node: host name.
        started: unix seconds.
        now: unix seconds.
        state_dir: absolute path.
        listening: endpoint as text -> port that is open.
        tcp_connections: open TCP clients.
        rcodes: replies by rcode.
        panics: bugs answered SERVFAIL.
        certificates: TLS endpoint as text -> until when its certificate is good, unix seconds.
    """

    node: str
    started: float
    now: float
    state_dir: str
    listening: Mapping[str, int]
    tcp_connections: int
    rcodes: Mapping[str, int]
    panics: int
    certificates: Mapping[str, float] = field(default_factory=dict)


def document(
    facts: Facts, plan: Plan, snapshot: Snapshot, statuses: Iterable[SourceStatus]
) -> dict[str, Any]:
    """Return the status document.

    Args:
        facts: of the process.
        plan: what the Corefile asks for.
        snapshot: what is served.
        statuses: of every source.
    """
    by_key = {status.key: status for status in statuses}
    absent = missing(snapshot)
    return {
        "schema": SCHEMA,
        "node": facts.node,
        "version": __version__,
        "started": _time(facts.started),
        "now": _time(facts.now),
        "state_dir": facts.state_dir,
        "config": {"path": plan.corefile.path, "sha256": plan.corefile.fingerprint},
        "listeners": [_listener(facts, endpoint) for endpoint in facts.listening],
        "generation": snapshot.generation,
        "ready": not absent,
        "missing": absent,
        "zones": _zones(plan, snapshot, by_key, facts.now),
        "sources": [
            _source(plan, by_key[source.key]) for source in plan.sources if source.key in by_key
        ],
        "dns": {
            "rcodes": dict(facts.rcodes),
            "panics": facts.panics,
            "tcp_connections": facts.tcp_connections,
        },
    }


def _listener(facts: Facts, endpoint: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"endpoint": endpoint, "port": facts.listening[endpoint]}
    until = facts.certificates.get(endpoint)
    return shown if until is None else {**shown, "certificate_until": _time(until)}


def _zones(
    plan: Plan, snapshot: Snapshot, statuses: Mapping[str, SourceStatus], now: float
) -> list[dict[str, Any]]:
    blocks = snapshot.blocks
    held = {(zone.view, zone.apex): status for status in statuses.values() for zone in status.zones}
    shown = []
    for view in plan.views:
        block = blocks[view.name]
        for apex, zone in sorted(block.zones.items()):
            name = to_text(apex)
            match zone:
                case Loaded():
                    status = held.get((view.name, name))
                    shown.append(_loaded(view.name, name, zone, status, now))
                case NotReady():
                    shown.append(
                        {
                            "name": name,
                            "view": view.name,
                            "state": "Loading",
                            "message": zone.reason,
                        }
                    )
        if block.pending:
            shown += [
                {
                    "name": to_text(key),
                    "view": view.name,
                    "state": "Loading",
                    "message": block.pending,
                }
                for key in block.keys
                if key not in block.zones
            ]
    return shown


def _loaded(
    view: str, name: str, zone: Loaded, status: SourceStatus | None, now: float
) -> dict[str, Any]:
    info = zone.reader.info
    state, message = _state(info.signed_until, status.last_error if status else None, now)
    return {
        "name": name,
        "view": view,
        "serial": info.serial,
        "records": info.records,
        "file": info.file,
        "source": status.name if status else "",
        "reference": status.reference if status else "",
        "digest": status.digest if status else "",
        "since": _time(status.activated) if status else None,
        "signed_until": _time(info.signed_until) if info.signed_until else None,
        "state": state,
        "message": message,
    }


def _state(signed_until: int, failure: Failure | None, now: float) -> tuple[str, str]:
    """Return the state of a zone that is served, and why; the worst first.

    Signatures that run out are worse than a registry that is away: validators refuse the zone.
    """
    left = signed_until - now
    if signed_until and left < EXPIRING_S:
        until = _time(signed_until)
        signatures = f"signatures until {until}: push the zone signed again"
        stale = f"; {failure.reason}: {failure.message}" if failure else ""
        return ("Expired" if left < 0 else "Expiring"), signatures + stale
    if failure:
        return "Stale", f"{failure.reason}: {failure.message}"
    return "Ready", ""


def _source(plan: Plan, status: SourceStatus) -> dict[str, Any]:
    artifact = next(
        (
            source.artifact
            for source in plan.sources
            if source.key == status.key and isinstance(source, OciSource)
        ),
        None,
    )
    failure = status.last_error
    return {
        "name": status.name,
        "kind": "local" if artifact is None else "oci",
        "reference": status.reference,
        "path": None if artifact is None else artifact.path,
        "digest": status.digest,
        "generation": status.generation,
        "state": status.state,
        "attempts": status.attempts,
        "last_check": _time(status.last_check),
        "last_success": _time(status.last_success),
        "activated": _time(status.activated),
        "next_check": _time(status.next_check),
        "error": None
        if failure is None
        else {"reason": failure.reason, "message": failure.message},
        "problems": [
            {
                "where": problem.where(),
                "severity": str(problem.severity),
                "rule": problem.rule,
                "message": problem.message,
                "hint": problem.hint,
            }
            for problem in status.problems
        ],
        "materialised": status.materialised,
    }


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
