"""From layers in the store to an image in the store: reused by fingerprint, or compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from twisted.internet.defer import Deferred

from ocizone.compiler.spec import (
    BaseZone,
    CompareSpec,
    CompiledZone,
    CompileReport,
    CompileSpec,
    Layer,
    ZoneChange,
    ZoneRule,
    basis,
    fingerprint,
)
from ocizone.errors import CompilerError, StoreError, ZoneError
from ocizone.follow.status import Disturbed, Failure
from ocizone.follow.tools import Tools
from ocizone.limits import EXPIRING_S
from ocizone.store.deployments import Deployment, StoredLayer
from ocizone.store.gc import Hold
from ocizone.store.images import ImageRecord


@dataclass(frozen=True, slots=True)
class Past:
    """What a revision is built upon.

    Attributes:
        base: zones whose serials decide those of the new ones.
        basis: what of it goes into the fingerprint (compiler.spec.basis).
        served: the revision itself was: signatures that ran out since do not refuse it.
    """

    base: tuple[BaseZone, ...] = ()
    basis: str = ""
    served: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """An image in the store, and the workspace it was made in if it had to be made."""

    fingerprint: str
    basis: str
    record: ImageRecord
    workspace: Path | None
    changes: tuple[ZoneChange, ...] | None = None
    """Against what was served; None when it was not compiled now."""
    tests: int = 0
    compared: bool = True
    """False when what is served could not be read, so that changes are not known."""
    derived: Mapping[str, int] = field(default_factory=dict)
    """What was taken over from what is served (compiler.derive); nothing of a cold compilation."""


class Builder:
    """Builds the images of one source: its rules are part of every fingerprint."""

    def __init__(
        self,
        name: str,
        rules: tuple[ZoneRule, ...],
        tools: Tools,
        prefix: str = "",
        interval_s: float = 0,
    ) -> None:
        self._name = name
        # Three looks may fail before a signature ends that is told of in time.
        self._expiring_s = max(EXPIRING_S, int(3 * interval_s))
        self._prefix = prefix
        self._rules = rules
        self._tools = tools
        #: Of what the layers do not say: a refusal counts only as long as this is the same.
        self.configuration = fingerprint((), rules)

    def inputs(self, layers: tuple[StoredLayer, ...]) -> tuple[Layer, ...]:
        """Return the layers as the compiler and the unpacker take them."""
        path = self._tools.store.blobs.path
        return tuple(
            Layer(str(path(one.digest)), one.digest, one.title, one.unpack, one.media_type)
            for one in layers
        )

    def fingerprint(self, layers: tuple[StoredLayer, ...], basis: str) -> str:
        """Return the name of the image these layers make with the rules of now."""
        return fingerprint(self.inputs(layers), self._rules, basis)

    def after(self, zones: tuple[CompiledZone, ...]) -> Past:
        """Return what a revision is built upon that is to follow these zones."""
        # A table of 10,000 zones takes as long to tell as one of them to compile.
        base = _base(zones) if any(rule.serial != "keep" for rule in self._rules) else ()
        return Past(base, basis(self._rules, base))

    def again(self, deployment: Deployment) -> Past:
        """Return what a deployment is built upon once more: itself, so that its serials stay."""
        own = self.fingerprint(deployment.layers, deployment.basis) == deployment.fingerprint
        past = self.after(deployment.zones)
        return replace(past, basis=deployment.basis if own else past.basis, served=True)

    async def reuse(self, layers: tuple[StoredLayer, ...], past: Past, hold: Hold) -> Built | None:
        """Return the image of these layers if the store has an undamaged one.

        One whose signatures ran out is judged again, unless it was served.

        Raises:
            StoreError: the disk failed.
        """
        images = self._tools.store.images
        name = self.fingerprint(layers, past.basis)
        hold.keep(name)
        record = await self._tools.files.call(lambda: images.verified(name))
        if record is None or not (past.served or self._is_current(record)):
            return None
        return Built(name, past.basis, record, None)

    def _is_current(self, record: ImageRecord) -> bool:
        now = self._tools.wall()
        return all(not zone.signed_until or zone.signed_until > now for zone in record.zones)

    async def compile(
        self,
        layers: tuple[StoredLayer, ...],
        past: Past,
        hold: Hold,
        former: Deployment | None = None,
    ) -> Built:
        """Compile these layers, which must be in the store, and publish the image.

        Args:
            layers: in manifest order.
            past: what they are built upon.
            hold: keeps the image.
            former: what is served: compared with, and taken from what did not change.

        Raises:
            ZoneError: the compiler refused them; its findings.
            CompilerError: the compiler died.
            StoreError: the disk failed.
        """
        store, files = self._tools.store, self._tools.files
        inputs = self.inputs(layers)
        name = self.fingerprint(layers, past.basis)
        hold.keep(name)
        workspace = await files.call(store.workspace)
        image = workspace / "image"
        spec = CompileSpec(
            self._name,
            inputs,
            self._rules,
            str(workspace / "tree"),
            str(image),
            self._prefix,
            now=int(self._tools.wall()),
            base=past.base,
            excuse_expired=past.served,
            expiring_s=self._expiring_s,
            former=str(store.images.path(former.fingerprint)) if former else "",
            former_sha256=store.images.sha256(former.fingerprint) if former else "",
            former_layers=self.inputs(former.layers) if former else (),
        )
        finished = False
        try:
            report = await self._tools.compile(spec)
            if report.refused:
                raise ZoneError(report.problems)
            if not report.image_sha256:
                raise CompilerError("the compiler reported neither an image nor an error")
            record = await files.call(lambda: store.images.publish(image, name, report))
            finished = True
        finally:
            if not finished:
                self.discard(workspace)
        return Built(
            name,
            past.basis,
            record,
            workspace,
            report.changes,
            report.tests,
            report.compared,
            report.extra.get("derived", {}),
        )

    async def compare(self, former: str, name: str) -> CompileReport:
        """Return a report of what one image of the store changes of another.

        Raises:
            CompilerError: the child that compares them died.
        """
        path = self._tools.store.images.path
        return await self._tools.compile(CompareSpec(str(path(former)), str(path(name))))

    async def require(self, layers: tuple[StoredLayer, ...]) -> None:
        """Make sure all blobs are here and undamaged.

        Raises:
            StoreError: one is not, or the disk failed.
        """
        blobs = self._tools.store.blobs

        def missing() -> list[str]:
            wanted = dict.fromkeys(layer.digest for layer in layers)
            return [digest for digest in wanted if not blobs.verified(digest)]

        digests = await self._tools.files.call(missing)
        if digests:
            raise StoreError(f"missing or damaged blobs: {', '.join(digests)}")

    def discard(self, workspace: Path | None) -> None:
        """Remove a workspace some time; what is left then is removed at the next start."""
        if workspace is not None:
            Deferred.fromCoroutine(self._remove(workspace))

    async def _remove(self, workspace: Path) -> None:
        store = self._tools.store
        try:
            await self._tools.files.call(lambda: store.discard(workspace))
        except StoreError as error:
            self._tools.observe(Disturbed(self._name, "collect", Failure.of(error)))


def _base(zones: tuple[CompiledZone, ...]) -> tuple[BaseZone, ...]:
    return tuple(BaseZone(one.view, one.apex, one.serial, one.content) for one in zones)
