"""Files under PATH: brought up to date beside serving. A failure is observed, never raised."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ocizone.compiler.spec import Layer
from ocizone.errors import OcizoneError, Problem, StoreError
from ocizone.follow.status import Disturbed, Failure
from ocizone.follow.tools import Tools
from ocizone.store.deployments import Deployment, StoredLayer
from ocizone.store.materialise import IncompleteTreeError, materialise, materialised
from ocizone.store.records import SourceRecords

Inputs = Callable[[tuple[StoredLayer, ...]], tuple[Layer, ...]]


class Place:
    """PATH of one source; None for a source without one."""

    def __init__(
        self, name: str, path: Path | None, records: SourceRecords, inputs: Inputs, tools: Tools
    ) -> None:
        """Make it; nothing is read before a deployment is to be placed.

        Args:
            name: of the source, for events.
            path: where files go.
            records: keep the ledger of them.
            inputs: returns layers as the unpacker takes them.
            tools: see Tools.
        """
        self.up_to_date = True
        self._name = name
        self._path = path
        self._records = records
        self._inputs = inputs
        self._tools = tools

    async def check(self, current: Deployment, workspace: Path | None) -> None:
        """Bring PATH up to date after a restart, if it is not."""
        root, records = self._path, self._records
        if root is None:
            return
        try:
            done = await self._tools.files.call(lambda: materialised(root, current.files, records))
        except StoreError as error:
            self._disturbed(error)
        else:
            if not done:
                await self.update(current, workspace)

    async def update(self, current: Deployment, workspace: Path | None = None) -> None:
        """Bring PATH up to date; what fails is tried again at the next look.

        Args:
            current: what is served.
            workspace: whose ``tree`` holds the files that changed; None to unpack all of them anew.
        """
        if self._path is None:
            return
        tools, root = self._tools, self._path

        def anew() -> tuple[Problem, ...]:
            own = tools.store.workspace()
            try:
                tools.unpack(self._inputs(current.layers), own / "tree")
                return placed(own)
            finally:
                tools.store.discard(own)

        def placed(space: Path) -> tuple[Problem, ...]:
            records, disk = self._records, tools.store.disk
            return materialise(space / "tree", root, current.files, records, disk)

        def work() -> tuple[Problem, ...]:
            if workspace is not None:
                # The compiler writes what changed; somebody may have taken away the rest.
                with suppress(IncompleteTreeError):
                    return placed(workspace)
            return anew()

        try:
            async with tools.placing:
                problems = await tools.files.call(work)
        except OcizoneError as error:
            self.up_to_date = False
            self._disturbed(error)
            return
        # What others wrote stays in the way however often it is tried.
        self.up_to_date = all(problem.rule != "file-not-written" for problem in problems)
        if problems:
            tools.observe(Disturbed(self._name, "materialise", None, problems))

    def _disturbed(self, error: OcizoneError) -> None:
        problems = getattr(error, "problems", ())
        failure = Failure.of(error)
        self._tools.observe(Disturbed(self._name, "materialise", failure, problems))
