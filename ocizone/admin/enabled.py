"""Which directives each server block of a plan has: CoreDNS' ``coredns_plugin_enabled``. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ocizone.limits import METRIC_ZONES
from ocizone.observe.server import Enabled
from ocizone.plan import Plan
from ocizone.wire.name import to_text

#: Modules of plugins whose values stand for a directive of another name.
_NAMES: Final = {"artifact": "oci"}


def enabled(plan: Plan) -> Iterator[Enabled]:
    """Yield (listening address, zone, directive) of the first METRIC_ZONES zones, sorted in each."""
    zones: set[bytes] = set()
    for view in plan.views:
        modules = {type(value).__module__ for value in view.block.values}
        words = {module.rpartition(".")[2] for module in modules}
        names = sorted(_NAMES.get(word, word) for word in words)
        for endpoint, zone in view.keys:
            zones.add(zone)
            if len(zones) > METRIC_ZONES:
                return
            for name in names:
                yield str(endpoint), to_text(zone), name
