"""The versions of a source that were served before: what differences (IXFR) are made of."""

from __future__ import annotations

from operator import attrgetter

from ocizone.follow.tools import Tools
from ocizone.limits import IXFR_VERSIONS
from ocizone.store.deployments import Deployment
from ocizone.store.gc import Hold


def served_before(
    deployment: Deployment, current: Deployment | None, earlier: tuple[Deployment, ...]
) -> tuple[Deployment, ...]:
    """Return what was served before a deployment, newest first, each image once.

    Args:
        deployment: what is to be served.
        current: what is served now.
        earlier: what was before that.
    """
    served = (current, *earlier) if current else earlier
    # The same generation once more is the same deployment under other rules.
    found = {one.fingerprint: one for one in served if one.generation < deployment.generation}
    found.pop(deployment.fingerprint, None)
    return tuple(found.values())[:IXFR_VERSIONS]


async def whole_before(
    current: Deployment, kept: tuple[Deployment, ...], tools: Tools, hold: Hold
) -> tuple[Deployment, ...]:
    """Return the kept deployments before the current one whose images are whole, newest first.

    An image is hashed before anybody maps it; a damaged one is passed over.

    Args:
        current: what is served.
        kept: deployments there are records of.
        tools: see Tools.
        hold: keeps the images, from before they are looked at.

    Raises:
        StoreError: the disk failed.
    """
    former = [one for one in kept if one.generation < current.generation]
    former.sort(key=attrgetter("generation"), reverse=True)
    for one in former:
        hold.keep(one.fingerprint)
    images = tools.store.images
    return await tools.files.call(
        lambda: tuple(one for one in former if images.verified(one.fingerprint))
    )
