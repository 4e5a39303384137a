"""answer.additional: glue, and addresses that save a query."""

from __future__ import annotations

import dns.message
import pytest

from ocizone.answer.compose import Wanted, compose
from ocizone.limits import ADDITIONAL_NAMES
from ocizone.wire.query import Query, parse
from ocizone.wire.render import render
from tests.zonebuilder import TCP, ask, ask_reply, lines, serving, zone

ZONE = """
$TTL 60
@        SOA ns hostmaster 1 2 3 4 60
@        NS ns
@        NS ns.elsewhere.net.
ns       A 192.0.2.1
ns       AAAA 2001:db8::1
host     A 192.0.2.2
@        MX 10 host
@        MX 20 nowhere
twice    MX 10 host
twice    MX 20 host
mxglue   MX 10 ns.sub
mxself   MX 10 mxself
mxself   A 192.0.2.9
_s._tcp  SRV 0 0 53 ns
web      HTTPS 1 . alpn=h2
web      A 192.0.2.3
alias    HTTPS 0 web
gone     HTTPS 0 .
svc      SVCB 1 Host
sub      NS Ns.sub
sub      NS ns.sibling
sub      NS ns.elsewhere.net.
ns.sub   A 192.0.2.4
sibling  NS ns.sibling
ns.sibling A 192.0.2.5
one      NS host
*.wild   A 192.0.2.40
*.v6     AAAA 2001:db8::40
mxwild   MX 10 a.b.wild
mxwild   MX 20 x.v6
mxnone   MX 10 x.www
kx       KX 10 host
rt       RT 10 host
afs      AFSDB 1 host
naptr    NAPTR 1 1 "A" "" "" host
chain    HTTPS 0 alias
loop1    HTTPS 0 loop2
loop2    HTTPS 0 loop1
to.wild2 HTTPS 0 x.wild3
*.wild3  HTTPS 1 .
*.wild3  A 192.0.2.41
mxalias  MX 10 cname
cname    CNAME host
dn       DNAME wild
mxdn     MX 10 x.dn
"""
SERVED = serving(ZONE, "example.org.")


def owners(message: dns.message.Message) -> list[str]:
    """Return ``owner type`` of the additional section, relative to the zone."""
    return sorted(
        f"{line.split()[0].removesuffix('.example.org.')} {line.split()[2]}"
        for line in lines(message.additional)
    )


@pytest.mark.parametrize(
    ("qname", "qtype", "additional"),
    [
        # Of the apex NS, which positive answers carry.
        ("host", "A", ["ns A", "ns AAAA"]),
        ("", "NS", ["ns A", "ns AAAA"]),
        ("", "MX", ["host A", "ns A", "ns AAAA"]),
        # RFC 2181 6.1: glue is no data; only a delegation may bring it.
        ("mxglue", "MX", ["ns A", "ns AAAA"]),
        ("mxself", "MX", ["mxself A", "ns A", "ns AAAA"]),
        ("_s._tcp", "SRV", ["ns A", "ns AAAA"]),
        # RFC 9460 4.1: "." is the owner; AliasMode brings the same type along.
        ("web", "HTTPS", ["ns A", "ns AAAA", "web A"]),
        ("alias", "HTTPS", ["ns A", "ns AAAA", "web A", "web HTTPS"]),
        ("gone", "HTTPS", ["ns A", "ns AAAA"]),
        # The owner points at the target, and has its spelling.
        ("svc", "SVCB", ["Host A", "ns A", "ns AAAA"]),
        # RFC 4592 2.2: a wildcard stands for a target, too.
        ("mxwild", "MX", ["a.b.wild A", "ns A", "ns AAAA", "x.v6 AAAA"]),
        ("mxnone", "MX", ["ns A", "ns AAAA"]),
        # RFC 1183 1 and 3.3, RFC 2230 3; of NAPTR (RFC 3403 4.4 "may") NSD and Knot give nothing.
        ("kx", "KX", ["host A", "ns A", "ns AAAA"]),
        ("rt", "RT", ["host A", "ns A", "ns AAAA"]),
        ("afs", "AFSDB", ["host A", "ns A", "ns AAAA"]),
        ("naptr", "NAPTR", ["ns A", "ns AAAA"]),
        # RFC 9460 4.1: along the aliases, round no loop, out of wildcards.
        ("chain", "HTTPS", ["alias HTTPS", "ns A", "ns AAAA", "web A", "web HTTPS"]),
        ("loop1", "HTTPS", ["loop2 HTTPS", "ns A", "ns AAAA"]),
        ("to.wild2", "HTTPS", ["ns A", "ns AAAA", "x.wild3 A", "x.wild3 HTTPS"]),
        # RFC 2181 10.3: a target should be no alias; none is followed.
        ("mxalias", "MX", ["ns A", "ns AAAA"]),
        ("mxdn", "MX", ["ns A", "ns AAAA"]),
        # Peers add nothing to ANY.
        ("mxself", "ANY", []),
        # RFC 9471 2.1, 2.2: in-domain and sibling glue.
        ("x.sub", "A", ["Ns.sub A", "ns.sibling A"]),
        ("x.sibling", "A", ["ns.sibling A"]),
        ("x.one", "A", ["host A"]),
    ],
)
def test_additional(qname: str, qtype: str, additional: list[str]) -> None:
    """RFC 1034 4.3.2 step 6."""
    name = f"{qname}.example.org." if qname else "example.org."
    assert owners(ask(SERVED, name, qtype)) == additional


