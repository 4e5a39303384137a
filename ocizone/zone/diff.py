"""What changed between two versions of a zone, record by record (RFC 1995 2, RFC 2181 5).

Both versions are walked in canonical order and their nodes compared as encoded octets: a node
that did not change costs one comparison. The walk gives way at regular steps, so that a zone of
a million names holds nobody up. Not here: how a difference is sent (answer.ixfr) or shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ocizone.limits import WALK_NODES
from ocizone.wire.codes import TYPE_RRSIG
from ocizone.wire.name import name_from_key
from ocizone.zone.node import RRset, decode_all
from ocizone.zone.nsec3 import nsec3_owner
from ocizone.zone.reader import ZoneReader

#: By type, and for RRSIG by type covered.
_Sets = dict[tuple[int, bytes], RRset]


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in one RRset; RRSIGs over one type count as one.

    A TTL that changes removes every record and adds it again (RFC 2181 5.2).

    Attributes:
        owner: wire form, as the newer version spells it where it has it.
        removed: the records that are gone, with the TTL they had; no signatures in it.
        added: the records that are new; no signatures in it.
    """

    owner: bytes
    removed: RRset | None
    added: RRset | None


def diff(old: ZoneReader, new: ZoneReader) -> Iterator[Change | None]:
    """Yield what makes ``new`` of ``old``, in canonical order of owners, NSEC3 last.

    None stands for progress without a change: so often that no step takes long. How an owner
    is spelled is no change: names are equal ignoring case (RFC 4343).
    """
    apex = new.info.apex
    for key, before, after in merged(old.encoded(), new.encoded()):
        if key is None:
            yield None
        else:
            yield from node_changes(key, apex, before, after)
    for digest, before, after in merged(old.nsec3_encoded(), new.nsec3_encoded()):
        if digest is None:
            yield None
        else:
            yield from node_changes(None, nsec3_owner(digest, apex), before, after)


_Encoded = Iterator[tuple[bytes, bytes]]
_END: Final[tuple[None, bytes]] = (None, b"")


def merged(old: _Encoded, new: _Encoded) -> Iterator[tuple[bytes | None, bytes, bytes]]:
    """Yield (key, encoded before, encoded after) of what differs; b"" where there is no node.

    Keys may be hashes of NSEC3, too.
    (None, b"", b"") after every WALK_NODES keys looked at.
    """
    here, before = next(old, _END)
    there, after = next(new, _END)
    looked_at = 0
    while here is not None or there is not None:
        looked_at += 1
        if looked_at == WALK_NODES:
            looked_at = 0
            yield None, b"", b""
        if here == there:
            if before != after:
                yield here, before, after
            here, before = next(old, _END)
            there, after = next(new, _END)
        elif there is None or (here is not None and here < there):
            yield here, before, b""
            here, before = next(old, _END)
        else:
            yield there, b"", after
            there, after = next(new, _END)


def node_changes(key: bytes | None, name: bytes, before: bytes, after: bytes) -> Iterator[Change]:
    """Yield the changes of one node.

    Args:
        key: of the owner below the apex ``name``; None when ``name`` is the owner itself.
        name: wire form.
        before: the encoded node; b"" for none.
        after: the same, in the newer version.
    """
    was_spelled, had = _sets(before)
    is_spelled, has = _sets(after)
    owner = is_spelled or was_spelled or (name if key is None else name_from_key(key, name))
    for kind in sorted({*had, *has}):
        removed, added = _apart(had.get(kind), has.get(kind))
        if removed or added:
            yield Change(owner, removed, added)


def _sets(value: bytes) -> tuple[bytes | None, _Sets]:
    """Return the owner's spelling and the RRsets of an encoded node; of none, nothing."""
    if not value:
        return None, {}
    owner, rrsets = decode_all(value)
    # Signatures by the type they cover as well, which their rdata begins with (RFC 4034 3.1).
    return owner, {
        (rrset.rrtype, rrset.rdatas[0][:2] if rrset.rrtype == TYPE_RRSIG else b""): rrset
        for rrset in rrsets
    }


def _apart(before: RRset | None, after: RRset | None) -> tuple[RRset | None, RRset | None]:
    """Return the records of one RRset that only one version has."""
    old = before.rdatas if before else ()
    new = after.rdatas if after else ()
    if before and after and before.ttl == after.ttl:
        old, new = _only(old, new), _only(new, old)
    return (
        RRset(before.rrtype, before.ttl, old) if before and old else None,
        RRset(after.rrtype, after.ttl, new) if after and new else None,
    )


def _only(rdatas: tuple[bytes, ...], others: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the rdatas that are not among the others, in order."""
    known = frozenset(others)
    return tuple(rdata for rdata in rdatas if rdata not in known)
