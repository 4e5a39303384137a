"""The signatures of a zone: over every authoritative RRset, of its keys, in time, and true.

RFC 4034 3, RFC 4035 2.2 and 5.3. An RRset needs one good signature; what is wrong with others
beside it (in the middle of a rollover, say) is only told. Not here: denial (zone.chain).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ocizone.limits import KEY_COLLISIONS, VERIFIED_SIGNATURES
from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_DNSKEY, TYPE_DS, TYPE_NSEC, TYPE_NSEC3, TYPE_RRSIG
from ocizone.zone import rdata as rr
from ocizone.zone.authority import Owner, owners
from ocizone.zone.bitmap import name_length
from ocizone.zone.canonical import signed_octets
from ocizone.zone.content import Content, by_type, distinct
from ocizone.zone.dnskey import Dnskey
from ocizone.zone.dnssecfindings import DnssecFindings
from ocizone.zone.dnssecpolicy import DnssecPolicy
from ocizone.zone.record import Record
from ocizone.zone.serial import distance

_SIGNED_AT_CUT: Final = frozenset({TYPE_DS, TYPE_NSEC})


class Fault(NamedTuple):
    """What is wrong with a signature."""

    at: Record
    rule: str
    message: str
    hint: str


class SignatureCheck:
    """One check of one zone's signatures."""

    def __init__(
        self, content: Content, keys: list[Dnskey], policy: DnssecPolicy, findings: DnssecFindings
    ) -> None:
        self._content = content
        self._policy = policy
        self._findings = findings
        self._keys: dict[tuple[int, int], list[Dnskey]] = {}
        for key in keys:
            self._keys.setdefault((key.tag, key.algorithm), []).append(key)
        self._algorithms = frozenset(key.algorithm for key in keys if key.signs_zone)
        # Every one of a zone within the limit, every n-th of a larger one.
        self._stride = -(-content.signatures // VERIFIED_SIGNATURES) or 1
        self._seen = 0
        self._expiring: tuple[int, Record] | None = None

    def run(self) -> None:
        """Walk the zone: names, then NSEC3."""
        for owner in owners(self._content):
            self._owner(owner)
        for records in self._content.nsec3.values():
            groups = by_type(records)
            if TYPE_NSEC3 in groups:
                self._rrset(groups[TYPE_NSEC3], groups.get(TYPE_RRSIG, []), is_apex=False)
        self._tell_expiring()
        self._tell_sampled()

    def _owner(self, owner: Owner) -> None:
        signatures: dict[int, list[Record]] = {}
        for record in owner.groups.get(TYPE_RRSIG, ()):
            covered = int.from_bytes(record.rdata[:2])
            if owner.is_occluded or (owner.is_cut and covered not in _SIGNED_AT_CUT):
                message = f"{names.to_text(record.owner)} {rr.type_name(covered)} is signed"
                hint = "what belongs to another zone is not signed here (RFC 4035 2.2)"
                self._findings.error(record, "rrsig-of-glue", message, hint)
            else:
                signatures.setdefault(covered, []).append(record)
        if owner.is_occluded:
            return
        for rrtype, group in owner.groups.items():
            if rrtype != TYPE_RRSIG and (not owner.is_cut or rrtype in _SIGNED_AT_CUT):
                self._rrset(group, signatures.get(rrtype, []), is_apex=owner.key == b"")

    def _rrset(self, group: list[Record], signatures: list[Record], *, is_apex: bool) -> None:
        first = group[0]
        title = f"{names.to_text(first.owner)} {rr.type_name(first.rrtype)}"
        if not signatures:
            hint = "sign the zone again (RFC 4035 2.2)"
            self._findings.error(first, "rrsig-missing", f"{title} has no RRSIG", hint)
            return
        faults = []
        good: set[int] = set()
        for signature in distinct(signatures).values():
            fault = self._judge(signature, group, title, is_apex=is_apex)
            if fault is None:
                good.add(signature.rdata[2])
            else:
                faults.append(fault)
        for fault in faults:
            excused = good or (fault.rule == "rrsig-expired" and self._policy.excuse_expired)
            (self._findings.warning if excused else self._findings.error)(*fault)
        for algorithm in sorted(self._algorithms - good) if good else ():
            message = f"{title} has no good RRSIG of algorithm {algorithm}, of which there is a key"
            hint = "every algorithm of the DNSKEYs signs everything (RFC 4035 2.2)"
            self._findings.warning(signatures[0], "rrsig-algorithm", message, hint)

    def _judge(
        self, signature: Record, group: list[Record], title: str, *, is_apex: bool
    ) -> Fault | None:
        """Return what is wrong with a signature over an RRset, the cheapest first."""
        rdata = signature.rdata
        signer = names.lower(rdata[18 : 18 + name_length(rdata[18:])])
        if signer != self._content.apex:
            message = f"the RRSIG over {title} is by {names.to_text(signer)}"
            return Fault(signature, "rrsig-signer", message, "the zone signs itself (RFC 4035 2.2)")
        own = names.labels(group[0].owner)
        labels = len(own) - (own[:1] == [b"*"])
        if rdata[3] != labels:
            message = f"the RRSIG over {title} is of {rdata[3]} labels, not {labels}"
            hint = "they are those of the owner without * (RFC 4034 3.1.3)"
            return Fault(signature, "rrsig-labels", message, hint)
        return self._judge_time(signature, title) or self._judge_key(
            signature, group, title, is_apex=is_apex
        )

    def _judge_time(self, signature: Record, title: str) -> Fault | None:
        now = self._policy.now
        left = distance(int.from_bytes(signature.rdata[8:12]), now)
        begun = distance(int.from_bytes(signature.rdata[12:16]), now)
        if left < 0:
            message = f"the RRSIG over {title} expired {_span(-left)} ago"
            hint = "sign the zone again (RFC 4034 3.1.5)"
            return Fault(signature, "rrsig-expired", message, hint)
        if begun > 0:
            message = f"the RRSIG over {title} begins to be valid in {_span(begun)}"
            hint = "is a clock wrong? (RFC 4034 3.1.5)"
            return Fault(signature, "rrsig-not-yet-valid", message, hint)
        if self._expiring is None or left < self._expiring[0]:
            self._expiring = left, signature
        return None

    def _judge_key(
        self, signature: Record, group: list[Record], title: str, *, is_apex: bool
    ) -> Fault | None:
        algorithm, tag = signature.rdata[2], int.from_bytes(signature.rdata[16:18])
        is_of_keys = group[0].rrtype == TYPE_DNSKEY
        keys = [
            # A revoked key signs the DNSKEY RRset alone (RFC 5011 2.1).
            key
            for key in self._keys.get((tag, algorithm), ())
            if key.signs_zone or is_of_keys
        ]
        if not keys:
            message = f"the RRSIG over {title} is of key {tag}, algorithm {algorithm}: no such key"
            hint = "it is to be among the DNSKEYs of the zone (RFC 4035 5.3.1)"
            return Fault(signature, "rrsig-key", message, hint)
        self._seen += 1
        if not is_apex and self._seen % self._stride:
            return None
        octets, value = signed_octets(
            signature.rdata,
            names.lower(group[0].owner),
            group[0].rrtype,
            [record.rdata for record in group],
        )
        if any(key.verify is None or key.made(value, octets) for key in keys[:KEY_COLLISIONS]):
            return None
        message = f"the RRSIG over {title} of key {tag}, algorithm {algorithm}, does not verify"
        hint = "the records, the signature or the key changed: sign the zone again (RFC 4035 5.3.3)"
        return Fault(signature, "rrsig-bogus", message, hint)

    def _tell_expiring(self) -> None:
        if self._expiring is not None and self._expiring[0] < self._policy.soon_s:
            left, signature = self._expiring
            covered = rr.type_name(int.from_bytes(signature.rdata[:2]))
            message = (
                f"the RRSIG over {names.to_text(signature.owner)} {covered} expires "
                f"in {_span(left)}, the first of the zone"
            )
            self._findings.warning(signature, "rrsig-expiring", message, "sign the zone again")

    def _tell_sampled(self) -> None:
        if self._stride > 1:
            (first, *_) = self._content.names[b""]
            message = (
                f"of {self._content.signatures} signatures those at the apex and one in "
                f"{self._stride} of the others were verified"
            )
            hint = f"over {VERIFIED_SIGNATURES} take too long; the other rules were checked for all"
            self._findings.warning(first, "rrsig-sampled", message, hint)


def _span(seconds: int) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
