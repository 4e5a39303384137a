"""Which NSEC or NSEC3 records prove what a zone does not hold (RFC 4035 3.1.3, RFC 5155 7.2).

One function a claim: no such type, no such name, nothing closer than a wildcard, no DS. Each
returns RRsets with their owners, every RRset once; nothing in a zone without such records; and
None where the hash of a name that does not exist is that of one that does: then nothing can be
proven, and the answer is SERVFAIL (RFC 5155 7.2.9). The work is bounded by the labels of the name: no record is walked past to find another. Not here:
which claim an answer makes (answer.compose), and whether the chain is whole (zone.chain, zone.nsec3chain).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ocizone.limits import NAME_LABELS, NSEC3_OTHER_CHAINS
from ocizone.wire.codes import TYPE_NSEC, TYPE_NSEC3
from ocizone.wire.name import ancestor, key_label, labels, name_from_key, parent, relative_key
from ocizone.zone.content import parent_key
from ocizone.zone.lookup import NoData
from ocizone.zone.node import Flag, Node, RRset
from ocizone.zone.nsec3 import nsec3_hash, nsec3_owner
from ocizone.zone.reader import Nsec3Params, ZoneReader

#: RRsets and their owners, wire form in the stored spelling.
Proof = tuple[tuple[bytes, RRset], ...]

_ASTERISK: Final = key_label(b"*")
_ASTERISK_LABEL: Final = b"\x01*"
_OCCLUDED: Final = int(Flag.OCCLUDED)


def no_data(zone: ZoneReader, name: bytes, outcome: NoData) -> Proof | None:
    """Prove that a name, or the wildcard that stands for it, lacks a type.

    RFC 4035 3.1.3.1 and 3.1.3.4; RFC 5155 7.2.3 to 7.2.5.

    Args:
        zone: holds the name.
        name: the query name, lower case.
        outcome: what a lookup found there.
    """
    encloser, wildcard = outcome.encloser, outcome.wildcard
    params = zone.info.nsec3
    if params is not None:
        chain = _Hashes(zone, params)
        if wildcard is None:
            return _distinct(chain.no_type(name))
        closest, proof = chain.closest_encloser(name, _above(zone, name, encloser))
        return _distinct((*proof, chain.find(_ASTERISK_LABEL + closest)))
    if not zone.info.denial:
        return ()
    found = [_matching(zone, encloser if wildcard is None else wildcard, outcome.node)]
    if wildcard is not None:
        found.append(_covering(zone, relative_key(name, zone.info.apex_labels)))
    return _distinct(found)


def no_name(zone: ZoneReader, name: bytes, encloser: bytes) -> Proof | None:
    """Prove that neither a name nor a wildcard that would stand for it exists.

    RFC 4035 3.1.3.2; RFC 5155 7.2.2.

    Args:
        zone: would hold the name.
        name: the query name, lower case.
        encloser: key of the closest encloser.
    """
    params = zone.info.nsec3
    if params is not None:
        chain = _Hashes(zone, params)
        up = _above(zone, name, encloser)
        closest, proof = chain.closest_encloser(name, up)
        # Opt-Out may leave the closest encloser out; a wildcard beside what is above it may exist.
        deny = chain.covering if closest == ancestor(name, up) else chain.find
        return _distinct((*proof, deny(_ASTERISK_LABEL + closest)))
    if not zone.info.denial:
        return ()
    key = relative_key(name, zone.info.apex_labels)
    return _distinct((_covering(zone, key), _covering(zone, encloser + _ASTERISK)))


def no_closer(zone: ZoneReader, name: bytes, encloser: bytes) -> Proof | None:
    """Prove that nothing stands closer to a name than the wildcard that answered.

    RFC 4035 3.1.3.3; RFC 5155 7.2.6.

    Args:
        zone: holds the wildcard.
        name: the name it answered for, lower case.
        encloser: key of the closest encloser, the wildcard's parent.
    """
    params = zone.info.nsec3
    if params is not None:
        next_closer = ancestor(name, _above(zone, name, encloser) - 1)
        return _distinct((_Hashes(zone, params).covering(next_closer),))
    if not zone.info.denial:
        return ()
    return _distinct((_covering(zone, relative_key(name, zone.info.apex_labels)),))


def no_ds(zone: ZoneReader, cut: bytes, node: Node) -> Proof | None:
    """Prove that a delegation is insecure (RFC 4035 3.1.4.1, RFC 5155 7.2.7).

    Args:
        zone: the parent.
        cut: key of the zone cut.
        node: what stands there.
    """
    params = zone.info.nsec3
    if params is not None:
        name = name_from_key(cut, zone.info.apex)
        return _distinct(_Hashes(zone, params).no_type(name))
    return _distinct((_matching(zone, cut, node),)) if zone.info.denial else ()


# --- NSEC ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Record:
    """An NSEC or NSEC3 RRset that matches a name or covers it."""

    owner: bytes
    rrset: RRset
    matches: bool


def _matching(zone: ZoneReader, key: bytes, node: Node) -> _Record | None:
    """Return the NSEC of a name that exists: its own, or for an ENT the one that spans it."""
    if TYPE_NSEC in node.rrsets:
        return _of_node(zone, key, node, matches=True)
    return _covering(zone, key)


def _covering(zone: ZoneReader, key: bytes) -> _Record | None:
    """Return the last NSEC before a key; None when the chain is open there.

    What stands between is passed without being walked: of the names below a cut or a DNAME,
    however many, only the last is read; and empty non-terminals in a row stand inside each
    other, so that there are no more of them than labels.
    """
    for _ in range(NAME_LABELS):
        before = zone.predecessor(key)
        if before is None:
            return None
        key, node = before
        while int(node.flags) & _OCCLUDED:
            key = parent_key(key)
            above = zone.get(key)
            assert above is not None  # parents exist, and the apex is not occluded
            node = above
        if TYPE_NSEC in node.rrsets:
            return _of_node(zone, key, node, matches=False)
    return None


def _of_node(zone: ZoneReader, key: bytes, node: Node, *, matches: bool) -> _Record:
    owner = node.owner or name_from_key(key, zone.info.apex)
    return _Record(owner, node.rrsets[TYPE_NSEC], matches)


#: Stands for an NSEC3 that matches what it should cover.
_COLLISION: Final = _Record(b"", RRset(TYPE_NSEC3, 0, ()), matches=True)


# --- NSEC3 -----------------------------------------------------------------------------------


class _Hashes:
    """The NSEC3 chain of a zone, asked by name."""

    __slots__ = ("_apex", "_parameters", "_params", "_zone")

    def __init__(self, zone: ZoneReader, params: Nsec3Params) -> None:
        self._zone = zone
        self._params = params
        self._apex = zone.info.apex
        #: As they stand in the rdata of this chain (RFC 5155 3.2); another has others.
        salt = params.salt
        self._parameters = params.iterations.to_bytes(2) + len(salt).to_bytes() + salt

    def find(self, name: bytes) -> _Record | None:
        """Return the NSEC3 that matches or covers a name; None in a zone that has none."""
        digest = nsec3_hash(name, self._params)
        at = digest
        for _ in range(NSEC3_OTHER_CHAINS):
            found = self._zone.nsec3(at)
            if found is None:
                return None
            at, node = found
            rrset = node.rrsets.get(TYPE_NSEC3)
            if rrset is not None and rrset.rdatas[0].startswith(self._parameters, 2):
                owner = node.owner or nsec3_owner(at, self._apex)
                return _Record(owner, rrset, at == digest)
            at = _before(at)
        return None

    def covering(self, name: bytes) -> _Record | None:
        """Return the NSEC3 that covers a name that does not exist."""
        found = self.find(name)
        return _COLLISION if found is not None and found.matches else found

    def no_type(self, name: bytes) -> tuple[_Record | None, ...]:
        """Prove that a name lacks a type (RFC 5155 7.2.3).

        An insecure delegation in an Opt-Out span has no NSEC3, nor need an ENT above only such:
        then what encloses it is proven, and that the span is Opt-Out (7.2.4, 7.2.7).
        """
        found = self.find(name)
        if found is None or found.matches:
            return (found,)
        return self.closest_encloser(name, 1)[1]

    def closest_encloser(self, name: bytes, up: int) -> tuple[bytes, tuple[_Record | None, ...]]:
        """Return the closest provable encloser, and its proof (RFC 5155 7.2.1).

        Args:
            name: a name without an NSEC3.
            up: labels of it below its closest encloser, at least 1. That one has an NSEC3
                unless Opt-Out leaves it out.
        """
        encloser, next_closer = ancestor(name, up), None
        found = self.find(encloser)
        while found is not None and not found.matches and encloser != self._apex:
            encloser, next_closer = parent(encloser), found
            found = self.find(encloser)
        return encloser, (found, next_closer or self.covering(ancestor(name, up - 1)))


def _above(zone: ZoneReader, name: bytes, encloser: bytes) -> int:
    """Return how many labels a name has below an encloser; each ends in 0x00 in a key."""
    return len(labels(name)) - zone.info.apex_labels - encloser.count(b"\x00")


def _before(digest: bytes) -> bytes:
    """Return the hash before a hash; they stand in a ring."""
    return ((int.from_bytes(digest) - 1) % (1 << 8 * len(digest))).to_bytes(len(digest))


def _distinct(found: Sequence[_Record | None]) -> Proof | None:
    """Return each RRset once: one record may prove several things (RFC 5155 7.2.1)."""
    if _COLLISION in found:
        return None
    return tuple(
        {record.owner: (record.owner, record.rrset) for record in found if record}.values()
    )
