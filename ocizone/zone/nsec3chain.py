"""The NSEC3 chain of a zone: a hash of each name, in one circle, each telling the truth.

RFC 5155 7.1 and RFC 9276. Checked is the chain whose parameters stand in the first NSEC3PARAM
without flags: the one that is served as proof. Not here: signatures over it (zone.signatures).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from ocizone.limits import NSEC3_ITERATIONS
from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_DS, TYPE_NS, TYPE_NSEC3, TYPE_RRSIG
from ocizone.zone.authority import Owner, owners
from ocizone.zone.bitmap import types_in
from ocizone.zone.chain import differing
from ocizone.zone.content import Content, distinct, params_of, parent_key
from ocizone.zone.dnssecfindings import DnssecFindings
from ocizone.zone.nsec3 import nsec3_hash
from ocizone.zone.reader import Nsec3Params
from ocizone.zone.record import Record

_SHA1 = 1
_OPT_OUT = 1


class _Nsec3(NamedTuple):
    """The fields of an NSEC3 (RFC 5155 3.2)."""

    algorithm: int
    flags: int
    params: Nsec3Params
    next_hash: bytes
    bitmap: bytes
    record: Record


class _Expected(NamedTuple):
    """What the NSEC3 of a name has to tell.

    ``at`` is the record to show for it; ``may_lack``: with opt-out it may be left out.
    """

    name: bytes
    types: frozenset[int]
    at: Record
    may_lack: bool


def check_nsec3_chain(content: Content, candidates: list[Record], findings: DnssecFindings) -> None:
    """Check the NSEC3 chain of a zone.

    Args:
        content: of the zone.
        candidates: the NSEC3PARAM records without flags; there is one.
        findings: where problems go.
    """
    params = _served(candidates, findings)
    if params is None:
        return
    expected = _expected(content, params)
    links = _links(content, params, expected, findings)
    lacking = {digest: one for digest, one in expected.items() if digest not in links}
    pointed_at = {one.next_hash for one in links.values()}
    # A name whose NSEC3 is gone is one finding, and so is one that the chain passes over.
    _check_circle(links, pointed_at & lacking.keys(), findings)
    hashes = sorted(links)
    for digest, one in lacking.items():
        if one.may_lack and digest not in pointed_at and _opted_out(links, hashes, digest):
            continue
        message = f"{names.to_text(one.name)} has no NSEC3"
        findings.error(one.at, "nsec3-missing", message, "sign the zone again (RFC 5155 7.1)")


def _served(records: list[Record], findings: DnssecFindings) -> Nsec3Params | None:
    """Return the parameters of the chain that is served, if it can be."""
    served: Nsec3Params | None = None
    for record in distinct(records).values():
        algorithm, _, params = params_of(record)
        if algorithm != _SHA1:
            message = f"NSEC3PARAM of hash algorithm {algorithm}"
            findings.error(record, "nsec3-algorithm", message, "there is only 1 (RFC 5155 11)")
        elif served is not None:
            message = "another NSEC3PARAM: the chain of the first one is served"
            findings.warning(record, "several-nsec3param", message, "(RFC 5155 7.3)")
        elif params.iterations > NSEC3_ITERATIONS:
            message = f"NSEC3 with {params.iterations} iterations, over {NSEC3_ITERATIONS}"
            hint = "validators take such a zone for unsigned or bogus (RFC 9276 3.2): use 0"
            findings.error(record, "nsec3-iterations", message, hint)
        else:
            served = params
            if params.iterations:
                message = f"NSEC3 with {params.iterations} iterations"
                findings.warning(record, "nsec3-iterations", message, "use 0 (RFC 9276 3.1)")
    return served


def _expected(content: Content, params: Nsec3Params) -> dict[bytes, _Expected]:
    """Return what NSEC3 there must be, by hash (RFC 5155 7.1)."""
    (soa, *_) = content.names[b""]
    secure = {b""}
    found: list[tuple[bytes, frozenset[int], Record]] = []
    for owner in owners(content):
        if owner.is_occluded:
            continue
        at = next(iter(owner.groups.values()))[0] if owner.groups else soa
        found.append((owner.key, _types(owner), at))
        if owner.groups and not owner.is_insecure_cut:
            above = owner.key
            while above not in secure:
                secure.add(above)
                above = parent_key(above)
    expected = {}
    for key, types, at in found:
        name = names.name_from_key(key, content.apex)
        # An empty non-terminal above unsigned delegations only may go with them.
        expected[nsec3_hash(name, params)] = _Expected(name, types, at, key not in secure)
    return expected


def _types(owner: Owner) -> frozenset[int]:
    if owner.is_cut:
        signed = {TYPE_DS, TYPE_RRSIG} if TYPE_DS in owner.groups else set()
        return frozenset({TYPE_NS} | signed)
    # Where RRSIG is not, a signature is missing, which is told elsewhere.
    return frozenset(owner.groups) | ({TYPE_RRSIG} if owner.groups else frozenset())


def _links(
    content: Content,
    params: Nsec3Params,
    expected: dict[bytes, _Expected],
    findings: DnssecFindings,
) -> dict[bytes, _Nsec3]:
    """Return the chain's NSEC3 by hash, each checked by itself."""
    links: dict[bytes, _Nsec3] = {}
    for digest, records in content.nsec3.items():
        read = [_read(r) for r in distinct(_nsec3_only(records)).values()]
        own = [one for one in read if one.algorithm == _SHA1 and one.params == params]
        one = expected.get(digest)
        if not own:
            _other_chain(read, one, findings)
            if one is not None and read:
                links[digest] = read[0]
            continue
        for other in own[1:]:
            message = f"a second NSEC3 at {names.to_text(other.record.owner)}"
            findings.error(other.record, "several-nsec3", message, "a hash has one (RFC 5155 7.1)")
        links[digest] = own[0]
        if own[0].flags & ~_OPT_OUT:
            message = f"the NSEC3 {names.to_text(own[0].record.owner)} has flags {own[0].flags}"
            hint = "validators ignore it: only 0 and 1, Opt-Out, exist (RFC 5155 8.2)"
            findings.error(own[0].record, "nsec3-flags", message, hint)
        if one is None:
            message = f"the NSEC3 {names.to_text(own[0].record.owner)} is of no name in the zone"
            hint = "sign the zone again (RFC 5155 7.1)"
            findings.error(own[0].record, "nsec3-of-nothing", message, hint)
        elif (told := types_in(own[0].bitmap)) != one.types:
            message = f"the NSEC3 of {names.to_text(one.name)} {differing(told, one.types)}"
            hint = "it tells the types there are (RFC 5155 3.1.8)"
            findings.error(own[0].record, "nsec3-types", message, hint)
    return links


