"""Writing the report of the deployment under way, at each change of its state.

A report that cannot be written stops nothing: it is told once (``trouble``), and the deployment
goes on. Blocking; called from whichever thread does the work, one at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ocizone.errors import StoreError
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
