"""What may be asked of a running server: status, history, which, and the operator's verbs.

Implements ``admin.api.Operations`` over the followers and what is deployed. Every verb answers
only when what was asked for is so, or cannot be. Not here: HTTP (admin), what a verb does to a
source (follow.verbs).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, succeed

from ocizone.admin.api import AskError
from ocizone.admin.pages import Page
from ocizone.admin.verbs import VerbResult
from ocizone.cli.exit_codes import Exit
from ocizone.compiler.spec import ZoneChange
from ocizone.deployed import Deployed
from ocizone.errors import OcizoneError
from ocizone.follow.following import Following, Follows
from ocizone.follow.pool import Pool
from ocizone.follow.source import OciSource, Source
from ocizone.follow.verbs import Done, Verbs
from ocizone.housekeeping import Housekeeping
from ocizone.limits import HISTORY_ZONES
from ocizone.outcomes import one_of, together, told_of
from ocizone.registry.manifest import is_digest
from ocizone.store.deployments import Deployment
from ocizone.store.reports import DeployReport
from ocizone.store.store import Store
from ocizone.which import which
from ocizone.wire.name import BadNameError, from_text, lower

HISTORY_SCHEMA = "ocizone.history/v1"
SERVED_SCHEMA = "ocizone.served/v1"


class ServerOperations:
    """The operations of this server."""

    def __init__(
        self,
        *,
        status: Callable[[], dict[str, Any] | Deferred[Page]],
        following: Following,
        deployed: Deployed,
        store: Store,
        files: Pool,
        housekeeping: Housekeeping,
        reached: Callable[[], Deferred[None]] = lambda: succeed(None),
    ) -> None:
        """Make it.

        Args:
            status: returns the status document, or its page.
            following: the followers.
            deployed: what is served.
            store: the state directory.
            files: threads for it.
            housekeeping: verifies and collects.
            reached: fires when whoever answers serves what is live.
        """
        self.status = status
        self._following = following
        self._deployed = deployed
        self._store = store
        self._files = files
        self._housekeeping = housekeeping
        self._reached = reached

    # --- Which source ------------------------------------------------------------------------

    def _source(self, wanted: str) -> tuple[Source, Follows]:
        """Return the source that is meant.

        Raises:
            AskError: none, or several; the message names those there are.
        """
        sources = self._following.sources
        names = ", ".join(source.name for source, _ in sources)
        if not wanted:
            fetched = [one for one in sources if isinstance(one[0], OciSource)]
            if len(fetched) == 1:
                return fetched[0]
            if not sources:
                raise AskError(HTTPStatus.NOT_FOUND, "the Corefile has no source")
            raise AskError(HTTPStatus.BAD_REQUEST, f"there are several sources, name one: {names}")
        exact = [one for one in sources if wanted in {one[0].name, one[0].key, _reference(one[0])}]
        apex = wanted if wanted.endswith(".") else f"{wanted}."
        holders = [one for one in sources if any(zone.apex == apex for zone in one[1].status.zones)]
        found = exact or [one for one in sources if _could_mean(one[0], wanted)] or holders
        if not found:
            raise AskError(HTTPStatus.NOT_FOUND, f"no source {wanted!a}; there are: {names}")
        if len(found) > 1:
            several = ", ".join(source.name for source, _ in found)
            raise AskError(HTTPStatus.BAD_REQUEST, f"{wanted} may mean {several}")
        return found[0]

    def _verbs(self, arguments: dict[str, Any]) -> tuple[Source, Verbs]:
        source, follower = self._source(_text(arguments, "source"))
        if follower.verbs is None:
            raise AskError(
                HTTPStatus.BAD_REQUEST, f"{source.name} is files on this disk: nothing to decide"
            )
        return source, follower.verbs

    # --- Reading -----------------------------------------------------------------------------

    def history(self, source: str, most: int) -> Deferred[dict[str, Any]]:
        """Return deployments and reports of a source, newest first."""
        found, follower = self._source(source)
        records = self._store.source(found.key)
        current = follower.status.generation

        def read() -> dict[str, Any]:
            return {
                "schema": HISTORY_SCHEMA,
                "source": found.name,
                "current": current,
                "deployments": [_deployment(one) for one in records.history()[:most]],
                "reports": [_report(one) for one in records.reports()[:most]],
            }

        return self._files.call(read).addErrback(_unreadable)

    def report(self, digest: str, source: str) -> Deferred[dict[str, Any]]:
        """Return the report of a digest, or of the one it is the beginning of."""
        found, _ = self._source(source)
        records = self._store.source(found.key)

        def shown(reports: tuple[DeployReport, ...]) -> dict[str, Any]:
            for report in reports:
                if report.digest.removeprefix("sha256:").startswith(digest.removeprefix("sha256:")):
                    return {"schema": "ocizone.report/v1", **report.to_json()}
            raise AskError(HTTPStatus.NOT_FOUND, f"nothing is known of {digest[:80]!a}")

        return self._files.call(records.reports).addCallbacks(shown, _unreadable)

    def which(self, name: str, view: str) -> dict[str, Any]:
        """Return what answers a name."""
        try:
            wire = lower(from_text(name if name.endswith(".") else f"{name}."))
        except BadNameError as error:
            raise AskError(HTTPStatus.BAD_REQUEST, f"{name[:80]!a} is no name: {error}") from error
        deployed = self._deployed
        return which(
            wire,
            deployed.snapshot,
            deployed.plan,
            deployed.deployments,
            self._store.blobs.path,
            view,
        )

    def served(self, source: str) -> dict[str, Any]:
        """Return what a source serves, and from which files."""
        found, _ = self._source(source)
        deployment = self._deployed.deployments.get(found.key)
        if deployment is None:
            raise AskError(HTTPStatus.NOT_FOUND, f"{found.name} serves nothing yet")
        return {
            "schema": SERVED_SCHEMA,
            "source": found.name,
            "reference": deployment.reference,
            "digest": deployment.digest,
            "image": str(self._store.images.path(deployment.fingerprint)),
            "zones": [
                {"view": zone.view, "apex": zone.apex, "serial": zone.serial}
                for zone in deployment.zones
            ],
        }

    # --- Verbs -------------------------------------------------------------------------------

    def verb(self, verb: str, arguments: dict[str, Any]) -> Deferred[VerbResult]:
        """Do something; see admin.verbs. The Deferred fires when every answer is as it says."""
        return self._verb(verb, arguments).addCallback(self._when_reached)

    def _when_reached(self, result: VerbResult) -> Deferred[VerbResult]:
        return self._reached().addCallback(lambda _: result)

    def _verb(self, verb: str, arguments: dict[str, Any]) -> Deferred[VerbResult]:
        if verb == "refresh":
            return self._refresh(arguments)
        if verb == "verify":
            return self._housekeeping.verify()
        if verb == "gc":
            return self._housekeeping.collect(
                forgotten=_flag(arguments, "forgotten"), digests=_digests(arguments)
            )
        source, verbs = self._verbs(arguments)
        work = self._decision(verb, verbs, arguments)
        return Deferred.fromCoroutine(told_of(verb, source.name, work))

    def _decision(
        self, verb: str, verbs: Verbs, arguments: dict[str, Any]
    ) -> Coroutine[Deferred[Any], Any, Done]:
        reason = _text(arguments, "reason")[:200]
        digest = _text(arguments, "digest")
        unsigned = _flag(arguments, "unsigned")
        match verb:
            case "rollback":
                return verbs.rollback(_text(arguments, "to"), reason, unsigned=unsigned)
            case "pin" if digest:
                return verbs.pin(digest, reason, unsigned=unsigned)
            case "unpin":
                return verbs.unpin()
            case "suspend":
                return verbs.suspend(_seconds(arguments), reason)
            case "resume":
                return verbs.resume()
            case "approve" if digest:
                return verbs.approve(digest)
            case _:
                raise AskError(HTTPStatus.BAD_REQUEST, f"{verb} needs a digest")

    def _refresh(self, arguments: dict[str, Any]) -> Deferred[VerbResult]:
        wanted = _text(arguments, "source")
        key = self._source(wanted)[0].key if wanted else ""
        wait = _flag(arguments, "wait")
        asked = self._following.refresh_where(
            lambda source: key in {"", source.key}, hard=_flag(arguments, "hard"), once=wait
        )
        names = [source.name for source, _ in asked]
        gathered = DeferredList([look for _, look in asked], consumeErrors=True)
        resting = [
            follower.status.name
            for source, follower in self._following.sources
            if source.name in names and follower.status.suspension is not None
        ]
        if not wait and resting:
            message = f"{', '.join(resting)}: suspended; `ocizone resume` lets it look again"
            return succeed(VerbResult(False, Exit.FAILED, message))
        if not wait:
            return succeed(VerbResult(True, Exit.OK, f"looking at {', '.join(names)}"))

        def told(results: list[tuple[bool, Any]]) -> VerbResult:
            done = zip(names, results, strict=True)
            return together([one_of("refresh", name, one) for name, (good, one) in done if good])

        return gathered.addCallback(told)

    def is_followed(self, repository: str) -> bool:
        """Tell whether any source follows a repository."""
        return any(
            isinstance(source, OciSource) and _is_repository(source, repository)
            for source, _ in self._following.sources
        )

    def changed(self, repository: str) -> int:
        """Look at the sources of a repository (a webhook says it changed); return how many."""
        return len(
            self._following.refresh_where(
                lambda source: isinstance(source, OciSource) and _is_repository(source, repository)
            )
        )


# --- Sources by name -------------------------------------------------------------------------


def _reference(source: Source) -> str:
    return source.artifact.followed if isinstance(source, OciSource) else source.name


def _could_mean(source: Source, wanted: str) -> bool:
    """Tell whether a short form names a source: its repository, its last part, or its tag."""
    if not isinstance(source, OciSource):
        return source.name.startswith(wanted)
    reference = source.artifact.reference
    repository = f"{reference.registry}/{reference.repository}"
    last = reference.repository.rpartition("/")[2]
    tagged = f"{last}:{reference.tag}"
    return wanted in {repository, reference.repository, last, tagged, reference.tag or ""} or (
        source.name.startswith(wanted)
    )


def _is_repository(source: OciSource, repository: str) -> bool:
    """Tell whether a source follows a repository, whatever host the sender calls itself."""
    own = source.artifact.reference.repository
    mirrored = {mirror.repository for mirror in source.artifact.mirrors}
    # Docker Hub says `library/` where a reference need not; a mirror may have another name.
    return repository in {own, own.removeprefix("library/"), f"library/{own}", *mirrored}


# --- Arguments -------------------------------------------------------------------------------


def _text(arguments: dict[str, Any], name: str) -> str:
    found = arguments.get(name, "")
    if found is None:
        return ""
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str):
        raise AskError(HTTPStatus.BAD_REQUEST, f"{name} is no text")
    return found


def _digests(arguments: dict[str, Any]) -> tuple[str, ...]:
    found = arguments.get("digests", [])
    if not isinstance(found, list) or not all(
        isinstance(one, str) and is_digest(one) for one in found
    ):
        raise AskError(HTTPStatus.BAD_REQUEST, "digests is a list of whole digests")
    return tuple(found)


def _flag(arguments: dict[str, Any], name: str) -> bool:
    found = arguments.get(name, False)
    if not isinstance(found, bool):
        raise AskError(HTTPStatus.BAD_REQUEST, f"{name} is true or false")
    return found


def _seconds(arguments: dict[str, Any]) -> float | None:
    found = arguments.get("seconds")
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < 2**31:
        raise AskError(HTTPStatus.BAD_REQUEST, "seconds is a positive number")
    return float(found)


def _deployment(deployment: Deployment) -> dict[str, Any]:
    return {
        "generation": deployment.generation,
        "digest": deployment.digest,
        "tag": deployment.tag,
        "reference": deployment.reference,
        "activated_at": deployment.activated_at,
        "created": deployment.created,
        "verified_by": deployment.verified_by,
        "zones": [
            {"view": zone.view, "apex": zone.apex, "serial": zone.serial, "records": zone.records}
            for zone in deployment.zones[:HISTORY_ZONES]
        ],
        "zone_count": len(deployment.zones),
    }


def _report(report: DeployReport) -> dict[str, Any]:
    """Return a report as the history tells it: of ten thousand zones, the sum of the changes."""
    changes = report.changes
    if len(changes) > HISTORY_ZONES:
        total = ZoneChange(
            "",
            "*",
            "changed",
            added=sum(one.added for one in changes),
            removed=sum(one.removed for one in changes),
            changed=sum(one.changed for one in changes),
        )
        changes = (total,)
    return replace(report, zones=report.zones[:HISTORY_ZONES], changes=changes).to_json()


def _unreadable(fault: Any) -> Any:
    """Return a failure of the disk as one of the question."""
    if fault.check(OcizoneError):
        raise AskError(HTTPStatus.INTERNAL_SERVER_ERROR, str(fault.value)) from fault.value
    return fault
