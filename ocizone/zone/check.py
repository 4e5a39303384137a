"""Does the content make a zone? Findings with a rule id, a place, and the RFC that decides.

Errors refuse a zone; warnings tell of what is legal and likely a mistake. Not here: syntax
(the readers), records out of the zone (zone.content).
"""

from __future__ import annotations

from collections.abc import Iterator

from ocizone.findings import Findings
from ocizone.limits import (
    ALIAS_CHAIN,
    NS_RECORDS,
    RRSET_RECORDS,
    RRSET_TYPES,
    TCP_MESSAGE_OCTETS,
)
from ocizone.wire import name as names
from ocizone.wire.codes import (
    TYPE_A,
    TYPE_AAAA,
    TYPE_CNAME,
    TYPE_DNAME,
    TYPE_DS,
    TYPE_MX,
    TYPE_NS,
    TYPE_NSEC,
    TYPE_RRSIG,
    TYPE_SOA,
    TYPE_SRV,
)
from ocizone.zone import rdata as rr
from ocizone.zone.build import soa_numbers
from ocizone.zone.content import Content, by_type, distinct, parent_key, target
from ocizone.zone.record import Record

# Of each record in a message, beside owner and rdata (RFC 1035 4.1.3).
_FIXED_OCTETS = 10
# Of a message with one record, beside it and the name it shares with the question: header, type
# and class, pointer, OPT, and the TSIG of a key with a name of common length.
_AROUND_OCTETS = 12 + 4 + 2 + 11 + 256
_BESIDE_CNAME = frozenset({TYPE_CNAME, TYPE_RRSIG, TYPE_NSEC})
_AT_CUT = frozenset({TYPE_NS, TYPE_DS, TYPE_NSEC, TYPE_RRSIG, TYPE_A, TYPE_AAAA})
_GLUE = frozenset({TYPE_A, TYPE_AAAA, TYPE_RRSIG, TYPE_NSEC})
_POINTS_AT_HOST = frozenset({TYPE_NS, TYPE_MX, TYPE_SRV})


def check_zone(content: Content, findings: Findings, file: str) -> None:
    """Check a zone's content.

    Args:
        content: gathered records.
        findings: where problems go; with errors in it, nothing is told to be missing.
        file: the zone's file, for findings about the whole of it.
    """
    _Check(content, findings).run(file)


