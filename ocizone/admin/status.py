"""What ``ocizone status`` shows: one JSON document, versioned, without secrets.

Pure: a function of what is served and followed. Times are RFC 3339 UTC. Not here: the table a
person reads (cli.status).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ocizone import __version__
from ocizone.admin.readiness import Reasons, ailing, missing
from ocizone.admin.zonestate import LOADING, state_of
from ocizone.answer.blocks import Block, Loaded, NotReady, Snapshot
from ocizone.errors import Problem
from ocizone.follow.source import OciSource
from ocizone.follow.status import SourceStatus
from ocizone.observe.conditionbook import ConditionBook, Observed, sources_of_zones
from ocizone.observe.conditions import Condition, instant
from ocizone.observe.workers import WorkerState
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
        store: ``octets`` and ``generations`` of the state directory; None while not counted.
        dropped: queries not answered, and connections refused or ended.
        workers: how they are; none where one process does everything.
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
    store: Mapping[str, int] | None = None
    dropped: int = 0
    workers: tuple[WorkerState, ...] = ()


def document(
    facts: Facts,
    plan: Plan,
    snapshot: Snapshot,
    statuses: Iterable[SourceStatus],
    book: ConditionBook | None = None,
) -> dict[str, Any]:
    """Return the status document.

    Args:
        facts: of the process.
        plan: what the Corefile asks for.
        snapshot: what is served.
        statuses: of every source.
        book: knows since when conditions are as they are; None for since now.
    """
    by_key = {status.key: status for status in statuses}
    reasons = Reasons(plan, by_key.values())
    absent = [*missing(snapshot, reasons=reasons), *ailing(facts.workers)]
    observed = (book or ConditionBook()).observe(snapshot, by_key.values(), facts.now)
    shown: dict[str, Any] = {
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
        "zones": _zones(plan, snapshot, by_key.values(), observed, reasons),
        "sources": [
            _source(plan, by_key[source.key], observed.sources[source.key])
            for source in plan.sources
            if source.key in by_key
        ],
        "dns": {
            "rcodes": dict(facts.rcodes),
            "panics": facts.panics,
            "dropped": facts.dropped,
            "tcp_connections": facts.tcp_connections,
        },
    }
    if facts.workers:
        shown["workers"] = [_worker(one) for one in facts.workers]
    if facts.store is not None:
        shown["store"] = dict(facts.store)
    return shown


def _listener(facts: Facts, endpoint: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"endpoint": endpoint, "port": facts.listening[endpoint]}
    until = facts.certificates.get(endpoint)
    return shown if until is None else {**shown, "certificate_until": _time(until)}


def _worker(worker: WorkerState) -> dict[str, Any]:
    return {
        "worker": worker.number,
        "pid": worker.pid,
        "up": worker.up,
        "generation": worker.generation,
        "restarts": worker.restarts,
    }


def _zones(
    plan: Plan,
    snapshot: Snapshot,
    statuses: Iterable[SourceStatus],
    observed: Observed,
    reasons: Reasons,
) -> list[dict[str, Any]]:
    blocks = snapshot.blocks
    of_zone = sources_of_zones(statuses)
    shown = []
    for view in plan.views:
        block = blocks[view.name]
        for apex, zone in sorted(block.zones.items()):
            subject = (view.name, to_text(apex))
            match zone:
                case Loaded():
                    shown.append(_loaded(subject, zone, of_zone.get(subject), observed))
                case NotReady():
                    why = f"{zone.reason}{reasons.of_zone(view.name, apex)}"
                    shown.append(_loading(subject, why))
        shown += _pending(block, reasons)
    return shown


def _pending(block: Block, reasons: Reasons) -> list[dict[str, Any]]:
    if not block.pending:
        return []
    why = f"{block.pending}{reasons.of_block(block.name)}"
    absent = [key for key in block.keys if key not in block.zones]
    return [_loading((block.name, to_text(key)), why) for key in absent]


def _loading(subject: tuple[str, str], why: str) -> dict[str, Any]:
    view, name = subject
    return {"name": name, "view": view, "state": LOADING, "message": why}


def _loaded(
    subject: tuple[str, str], zone: Loaded, status: SourceStatus | None, observed: Observed
) -> dict[str, Any]:
    view, name = subject
    info = zone.reader.info
    conditions = observed.zones[subject]
    state, message = state_of(conditions, observed.sources[status.key] if status else ())
    return {
        "name": name,
        "view": view,
        "serial": info.serial,
        "records": info.records,
        "file": info.file,
        "source": status.name if status else "",
        "reference": status.reference if status else "",
        "tag": status.tag if status else "",
        "digest": status.digest if status else "",
        "since": _time(status.activated) if status else None,
        "signed_until": _time(info.signed_until) if info.signed_until else None,
        "state": state,
        "message": message,
        "conditions": [_condition(one) for one in conditions],
    }


def _source(plan: Plan, status: SourceStatus, conditions: Iterable[Condition]) -> dict[str, Any]:
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
        "tag": status.tag,
        "digest": status.digest,
        "found": status.found,
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
        "problems": _problems(status.problems),
        "materialised": status.materialised,
        "verify": status.verify,
        "verified_by": status.verified_by,
        "octets": status.octets,
        **_standing(status),
        "conditions": [_condition(one) for one in conditions],
    }


def _standing(status: SourceStatus) -> dict[str, Any]:
    """Return what an operator decided, and what waits for a decision."""
    pin, suspension, held = status.pin, status.suspension, status.held
    return {
        "pin": pin
        and {
            "digest": pin.digest,
            "kind": pin.kind,
            "since": _time(pin.since),
            "reason": pin.reason,
        },
        "suspension": suspension
        and {
            "since": _time(suspension.since),
            "until": _time(suspension.until),
            "reason": suspension.reason,
        },
        "held": held
        and {
            "digest": held.digest,
            "condition": held.condition,
            "since": _time(held.since),
            "problems": _problems(held.problems),
        },
    }


def _condition(condition: Condition) -> dict[str, Any]:
    return {
        "type": str(condition.type),
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "since": _time(condition.since),
    }


def _problems(problems: Iterable[Problem]) -> list[dict[str, str]]:
    return [
        {
            "where": problem.where(),
            "severity": str(problem.severity),
            "rule": problem.rule,
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in problems
    ]


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else instant(seconds)
