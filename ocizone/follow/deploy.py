"""From layers in the store to a served image: compile, check, commit, activate.

Shared by the followers of registries and of local files. Order, and why: the image is durable
before the pointer names it, the pointer is durable before a query sees it, PATH and the
collection come last because nothing depends on them. Restoring at start is the same way
without the fetch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ocizone import limits
from ocizone.compiler.spec import CompiledZone, ZoneRule
from ocizone.errors import (
    CompilerError,
    OcizoneError,
    Problem,
    Severity,
    StoreError,
    ZoneError,
)
from ocizone.follow.build import Builder, Built
from ocizone.follow.status import Activated, Disturbance, Disturbed, Failure
from ocizone.follow.succession import unnoticed
from ocizone.follow.tools import Tools
from ocizone.follow.versions import served_before, whole_before
from ocizone.store.deployments import Deployment, Rejection, StoredLayer
from ocizone.store.gc import Hold
from ocizone.store.materialise import materialise, materialised


@dataclass(frozen=True, slots=True)
class Revision:
    """What is to be deployed; its layers are in the store, verified and held."""

    digest: str
    layers: tuple[StoredLayer, ...]


#: Rules that a revision breaks today and may not tomorrow: it is looked at again.
_PASSING = frozenset({"rrsig-not-yet-valid"})


class Deployer:
    """Deploys the revisions of one source, one at a time."""

    def __init__(
        self,
        *,
        key: str,
        name: str,
        reference: str,
        rules: tuple[ZoneRule, ...],
        path: Path | None,
        tools: Tools,
        prefix: str = "",
        interval_s: float = 0,
    ) -> None:
        """Make it; nothing is read before ``restore``.

        Args:
            key: of the source; names its records.
            name: of the source, for events.
            reference: what is followed, as text.
            rules: make, with the layers, the image.
            path: where files are materialised, None for nowhere.
            tools: see Tools.
            prefix: what findings put before a file's path.
            interval_s: seconds between looks.

        Raises:
            StoreError: the key cannot name a source.
        """
        self.name = name
        self.current: Deployment | None = None
        self.problems: tuple[Problem, ...] = ()
        self.materialised = True
        self._key = key
        self._reference = reference
        self._path = path
        self._tools = tools
        self._records = tools.store.source(key)
        self._builder = Builder(name, rules, tools, prefix, interval_s)
        self._rejection: Rejection | None = None
        self._crashes: tuple[str, int] = ("", 0)
        self._serving = tools.store.hold()
        self._earlier: tuple[Deployment, ...] = ()
        self._last_zones: tuple[CompiledZone, ...] = ()
        self._kept: tuple[Deployment, ...] = ()

    @property
    def intact(self) -> Deployment | None:
        """The current deployment, if its image is that of the rules of now and in the store."""
        found = self.current
        if found is None:
            return None
        if found.fingerprint != self._builder.fingerprint(found.layers, found.basis):
            return None
        return found if self._tools.store.images.present(found.fingerprint) else None

    # --- Refusals ----------------------------------------------------------------------------

    @property
    def rejected(self) -> Rejection | None:
        """The last refusal with the configuration of now."""
        found = self._rejection
        return found if found and found.configuration == self._builder.configuration else None

    async def _reject(self, digest: str, problems: tuple[Problem, ...]) -> None:
        if all(one.severity is not Severity.ERROR or one.rule in _PASSING for one in problems):
            return
        self._rejection = Rejection(digest, self._builder.configuration, problems)
        rejection = self._rejection
        try:
            await self._tools.files.call(lambda: self._records.reject(rejection))
        except StoreError as error:
            self._disturbed("remember", error)

    def _compiler_failed(self, digest: str, error: CompilerError) -> None:
        """Give a digest that kills the compiler up after some tries, until the next start."""
        failed = self._crashes[1] + 1 if self._crashes[0] == digest else 1
        self._crashes = (digest, failed)
        if failed >= limits.ATTEMPTS:
            problem = Problem(self.name, 0, 0, Severity.ERROR, "compiler-failed", str(error))
            self._rejection = Rejection(digest, self._builder.configuration, (problem,))

    # --- Deploying ---------------------------------------------------------------------------

    async def deploy(self, revision: Revision, hold: Hold) -> None:
        """Make a revision the one that is served.

        Raises:
            ZoneError: its content is refused, by the compiler (that is remembered) or by what
                is served already (that is not: it may go away).
            CompilerError: the compiler died.
            StoreError: the disk failed.
        """
        current, before = self.current, self._last_zones
        if current is not None and current.layers == revision.layers:
            past = self._builder.again(current)
        else:
            past = self._builder.after(before)
        try:
            built = await self._builder.reuse(revision.layers, past, hold)
            if built is None:
                built = await self._builder.compile(revision.layers, past, hold)
        except ZoneError as error:
            await self._reject(revision.digest, error.problems)
            raise
        except CompilerError as error:
            self._compiler_failed(revision.digest, error)
            raise
        try:
            problems = (*built.record.problems, *unnoticed(before, built.record.zones))
            await self._activate(self._deployment(revision, built), problems)
            await self.materialise(built.workspace)
        finally:
            self._builder.discard(built.workspace)
        await self._collect()

    def _deployment(self, revision: Revision, built: Built) -> Deployment:
        return Deployment(
            source=self._key,
            reference=self._reference,
            digest=revision.digest,
            layers=revision.layers,
            fingerprint=built.fingerprint,
            zones=built.record.zones,
            files=built.record.files,
            activated_at=int(self._tools.wall()),
            generation=0,
            basis=built.basis,
        )

    async def _activate(self, deployment: Deployment, problems: tuple[Problem, ...]) -> None:
        tools = self._tools
        async with tools.activating:
            objections = tools.serving.check(deployment)
            if any(problem.severity is Severity.ERROR for problem in objections):
                raise ZoneError(objections)
            deployment = await tools.files.call(lambda: self._records.commit_next(deployment))
            try:
                self._serve(deployment)
            except OcizoneError:
                previous = self.current
                await tools.files.call(lambda: self._records.retract(previous))
                raise
        self._activated(deployment, (*problems, *objections), restored=False)

    def _serve(self, deployment: Deployment) -> None:
        """Swap, and hold what is served: no record may name it after a fall-back."""
        path = self._tools.store.images.path
        earlier = served_before(deployment, self.current, self._earlier)
        paths = tuple(path(one.fingerprint) for one in earlier)
        self._tools.serving.activate(deployment, path(deployment.fingerprint), paths)
        self.current, self._earlier, self._last_zones = deployment, earlier, deployment.zones
        former, self._serving = self._serving, self._tools.store.hold()
        for one in (deployment, *earlier):
            self._serving.keep(one.fingerprint)
        for layer in deployment.layers:
            self._serving.keep(layer.digest)
        former.release()

    def _activated(
        self, deployment: Deployment, problems: tuple[Problem, ...], *, restored: bool
    ) -> None:
        self.problems = problems
        self._tools.observe(
            Activated(
                self.name,
                deployment.digest,
                deployment.generation,
                deployment.zones,
                restored,
                problems,
            )
        )

    async def relabel(self, digest: str) -> None:
        """Record that another manifest names the layers that are served; nothing reloads.

        Raises:
            StoreError: the disk failed; the next look tries again.
        """
        assert self.current is not None
        relabelled = replace(self.current, digest=digest, reference=self._reference)
        await self._tools.files.call(lambda: self._records.commit(relabelled))
        self.current = relabelled

    # --- Restoring ---------------------------------------------------------------------------

    async def restore(self) -> None:
        """Serve what was served before, without a network: the newest that is whole.

        Never raises for a damaged state directory: what is wrong is observed, and the first
        look fetches it again.
        """
        records, files = self._records, self._tools.files
        try:
            self._rejection = await files.call(records.rejected)
        except StoreError as error:
            # What was refused is fetched and refused once more; that is no reason not to serve.
            self._disturbed("restore", error)
        candidates, unreadable = await files.call(records.restorable)
        for each in unreadable:
            self._disturbed("restore", each)
        self._kept = candidates
        if candidates:
            self._last_zones = candidates[0].zones
        for candidate in candidates:
            try:
                await self._restore(candidate)
            except OcizoneError as error:
                self._disturbed("restore", error)
            if self.current is not None:
                break

    async def restore_earlier(self) -> None:
        """Serve differences from what was served before, too, as far as its images are whole.

        After ``restore``, because it may read a lot: no answer waits for it.
        """
        kept, self._kept = self._kept, ()
        if self.current is None:
            return
        hold = self._tools.store.hold()
        try:
            whole = await whole_before(self.current, kept, self._tools, hold)
            if whole:
                self._earlier = whole
                await self._serve_restored(self.current)
        except OcizoneError as error:
            self._disturbed("restore", error)
        finally:
            hold.release()

    async def _restore(self, candidate: Deployment) -> None:
        tools = self._tools
        hold = tools.store.hold()
        for layer in candidate.layers:
            hold.keep(layer.digest)
        built = None
        try:
            past = self._builder.again(candidate)
            built = await self._builder.reuse(candidate.layers, past, hold)
            if built is None:
                await self._stand_in(candidate, hold)
                await self._builder.require(candidate.layers)
                built = await self._builder.compile(candidate.layers, past, hold)
            record = built.record
            deployment = replace(
                candidate,
                fingerprint=built.fingerprint,
                basis=built.basis,
                zones=record.zones,
                files=record.files,
            )
            objections = await self._serve_restored(deployment)
            self._activated(deployment, (*record.problems, *objections), restored=True)
            if deployment != candidate:
                await self._recommit(deployment)
            await self._check_path(built.workspace)
        finally:
            hold.release()
            self._builder.discard(built.workspace if built else None)

    async def _stand_in(self, candidate: Deployment, hold: Hold) -> None:
        """Serve the image a deployment had under former rules until that of now is compiled.

        Compiling may take long, or be refused under the new rules: what was served a moment
        ago, before the Corefile changed, is better than nothing.
        """
        images = self._tools.store.images
        hold.keep(candidate.fingerprint)
        if await self._tools.files.call(lambda: images.verified(candidate.fingerprint)):
            await self._serve_restored(candidate)

    async def _serve_restored(self, deployment: Deployment) -> tuple[Problem, ...]:
        tools = self._tools
        async with tools.activating:
            objections = tools.serving.check(deployment)
            if any(problem.severity is Severity.ERROR for problem in objections):
                raise ZoneError(objections)
            self._serve(deployment)
        return objections

    async def _recommit(self, deployment: Deployment) -> None:
        """Record the image that the configuration of now makes of an old deployment."""
        try:
            await self._tools.files.call(lambda: self._records.commit(deployment))
        except StoreError as error:
            self._disturbed("restore", error)

    # --- What nothing depends on -------------------------------------------------------------

    async def _check_path(self, workspace: Path | None) -> None:
        """Bring PATH up to date after a restart, if it is not."""
        root, current, records = self._path, self.current, self._records
        if root is None or current is None:
            return
        try:
            done = await self._tools.files.call(lambda: materialised(root, current.files, records))
        except StoreError as error:
            self._disturbed("materialise", error)
        else:
            if not done:
                await self.materialise(workspace)

    async def materialise(self, workspace: Path | None = None) -> None:
        """Bring PATH up to date; a failure is observed, never raised, and tried again.

        Args:
            workspace: whose ``tree`` holds the files; None to unpack them anew.
        """
        if self._path is None or self.current is None:
            return
        tools, root, current = self._tools, self._path, self.current

        def work() -> tuple[Problem, ...]:
            own = workspace or tools.store.workspace()
            try:
                if workspace is None:
                    tools.unpack(self._builder.inputs(current.layers), own / "tree")
                return materialise(
                    own / "tree", root, current.files, self._records, tools.store.disk
                )
            finally:
                if workspace is None:
                    tools.store.discard(own)

        try:
            problems = await tools.files.call(work)
        except OcizoneError as error:
            self.materialised = False
            self._disturbed("materialise", error)
            return
        # What others wrote stays in the way however often it is tried.
        self.materialised = all(problem.rule != "file-not-written" for problem in problems)
        if problems:
            tools.observe(Disturbed(self.name, "materialise", None, problems))

    async def _collect(self) -> None:
        try:
            await self._tools.files.call(self._tools.store.collect)
        except StoreError as error:
            self._disturbed("collect", error)

    def _disturbed(self, what: Disturbance, error: OcizoneError) -> None:
        problems = getattr(error, "problems", ())
        self._tools.observe(Disturbed(self.name, what, Failure.of(error), problems))
