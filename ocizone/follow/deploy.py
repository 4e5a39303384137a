"""From layers in the store to a served image: compile, judge, commit, activate.

Shared by the followers of registries and of local files. Order, and why: nothing may go live
that the gate holds; the image is durable before the pointer names it, the pointer is durable
before a query sees it, PATH and the collection come last because nothing depends on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ocizone.compiler.spec import ZoneChange
from ocizone.errors import (
    CompilerError,
    OcizoneError,
    Problem,
    StoreError,
    ZoneError,
)
from ocizone.follow.attempt import Revision
from ocizone.follow.build import Builder, Built
from ocizone.follow.decisions import Decisions, damaged
from ocizone.follow.facts import SourceFacts
from ocizone.follow.gatekeeper import Judged
from ocizone.follow.place import Place
from ocizone.follow.refusals import Refusals
from ocizone.follow.reporting import Reporter, Reports
from ocizone.follow.restore import Restorer
from ocizone.follow.served import Served
from ocizone.follow.status import Activated, Disturbance, Disturbed, Failure
from ocizone.follow.succession import unnoticed
from ocizone.follow.tools import Tools
from ocizone.registry.trust import signers
from ocizone.store.deployments import Deployment
from ocizone.store.gc import Hold
from ocizone.store.standing import Held


class Deployer:
    """Deploys the revisions of one source, one at a time."""

    def __init__(self, source: SourceFacts, tools: Tools) -> None:
        """Make it; nothing is read before ``restore``.

        Raises:
            StoreError: the key cannot name a source.
        """
        self.name = source.name
        self.problems: tuple[Problem, ...] = ()
        self.is_compiling = False
        """Nothing of a deployment is anywhere yet: it may be cancelled."""
        self.records = tools.store.source(source.key)
        self.served = Served(tools)
        self.decisions = Decisions(self.records, tools.files, tools.wall)
        self._source = source
        self._tools = tools
        self._builder = Builder(source.name, source.rules, tools, source.prefix, source.interval_s)
        inputs = self._builder.inputs
        self._place = Place(source.name, source.path, self.records, inputs, tools)
        self._restorer = Restorer(source.name, self.records, self._builder, self.served, tools)
        self.configuration = source.configuration(self._builder.configuration)
        self.reports = Reports(source, self.configuration, self.records, tools)
        self.refusals = Refusals(self.records, tools.files, self.configuration)

    @property
    def current(self) -> Deployment | None:
        """The deployment that is served."""
        return self.served.current

    @property
    def materialised(self) -> bool:
        """False while PATH could not be brought up to date."""
        return self._place.up_to_date

    @property
    def intact(self) -> Deployment | None:
        """The current deployment, if its image is that of the rules of now and in the store."""
        found = self.current
        if found is None:
            return None
        if found.fingerprint != self._builder.fingerprint(found.layers, found.basis):
            return None
        return found if self._tools.store.images.present(found.fingerprint) else None

    @property
    def held(self) -> Held | None:
        """What waits for ``approve``, held with the configuration of now."""
        found = self.decisions.standing.held
        return found if found and found.configuration == self.configuration else None

    # --- Deploying ---------------------------------------------------------------------------

    async def deploy(
        self, revision: Revision, hold: Hold, reporter: Reporter, *, follows_tag: bool = True
    ) -> Judged:
        """Make a revision the one that is served, or hold it.

        Args:
            revision: its layers are in the store, held.
            hold: keeps what it consists of.
            reporter: writes down how far it came.
            follows_tag: judge it, and let it raise the watermark; False for what an operator
                went back to.

        Returns:
            What the gate said; with a condition, nothing went live.

        Raises:
            ZoneError: its content is refused, by the compiler (that is remembered) or by what
                is served already (that is not: it may go away).
            CompilerError: the compiler died.
            StoreError: the disk failed.
        """
        former = self.current
        before = self.served.last_zones
        await self.reports.enter(reporter, "compiling")
        built = await self._built(revision, hold)
        try:
            changes, compared = await self._changes(former, built) if follows_tag else ((), True)
            facts = {
                "zones": built.record.zones,
                "changes": changes,
                "tests": built.tests,
                "derived": dict(built.derived),
            }
            await self.reports.enter(reporter, "guarding", **facts)
            judged = Judged(None, ())
            standing = self.decisions.standing
            if follows_tag:
                judged = self._source.gate.judge(
                    revision, built.record.zones, changes, standing, compared=compared
                )
            deployment = self._deployment(revision, built)
            if judged.condition is not None:
                await self._hold(deployment, judged, reporter)
                return judged
            problems = (
                *built.record.problems,
                *revision.problems,
                *unnoticed(before, built.record.zones),
                *judged.problems,
            )
            await self.reports.enter(reporter, "activating", problems=tuple(sorted(problems)))
            await self._activate(deployment, tuple(dict.fromkeys(problems)), built.derived)
            await self._live(follows_tag=follows_tag)
            await self.reports.served(reporter, self.current, former)
            await self.materialise(built.workspace)
        finally:
            self._builder.discard(built.workspace)
        await self._collect()
        if not follows_tag:
            await self._tell_changes(former, built, reporter)
        return judged

    async def _built(self, revision: Revision, hold: Hold) -> Built:
        builder, current = self._builder, self.current
        if current is not None and current.layers == revision.layers:
            past = builder.again(current)
        else:
            past = builder.after(self.served.last_zones)
        self.is_compiling = True
        try:
            built = await builder.reuse(revision.layers, past, hold)
            if built is None:
                built = await builder.compile(revision.layers, past, hold, current)
        except ZoneError as error:
            await self.reject(revision.digest, error.problems)
            raise
        except CompilerError as error:
            self.refusals.compiler_failed(revision.digest, self.name, error)
            raise
        finally:
            self.is_compiling = False
        return built

    async def _changes(
        self, former: Deployment | None, built: Built
    ) -> tuple[tuple[ZoneChange, ...], bool]:
        """Return what a built image changes, and whether that is known.

        It is compared now if it was not compiled just now.
        """
        if former is None:
            # The SOA does not count.
            added = tuple(
                ZoneChange(
                    zone.view, zone.apex, "added", added=zone.records - 1, serial=zone.serial
                )
                for zone in built.record.zones
            )
            return added, True
        if built.changes is not None:
            return built.changes, built.compared
        if former.fingerprint == built.fingerprint:
            return (), True
        report = await self._builder.compare(former.fingerprint, built.fingerprint)
        return report.changes, report.compared

    def _deployment(self, revision: Revision, built: Built) -> Deployment:
        return Deployment(
            source=self._source.key,
            reference=self._source.reference,
            digest=revision.digest,
            layers=revision.layers,
            fingerprint=built.fingerprint,
            zones=built.record.zones,
            files=built.record.files,
            activated_at=int(self._tools.wall()),
            generation=0,
            basis=built.basis,
            tag=revision.tag,
            verified_by=revision.verified_by,
            created=revision.created,
        )

    async def _hold(self, deployment: Deployment, judged: Judged, reporter: Reporter) -> None:
        assert judged.condition is not None
        held = Held(
            deployment.digest,
            judged.condition,
            int(self._tools.wall()),
            self.configuration,
            judged.problems,
            tuple(layer.digest for layer in deployment.layers),
            deployment.fingerprint,
            deployment,
        )
        await self.decisions.hold(held)
        message = "; ".join(problem.message for problem in judged.problems)
        await self.reports.enter(
            reporter,
            "held",
            reason=judged.condition,
            message=message,
            problems=judged.problems,
        )

    async def _activate(
        self, deployment: Deployment, problems: tuple[Problem, ...], derived: Mapping[str, int]
    ) -> None:
        tools, served = self._tools, self.served
        async with tools.activating:
            objections = served.check(deployment)
            if served.current is not None:
                # Known here: to read it from the disk takes long when it has many zones.
                deployment = replace(deployment, generation=served.current.generation)
            deployment = await tools.files.call(lambda: self.records.commit_next(deployment))
            try:
                served.serve(deployment)
            except OcizoneError:
                previous = served.current
                await tools.files.call(lambda: self.records.retract(previous))
                raise
        self.problems = (*problems, *objections)
        tools.observe(
            Activated(
                self.name,
                deployment.digest,
                deployment.generation,
                deployment.zones,
                restored=False,
                problems=self.problems,
                derived=derived,
            )
        )

    async def _live(self, *, follows_tag: bool) -> None:
        """Note what went live; a disk that fails now only forgets it."""
        current = self.current
        assert current is not None
        try:
            await self.decisions.served(current, follows_tag=follows_tag)
        except StoreError as error:
            self.disturbed("remember", error)

    async def relabel(self, revision: Revision) -> None:
        """Record that another manifest names the layers that are served; nothing reloads.

        Raises:
            StoreError: the disk failed; the next look tries again.
        """
        assert self.current is not None
        relabelled = replace(
            self.current,
            digest=revision.digest,
            reference=self._source.reference,
            tag=revision.tag,
            verified_by=revision.verified_by,
            created=revision.created,
        )
        if relabelled == self.current:
            return
        await self._tools.files.call(lambda: self.records.commit(relabelled))
        self.served.current = relabelled
        self._tools.serving.relabelled(relabelled)
        await self._live(follows_tag=True)

    async def reject(self, digest: str, problems: tuple[Problem, ...]) -> None:
        """Remember a refusal; a disk that fails only makes us fetch it once more."""
        try:
            await self.refusals.remember(digest, problems)
        except StoreError as error:
            self.disturbed("remember", error)

    async def _tell_changes(
        self, former: Deployment | None, built: Built, reporter: Reporter
    ) -> None:
        """Complete the report of what went live without waiting for a comparison."""
        try:
            changes, _ = await self._changes(former, built)
        except CompilerError as error:
            self.disturbed("report", error)
        else:
            await self.reports.enter(reporter, "served", changes=changes)

    # --- Restoring, and what nothing depends on ----------------------------------------------

    async def restore(self) -> None:
        """Serve what was served before; see follow.restore."""
        try:
            await self.decisions.load()
        except StoreError as error:
            self._restorer.disturbed(damaged(error))
        try:
            await self.refusals.load()
        except StoreError as error:
            # What was refused is fetched and refused once more; that is no reason not to serve.
            self._restorer.disturbed(error)
        await self._restorer.restore(self._restored)

    async def restore_earlier(self) -> None:
        """Serve differences from what was served before, too."""
        await self._restorer.restore_earlier()

    async def _restored(
        self, deployment: Deployment, problems: tuple[Problem, ...], workspace: Path | None
    ) -> None:
        self.problems = problems
        self.decisions.seed(deployment)
        await self._place.check(deployment, workspace)

    async def materialise(self, workspace: Path | None = None) -> None:
        """Bring PATH up to date; see follow.place."""
        if self.current is not None:
            await self._place.update(self.current, workspace)

    async def _collect(self) -> None:
        tools = self._tools
        keeps, now = tools.keeps(), tools.wall()
        try:
            await tools.files.call(lambda: tools.store.collect(keeps, now))
        except StoreError as error:
            self.disturbed("collect", error)

    def untrusted(self, deployment: Deployment) -> str:
        """Return why nobody who may sign now has signed a deployment, "" when somebody has.

        By what was found when it was pulled: to go back needs no registry.
        """
        verify = self._source.verify
        if verify is None or verify.policy != "require":
            return ""
        name = deployment.digest
        if not deployment.verified_by:
            return f"{name} is not signed, and `verify` requires it"
        if deployment.verified_by not in signers(verify):
            return f"{name} was signed by {deployment.verified_by}, whom `verify` does not name now"
        return ""

    async def require(self, deployment: Deployment) -> None:
        """Make sure a deployment can be served again: its image is here, or all its blobs.

        Raises:
            StoreError: neither, or the disk failed.
        """
        fingerprint = self._builder.fingerprint(deployment.layers, deployment.basis)
        if not self._tools.store.images.present(fingerprint):
            await self._builder.require(deployment.layers)

    def disturbed(self, what: Disturbance, error: OcizoneError) -> None:
        """Observe what went wrong beside serving."""
        problems: Iterable[Problem] = getattr(error, "problems", ())
        self._tools.observe(Disturbed(self.name, what, Failure.of(error), tuple(problems)))
