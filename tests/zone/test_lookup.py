"""zone.lookup: what a zone says, as a table in presentation text, and against a naive oracle."""

from __future__ import annotations

import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.wire.name import from_text, labels, name_from_key, to_text
from ocizone.zone.lookup import Alias, Match, NoData, NxDomain, Outcome, Referral, lookup
from ocizone.zone.node import Node
from ocizone.zone.reader import DictZone
from tests.zonebuilder import zone

ZONE = zone(
    """
$TTL 300
@             SOA ns hostmaster 1 2 3 4 5
@             NS ns
ns            A 192.0.2.1
host          A 192.0.2.2
host          TXT "t"
Mixed.Case    A 192.0.2.3
alias         CNAME host
a.b.ent       A 192.0.2.4
*.wild        TXT "w"
*.wild        MX 10 host
here.wild     A 192.0.2.5
x.ent.wild    A 192.0.2.6
below.*.entwild A 192.0.2.7
*.cwild       CNAME host
*.nswild      NS ns
sub           NS ns.sub
sub           DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000
ns.sub        A 192.0.2.8
deep.sub      NS ns.sub
*.sub         A 192.0.2.9
nods          NS ns
dname         DNAME target.example.net.
under.dname   A 192.0.2.10
*.dname       A 192.0.2.11
dname         TXT "at the owner"
*.dwild       DNAME target.example.net.
""",
    "example.org.",
)


