"""What is served of one source, and what was served before it.

The hold on what is served is here: no record may name it after a fall-back. Not here: making a
deployment (follow.deploy) and finding one after a start (follow.restore).
"""

from __future__ import annotations

from ocizone.compiler.spec import CompiledZone
from ocizone.errors import Problem, Severity, ZoneError
from ocizone.follow.tools import Tools
from ocizone.follow.versions import served_before
from ocizone.store.deployments import Deployment


class Served:
    """The served deployment of one source."""

    def __init__(self, tools: Tools) -> None:
        self.current: Deployment | None = None
        self.earlier: tuple[Deployment, ...] = ()
        self.last_zones: tuple[CompiledZone, ...] = ()
        """Of what was served last, even if it cannot be served now: serials go on from there."""
        self._tools = tools
        self._hold = tools.store.hold()

    def check(self, deployment: Deployment) -> tuple[Problem, ...]:
        """Return what speaks against serving a deployment without refusing it.

        Raises:
            ZoneError: something refuses it.
        """
        objections = self._tools.serving.check(deployment)
        if any(problem.severity is Severity.ERROR for problem in objections):
            raise ZoneError(objections)
        return objections

    def serve(self, deployment: Deployment) -> None:
        """Swap, and hold what is served: its image must be in the store, verified.

        Raises:
            OcizoneError: it cannot be served; what was served before still is.
        """
        path = self._tools.store.images.path
        earlier = served_before(deployment, self.current, self.earlier)
        paths = tuple(path(one.fingerprint) for one in earlier)
        self._tools.serving.activate(deployment, path(deployment.fingerprint), paths)
        self.current, self.earlier, self.last_zones = deployment, earlier, deployment.zones
        former, self._hold = self._hold, self._tools.store.hold()
        for one in (deployment, *earlier):
            self._hold.keep(one.fingerprint)
        for layer in deployment.layers:
            self._hold.keep(layer.digest)
        former.release()

    async def serve_checked(self, deployment: Deployment) -> tuple[Problem, ...]:
        """Check and serve, with nobody else activating in between; nothing is recorded.

        Raises:
            ZoneError: something refuses it.
            OcizoneError: it cannot be served.
        """
        async with self._tools.activating:
            objections = self.check(deployment)
            self.serve(deployment)
        return objections
