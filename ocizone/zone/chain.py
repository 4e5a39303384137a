"""The NSEC chain of a zone: one for each name, in one circle, each telling the truth.

RFC 4034 4 and RFC 4035 2.3. An open chain makes denials that validators refuse, and one that
tells too few types lets an attacker deny what exists. Not here: signatures over it
(zone.signatures), NSEC3 (zone.nsec3chain).
"""

from __future__ import annotations

from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_DS, TYPE_NS, TYPE_NSEC, TYPE_RRSIG
from ocizone.zone import rdata as rr
from ocizone.zone.authority import Owner, owners
from ocizone.zone.bitmap import name_length, types_in
from ocizone.zone.content import Content, distinct
from ocizone.zone.dnssecfindings import DnssecFindings
from ocizone.zone.record import Record


def check_nsec_chain(content: Content, findings: DnssecFindings) -> None:
    """Check the NSEC chain of a zone that has an NSEC at its apex."""
    links: dict[bytes, Record] = {}
    without: dict[bytes, Record] = {}
    for owner in owners(content):
        found = list(distinct(owner.groups.get(TYPE_NSEC, [])).values())
        if not owner.groups:
            continue
        if owner.is_occluded:
            _misplaced(found, findings)
            continue
        if not found:
            without[owner.key] = next(iter(owner.groups.values()))[0]
            continue
        for other in found[1:]:
            message = f"a second NSEC at {names.to_text(other.owner)}"
            findings.error(other, "several-nsec", message, "a name has one (RFC 4035 2.3)")
        links[owner.key] = found[0]
        _check_types(owner, found[0], findings)
    _check_circle(content, links, without, findings)
    for record in without.values():
        message = f"{names.to_text(record.owner)} has no NSEC"
        findings.error(record, "nsec-missing", message, "sign the zone again (RFC 4035 2.3)")


def _misplaced(found: list[Record], findings: DnssecFindings) -> None:
    for record in found:
        message = f"an NSEC at {names.to_text(record.owner)}, which is not authoritative"
        findings.error(record, "nsec-of-glue", message, "glue has no NSEC (RFC 4035 2.3)")


def _check_types(owner: Owner, nsec: Record, findings: DnssecFindings) -> None:
    told = types_in(nsec.rdata[name_length(nsec.rdata) :])
    there = _at_cut(owner) if owner.is_cut else frozenset(owner.groups)
    # Where it is not, a signature is missing, which is told elsewhere.
    there |= {TYPE_RRSIG, TYPE_NSEC}
    if told != there:
        message = f"the NSEC of {names.to_text(nsec.owner)} {differing(told, there)}"
        hint = "it tells the types there are (RFC 4034 4.1.2)"
        findings.error(nsec, "nsec-types", message, hint)


def _at_cut(owner: Owner) -> frozenset[int]:
    """Return what a cut has on this side: addresses there are glue (RFC 4035 2.3)."""
    return frozenset({TYPE_NS, TYPE_DS} & owner.groups.keys())


def differing(told: frozenset[int], there: frozenset[int]) -> str:
    """Return in words how a type bitmap differs from what is there."""
    parts = []
    for word, types in (("leaves out", there - told), ("tells of missing", told - there)):
        if types:
            parts.append(f"{word} {', '.join(map(rr.type_name, sorted(types)))}")
    return " and ".join(parts)


def _check_circle(
    content: Content,
    links: dict[bytes, Record],
    without: dict[bytes, Record],
    findings: DnssecFindings,
) -> None:
    """Each NSEC names the next name in canonical order, the last one the apex (RFC 4034 4.1.1)."""
    told = {key: content.key(_next_name(nsec)) for key, nsec in links.items()}
    pointed_at = set(told.values())
    # A name whose NSEC is gone is one finding, and so is one that the chain passes over.
    circle = sorted([*links, *(key for key in without if key in pointed_at)])
    for at, key in enumerate(circle):
        if key not in links:
            continue
        expected = circle[(at + 1) % len(circle)]
        if told[key] != expected:
            nsec = links[key]
            shown = names.to_text(names.name_from_key(expected, content.apex))
            message = (
                f"the NSEC of {names.to_text(nsec.owner)} names {names.to_text(_next_name(nsec))} "
                f"as the next name, which is {shown}"
            )
            hint = "the chain is broken (RFC 4034 4.1.1): sign the zone again"
            findings.error(nsec, "nsec-next", message, hint)


def _next_name(nsec: Record) -> bytes:
    return nsec.rdata[: name_length(nsec.rdata)]
