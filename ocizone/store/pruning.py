"""Which deployments of a source are kept: so many, so long, and what somebody may go back to.

Pure. A deployment's age counts from when another one took its place: what was served for a year
until a minute ago is what a rollback wants. Not here: blobs and images (store.gc).
"""

from __future__ import annotations

from collections.abc import Sequence

from ocizone.plugins.artifact import Keep
from ocizone.store.deployments import Deployment
from ocizone.store.standing import Standing


def named(current: Deployment | None, standing: Standing) -> frozenset[str]:
    """Return the digests that are never removed, whatever ``keep`` says.

    Args:
        current: what is served.
        standing: of the source: its pin, what that passed over, and what is held.
    """
    found = {current.digest} if current is not None else set()
    if standing.pin is not None:
        found |= {standing.pin.digest, *standing.pin.passed_over}
    if standing.held is not None:
        found.add(standing.held.digest)
    return frozenset(found)


def superfluous(
    history: Sequence[Deployment],
    keep: Keep,
    current: Deployment | None,
    protected: frozenset[str],
    now: float,
) -> tuple[Deployment, ...]:
    """Return the deployments that are not kept.

    Args:
        history: newest first; the newest is always kept.
        keep: how many, and how long.
        current: what is served; kept wherever it stands.
        protected: digests of which the newest deployment is kept; it counts among the many.
        now: unix seconds.
    """
    found = []
    latest = {one.digest: one.generation for one in reversed(history)}
    for place, (one, successor) in enumerate(zip(history[1:], history, strict=False), start=1):
        old = keep.age_s is not None and now - successor.activated_at > keep.age_s
        needed = (current is not None and one.generation == current.generation) or (
            one.digest in protected and latest[one.digest] == one.generation
        )
        if (place >= keep.deployments or old) and not needed:
            found.append(one)
    return tuple(found)
