"""A share of the pull threads for each registry: one that never answers must not have them all."""

from __future__ import annotations

from twisted.internet.defer import DeferredSemaphore

from ocizone.limits import PULLS_PER_REGISTRY


class Places:
    """The places; who waits for one has no thread yet, and his deadline does not run."""

    def __init__(self) -> None:
        self._of: dict[str, DeferredSemaphore] = {}

    def of(self, registry: str) -> DeferredSemaphore:
        """Return the places of a registry (``host[:port]``); as many hosts as a Corefile names."""
        return self._of.setdefault(registry, DeferredSemaphore(PULLS_PER_REGISTRY))