def test_nothing_is_said_twice() -> None:
    """RFC 2181 5: two records with one target bring its addresses once."""
    wire = ask_reply(SERVED, "twice.example.org.", "MX").wire
    # Counted in the header: dnspython would merge what was repeated.
    assert int.from_bytes(wire[10:12]) == len(["host A", "ns A", "ns AAAA"])


def test_in_domain_glue_is_all_there_or_tc() -> None:
    """RFC 9471 2.1: a resolver that cannot reach the servers must be told to use TCP."""
    text = "@ 1 SOA . . 1 2 3 4 5\n" + "".join(
        f"sub 1 NS ns{n}.sub\nns{n}.sub 1 A 192.0.2.{n}\n" for n in range(30)
    )
    served = serving(text, "example.org.")
    short = ask(served, "x.sub.example.org.", "A")
    assert short.flags & 0x0200
    whole = ask(served, "x.sub.example.org.", "A", transport=TCP)
    assert len(lines(whole.additional)) == 30


def test_additional_work_is_bounded() -> None:
    """CVE-2024-11187: a thousand targets cost no more than thirteen."""
    text = "@ 1 SOA . . 1 2 3 4 5\n" + "".join(
        f"@ 1 MX {n} mx{n}\nmx{n} 1 A 192.0.2.1\nsub 1 NS mx{n}\n" for n in range(200)
    )
    served = serving(text, "example.org.")
    for qname, qtype in (("example.org.", "MX"), ("x.sub.example.org.", "A")):
        message = ask(served, qname, qtype, transport=TCP)
        assert len(lines(message.additional)) == ADDITIONAL_NAMES


def test_svcb_aliases_are_followed_so_far() -> None:
    """RFC 9460 4.1, bounded as other additional processing is."""
    text = "@ 1 SOA . . 1 2 3 4 5\n" + "".join(f"a{n} 1 HTTPS 0 a{n + 1}\n" for n in range(99))
    message = ask(serving(text, "example.org."), "a0.example.org.", "HTTPS", transport=TCP)
    assert len(lines(message.additional)) == ADDITIONAL_NAMES


@pytest.mark.parametrize("octets", [512, 700, 1232, 2000, 65_535])
@pytest.mark.parametrize("servers", [1, 4, 12, 30, 90])
@pytest.mark.parametrize(
    ("qname", "qtype"), [("x.big.example.org.", "A"), ("mail.example.org.", "MX")]
)
def test_what_is_not_collected_would_not_have_fit(
    octets: int, servers: int, qname: str, qtype: str
) -> None:
    """RFC 9471 2.1: the response is, TC included, that of collecting everything."""
    text = ZONE + "".join(
        f"big NS n{n}.big\nbig NS s{n}.sibling\nn{n}.big A 192.0.2.{n}\nn{n}.big AAAA ::{n}\n"
        f"s{n}.sibling AAAA ::{n}\nmail MX {n} h{n}\nh{n} A 192.0.2.{n}\nh{n} AAAA ::{n}\n"
        for n in range(servers)
    )
    reader = zone(text, "example.org.")
    query = parse(dns.message.make_query(qname, qtype).to_wire())
    assert isinstance(query, Query)
    bounded, whole = (
        render(
            query,
            compose(query.name, query.qtype, reader, lambda _: None, Wanted(octets=room)),
            octets,
        )
        for room in (octets, 10**9)
    )
    assert bounded == whole
