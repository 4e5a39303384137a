"""What is deployed: the image of each source, and the snapshot they make with the plan.

Implements ``follow.deploy.Serving``: followers ask ``check`` before and call ``activate`` after
a deployment is durable; each activation is one assignment to the live cell. Everything runs on
the reactor thread and none of it blocks: opening an image maps a file that was verified before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path

from ocizone.answer.blocks import Snapshot
from ocizone.assemble import ZonesOfImage, assemble, conflicts
from ocizone.errors import Problem, StoreError
from ocizone.live import LiveZones
from ocizone.plan import Plan
from ocizone.plugins.provenance import Provenance
from ocizone.plugins.transfer import Transfer
from ocizone.store.deployments import Deployment
from ocizone.zone.reader import ZoneReader

#: Opens a verified image; raises StoreError when the file cannot be mapped.
OpenImage = Callable[[Path], ZonesOfImage]


class _Opened:
    """An image whose zones were listed once: a swap must not list those of every other image."""

    def __init__(self, image: ZonesOfImage, path: Path) -> None:
        self._zones = dict(image.zones())
        self.path = path

    def zones(self) -> Mapping[tuple[str, bytes], ZoneReader]:
        """Return the zones by (view, apex)."""
        return self._zones


class Deployed:
    """The images by source, and the plan they are served under."""

    def __init__(
        self,
        live: LiveZones,
        plan: Plan,
        *,
        open_image: OpenImage,
        hostname: str,
        on_problems: Callable[[tuple[Problem, ...]], None],
        wall: Callable[[], float],
        on_swap: Callable[[], None],
        cookie_secret: bytes | None = None,
    ) -> None:
        """Serve what needs no image.

        Args:
            live: where snapshots are put.
            plan: what to serve.
            open_image: as OpenImage.
            hostname: of this server.
            on_problems: told what had to be left out of a snapshot.
            wall: unix seconds.
            on_swap: told of each snapshot, once it is live.
            cookie_secret: 16 random octets; None for no DNS cookies without configured secrets.
        """
        self._live = live
        self._plan = plan
        self._open_image = open_image
        self._hostname = hostname
        self._on_problems = on_problems
        self._wall = wall
        self._on_swap = on_swap
        self._cookie_secret = cookie_secret
        self._images: dict[str, _Opened] = {}
        self._deployments: dict[str, Deployment] = {}
        self._earlier: dict[str, tuple[Path, ...]] = {}
        self._history: dict[str, dict[Path, _Opened]] = {}
        self._serve()

    @property
    def plan(self) -> Plan:
        """The plan that is served."""
        return self._plan

    @property
    def images(self) -> Mapping[str, ZonesOfImage]:
        """The image of each source that has one."""
        return self._images

    @property
    def deployments(self) -> Mapping[str, Deployment]:
        """What each source that has an image serves."""
        return self._deployments

    @property
    def snapshot(self) -> Snapshot:
        """What is served."""
        return self._live.snapshot

    @property
    def places(self) -> Mapping[int, tuple[str, str, bytes]]:
        """Where each reader of the snapshot is, by its ``id``: its image's path, view and apex."""
        opened = chain(self._images.values(), *(one.values() for one in self._history.values()))
        return {
            id(reader): (str(image.path), view, apex)
            for image in opened
            for (view, apex), reader in image.zones().items()
        }

    def move_to(self, plan: Plan) -> None:
        """Serve another plan from the images there are; forget sources it does not name."""
        self._plan = plan
        kept = {source.key for source in plan.sources}
        self._images = {key: image for key, image in self._images.items() if key in kept}
        self._deployments = {key: one for key, one in self._deployments.items() if key in kept}
        self._earlier = {key: paths for key, paths in self._earlier.items() if key in kept}
        self._serve()

    def check(self, deployment: Deployment) -> tuple[Problem, ...]:
        """Return what speaks against serving a deployment: origins another source has."""
        zones = ((zone.view, zone.apex) for zone in deployment.zones)
        return tuple(conflicts(self._plan, self._images, deployment.source, zones))

    def activate(self, deployment: Deployment, image: Path, earlier: tuple[Path, ...] = ()) -> None:
        """Serve a deployment from now on, if the plan still names its source.

        Args:
            deployment: what is served.
            image: verified.
            earlier: images of what was served before, newest first; verified.

        Raises:
            StoreError: its image cannot be opened; what was served before still is.
        """
        if all(source.key != deployment.source for source in self._plan.sources):
            # Of a follower that a reload just stopped.
            return
        self._images = {**self._images, deployment.source: _Opened(self._open_image(image), image)}
        self._deployments = {**self._deployments, deployment.source: deployment}
        self._earlier[deployment.source] = earlier
        self._serve()

    def relabelled(self, deployment: Deployment) -> None:
        """Tell of another digest from now on: a push of the same content."""
        if deployment.source in self._deployments:
            self._deployments = {**self._deployments, deployment.source: deployment}
            if any(view.block.get(Provenance) is not None for view in self._plan.views):
                self._serve()

    def _open_earlier(self) -> None:
        """Open what a secondary may ask a difference from, and only that: it takes descriptors."""
        wanted = {
            key
            for view in self._plan.views
            if view.block.get(Transfer) is not None
            for key, _ in view.rules
        }
        history: dict[str, dict[Path, _Opened]] = {}
        for key, paths in self._earlier.items():
            opened = self._history.get(key, {})
            found = history.setdefault(key, {})
            for path in paths if key in wanted else ():
                try:
                    found[path] = opened.get(path) or _Opened(self._open_image(path), path)
                except StoreError:
                    # Differences from the others are still right, and a transfer always is.
                    continue
        self._history = history

    def _serve(self) -> None:
        self._open_earlier()
        before = self._live.snapshot
        made = assemble(
            self._plan,
            self._images,
            {key: tuple(opened.values()) for key, opened in self._history.items()},
            hostname=self._hostname,
            generation=before.generation + 1,
            before=before,
            now=int(self._wall()),
            cookie_secret=self._cookie_secret,
            deployments=self._deployments,
        )
        self._live.snapshot = made.snapshot
        self._on_swap()
        if made.problems:
            self._on_problems(made.problems)
