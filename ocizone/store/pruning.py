"""Which deployments of a source are kept: so many versions, so long, and what is gone back to.

Pure. A version is what one digest names; it may have been deployed more than once. A deployment's age counts from when another one took its place: what was served for a year
until a minute ago is what a rollback wants. Not here: blobs and images (store.gc).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from ocizone.plugins.artifact import Keep
from ocizone.store.deployments import Deployment
from ocizone.store.standing import Standing

#: Deployments kept of one version: one that was deployed again may have other serials, and a
#: secondary that has those of the time before still asks for the difference (IXFR).
_OF_A_VERSION: Final = 2


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

    Versions are counted, not deployments: who rolls back to and fro deploys the same two again
    and again, and must not lose the others by it. Of each version the newest _OF_A_VERSION
    deployments stay.

    Args:
        history: newest first; the newest is always kept.
        keep: how many versions, and how long.
        current: what is served; kept wherever it stands.
        protected: digests of which the newest deployment is kept; it counts among the many.
        now: unix seconds.
    """
    found = []
    places: dict[str, int] = {}
    deployed: Counter[str] = Counter()
    for one, successor in zip(history, (None, *history), strict=False):
        place = places.setdefault(one.digest, len(places))
        deployed[one.digest] += 1
        times = deployed[one.digest]
        if (
            successor is None
            or (current is not None and one.generation == current.generation)
            or (one.digest in protected and times == 1)
        ):
            continue
        old = keep.age_s is not None and now - successor.activated_at > keep.age_s
        if old or place >= keep.deployments or times > _OF_A_VERSION:
            found.append(one)
    return tuple(found)
