"""Working stand-ins for what a follower works with: registry, pools, compiler, serving.

The fake compiler's image is the text of all files, so that "what is served" can be read.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredLock, fail, maybeDeferred, succeed
from twisted.internet.task import Clock

from ocizone import limits
from ocizone.compiler.spec import (
    CompareSpec,
    CompiledZone,
    CompileReport,
    CompileSpec,
    Layer,
    RevisionFile,
    ZoneChange,
    ZoneRule,
)
from ocizone.corefile.types import Position
from ocizone.errors import (
    FetchReason,
    OcizoneError,
    Permanent,
    Problem,
    RegistryError,
    Severity,
    StoreError,
)
from ocizone.follow.follower import Follower
from ocizone.follow.local import LocalFollower
from ocizone.follow.places import Places
from ocizone.follow.pool import Pool
from ocizone.follow.source import LocalSource, OciSource
from ocizone.follow.status import Event
from ocizone.follow.tools import Tools
from ocizone.plugins.artifact import Artifact, Verify
from ocizone.registry.api import Resolved, SignatureClient
from ocizone.registry.manifest import CREATED, TITLE, UNPACK, Descriptor, IndexEntry, Manifest
from ocizone.registry.reference import Reference
from ocizone.registry.trust import Unsigned, Verdict
from ocizone.store.arena import FetchArena
from ocizone.store.deployments import Deployment
from ocizone.store.disk import Inject, no_faults
from ocizone.store.store import Store

T = TypeVar("T")
RULES = (ZoneRule("dns://.:53", "artifact", "", (".",)),)
WALL = 1_790_000_000.0


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class SyncPool:
    """Runs work at once, in the calling thread."""

    def call(self, work: Callable[[], T]) -> Deferred[T]:
        return maybeDeferred(work)


class HungPool:
    """Its work never ends, like a thread in a read of a dead registry.

    With ``full`` set it does not even begin: all threads are busy.
    """

    def __init__(self, *, full: bool = False) -> None:
        self.calls = 0
        self.full = full

    def call(self, work: Callable[[], T]) -> Deferred[T]:
        self.calls += 1
        if not self.full:
            maybeDeferred(work).addErrback(lambda _: None)
        return Deferred()


class HeldPool:
    """Does its work when told to, and delivers the result when told to."""

    def __init__(self) -> None:
        self._calls: list[tuple[Deferred[Any], Callable[[], Any]]] = []

    @property
    def waiting(self) -> int:
        """How much was asked for and not delivered."""
        return len(self._calls)

    def call(self, work: Callable[[], T]) -> Deferred[T]:
        result: Deferred[T] = Deferred()
        self._calls.append((result, work))
        return result

    def answer(self) -> None:
        """Do the oldest work; its result stays here."""
        result, work = self._calls[0]
        found = work()
        self._calls[0] = (result, lambda: found)

    def release(self) -> None:
        """Do the oldest work and hand over what it came to, if anybody still wants it."""
        result, work = self._calls.pop(0)
        if not result.called:
            maybeDeferred(work).chainDeferred(result)

    def deliver(self) -> None:
        """Hand over the oldest result."""
        result, work = self._calls.pop(0)
        result.callback(work())


class FakeRegistry:
    """One repository. ``push`` moves a tag; ``failures`` are raised by the next resolves."""

    def __init__(self) -> None:
        self.tag: str | None = None
        self.manifests: dict[str, Manifest] = {}
        self.tagged: dict[str, Manifest] = {}
        self.referrers: dict[str, tuple[IndexEntry, ...]] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: Counter[str] = Counter()
        self.failures: list[RegistryError] = []
        self.down: RegistryError | None = None
        self.cut_blob_after: int | None = None
        self.aborted = 0
        self.closed = 0
        self.times: list[float] = []
        self.seconds: Callable[[], float] = lambda: 0.0

    def push(self, files: dict[str, str], *, created: str = "") -> str:
        """Push a revision and move the tag to it; ``created`` makes the digest another one."""
        layers = []
        for title, text in files.items():
            data = text.encode()
            self.blobs[digest_of(data)] = data
            annotations = {TITLE: title, UNPACK: "false"}
            layers.append(Descriptor("text/dns", digest_of(data), len(data), annotations))
        name = json.dumps([created, [(one.digest, one.annotations[TITLE]) for one in layers]])
        digest = digest_of(name.encode())
        config = Descriptor("application/vnd.oci.empty.v1+json", digest_of(b"{}"), 2, {})
        annotations = {CREATED: created} if created else {}
        self.manifests[digest] = Manifest(
            digest, "application/x", config, tuple(layers), annotations
        )
        self.tag = digest
        return digest


class FakeClient:
    """A PullClient over a FakeRegistry."""

    def __init__(self, registry: FakeRegistry, reference: Reference) -> None:
        self._registry = registry
        self._reference = reference

    def start_attempt(self, seconds: float) -> None:
        assert seconds == limits.ATTEMPT_DEADLINE_S
        self._registry.times.append(self._registry.seconds())

    def resolve(self, fresh_s: float = 0.0) -> Resolved:
        registry = self._registry
        if self._reference.digest:
            return Resolved(self._reference.digest)
        registry.requests["head"] += 1
        if registry.failures:
            raise registry.failures.pop(0)
        if registry.down is not None:
            raise registry.down
        if registry.tag is None:
            raise Permanent("no such tag", reason=FetchReason.NOT_FOUND, status=404)
        return Resolved(registry.tag, self._reference.tag or "")

    def manifest(self, digest: str) -> Manifest:
        self._registry.requests["manifest"] += 1
        if self._registry.down is not None:
            raise self._registry.down
        return self._registry.manifests[digest]

    def tagged(self, tag: str) -> Manifest | None:
        return self._registry.tagged.get(tag)

    def referrers(self, digest: str) -> tuple[IndexEntry, ...]:
        return self._registry.referrers.get(digest, ())

    def small(self, blob: Descriptor, most: int) -> bytes:
        data = self._registry.blobs[blob.digest]
        assert len(data) <= most
        return data

    def fetch(self, layer: Descriptor, destination: Path) -> None:
        registry = self._registry
        registry.requests["blob"] += 1
        data = registry.blobs[layer.digest]
        if registry.cut_blob_after is not None:
            destination.write_bytes(data[: registry.cut_blob_after])
            raise Permanent("connection closed early", reason=FetchReason.NETWORK)
        destination.write_bytes(data)

    def wait(self, event: threading.Event) -> None:
        assert event.wait(10)

    def abort(self) -> None:
        self._registry.aborted += 1

    def close(self) -> None:
        self._registry.closed += 1


class FakeCompiler:
    """Compiles at once. A file with BAD is refused, ``crash`` is raised instead of a report.

    Files that did not change are not in the tree it leaves, as those of the real one.
    """

    def __init__(self) -> None:
        self.specs: list[CompileSpec] = []
        self.crash: OcizoneError | None = None
        self.hang = False
        self.silent = False
        self.lie = False
        self.cancelled = 0
        self.compared: list[CompareSpec] = []
        self.changes: tuple[ZoneChange, ...] = ()
        self.derived: dict[str, int] = {}
        self.compared_well = True
        self.facts: Callable[[CompiledZone, str], CompiledZone] = lambda zone, _text: zone

    def __call__(self, spec: CompileSpec | CompareSpec) -> Deferred[CompileReport]:
        if isinstance(spec, CompareSpec):
            self.compared.append(spec)
            return succeed(CompileReport(changes=self.changes, compared=self.compared_well))
        self.specs.append(spec)
        if self.hang:
            return Deferred(self._cancel)
        if self.crash is not None:
            return fail(self.crash)
        if self.silent:
            return succeed(CompileReport())
        return succeed(self._compile(spec))

    def _cancel(self, _: object) -> None:
        self.cancelled += 1

    def _compile(self, spec: CompileSpec) -> CompileReport:
        files = unpack(spec.layers, Path(spec.tree))
        zones, problems, served = [], [], {}
        for file in files:
            text = Path(spec.tree, file.path).read_text("utf-8")
            served[file.path] = text
            if "BAD" in text:
                problems.append(Problem(file.path, 1, 0, Severity.ERROR, "bad", "is bad"))
            if "ODD" in text:
                problems.append(Problem(file.path, 1, 0, Severity.WARNING, "odd", "is odd"))
            zone = CompiledZone(spec.rules[0].view, file.path, 1, 1, file.path)
            zones.append(self.facts(zone, text))
        if any(problem.severity is Severity.ERROR for problem in problems):
            return CompileReport(problems=tuple(problems), files=files)
        known = {(layer.title, layer.digest) for layer in spec.former_layers}
        for file in files:
            if (file.path, file.digest) in known:
                Path(spec.tree, file.path).unlink()
        image = json.dumps(served).encode()
        Path(spec.image).write_bytes(image)
        digest = hashlib.sha256(b"" if self.lie else image).hexdigest()
        return CompileReport(
            tuple(problems),
            tuple(zones),
            files,
            digest,
            len(image),
            changes=self.changes,
            compared=self.compared_well,
            extra={"derived": self.derived} if self.derived else {},
        )


def unpack(layers: tuple[Layer, ...], tree: Path) -> tuple[RevisionFile, ...]:
    """Write each layer under its title."""
    files = []
    for layer in layers:
        data = Path(layer.blob).read_bytes()
        path = tree / layer.title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files.append(RevisionFile(layer.title, layer.digest, len(data)))
    return tuple(files)


class FakeServing:
    """Serves images: ``served`` is what a query would see, by source key."""

    def __init__(self) -> None:
        self.served: dict[str, dict[str, str]] = {}
        self.deployments: list[Deployment] = []
        self.earlier: list[dict[str, str]] = []
        self.objections: tuple[Problem, ...] = ()
        self.broken: StoreError | None = None
        self.relabellings: list[Deployment] = []

    def check(self, deployment: Deployment) -> tuple[Problem, ...]:
        return self.objections

    def relabelled(self, deployment: Deployment) -> None:
        self.relabellings.append(deployment)

    def activate(self, deployment: Deployment, image: Path, earlier: tuple[Path, ...] = ()) -> None:
        if self.broken is not None:
            raise self.broken
        self.deployments.append(deployment)
        self.earlier = [json.loads(path.read_text("utf-8")) for path in earlier]
        self.served[deployment.source] = json.loads(image.read_text("utf-8"))


@dataclass
class Site:
    """Everything around the followers of one state directory."""

    root: Path
    inject: Inject = no_faults
    clock: Clock = field(default_factory=Clock)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    compiler: FakeCompiler = field(default_factory=FakeCompiler)
    serving: FakeServing = field(default_factory=FakeServing)
    events: list[Event] = field(default_factory=list)
    pulls: Pool = field(default_factory=SyncPool)
    files: Pool = field(default_factory=SyncPool)
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def signatures(self, client: SignatureClient, digest: str, verify: Verify) -> Verdict:
        """Return the verdict of a digest: unsigned, unless a test says otherwise."""
        del client, verify
        self.registry.requests["signature"] += 1
        return self.verdicts.get(digest, Unsigned("no signature"))

    def __post_init__(self) -> None:
        self.registry.seconds = self.clock.seconds
        self.store = Store(self.root / "state", self.inject)
        self.path = self.root / "zones"
        self.tools = Tools(
            clock=self.clock,
            wall=lambda: WALL + self.clock.seconds(),
            pulls=self.pulls,
            places=Places(),
            files=self.files,
            store=self.store,
            compile=self.compiler,
            unpack=unpack,
            serving=self.serving,
            observe=self.events.append,
            activating=DeferredLock(),
            placing=DeferredLock(),
            arena=FetchArena(self.store.blobs, self.store.disk),
            keeps=dict,
            draw=lambda: 0.5,
        )

    def client(self, artifact: Artifact) -> FakeClient:
        return FakeClient(self.registry, artifact.reference)

    def source(
        self,
        *,
        key: str = "one",
        interval_s: float = 3600.0,
        digest: str | None = None,
        rules: tuple[ZoneRule, ...] = RULES,
        **options: Any,
    ) -> OciSource:
        reference = Reference("r.test", "zones", None if digest else "prod", digest)
        position = Position("Corefile", 1)
        artifact = Artifact(
            reference, str(self.path), interval_s, True, None, None, position, **options
        )
        return OciSource(key, str(reference), artifact, rules)

    def follower(self, source: OciSource | None = None) -> Follower:
        """Start a follower."""
        follower = Follower(source or self.source(), self.client, self.tools, self.signatures)
        follower.startService()
        return follower

    def local(self, source: LocalSource) -> LocalFollower:
        """Start a follower of local files."""
        follower = LocalFollower(source, self.tools)
        follower.startService()
        return follower

    def again(self) -> Site:
        """Return the site after a restart: same disk and registry, nothing in memory."""
        self.store.close()
        return replace(
            self,
            clock=Clock(),
            inject=no_faults,
            compiler=FakeCompiler(),
            serving=FakeServing(),
            events=[],
        )

    @property
    def served(self) -> dict[str, str] | None:
        """What the only source serves."""
        return self.serving.served.get("one")