def _other_chain(read: list[_Nsec3], expected: _Expected | None, findings: DnssecFindings) -> None:
    for one in read:
        if expected is not None:
            # The right hash with other parameters beside it: no other chain has that.
            message = f"the NSEC3 of {names.to_text(expected.name)} has other parameters"
            hint = "all of a chain are those of the NSEC3PARAM (RFC 5155 7.1)"
            findings.error(one.record, "nsec3-params", message, hint)
        else:
            message = f"the NSEC3 {names.to_text(one.record.owner)} is of another chain"
            hint = "only the chain of the first NSEC3PARAM proves anything here (RFC 5155 7.3)"
            findings.warning(one.record, "nsec3-other-chain", message, hint)


def _nsec3_only(records: list[Record]) -> list[Record]:
    return [record for record in records if record.rrtype == TYPE_NSEC3]


def _read(record: Record) -> _Nsec3:
    algorithm, flags, params = params_of(record)
    at = 5 + len(params.salt)
    size = record.rdata[at]
    next_hash, bitmap = record.rdata[at + 1 : at + 1 + size], record.rdata[at + 1 + size :]
    return _Nsec3(algorithm, flags, params, next_hash, bitmap, record)


def _check_circle(links: dict[bytes, _Nsec3], gone: set[bytes], findings: DnssecFindings) -> None:
    """Each NSEC3 names the next hash, the last one the first (RFC 5155 7.1)."""
    circle = sorted([*links, *gone])
    for at, digest in enumerate(circle):
        one = links.get(digest)
        if one is not None and one.next_hash != circle[(at + 1) % len(circle)]:
            message = f"the NSEC3 {names.to_text(one.record.owner)} does not name the next hash"
            hint = "the chain is broken (RFC 5155 7.1): sign the zone again"
            findings.error(one.record, "nsec3-next", message, hint)


def _opted_out(links: dict[bytes, _Nsec3], hashes: list[bytes], digest: bytes) -> bool:
    """Tell whether the NSEC3 that covers a hash says that unsigned delegations may hide there."""
    if not hashes:
        return False
    covering = links[hashes[bisect_right(hashes, digest) - 1]]
    return bool(covering.flags & _OPT_OUT)
