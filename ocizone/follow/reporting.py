"""Writing the report of the deployment under way, at each change of its state.

A report that cannot be written stops nothing: it is told once (``trouble``), and the deployment
goes on. Blocking; called from whichever thread does the work, one at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ocizone.errors import Problem, StoreError
from ocizone.follow.attempt import Revision
from ocizone.follow.facts import SourceFacts
from ocizone.follow.status import Disturbed, Failure
from ocizone.follow.tools import Tools
from ocizone.store.deployments import Deployment
from ocizone.store.records import SourceRecords
from ocizone.store.reports import DeployReport, DeployState


class Reporter:
    """The report of one deployment."""

    def __init__(
        self, first: DeployReport, records: SourceRecords, wall: Callable[[], float]
    ) -> None:
        """Begin a report; nothing is written before ``enter``.

        Args:
            first: what is known of it at the beginning.
            records: of the source.
            wall: unix seconds.
        """
        self.report = first
        self.trouble: StoreError | None = None
        self._records = records
        self._wall = wall

    def enter(self, state: DeployState, **facts: Any) -> None:
        """Note that the deployment reached a state, and what is known by then; write it.

        Args:
            state: see DeployState.
            facts: fields of DeployReport.
        """
        now = self._wall()
        history = (*self.report.history, (state, now))
        seconds = round(now - history[0][1], 3)
        self.report = replace(self.report, state=state, history=history, seconds=seconds, **facts)
        try:
            self._records.keep_report(self.report)
        except StoreError as error:
            self.trouble = error


class Reports:
    """The reports of one source, written on the reactor thread's behalf."""

    def __init__(
        self, source: SourceFacts, configuration: str, records: SourceRecords, tools: Tools
    ) -> None:
        """Make it.

        Args:
            source: that deployments are of.
            configuration: fingerprint of what decides beside the content.
            records: of the source.
            tools: see Tools.
        """
        self._source = source
        self._configuration = configuration
        self._records = records
        self._tools = tools

    def begin(self, revision: Revision) -> Reporter:
        """Return the report of a deployment that begins."""
        source = self._source
        first = DeployReport(
            source=source.key,
            name=source.name,
            reference=source.reference,
            digest=revision.digest,
            state="resolved",
            configuration=self._configuration,
            tag=revision.tag,
            created=revision.created,
            revision=revision.revision,
            verified_by=revision.verified_by,
        )
        return Reporter(first, self._records, self._tools.wall)

    async def enter(self, reporter: Reporter, state: DeployState, **facts: object) -> None:
        """Note that a deployment reached a state; see Reporter."""
        await self._tools.files.call(lambda: reporter.enter(state, **facts))
        trouble, reporter.trouble = reporter.trouble, None
        if trouble is not None:
            failure = Failure.of(trouble)
            self._tools.observe(Disturbed(self._source.name, "report", failure))

    async def ended(
        self,
        reporter: Reporter,
        state: DeployState,
        failure: Failure,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        """Note why a deployment did not get through."""
        await self.enter(
            reporter, state, reason=failure.reason, message=failure.message, problems=problems
        )

    async def served(
        self, reporter: Reporter, current: Deployment | None, former: Deployment | None
    ) -> None:
        """Note that a deployment went live, and took the place of another one."""
        assert current is not None
        await self.enter(reporter, "served", generation=current.generation, reason="", message="")
        if former is None or former.digest == current.digest:
            return
        found = await self._tools.files.call(lambda: self._records.report(former.digest))
        if found is not None:
            passed = Reporter(found, self._records, self._tools.wall)
            await self.enter(passed, "superseded")
