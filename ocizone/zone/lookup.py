"""Find what a zone says about a name (RFC 1034 4.3.2 step 3, RFC 4592, RFC 6672).

Pure: knows nothing of messages, sections or sockets. The outcome is a closed union; whoever
matches it ends with ``assert_never``, so that a new outcome breaks mypy and not production.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ocizone.limits import NAME_OCTETS, TCP_MESSAGE_OCTETS
from ocizone.wire.codes import (
    TYPE_ANY,
    TYPE_CNAME,
    TYPE_DNAME,
    TYPE_DS,
    TYPE_RRSIG,
)
from ocizone.wire.name import ancestor, key_label, labels, relative_key
from ocizone.wire.render import least_octets
from ocizone.zone.node import Flag, Node, RRset
from ocizone.zone.reader import ZoneReader

_ASTERISK: Final = key_label(b"*")
# Plain integers: ``&`` of an IntFlag costs a microsecond, more than a read of the image.
_CUT: Final = int(Flag.CUT)
_DNAME: Final = int(Flag.DNAME)
_OCCLUDED: Final = int(Flag.OCCLUDED)
_WILDCARD_CHILD: Final = int(Flag.WILDCARD_CHILD)


@dataclass(frozen=True, slots=True)
class Match:
    """The name exists and has the type.

    Attributes:
        rrsets: what answers; several only for ANY.
        node: where they stand (for additional data and denial).
        wildcard: the source of synthesis' key when the answer is synthesised, else None.
        encloser: key of the closest encloser (the name itself when not synthesised).
    """

    rrsets: tuple[RRset, ...]
    node: Node
    encloser: bytes
    wildcard: bytes | None = None


@dataclass(frozen=True, slots=True)
class NoData:
    """The name exists (or a wildcard stands for it), the type does not. ENTs too.

    Attributes:
        node: what stands there.
        encloser: key of the closest encloser (the name itself when it exists).
        wildcard: the source of synthesis' key when that is what stands there, else None.
    """

    node: Node
    encloser: bytes
    wildcard: bytes | None = None


@dataclass(frozen=True, slots=True)
class NxDomain:
    """Neither the name nor a wildcard that covers it exists."""

    encloser: bytes


@dataclass(frozen=True, slots=True)
class Referral:
    """The name is at or below a zone cut.

    Attributes:
        cut: key of the cut.
        owner: the cut's name, wire form, stored spelling.
        node: the cut, with its NS RRset and perhaps DS.
    """

    cut: bytes
    owner: bytes
    node: Node


@dataclass(frozen=True, slots=True)
class Alias:
    """A CNAME, or a DNAME above the name.

    Attributes:
        rrset: the CNAME or DNAME RRset.
        owner: its owner, wire form: the query name for CNAME, the DNAME's owner otherwise.
        target: where the query goes on, wire form; None when a DNAME substitution is too long
            (YXDOMAIN, RFC 6672 2.2).
        encloser: key of the closest encloser.
        wildcard: the source of synthesis' key for a wildcard CNAME, else None.
    """

    rrset: RRset
    owner: bytes
    target: bytes | None
    encloser: bytes
    wildcard: bytes | None = None


Outcome = Match | NoData | NxDomain | Referral | Alias


def lookup(zone: ZoneReader, qname: bytes, qtype: int) -> Outcome:
    """Return what the zone says about a name and type (RFC 1034 4.3.2 step 3).

    One read for a name that exists; otherwise at most one a label of the name.

    Args:
        zone: the zone.
        qname: lower-case wire name, at or below its apex.
        qtype: any type; ANY and RRSIG match what there is.
    """
    key = relative_key(qname, zone.info.apex_labels)
    node = zone.get(key)
    if node is None:
        return _descend(zone, qname, qtype)
    flags = int(node.flags)
    if flags & _OCCLUDED:
        return _descend(zone, qname, qtype)
    # The parent side of a cut answers DS, and nothing else (RFC 4035 3.1.4.1).
    if flags & _CUT and qtype != TYPE_DS:
        return Referral(key, node.owner or qname, node)
    return _at_node(node, qname, qtype, key, None)


def _descend(zone: ZoneReader, qname: bytes, qtype: int) -> Outcome:
    """Walk down from the apex to a cut, a DNAME, or the closest encloser.

    From above, because the highest cut or DNAME wins; and a name of 127 labels that do not
    exist costs two reads.
    """
    below = labels(qname)
    up = len(below) - zone.info.apex_labels
    key, encloser = b"", zone.get(b"")
    assert encloser is not None  # a zone has an apex
    # Ends at the latest at the name: it does not exist, or something above occludes it.
    while True:
        if int(encloser.flags) & _DNAME:
            return _dname_alias(encloser, qname, ancestor(qname, up), key)
        up -= 1
        child = key + key_label(below[up])
        node = zone.get(child)
        if node is None:
            return _from_wildcard(zone, encloser, qname, qtype, key)
        if int(node.flags) & _CUT:
            return Referral(child, node.owner or ancestor(qname, up), node)
        key, encloser = child, node


def _from_wildcard(
    zone: ZoneReader, encloser: Node, qname: bytes, qtype: int, key: bytes
) -> Outcome:
    """Answer from the source of synthesis, if there is one (RFC 4592 3.3.1).

    A wildcard NS or DNAME is data here: it neither delegates nor redirects what it covers
    (RFC 4592 4.2 and 4.4 leave both undefined; NSD and Knot do the same).
    """
    if not int(encloser.flags) & _WILDCARD_CHILD:
        return NxDomain(key)
    wildcard = key + _ASTERISK
    source = zone.get(wildcard)
    assert source is not None  # the flag says so
    return _at_node(source, qname, qtype, key, wildcard)


def _at_node(
    node: Node, qname: bytes, qtype: int, encloser: bytes, wildcard: bytes | None
) -> Match | NoData | Alias:
    """Match the type against what stands at a node (RFC 1034 4.3.2 step 3a)."""
    rrset = node.rrsets.get(qtype)
    if rrset is not None:
        return Match((rrset,), node, encloser, wildcard)
    found: tuple[RRset, ...] = ()
    if qtype == TYPE_ANY:
        found = _as_fit(node.rrsets.values())
    elif qtype == TYPE_RRSIG:
        found = _as_fit(
            RRset(TYPE_RRSIG, covered.ttl, covered.signatures) for covered in node.signed()
        )
    if found:
        return Match(found, node, encloser, wildcard)
    # KEY, NSEC and RRSIG may stand beside a CNAME; where they do not, it leads on as for any type:
    # validators reject NODATA where there is a CNAME (RFC 6840 4.3).
    alias = node.rrsets.get(TYPE_CNAME)
    if alias is not None:
        return Alias(alias, qname, alias.rdatas[0], encloser, wildcard)
    return NoData(node, encloser, wildcard)


def _as_fit(rrsets: Iterable[RRset]) -> tuple[RRset, ...]:
    """Return RRsets up to the first that no message has room for, that one included.

    It is what sets TC; those behind it are not even read from the image.
    """
    found: list[RRset] = []
    room = TCP_MESSAGE_OCTETS
    for rrset in rrsets:
        found.append(rrset)
        room -= least_octets(rrset)
        if room < 0:
            break
    return tuple(found)


def _dname_alias(node: Node, qname: bytes, owner: bytes, key: bytes) -> Alias:
    """Substitute the DNAME's target for its owner at the end of the name (RFC 6672 2.2)."""
    rrset = node.rrsets[TYPE_DNAME]
    target = qname[: len(qname) - len(owner)] + rrset.rdatas[0]
    fits = len(target) <= NAME_OCTETS
    return Alias(rrset, node.owner or owner, target if fits else None, key)
