"""What has an admin address of its own: the webhook, and the artifacts that are given on.

A part of the composition root (ocizone.app), apart because neither shares an address with pages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.web.resource import Resource

from ocizone import limits
from ocizone.admin.artifacts import ArtifactPages
from ocizone.admin.endpoints import Address
from ocizone.admin.secretfile import SecretFile
from ocizone.admin.webhook import Hook, Nudges
from ocizone.deployed import Deployed
from ocizone.follow.pool import DaemonPool
from ocizone.plan import Plan
from ocizone.plugins.artifacts import Artifacts
from ocizone.plugins.webhook import Webhook
from ocizone.store.published import Published
from ocizone.store.store import Store


class Side:
    """Makes the resources; those of addresses that stay are made anew at each reload."""

    def __init__(
        self,
        reactor: Any,
        store: Store,
        deployed: Deployed,
        changed: Callable[[str], int],
        followed: Callable[[str], bool],
    ) -> None:
        """Make it.

        Args:
            reactor: of Twisted.
            store: the state directory.
            deployed: what is served.
            changed: is told of a repository that changed; returns how many sources follow it.
            followed: tells whether any does.
        """
        self._reactor = reactor
        self._deployed = deployed
        self._published = Published(store)
        self._nudges = Nudges(reactor, changed, followed)
        # Of its own: who fetches gigabytes must not keep a deployment from the disk.
        self._reading = DaemonPool("artifacts", limits.FILE_THREADS, reactor)

    def resources(self, plan: Plan) -> dict[Address, Resource]:
        """Return the resource of each address."""
        found: dict[Address, Resource] = {}
        for view in plan.views:
            for hook in view.block.all(Webhook):
                secret = None if hook.secret is None else SecretFile(hook.secret).read
                found[hook.host, hook.port] = Hook(self._nudges, secret)
            for one in view.block.all(Artifacts):
                found[one.host, one.port] = ArtifactPages(
                    self._published, self._keys, self._reading.call, self._reactor
                )
        return found

    def stop(self) -> None:
        """Forget notifications that wait."""
        self._nudges.stop()
        self._reading.stop()

    def _keys(self) -> list[str]:
        return [source.key for source in self._deployed.plan.sources]
