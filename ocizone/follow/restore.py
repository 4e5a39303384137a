"""Serving after a start what was served before it, without a network: the newest that is whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from ocizone.errors import OcizoneError, Problem, StoreError
from ocizone.follow.build import Builder
from ocizone.follow.served import Served
from ocizone.follow.status import Activated, Disturbed, Failure
from ocizone.follow.tools import Tools
from ocizone.follow.versions import whole_before
from ocizone.store.deployments import Deployment
from ocizone.store.gc import Hold
from ocizone.store.records import SourceRecords

#: Is told of what was restored, and of the workspace it was compiled in, if it was.
Restored = Callable[[Deployment, "tuple[Problem, ...]", Path | None], Awaitable[None]]


class Restorer:
    """Restores one source, once."""

    def __init__(
        self, name: str, records: SourceRecords, builder: Builder, served: Served, tools: Tools
    ) -> None:
        self._name = name
        self._records = records
        self._builder = builder
        self._served = served
        self._tools = tools
        self._kept: tuple[Deployment, ...] = ()

    async def restore(self, restored: Restored) -> None:
        """Serve what was served before.

        Never raises for a damaged state directory: what is wrong is observed, and the first
        look fetches it again.

        Args:
            restored: see Restored.
        """
        files = self._tools.files
        candidates, unreadable = await files.call(self._records.restorable)
        for each in unreadable:
            self.disturbed(each)
        self._kept = candidates
        if candidates:
            self._served.last_zones = candidates[0].zones
        for candidate in candidates:
            try:
                await self._restore(candidate, restored)
            except OcizoneError as error:
                self.disturbed(error)
            if self._served.current is not None:
                break

    async def restore_earlier(self) -> None:
        """Serve differences from what was served before, too, as far as its images are whole.

        After ``restore``, because it may read a lot: no answer waits for it.
        """
        kept, self._kept = self._kept, ()
        served = self._served
        if served.current is None:
            return
        hold = self._tools.store.hold()
        try:
            whole = await whole_before(served.current, kept, self._tools, hold)
            if whole:
                served.earlier = whole
                await served.serve_checked(served.current)
        except OcizoneError as error:
            self.disturbed(error)
        finally:
            hold.release()

    async def _restore(self, candidate: Deployment, restored: Restored) -> None:
        tools, builder = self._tools, self._builder
        hold = tools.store.hold()
        for layer in candidate.layers:
            hold.keep(layer.digest)
        built = None
        try:
            past = builder.again(candidate)
            built = await builder.reuse(candidate.layers, past, hold)
            if built is None:
                await self._stand_in(candidate, hold)
                await builder.require(candidate.layers)
                built = await builder.compile(candidate.layers, past, hold)
            record = built.record
            deployment = replace(
                candidate,
                fingerprint=built.fingerprint,
                basis=built.basis,
                zones=record.zones,
                files=record.files,
            )
            objections = await self._served.serve_checked(deployment)
            problems = (*record.problems, *objections)
            tools.observe(
                Activated(
                    self._name,
                    deployment.digest,
                    deployment.generation,
                    deployment.zones,
                    restored=True,
                    problems=problems,
                )
            )
            if deployment != candidate:
                await self._recommit(deployment)
            await restored(deployment, problems, built.workspace)
        finally:
            hold.release()
            builder.discard(built.workspace if built else None)

    async def _stand_in(self, candidate: Deployment, hold: Hold) -> None:
        """Serve the image a deployment had under former rules until that of now is compiled.

        Compiling may take long, or be refused under the new rules: what was served a moment
        ago, before the Corefile changed, is better than nothing.
        """
        images = self._tools.store.images
        hold.keep(candidate.fingerprint)
        if await self._tools.files.call(lambda: images.verified(candidate.fingerprint)):
            await self._served.serve_checked(candidate)

    async def _recommit(self, deployment: Deployment) -> None:
        """Record the image that the configuration of now makes of an old deployment."""
        try:
            await self._tools.files.call(lambda: self._records.commit(deployment))
        except StoreError as error:
            self.disturbed(error)

    def disturbed(self, error: OcizoneError) -> None:
        """Observe what is wrong with the state directory."""
        problems = getattr(error, "problems", ())
        self._tools.observe(Disturbed(self._name, "restore", Failure.of(error), problems))