class _Check:
    """One check of one zone."""

    def __init__(self, content: Content, findings: Findings) -> None:
        self._content = content
        self._findings = findings
        self._cover: Record | None = None
        # A record that could not be read may be the very SOA or address that is missed here.
        self._complete = not findings.refused

    def run(self, file: str) -> None:
        """Walk the zone in canonical order, what is packed apart: nothing is said of that."""
        apex = by_type(self._content.names.get(b"", []))
        self._apex(apex, file)
        cover_key = b""
        for key in sorted(self._content.names):
            records = self._content.names[key]
            if not records:
                continue
            groups = by_type(records)
            self._rrsets(groups, records[0])
            self._exclusive(groups)
            if key and TYPE_SOA in groups:
                self._error(
                    groups[TYPE_SOA][0],
                    "soa-not-at-apex",
                    "SOA below the apex",
                    "a zone has one SOA, at its apex (RFC 1035 5.2)",
                )
            if self._cover is not None and key.startswith(cover_key):
                self._occluded(groups, self._cover)
                continue
            self._cover = None
            if TYPE_NS in groups and key:
                self._cover, cover_key = groups[TYPE_NS][0], key
                self._cut(groups, key)
            elif TYPE_DNAME in groups:
                self._cover, cover_key = groups[TYPE_DNAME][0], key
            self._wildcard(groups, key)
            self._pointers(groups, key)

    def _error(self, at: Record, rule: str, message: str, hint: str = "") -> None:
        self._findings.error(at.file, at.line, at.column, rule, message, hint)

    def _warning(self, at: Record, rule: str, message: str, hint: str = "") -> None:
        self._findings.warning(at.file, at.line, at.column, rule, message, hint)

    def _apex(self, groups: dict[int, list[Record]], file: str) -> None:
        zone = names.to_text(self._content.apex)
        soas = list(distinct(groups.get(TYPE_SOA, [])).values())
        if not soas and self._complete:
            self._findings.error(
                file,
                0,
                0,
                "no-soa",
                f"no SOA at {zone}",
                "a zone has one SOA, at its apex (RFC 1035 5.2)",
            )
        for other in soas[1:]:
            self._error(
                other,
                "several-soa",
                f"a second SOA; the first is at {_place(soas[0])}",
                "a zone has one SOA (RFC 1035 5.2)",
            )
        if TYPE_NS not in groups and self._complete:
            self._findings.error(
                file,
                0,
                0,
                "no-ns",
                f"no NS at {zone}",
                "the apex names the zone's servers (RFC 1034 4.2.1)",
            )
        if soas and soa_numbers(soas[0].rdata)[0] == 0:
            self._warning(
                soas[0],
                "serial-zero",
                "the SOA's serial is 0",
                "some secondaries never see a change from it (RFC 1982)",
            )

    def _rrsets(self, groups: dict[int, list[Record]], first: Record) -> None:
        """Sizes, duplicates, TTLs."""
        if len(groups) > RRSET_TYPES:
            self._error(
                first, "owner-types", f"{_owner(first)} has {len(groups)} types, over {RRSET_TYPES}"
            )
        for rrtype, group in groups.items():
            self._lengths(group)
            if len(group) == 1:
                continue
            if len(group) > RRSET_RECORDS and rrtype != TYPE_RRSIG:
                self._error(
                    group[RRSET_RECORDS],
                    "rrset-records",
                    f"{_title(group[0])} has {len(group)} records, over {RRSET_RECORDS}",
                )
                continue
            if rrtype == TYPE_NS and len(group) > NS_RECORDS:
                self._error(
                    group[NS_RECORDS],
                    "ns-count",
                    f"{_owner(group[0])} has {len(group)} name servers, over {NS_RECORDS}",
                    "a referral brings the addresses of all of them: keep a dozen (RFC 9471 2.1)",
                )
                continue
            self._repeats(group)
            octets = sum(len(record.rdata) + len(first.owner) + _FIXED_OCTETS for record in group)
            if octets > TCP_MESSAGE_OCTETS and rrtype != TYPE_RRSIG:
                self._warning(
                    group[0],
                    "rrset-octets",
                    f"{_title(group[0])} is about {octets} octets, over {TCP_MESSAGE_OCTETS}",
                    "no message may hold it (RFC 1035 4.2.2): it cannot be answered whole",
                )
            ttls = {record.ttl for record in group}
            if len(ttls) > 1 and rrtype != TYPE_RRSIG:
                odd = next(record for record in group if record.ttl != group[0].ttl)
                self._warning(
                    odd,
                    "differing-ttls",
                    f"{_title(odd)} has TTLs {group[0].ttl} and {odd.ttl}; {min(ttls)} is served",
                    f"one RRset has one TTL (RFC 2181 5.2); the other is at {_place(group[0])}",
                )

        covered = {int.from_bytes(r.rdata[:2], "big") for r in groups.get(TYPE_RRSIG, ())}
        for rrtype in sorted(covered - groups.keys()):
            self._warning(
                groups[TYPE_RRSIG][0],
                "rrsig-of-nothing",
                f"an RRSIG of {_owner(first)} covers {rr.type_name(rrtype)}, which is not there",
                "it is not served (RFC 4034 3)",
            )

    def _lengths(self, group: list[Record]) -> None:
        for record in group:
            octets = _AROUND_OCTETS + len(record.owner) + _FIXED_OCTETS + len(record.rdata)
            if octets > TCP_MESSAGE_OCTETS:
                self._error(
                    record,
                    "record-octets",
                    f"a {_title(record)} record of {len(record.rdata)} octets",
                    "no message may hold it: it cannot be answered or transferred (RFC 1035 4.2.2)",
                )

    def _repeats(self, group: list[Record]) -> None:
        kept = distinct(group)
        if len(kept) == len(group):
            return
        first = {id(record) for record in kept.values()}
        for record in group:
            if id(record) not in first:
                self._warning(
                    record,
                    "duplicate",
                    f"the same {_title(record)} record again",
                    "it is served once (RFC 2181 5)",
                )

    def _exclusive(self, groups: dict[int, list[Record]]) -> None:
        """CNAME stands alone, and only one; so does DNAME's target (RFC 1034 3.6.2, RFC 6672 2.4)."""
        for rrtype in (TYPE_CNAME, TYPE_DNAME):
            if len(groups.get(rrtype, ())) < 2:
                continue
            several = list(distinct(groups[rrtype]).values())
            for other in several[1:]:
                self._error(
                    other,
                    f"several-{rr.type_name(rrtype).lower()}",
                    f"a second {_title(other)}; the first is at {_place(several[0])}",
                    "one name has one target (RFC 2181 10.1, RFC 6672 2.4)",
                )
        if TYPE_CNAME not in groups:
            return
        cname = groups[TYPE_CNAME][0]
        for rrtype, group in groups.items():
            if rrtype not in _BESIDE_CNAME:
                self._error(
                    group[0],
                    "cname-and-other-data",
                    f"{_title(group[0])} beside the CNAME at {_place(cname)}",
                    "a name with a CNAME has no other data (RFC 1034 3.6.2)",
                )

    def _occluded(self, groups: dict[int, list[Record]], cover: Record) -> None:
        """What stands below a cut or a DNAME is never answered, glue apart."""
        for rrtype, group in groups.items():
            if cover.rrtype == TYPE_DNAME:
                self._warning(
                    group[0],
                    "below-dname",
                    f"{_title(group[0])} is hidden by the DNAME at {_place(cover)}",
                    "nothing stands below a DNAME (RFC 6672 2.4): NSD and Knot refuse such a zone",
                )
            elif rrtype not in _GLUE:
                self._warning(
                    group[0],
                    "below-cut",
                    f"{_title(group[0])} is below the zone cut at {_place(cover)}",
                    "only addresses of name servers stand there (RFC 1034 4.2.1)",
                )

    def _cut(self, groups: dict[int, list[Record]], key: bytes) -> None:
        cut = groups[TYPE_NS][0]
        for rrtype, group in groups.items():
            if rrtype == TYPE_DNAME:
                self._error(
                    group[0],
                    "dname-at-cut",
                    f"DNAME beside the NS at {_place(cut)}",
                    "it belongs into the child zone (RFC 6672 2.3)",
                )
            elif rrtype not in _AT_CUT:
                self._warning(
                    group[0],
                    "at-cut",
                    f"{_title(group[0])} at the zone cut of {_place(cut)} is not answered from here",
                    "it belongs into the child zone (RFC 1034 4.2.1)",
                )
        for record in groups[TYPE_NS]:
            host = self._content.key(target(record))
            if host is not None and host.startswith(key) and not self._has_address(host):
                self._error(
                    record,
                    "missing-glue",
                    f"{_target(record)} is inside the delegated zone and has no address here",
                    "add its A or AAAA record as glue (RFC 1034 4.2.1, RFC 9471)",
                )

    def _wildcard(self, groups: dict[int, list[Record]], key: bytes) -> None:
        if key != b"*\x00" and not key.endswith(b"\x00*\x00"):
            return
        for rrtype in (TYPE_NS, TYPE_DNAME):
            if rrtype in groups:
                self._warning(
                    groups[rrtype][0],
                    "wildcard-" + rr.type_name(rrtype).lower(),
                    f"{_title(groups[rrtype][0])} at a wildcard",
                    "its meaning is not defined (RFC 4592 4.2, 4.4)"
                    + (": BIND refuses such a zone" if rrtype == TYPE_NS else ""),
                )

    def _pointers(self, groups: dict[int, list[Record]], key: bytes) -> None:
        """What NS, MX and SRV point at, and where CNAMEs lead, inside the zone."""
        for rrtype, group in groups.items():
            if rrtype in _POINTS_AT_HOST:
                for record in group:
                    self._host(record, key)
        if TYPE_CNAME in groups:
            self._chain(groups[TYPE_CNAME][0], key)

    def _host(self, record: Record, owner: bytes) -> None:
        host = self._content.key(target(record))
        if host is None:
            return
        cname = next((r for r in self._content.at(host) if r.rrtype == TYPE_CNAME), None)
        if cname is not None:
            self._warning(
                record,
                "points-at-cname",
                f"{_title(record)} points at {_target(record)}, a CNAME at {_place(cname)}",
                "resolvers need not follow it (RFC 2181 10.3)",
            )
            return
        # Missing glue of a cut is an error already.
        is_glue = bool(owner) and host.startswith(owner)
        if record.rrtype == TYPE_NS and not is_glue and not self._has_address(host):
            self._warning(
                record,
                "ns-without-address",
                f"{_target(record)} is in this zone and has no address",
                "add its A or AAAA record (RFC 1034 4.2.2)",
            )

    def _has_address(self, key: bytes) -> bool:
        """Tell whether a name has an address, as far as the zone could be read."""
        if not self._complete or self._content.has_address(key):
            return True
        return any(record.rrtype in (TYPE_A, TYPE_AAAA) for record in self._answering(key))

    def _answering(self, key: bytes) -> list[Record]:
        """Return the records at a name, or those of the wildcard that stands for it (RFC 4592)."""
        owners = self._content
        if key in owners:
            return owners.at(key)
        encloser = parent_key(key)
        while encloser not in owners and encloser:
            encloser = parent_key(encloser)
        return owners.at(encloser + b"*\x00")

    def _chain(self, first: Record, key: bytes) -> None:
        """A CNAME that leads back to itself, or through too many others."""
        for steps, record in enumerate(self._aliases(first), 1):
            if self._content.key(target(record)) == key:
                self._warning(
                    first,
                    "cname-loop",
                    f"the CNAME {_owner(first)} leads back to itself",
                    "nothing can be answered (RFC 1034 3.6.2)",
                )
                return
            if steps > ALIAS_CHAIN:
                self._warning(
                    first,
                    "cname-chain",
                    f"over {ALIAS_CHAIN} CNAMEs follow {_owner(first)}",
                    "the answer stops there",
                )
                return

    def _aliases(self, record: Record) -> Iterator[Record]:
        """Yield a CNAME record and those it leads to inside the zone; endless for a loop."""
        following: Record | None = record
        while following is not None:
            yield following
            key = self._content.key(target(following))
            found = [] if key is None else self._answering(key)
            following = next((r for r in found if r.rrtype == TYPE_CNAME), None)


def _place(record: Record) -> str:
    return f"{record.file}:{record.line}"


def _owner(record: Record) -> str:
    return names.to_text(record.owner)


def _title(record: Record) -> str:
    return f"{_owner(record)} {rr.type_name(record.rrtype)}"


def _target(record: Record) -> str:
    return names.to_text(target(record))
