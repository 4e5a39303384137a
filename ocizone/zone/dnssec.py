"""Is a signed zone right? What a validator would find, before anybody asks one.

A zone counts as signed when there is any DNSSEC record of its own in it. Its parts: keys and
child DS here, denial in zone.chain and zone.nsec3chain, signatures in zone.signatures.
"""

from __future__ import annotations

from ocizone.findings import Findings
from ocizone.wire import name as names
from ocizone.wire.codes import (
    TYPE_CDNSKEY,
    TYPE_CDS,
    TYPE_DNSKEY,
    TYPE_NSEC,
    TYPE_NSEC3PARAM,
    TYPE_RRSIG,
    TYPE_SOA,
)
from ocizone.zone.chain import check_nsec_chain
from ocizone.zone.content import Content, by_type, distinct
from ocizone.zone.dnskey import BadKeyError, Dnskey
from ocizone.zone.dnssecfindings import DnssecFindings
from ocizone.zone.dnssecpolicy import DnssecPolicy
from ocizone.zone.nsec3chain import check_nsec3_chain
from ocizone.zone.record import Record
from ocizone.zone.signatures import SignatureCheck


def check_dnssec(content: Content, findings: Findings, policy: DnssecPolicy) -> None:
    """Check a signed zone; nothing else.

    Args:
        content: without errors otherwise: it has one SOA at its apex.
        findings: where problems go.
        policy: see DnssecPolicy.
    """
    if not content.is_signed:
        return
    judged = DnssecFindings(findings, refuse=policy.refuse)
    apex = by_type(content.names[b""])
    (soa, *_) = apex[TYPE_SOA]
    keys = _keys(apex.get(TYPE_DNSKEY, []), judged)
    if not any(key.signs_zone for key in keys):
        message = f"{names.to_text(content.apex)} has DNSSEC records and no DNSKEY to sign with"
        judged.error(
            soa, "no-dnskey", message, "publish the zone's keys at its apex (RFC 4035 2.1)"
        )
    else:
        SignatureCheck(content, keys, policy, judged).run()
        _entry_points(apex, keys, judged)
        _child_ds(content.apex, apex, keys, judged)
    _denial(content, apex, judged)
    judged.close()


def _keys(records: list[Record], findings: DnssecFindings) -> list[Dnskey]:
    keys = []
    for record in distinct(records).values():
        try:
            key = Dnskey.read(record.rdata)
        except BadKeyError as error:
            message = f"the DNSKEY holds no key of algorithm {record.rdata[3]}: {error}"
            findings.error(
                record, "dnskey-malformed", message, "publish the right one (RFC 4034 2)"
            )
            continue
        if key.verify is None:
            message = f"signatures of algorithm {key.algorithm} (key {key.tag}) are not verified"
            findings.warning(record, "dnskey-algorithm", message, "use 13 or 8 (RFC 8624 3.1)")
        keys.append(key)
    return keys


def _entry_points(
    apex: dict[int, list[Record]], keys: list[Dnskey], findings: DnssecFindings
) -> None:
    """A key that the parent's DS may be of has to sign the keys (RFC 4035 5.2, RFC 6781 3.1)."""
    tags = {(key.tag, key.algorithm) for key in keys if key.is_entry_point and key.signs_zone}
    signing = {
        (int.from_bytes(record.rdata[16:18]), record.rdata[2])
        for record in apex.get(TYPE_RRSIG, ())
        if int.from_bytes(record.rdata[:2]) == TYPE_DNSKEY
    }
    if tags and signing and not tags & signing:
        message = "no key with the SEP flag signs the DNSKEYs"
        hint = "the parent's DS is of such a key (RFC 4035 5.2)"
        findings.warning(apex[TYPE_DNSKEY][0], "dnskey-sep", message, hint)


def _denial(content: Content, apex: dict[int, list[Record]], findings: DnssecFindings) -> None:
    """One chain proves what is not there; a second one is on its way in or out (RFC 5155 10.4)."""
    # With flags it is not for authoritative servers (RFC 5155 4.1.2): signers mark work so.
    params = [record for record in apex.get(TYPE_NSEC3PARAM, ()) if not record.rdata[1]]
    if content.nsec3 and params:
        if TYPE_NSEC in apex:
            message = "an NSEC beside an NSEC3 chain: NSEC3 is served"
            hint = (
                "both are there only while a signer changes from one to the other (RFC 5155 10.4)"
            )
            findings.warning(apex[TYPE_NSEC][0], "nsec-beside-nsec3", message, hint)
        check_nsec3_chain(content, params, findings)
        return
    if content.nsec3:
        record = next(iter(content.nsec3.values()))[0]
        message = "NSEC3 records without an NSEC3PARAM at the apex are not served"
        told = findings.warning if TYPE_NSEC in apex else findings.error
        told(record, "no-nsec3param", message, "sign the zone again (RFC 5155 4)")
    if TYPE_NSEC in apex:
        check_nsec_chain(content, findings)
    elif not content.nsec3:
        message = f"{names.to_text(content.apex)} is signed and has neither NSEC nor NSEC3"
        hint = "nothing proves what is not there (RFC 4035 2.3): sign the zone again"
        findings.error(apex[TYPE_SOA][0], "no-denial", message, hint)


def _child_ds(
    owner: bytes, apex: dict[int, list[Record]], keys: list[Dnskey], findings: DnssecFindings
) -> None:
    """What the parent is asked to publish must not break the zone (RFC 7344 4.1, RFC 8078 4)."""
    cds = [record for record in apex.get(TYPE_CDS, ()) if record.rdata[2]]
    cdnskey = [record for record in apex.get(TYPE_CDNSKEY, ()) if record.rdata[3]]
    hint = "the parent would break the zone (RFC 7344 4.1)"
    if cds and not any(
        key.matches_ds(owner, one.rdata) is not False for key in keys for one in cds
    ):
        findings.warning(cds[0], "cds", "no CDS is of a DNSKEY of the zone", hint)
    published = {key.rdata for key in keys}
    if cdnskey and not any(one.rdata in published for one in cdnskey):
        findings.warning(cdnskey[0], "cds", "no CDNSKEY is a DNSKEY of the zone", hint)
    if cds and cdnskey:
        for one in cds:
            if not any(_is_of(one.rdata, owner, other.rdata) for other in cdnskey):
                message = "a CDS is of no CDNSKEY beside it"
                findings.warning(one, "cds", message, "they say the same (RFC 7344 4)")


def _is_of(ds: bytes, owner: bytes, rdata: bytes) -> bool:
    try:
        return Dnskey.read(rdata).matches_ds(owner, ds) is not False
    except BadKeyError:
        return False
