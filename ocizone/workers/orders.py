"""What a worker is told: "serve this", as octets.

The snapshot itself is sent, with each zone that comes from an image named by where it is there:
so every worker serves the same, catalogs made at this moment among it, and needs neither the
Corefile nor the deployments. By pickle: both ends are this program, the pipe is theirs alone, and
the values are a directive's own classes. What a worker needs not know is not in it: credentials
of registries above all. Nothing is ever unpickled that a worker sent (workers.reports).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ocizone.answer.blocks import Loaded, Provenance, ServedZone, Snapshot
from ocizone.answer.ixfr import Deltas
from ocizone.endpoint import Endpoint
from ocizone.errors import StoreError
from ocizone.plugins.errors import Errors
from ocizone.plugins.log import LogRule
from ocizone.plugins.tls import Tls
from ocizone.serve.certificate import Material
from ocizone.zone.reader import ZoneReader

#: Where a zone is: the path of its image, the view and the apex.
Place = tuple[str, str, bytes]
#: The zones of an image, by view and apex.
Zones = Mapping[tuple[str, bytes], ZoneReader]


@dataclass(frozen=True, slots=True)
class Orders:
    """What all workers are told.

    Attributes:
        snapshot: as ``pack`` made it.
        endpoints: to answer on.
        certificates: what ``tls`` endpoints are served with.
        processes: how many share the limits of the server.
        log: rules of the query log, by block name.
        errors: of blocks that have their errors logged.
    """

    snapshot: bytes
    endpoints: tuple[Endpoint, ...]
    certificates: Mapping[Endpoint, tuple[Tls, Material]]
    processes: int
    log: Mapping[str, tuple[LogRule, ...]]
    errors: Mapping[str, Errors]


@dataclass(frozen=True, slots=True)
class Message:
    """What one worker is told.

    Attributes:
        number: of the order; a later one has a higher number.
        adopted: addresses whose sockets come with it: a datagram socket, where there is one, and a
            listening one each.
        orders: pickled Orders; None while more sockets are to come.
    """

    number: int
    adopted: tuple[tuple[Endpoint, bool], ...]
    orders: bytes | None


def to_octets(message: Message | Orders) -> bytes:
    """Return what ``read`` makes the same of."""
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def read(octets: bytes) -> Any:
    """Return what ``to_octets`` was given."""
    return pickle.loads(octets)  # noqa: S301 - of our own supervisor, over a pipe of our own


@dataclass(frozen=True, slots=True)
class _Zone:
    """A zone that comes from an image."""

    place: Place
    earlier: tuple[Place, ...]
    provenance: Provenance | None


def pack(snapshot: Snapshot, places: Mapping[int, Place]) -> bytes:
    """Return a snapshot as octets.

    Args:
        snapshot: what is served.
        places: where each reader of an image is, by its ``id``.
    """
    blocks = {
        id(block): block for by_key in snapshot.listeners.values() for block in by_key.values()
    }
    numbers = {identity: number for number, identity in enumerate(blocks)}
    listeners = {
        name: {key: numbers[id(block)] for key, block in by_key.items()}
        for name, by_key in snapshot.listeners.items()
    }
    packed = [
        replace(block, zones={apex: _stripped(zone, places) for apex, zone in block.zones.items()})
        for block in blocks.values()
    ]
    rest = replace(snapshot, listeners={}, keys=dict(snapshot.keys))
    return pickle.dumps((packed, listeners, rest), pickle.HIGHEST_PROTOCOL)


def _stripped(zone: ServedZone, places: Mapping[int, Place]) -> Any:
    if not isinstance(zone, Loaded):
        return zone
    place = places.get(id(zone.reader))
    if place is None:
        # A catalog: it is small, and so are those of before.
        return replace(zone, deltas=Deltas())
    return _Zone(place, tuple(places[id(one)] for one in zone.earlier), zone.provenance)


class Unpacker:
    """Makes snapshots of octets again; keeps the images it opened as long as they are served."""

    def __init__(self, open_image: Callable[[str], Zones]) -> None:
        """Make it.

        Args:
            open_image: returns the zones of the image at a path; raises StoreError.
        """
        self._open_image = open_image
        self._images: dict[str, Zones] = {}

    def unpack(self, octets: bytes) -> Snapshot:
        """Return the snapshot.

        Raises:
            StoreError: an image that is to be served cannot be opened; what was opened before
                stays so.
        """
        packed, listeners, rest = read(octets)
        images: dict[str, Zones] = {}

        def reader(place: Place) -> ZoneReader:
            path, view, apex = place
            zones = images.get(path)
            if zones is None:
                zones = self._images.get(path)
                if zones is None:
                    zones = self._open_image(path)
                images[path] = zones
            return zones[view, apex]

        def whole(zone: Any) -> ServedZone:
            if not isinstance(zone, _Zone):
                return zone  # type: ignore[no-any-return]  # as _stripped left it
            earlier: list[ZoneReader] = []
            for place in zone.earlier:
                # Differences from the others are still right, and a transfer always is.
                with suppress(StoreError):
                    earlier.append(reader(place))
            return Loaded(reader(zone.place), tuple(earlier), provenance=zone.provenance)

        blocks = [
            replace(
                block,
                zones=MappingProxyType({apex: whole(zone) for apex, zone in block.zones.items()}),
            )
            for block in packed
        ]
        served = {
            name: MappingProxyType({key: blocks[number] for key, number in by_key.items()})
            for name, by_key in listeners.items()
        }
        self._images = images
        found: Snapshot = replace(
            rest, listeners=MappingProxyType(served), keys=MappingProxyType(rest.keys)
        )
        return found
