"""Zone texts with NSEC or NSEC3 chains and signatures that nobody could verify.

Written from RFC 4035 2.3 and RFC 5155 7.1 over dnspython's names, so that it shares nothing with
what is tested. Not a signer: real signatures are made by the peers' tools, in tests/peers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import dns.dnssec
import dns.name

#: Absolute owner, type, rdata.
Line = tuple[str, str, str]
_SIGNATURE = "13 {labels} 9 20300101000000 20200101000000 1 {signer} AAAA"


class Names:
    """What a signer must know of a zone's names."""

    def __init__(self, lines: Iterable[Line], apex: str) -> None:
        self.apex = dns.name.from_text(apex)
        self.types: dict[dns.name.Name, set[str]] = defaultdict(set)
        for owner, rrtype, _ in lines:
            self.types[dns.name.from_text(owner)].add(rrtype)
        self.covered = {
            owner
            for owner, types in self.types.items()
            if "DNAME" in types or ("NS" in types and owner != self.apex)
        }

    def is_cut(self, owner: dns.name.Name) -> bool:
        """Tell whether this is a zone cut, of those not below another."""
        return owner != self.apex and "NS" in self.types[owner]

    def visible(self) -> list[dns.name.Name]:
        """Return the owners that are not occluded, in canonical order."""
        return sorted(
            owner
            for owner in self.types
            if not any(owner != above and owner.is_subdomain(above) for above in self.covered)
        )

    def signed(self, owner: dns.name.Name) -> set[str]:
        """Return the types this zone signs at an owner (RFC 4035 2.2)."""
        types = self.types[owner]
        return types & {"DS"} if self.is_cut(owner) else set(types)


def with_nsec(lines: list[Line], apex: str) -> str:
    """Return a zone text with an NSEC chain and signatures."""
    names = Names(lines, apex)
    chain: list[Line] = []
    owners = names.visible()
    for owner, following in zip(owners, owners[1:] + owners[:1], strict=True):
        types = (names.types[owner] & {"NS", "DS"}) if names.is_cut(owner) else names.types[owner]
        bitmap = " ".join(sorted({*types, "RRSIG", "NSEC"}))
        chain.append((str(owner), "NSEC", f"{following} {bitmap}"))
    signed = [(owner, names.signed(owner) | {"NSEC"}) for owner in owners]
    return _text(lines + chain, signed, apex)


def with_nsec3(
    lines: list[Line], apex: str, *, salt: str = "-", iterations: int = 0, opt_out: bool = False
) -> str:
    """Return a zone text with an NSEC3 chain and signatures.

    Args:
        lines: the zone.
        apex: its name.
        salt: hexadecimal.
        iterations: of the hash.
        opt_out: insecure delegations, and ENTs above nothing else, have no NSEC3.
    """
    lines = [*lines, (apex, "NSEC3PARAM", f"1 0 {iterations} {salt}")]
    names = Names(lines, apex)
    owners = names.visible()
    hashed: dict[dns.name.Name, set[str]] = {}
    for owner in owners:
        if opt_out and names.is_cut(owner) and not names.signed(owner):
            continue
        types = (names.types[owner] & {"NS", "DS"}) if names.is_cut(owner) else names.types[owner]
        hashed[owner] = types | ({"RRSIG"} if names.signed(owner) else set())
    for owner in list(hashed):
        above = owner
        while above != names.apex:
            above = above.parent()
            hashed.setdefault(above, set())
    ring = sorted(
        (dns.dnssec.nsec3_hash(owner, "" if salt == "-" else salt, iterations, "SHA1"), types)
        for owner, types in hashed.items()
    )
    chain: list[Line] = []
    for (digest, types), (following, _) in zip(ring, ring[1:] + ring[:1], strict=True):
        rdata = f"1 {int(opt_out)} {iterations} {salt} {following} {' '.join(sorted(types))}"
        chain.append((f"{digest.lower()}.{apex}", "NSEC3", rdata))
    signed = [(owner, names.signed(owner)) for owner in owners]
    signed += [(dns.name.from_text(owner), {"NSEC3"}) for owner, _, _ in chain]
    return _text(lines + chain, signed, apex)


def _text(lines: list[Line], signed: list[tuple[dns.name.Name, set[str]]], apex: str) -> str:
    text = [f"{owner} 9 {rrtype} {rdata}" for owner, rrtype, rdata in lines]
    for owner, types in signed:
        labels = len(owner) - 1 - owner.is_wild()
        signature = _SIGNATURE.format(labels=labels, signer=apex)
        text += [f"{owner} 9 RRSIG {rrtype} {signature}" for rrtype in sorted(types)]
    return "\n".join(text) + "\n"


def brief(section: list[str]) -> list[str]:
    """Return of ``lines`` owner and type, and of NS, NSEC and RRSIG the first field of rdata."""
    shown = []
    for line in section:
        owner, _, rrtype, *rdata = line.split()
        field = rdata[:1] if rrtype in ("NS", "NSEC", "RRSIG") else []
        shown.append(" ".join([owner, rrtype, *field]))
    return sorted(shown)


def signed(owner: str, *types: str) -> list[str]:
    """Return what ``brief`` shows of these RRsets and their signatures."""
    return [shown for rrtype in types for shown in (f"{owner} {rrtype}", f"{owner} RRSIG {rrtype}")]