def mnemonic(rrtype: int) -> str:
    """Return the type's name."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rrtype))


def shown(zone: DictZone, outcome: Outcome) -> str:
    """Return an outcome in presentation text: what, where, from which wildcard."""

    def name(key: bytes) -> str:
        return to_text(name_from_key(key, zone.info.apex)).removesuffix("example.org.") or "@"

    def source(wildcard: bytes | None) -> str:
        return "" if wildcard is None else f" from {name(wildcard)}"

    match outcome:
        case Match(rrsets, _, encloser, wildcard):
            types = ",".join(sorted(mnemonic(rrset.rrtype) for rrset in rrsets))
            return f"match {types} at {name(encloser)}{source(wildcard)}"
        case NoData(_, encloser, wildcard):
            return f"nodata at {name(encloser)}{source(wildcard)}"
        case NxDomain(encloser):
            return f"nxdomain below {name(encloser)}"
        case Referral(cut, owner, _):
            assert name_from_key(cut, zone.info.apex) == owner.lower()
            return f"referral {name(cut)}"
        case Alias(rrset, owner, target, encloser, wildcard):
            to = "overflow" if target is None else to_text(target)
            kind = mnemonic(rrset.rrtype)
            return f"{kind} of {to_text(owner)} to {to} at {name(encloser)}{source(wildcard)}"


@pytest.mark.parametrize(
    ("qname", "qtype", "outcome"),
    [
        ("", "SOA", "match SOA at @"),
        ("", "A", "nodata at @"),
        ("host", "A", "match A at host."),
        ("host", "MX", "nodata at host."),
        ("host", "ANY", "match A,TXT at host."),
        ("host", "RRSIG", "nodata at host."),
        ("mixed.case", "A", "match A at mixed.case."),
        ("nope", "A", "nxdomain below @"),
        ("nope.host", "A", "nxdomain below host."),
        # RFC 1034 3.6.2: a CNAME answers for all types that are not there beside it (RFC 6840 4.3).
        ("alias", "A", "CNAME of alias.example.org. to host.example.org. at alias."),
        ("alias", "DS", "CNAME of alias.example.org. to host.example.org. at alias."),
        ("alias", "CNAME", "match CNAME at alias."),
        ("alias", "ANY", "match CNAME at alias."),
        ("alias", "RRSIG", "CNAME of alias.example.org. to host.example.org. at alias."),
        ("alias", "NSEC", "CNAME of alias.example.org. to host.example.org. at alias."),
        ("alias", "KEY", "CNAME of alias.example.org. to host.example.org. at alias."),
        # RFC 4592 2.2.2: empty non-terminals exist.
        ("b.ent", "A", "nodata at b.ent."),
        ("ent", "ANY", "nodata at ent."),
        ("c.ent", "A", "nxdomain below ent."),
        # RFC 4592 3.3.1: only the closest encloser's wildcard.
        ("new.wild", "TXT", "match TXT at wild. from *.wild."),
        ("a.b.c.wild", "TXT", "match TXT at wild. from *.wild."),
        ("new.wild", "A", "nodata at wild. from *.wild."),
        ("new.wild", "ANY", "match MX,TXT at wild. from *.wild."),
        ("here.wild", "TXT", "nodata at here.wild."),
        ("new.here.wild", "TXT", "nxdomain below here.wild."),
        ("ent.wild", "TXT", "nodata at ent.wild."),
        ("new.ent.wild", "TXT", "nxdomain below ent.wild."),
        ("*.wild", "TXT", "match TXT at *.wild."),
        ("new.*.wild", "TXT", "nxdomain below *.wild."),
        ("wild", "TXT", "nodata at wild."),
        ("new.entwild", "A", "nodata at entwild. from *.entwild."),
        (
            "new.cwild",
            "A",
            "CNAME of new.cwild.example.org. to host.example.org. at cwild. from *.cwild.",
        ),
        ("new.cwild", "CNAME", "match CNAME at cwild. from *.cwild."),
        # RFC 4592 4.2, 4.4: undefined; data here, as with NSD and Knot.
        ("new.nswild", "NS", "match NS at nswild. from *.nswild."),
        ("new.nswild", "A", "nodata at nswild. from *.nswild."),
        ("*.nswild", "A", "referral *.nswild."),
        ("new.dwild", "A", "nodata at dwild. from *.dwild."),
        ("new.dwild", "DNAME", "match DNAME at dwild. from *.dwild."),
        # RFC 1034 4.2.1: the highest cut decides; what is below it is not ours.
        ("sub", "A", "referral sub."),
        ("sub", "NS", "referral sub."),
        ("sub", "ANY", "referral sub."),
        ("ns.sub", "A", "referral sub."),
        ("deep.sub", "NS", "referral sub."),
        ("x.deep.sub", "A", "referral sub."),
        ("new.sub", "A", "referral sub."),
        ("ns.sub", "DS", "referral sub."),
        # RFC 4035 3.1.4.1: the parent answers DS.
        ("sub", "DS", "match DS at sub."),
        ("nods", "DS", "nodata at nods."),
        # RFC 6672 2.3, 3.2: below a DNAME there is nothing else; at it there is.
        ("dname", "TXT", "match TXT at dname."),
        ("dname", "DNAME", "match DNAME at dname."),
        ("dname", "A", "nodata at dname."),
        ("x.dname", "A", "DNAME of dname.example.org. to x.target.example.net. at dname."),
        ("under.dname", "A", "DNAME of dname.example.org. to under.target.example.net. at dname."),
        ("a.b.dname", "DNAME", "DNAME of dname.example.org. to a.b.target.example.net. at dname."),
    ],
)
def test_outcome(qname: str, qtype: str, outcome: str) -> None:
    """RFC 1034 4.3.2 step 3, as RFC 4592 3.3.1 and RFC 6672 3.2 amended it."""
    name = from_text(qname or "@", ZONE.info.apex)
    assert shown(ZONE, lookup(ZONE, name, dns.rdatatype.from_text(qtype))) == outcome


def test_referral_and_dname_keep_the_stored_spelling() -> None:
    """RFC 4343 4.1: the owner is sent as the zone spells it."""
    spelled = zone(
        "@ 1 SOA . . 1 2 3 4 5\nSub 1 NS ns.example.net.\nDn 1 DNAME example.net.", "example.org."
    )
    cut = lookup(spelled, from_text("x.sub.example.org."), 1)
    at_cut = lookup(spelled, from_text("sub.example.org."), 1)
    for referral in (cut, at_cut):
        assert isinstance(referral, Referral)
        assert referral.owner == from_text("Sub.example.org.")
    dname = lookup(spelled, from_text("x.dn.example.org."), 1)
    assert isinstance(dname, Alias)
    assert dname.owner == from_text("Dn.example.org.")


def test_apex_dname() -> None:
    """RFC 6672 2.3: the apex may own a DNAME; its own data stays."""
    at_apex = zone("@ 1 SOA . . 1 2 3 4 5\n@ 1 NS ns.a.\n@ 1 DNAME other.", "example.org.")
    assert isinstance(lookup(at_apex, from_text("example.org."), 2), Match)
    below = lookup(at_apex, from_text("x.example.org."), 1)
    assert isinstance(below, Alias)
    assert below.target == from_text("x.other.")


def test_dname_overflow() -> None:
    """RFC 6672 2.2: 255 octets fit, 256 do not."""
    long = ".".join(["t" * 63] * 3)
    narrow = zone(f"@ 1 SOA . . 1 2 3 4 5\nd 1 DNAME {long}.", "o.")
    fits = lookup(narrow, from_text("x" * 61 + ".d.o."), 1)
    over = lookup(narrow, from_text("x" * 62 + ".d.o."), 1)
    assert isinstance(fits, Alias)
    assert isinstance(over, Alias)
    assert fits.target is not None
    assert len(fits.target) == 255
    assert over.target is None


def test_rrsig_query_gives_what_is_signed() -> None:
    """RFC 4034 3: an RRSIG has the TTL of what it covers."""
    signed = zone(
        "@ 9 SOA . . 1 2 3 4 5\n@ 9 RRSIG SOA 8 1 9 20300101000000 20200101000000 1 o. AAAA\n"
        "@ 7 TXT unsigned",
        "o.",
    )
    found = lookup(signed, from_text("o."), 46)
    assert isinstance(found, Match)
    assert [(rrset.rrtype, rrset.ttl, len(rrset.rdatas)) for rrset in found.rrsets] == [(46, 9, 1)]


class CountingZone(DictZone):
    """A zone that counts reads."""

    reads = 0

    def get(self, key: bytes) -> Node | None:
        """Count and read."""
        self.reads += 1
        return super().get(key)


@pytest.mark.parametrize(
    ("qname", "reads"), [("host", 1), ("x." * 118, 2), ("x." * 112 + "wild.", 4)]
)
def test_reads_are_few(qname: str, reads: int) -> None:
    """CVE-2024-1737 and its kin: names of many labels cost no more than labels that exist."""
    counting = CountingZone(ZONE.info, dict(ZONE.nodes()))
    lookup(counting, from_text(qname.rstrip(".") + ".example.org."), 16)
    assert counting.reads <= reads + 1


# --- against an oracle -------------------------------------------------------------------------


def oracle(zone: DictZone, qname: bytes, qtype: int) -> str:
    """Answer by reading every node and RFC 1034 4.3.2 step 3 word by word; no flags, no keys."""
    owners = {tuple(labels(name_from_key(key, zone.info.apex))): node for key, node in zone.nodes()}
    name, apex = tuple(labels(qname)), tuple(labels(zone.info.apex))

    def text(parts: tuple[bytes, ...]) -> str:
        own = parts[: len(parts) - len(apex)]
        return "".join(part.decode() + "." for part in own) or "@"

    def types(node: Node) -> str:
        shown = [mnemonic(rrtype) for rrtype in node.rrsets]
        return ",".join(sorted(shown))

    def at(node: Node, encloser: str, source: str) -> str:
        if qtype in node.rrsets:
            return f"match {mnemonic(qtype)} at {encloser}{source}"
        if 5 in node.rrsets and qtype != 255:
            to = to_text(node.rrsets[5].rdatas[0])
            return f"CNAME of {to_text(qname)} to {to} at {encloser}{source}"
        if qtype == 255 and node.rrsets:
            return f"match {types(node)} at {encloser}{source}"
        return f"nodata at {encloser}{source}"

    for size in range(len(apex), len(name) + 1):
        here = name[len(name) - size :]
        node = owners.get(here)
        if node is None:
            encloser = here[1:]
            star = owners.get((b"*", *encloser))
            if star is None:
                return f"nxdomain below {text(encloser)}"
            return at(star, text(encloser), f" from {text((b'*', *encloser))}")
        if here != apex and 2 in node.rrsets and not (here == name and qtype == 43):
            return f"referral {text(here)}"
        if here != name and 39 in node.rrsets:
            rest = b"".join(bytes([len(part)]) + part for part in name[: len(name) - size])
            target = rest + node.rrsets[39].rdatas[0]
            to = to_text(target) if len(target) <= 255 else "overflow"
            owner = to_text(b"".join(bytes([len(p)]) + p for p in here) + b"\0")
            return f"DNAME of {owner} to {to} at {text(here)}"
    return at(owners[name], text(name), "")


OWNERS = st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=4).map(".".join)
DS = "DS 1 8 2 " + 64 * "0"
RECORDS = st.just(["CNAME a"]) | st.lists(
    st.sampled_from(["A 192.0.2.1", "TXT t", "NS a", "DNAME b.a", DS, "MX 1 a.b"]),
    min_size=1,
    max_size=2,
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(OWNERS, RECORDS, max_size=8),
    st.sampled_from(["", "@ 1 DNAME b.example."]),
    st.lists(st.sampled_from(["a", "b", "c", "*"]), max_size=5).map(".".join),
    st.sampled_from([1, 2, 5, 16, 39, 43, 255]),
)
def test_equals_the_oracle(owners: dict[str, list[str]], apex: str, qname: str, qtype: int) -> None:
    """The lookup by keys and flags says what reading the whole zone says."""
    text = "\n".join(f"{owner} 1 {rdata}" for owner in owners for rdata in owners[owner])
    generated = zone(f"@ 1 SOA . . 1 2 3 4 5\n@ 1 NS ns.\n{apex}\n{text}\n", "example.org.")
    name = from_text(f"{qname}.example.org." if qname else "example.org.")
    assert shown(generated, lookup(generated, name, qtype)) == oracle(generated, name, qtype)
