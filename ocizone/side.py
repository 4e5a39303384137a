"""What has an admin address of its own: the webhook, and the artifacts that are given on.

A part of the composition root (ocizone.app), apart because neither shares an address with pages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.web.resource import Resource

from ocizone.admin.endpoints import Address
from ocizone.deployed import Deployed
from ocizone.plan import Plan
from ocizone.store.store import Store


class Side:
    """Makes the resources; those of addresses that stay are made anew at each reload."""

    def __init__(
        self, reactor: Any, store: Store, deployed: Deployed, changed: Callable[[str], int]
    ) -> None:
        """Make it.

        Args:
            reactor: of Twisted.
            store: the state directory.
            deployed: what is served.
            changed: is told of a repository that changed; returns how many sources follow it.
        """
        self._reactor = reactor
        self._store = store
        self._deployed = deployed
        self._changed = changed

    def resources(self, plan: Plan) -> dict[Address, Resource]:
        """Return the resource of each address."""
        del plan
        return {}
