"""From a side of a comparison to its zones: compiled, mapped, or transferred. Blocking.

Artifacts and files are compiled as a server would, in this process, into images below a
workspace that the caller removes. Not here: what differs (ocizone.compare).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ocizone.compare import Zones
from ocizone.compiler.pipeline import compile_revision
from ocizone.compiler.spec import CompileSpec, Layer, ZoneRule
from ocizone.control import ControlError, Where, as_object, ask
from ocizone.errors import ArtifactError, OcizoneError
from ocizone.limits import ATTEMPT_DEADLINE_S
from ocizone.publish import CHECK_VIEW, FileToPush, collect
from ocizone.registry.client import Client
from ocizone.registry.manifest import TITLE, UNPACK, Descriptor, is_digest
from ocizone.registry.reference import Reference
from ocizone.sides import Files, Served, Side, Stored, Transferred
from ocizone.store.disk import sha256_of
from ocizone.transferred import transfer
from ocizone.wire.tsig import TsigKey
from ocizone.zone.image import Image


class SideError(OcizoneError):
    """A side cannot be opened; the message says which and what to write instead."""


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens sides.

    Attributes:
        workspace: an existing directory for blobs and images.
        clients: makes the client of a reference.
        server: whose served zones, sources and history are meant.
        now: unix seconds: signatures are judged by it.
        key: that transfers are signed with, or None.
    """

    workspace: Path
    clients: Callable[[Reference], Client]
    server: Where
    now: int
    key: TsigKey | None = None

    def both(self, before: Side, after: Side) -> tuple[Zones, Zones]:
        """Return the zones of two sides: what one leaves open the other says.

        Raises:
            OcizoneError: one of them cannot be opened.
        """
        before, after = self._completed(before, after), self._completed(after, before)
        if isinstance(before, Transferred) and isinstance(after, Transferred):
            raise SideError("two servers cannot be compared: one side has to say which zones")
        if isinstance(before, Transferred):
            zones = self._zones(after, "after")
            return {apex: transfer(before, apex, self.key) for apex in zones}, zones
        zones = self._zones(before, "before")
        if isinstance(after, Transferred):
            return zones, {apex: transfer(after, apex, self.key) for apex in zones}
        return zones, self._zones(after, "after")

    def _zones(self, side: Side, name: str) -> Zones:
        match side:
            case Files():
                files = collect([side.path])
                with _findings_of(str(side.path)):
                    return self._of_files(files, str(side.path), name)
            case Served():
                return self._served(side)
            case Stored():
                with _findings_of(f"{side.base}@{side.digest}" if side.digest else str(side.base)):
                    return self.artifact(side, name)
            case Transferred():
                raise AssertionError("the caller transfers, for it knows the zones")

    # --- Compiled --------------------------------------------------------------------------------

    def _of_files(self, files: list[FileToPush], source: str, name: str) -> Zones:
        layers = tuple(
            Layer(str(one.path.absolute()), f"sha256:{sha256_of(one.path)}", one.title, False, "")
            for one in files
        )
        return self._compiled(layers, source, name)

    def artifact(self, side: Stored, name: str) -> Zones:
        """Return the zones of an artifact with a repository.

        Args:
            side: with ``base``.
            name: of its folder in the workspace.

        Raises:
            RegistryError: it cannot be pulled.
            ArtifactError: it cannot be compiled.
        """
        assert side.base is not None  # _completed() gave it one
        reference = side.base
        with closing(self.clients(reference)) as client:
            client.start_attempt(ATTEMPT_DEADLINE_S)
            digest = self._whole(side) if side.digest else client.resolve().digest
            manifest = client.manifest(digest)
            folder = self.workspace / f"{name}-blobs"
            folder.mkdir()
            layers = tuple(self._layer(client, layer, folder) for layer in manifest.layers)
        return self._compiled(layers, f"{reference}@{digest}", name)

    def _layer(self, client: Client, layer: Descriptor, folder: Path) -> Layer:
        path = folder / layer.digest.removeprefix("sha256:")
        if not path.exists() and not self._stored(layer.digest, path):
            client.start_attempt(ATTEMPT_DEADLINE_S)
            client.fetch(layer, path)
        return as_layer(layer, path)

    def _stored(self, digest: str, path: Path) -> bool:
        """Tell whether the server here has the blob; then a copy is at ``path``.

        A copy: the server may collect its own at any moment.
        """
        if not isinstance(self.server, Path):
            return False
        kept = self.server / "blobs" / "sha256" / path.name
        try:
            shutil.copyfile(kept, path)
            if f"sha256:{sha256_of(path)}" == digest:
                return True
        except OSError:
            # There is no server here, or its directory is not ours to read.
            pass
        path.unlink(missing_ok=True)
        return False

    def _compiled(self, layers: tuple[Layer, ...], source: str, name: str) -> Zones:
        tree, image = self.workspace / f"{name}-tree", self.workspace / f"{name}-image"
        tree.mkdir()
        # What is compared need not be fit to be served any more: its signatures ran out, say.
        rule = ZoneRule(CHECK_VIEW, "artifact", "", (".",), dnssec="warn")
        spec = CompileSpec(
            source, layers, (rule,), str(tree), str(image), now=self.now, excuse_expired=True
        )
        report = compile_revision(spec, time.monotonic)
        if report.refused:
            raise ArtifactError(report.problems)
        return image_zones(image)

    # --- The running server ----------------------------------------------------------------------

    def _served(self, side: Served) -> Zones:
        query = f"?{urlencode({'source': side.source})}" if side.source else ""
        found = self._page(f"/v1/served{query}")
        path = found.get("image")
        if not isinstance(path, str) or not Path(path).is_file():
            raise SideError(
                f"@served: {found.get('source') or 'the source'} serves nothing that can be read "
                f"here ({path or 'no version yet'})"
            )
        return image_zones(Path(path))

    def _completed(self, side: Side, other: Side) -> Side:
        """Return a side with the repository that the other side or the only source has."""
        if not isinstance(side, Stored) or side.base is not None:
            return side
        base = other.base if isinstance(other, Stored) else None
        if base is None:
            source = other.source if isinstance(other, Served) else ""
            base = self._only_repository(source)
        named = Reference(base.registry, base.repository, side.tag or base.tag or "latest", None)
        return Stored(named, "", side.digest)

    def _only_repository(self, wanted: str) -> Reference:
        followed = {
            source["reference"]
            for source in self._page("/v1/status")["sources"]
            if source.get("kind") == "oci" and source["reference"].startswith(wanted)
        }
        if len(followed) != 1:
            raise SideError(
                f"the server follows {len(followed)} repositories: write HOST/REPOSITORY:TAG"
            )
        return Reference.parse(followed.pop())

    def _whole(self, side: Stored) -> str:
        """Return the digest a beginning means: of what the server here has known."""
        if is_digest(side.digest):
            return side.digest
        assert side.base is not None  # _completed() gave it one
        source = f"{side.base.registry}/{side.base.repository}"
        history = self._page(f"/v1/history?{urlencode({'source': source, 'most': 1000})}")
        known = {
            str(one.get("digest", ""))
            for kind in ("deployments", "reports")
            for one in history.get(kind) or ()
        }
        fitting = sorted(digest for digest in known if digest.startswith(side.digest))
        if len(fitting) != 1:
            what = "none" if not fitting else f"{len(fitting)}: {', '.join(fitting)}"
            raise SideError(
                f"{side.digest} is the beginning of {what} of the versions the server knows: "
                "write all 64 digits"
            )
        return fitting[0]

    def _page(self, path: str) -> dict[str, Any]:
        code, body = ask(self.server, path)
        found = as_object(body)
        if code != HTTPStatus.OK:
            said = found.get("message") or ""
            raise ControlError(
                f"{path.partition('?')[0]}: the server answers {code} {said}".strip()
            )
        return found


@contextmanager
def _findings_of(side: str) -> Iterator[None]:
    """Put the side before each finding: both may have a file of that name."""
    try:
        yield
    except ArtifactError as error:
        raise SideError("\n".join(f"{side}: {problem}" for problem in error.problems)) from error


def as_layer(layer: Descriptor, path: Path) -> Layer:
    """Return a layer of a manifest, whose blob is at ``path``, as the compiler takes it."""
    return Layer(
        str(path.absolute()),
        layer.digest,
        layer.annotations.get(TITLE, ""),
        layer.annotations.get(UNPACK) == "true",
        layer.media_type,
    )


def image_zones(path: Path) -> Zones:
    """Return the zones of an image by apex; of one that several views have, the first view's.

    Raises:
        StoreError: it is no image.
    """
    found: dict[bytes, Any] = {}
    stored: Mapping[tuple[str, bytes], Any] = Image.open(path).zones()
    for (_, apex), zone in sorted(stored.items(), key=lambda item: item[0]):
        found.setdefault(apex, zone)
    return found
