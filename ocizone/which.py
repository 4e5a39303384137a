"""Which artifact answers a name: the served zone, the node that decides, and where it comes from.

Pure: from a snapshot and the deployments behind it. The line of the file is found by whoever asks
(the command line reads the blobs): the server parses no zones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, assert_never

from dns.rdatatype import RdataType

from ocizone.answer.blocks import Block, Loaded, Snapshot
from ocizone.plan import Plan
from ocizone.store.deployments import Deployment
from ocizone.wire.codes import TYPE_ANY
from ocizone.wire.name import is_at_or_below, name_from_key, to_text
from ocizone.zone.lookup import Alias, Match, NoData, NxDomain, Outcome, Referral, lookup
from ocizone.zone.node import Node

SCHEMA = "ocizone.which/v1"


def which(
    name: bytes,
    snapshot: Snapshot,
    plan: Plan,
    deployments: Mapping[str, Deployment],
    blob: Callable[[str], Path],
    view: str = "",
) -> dict[str, Any]:
    """Return what answers a name, an answer for each block that has a zone for it.

    Args:
        name: lower-case wire name.
        snapshot: what is served.
        plan: names blocks and sources.
        deployments: by source key.
        blob: returns where a digest's blob is.
        view: only this block; "" for all.
    """
    answers = []
    for block_name, block in snapshot.blocks.items():
        if view and block_name != view:
            continue
        found = _zone_of(block, name)
        if found is None:
            continue
        apex, zone = found
        answer: dict[str, Any] = {"view": block_name, "zone": to_text(apex)}
        answer.update(_described(name, apex, lookup(zone.reader, name, TYPE_ANY)))
        answer["file"] = zone.reader.info.file
        answer["serial"] = zone.reader.info.serial
        answer.update(_origin(block_name, apex, plan, deployments, blob))
        answers.append(answer)
    return {"schema": SCHEMA, "name": to_text(name), "answers": answers}


def _zone_of(block: Block, name: bytes) -> tuple[bytes, Loaded] | None:
    """Return the block's closest zone above a name."""
    above = [
        (apex, zone)
        for apex, zone in block.zones.items()
        if isinstance(zone, Loaded) and is_at_or_below(name, apex)
    ]
    return max(above, key=lambda one: len(one[0]), default=None)


def _described(name: bytes, apex: bytes, outcome: Outcome) -> dict[str, Any]:
    """Return the owner that decides, how, and which types it has."""
    match outcome:
        case Match(node=node, wildcard=wildcard) | NoData(node=node, wildcard=wildcard):
            owner = name_from_key(wildcard, apex) if wildcard else name
            kind = "wildcard" if wildcard else "exact" if node.rrsets else "nodata"
            return {"match": kind, "owner": to_text(owner), "types": _types(node)}
        case NxDomain():
            return {"match": "nxdomain", "owner": to_text(name), "types": []}
        case Referral():
            return {
                "match": "delegation",
                "owner": to_text(outcome.owner),
                "types": _types(outcome.node),
            }
        case Alias():
            kind = "wildcard" if outcome.wildcard else "exact"
            if outcome.owner != name and not outcome.wildcard:
                kind = "dname"
            wildcard = outcome.wildcard
            return {
                "match": kind,
                "owner": to_text(name_from_key(wildcard, apex) if wildcard else outcome.owner),
                "types": [_type(outcome.rrset.rrtype)],
            }
        case _:
            assert_never(outcome)


def _types(node: Node) -> list[str]:
    return [_type(rrtype) for rrtype in node.rrsets]


def _type(rrtype: int) -> str:
    """Return a type's mnemonic, or TYPEnnn (RFC 3597 5)."""
    return RdataType.to_text(RdataType.make(rrtype))


def _origin(
    view: str,
    apex: bytes,
    plan: Plan,
    deployments: Mapping[str, Deployment],
    blob: Callable[[str], Path],
) -> dict[str, Any]:
    """Return source, digest and layers of a served zone."""
    wanted = (view, to_text(apex))
    names = {source.key: source.name for source in plan.sources}
    for key, deployment in deployments.items():
        if wanted in {(zone.view, zone.apex) for zone in deployment.zones}:
            return {
                "source": names.get(key, key),
                "reference": deployment.reference,
                "digest": deployment.digest,
                "layers": [
                    {
                        "blob": str(blob(layer.digest)),
                        "digest": layer.digest,
                        "title": layer.title,
                        "unpack": layer.unpack,
                        "media_type": layer.media_type,
                    }
                    for layer in deployment.layers
                ],
            }
    return {"source": "", "reference": "", "digest": "", "layers": []}
