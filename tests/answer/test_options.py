"""EDNS options through respond: cookies, NSID, keepalive, padding, zone version, expire."""

from __future__ import annotations

from dataclasses import replace

import dns.edns
import dns.message
import pytest

from ocizone.answer.blocks import Loaded, NotReady, Policy, Snapshot, Transport
from ocizone.answer.respond import Reply, respond
from ocizone.plugins.acl import Acl, AclRule
from ocizone.wire.cookie import CookieSecrets, check
from tests.zonebuilder import TCP, UDP, block, snapshot, zone

NOW = 1_790_000_000
CLIENT = b"\xc0\x00\x02\x35"
ASKED = b"client c"
TLS = Transport("tls", "main", "192.0.2.53", 40000, NOW)
SECRETS = CookieSecrets((b"obviously a fake", b"an older secret!"))
ZONE = zone(
    "@ 60 SOA ns h 4294967295 2 3 77 5\n@ 60 NS ns\nns 60 A 192.0.2.1\nwww 60 A 192.0.2.2\n"
    "sub 60 NS ns.other.\nalias 60 CNAME www\n"
    + "".join(f'big 60 TXT "{n}{"x" * 200}"\n' for n in range(6)),
    "example.org.",
)


def served(policy: Policy | None = None, **more: object) -> Snapshot:
    made = snapshot(
        block("example.org.", {"example.org.": Loaded(ZONE)}, policy),
        block("unready.", {"unready.": NotReady("")}),
    )
    return replace(made, **{"cookies": SECRETS, **more})  # type: ignore[arg-type]  # passed on


def ask(
    *options: tuple[int, bytes],
    qname: str = "www.example.org.",
    qtype: str = "A",
    transport: Transport = UDP,
    policy: Policy | None = None,
    **more: object,
) -> dns.message.Message:
    """Return the response, read by dnspython."""
    sent: list[dns.edns.Option] = [
        dns.edns.GenericOption(dns.edns.OptionType.make(code), value) for code, value in options
    ]
    query = dns.message.make_query(qname, qtype, use_edns=0, payload=1232, options=sent)
    reply = respond(query.to_wire(), served(policy, **more), replace(transport, received=NOW))
    assert isinstance(reply, Reply)
    return dns.message.from_wire(reply.wire)


def said(message: dns.message.Message) -> dict[int, bytes]:
    """Return the options of a response by code; each stands there once."""
    found = [(int(option.otype), option.to_wire() or b"") for option in message.options]
    assert len(dict(found)) == len(found)
    return dict(found)


# --- Cookies ---------------------------------------------------------------------------------


def test_a_cookie_is_answered_with_ours() -> None:
    """RFC 7873 5.2.3: the client's and the server's; the address is part of it (RFC 9018 4.4)."""
    cookie = said(ask((10, ASKED)))[10]
    assert cookie == check(ASKED, CLIENT, NOW, SECRETS).reply
    assert said(ask((10, cookie)))[10] == cookie
    elsewhere = replace(UDP, client="192.0.2.99")
    assert said(ask((10, cookie), transport=elsewhere))[10] != cookie
    mapped = replace(UDP, client="::ffff:192.0.2.53")
    assert said(ask((10, cookie), transport=mapped))[10] == cookie
    assert said(ask((10, cookie), transport=replace(UDP, client="nowhere")))[10] != cookie


@pytest.mark.parametrize("transport", [UDP, TCP, TLS])
@pytest.mark.parametrize("octets", [1, 7, 9, 15, 41, 100])
def test_a_malformed_cookie_is_formerr(octets: int, transport: Transport) -> None:
    """RFC 7873 5.2.2; the question and the OPT come back, no cookie."""
    message = ask((10, bytes(octets)), transport=transport)
    assert (message.rcode(), message.edns, said(message)) == (1, 0, {})
    assert len(message.question) == 1
    assert ask((10, bytes(octets)), qname="elsewhere.", transport=transport).rcode() == 1


@pytest.mark.parametrize(
    ("mode", "transport", "cookie", "rcode"),
    [
        ("on", UDP, "bad", 0),
        ("require", UDP, "bad", 23),
        ("require", UDP, "new", 23),
        ("require", UDP, "valid", 0),
        ("require", UDP, "none", 0),
        ("require", TCP, "bad", 0),
        ("require", TLS, "new", 0),
    ],
)
def test_what_require_does(mode: str, transport: Transport, cookie: str, rcode: int) -> None:
    """RFC 7873 5.2.3-5.2.5: BADCOOKIE with a right cookie, only over UDP, only for who has one."""
    fresh = check(ASKED, CLIENT, NOW, SECRETS).reply
    options = {"bad": ASKED + bytes(16), "new": ASKED, "valid": fresh}
    sent = [(10, options[cookie])] if cookie in options else []
    policy = Policy(cookies=mode)  # type: ignore[arg-type]  # of the table
    message = ask(*sent, transport=transport, policy=policy)
    assert message.rcode() == rcode
    assert bool(message.answer) == (not rcode)
    assert said(message) == ({10: fresh} if sent else {})


@pytest.mark.parametrize("octets", [8, 24, 7])
def test_cookies_off(octets: int) -> None:
    """An option like any other we do not know."""
    assert said(ask((10, bytes(octets)), policy=Policy(cookies="off"))) == {}
    assert said(ask((10, bytes(octets)), cookies=None)) == {}
    assert ask((10, bytes(octets)), cookies=None).rcode() == 0


def test_errors_have_the_cookie_too() -> None:
    """RFC 7873 5.2.3: REFUSED, SERVFAIL, NOTIMP."""
    for qname, rcode in (("elsewhere.", 5), ("x.unready.", 2)):
        message = ask((10, ASKED), qname=qname)
        assert message.rcode() == rcode
        assert len(said(message)[10]) == 24
    query = dns.message.make_query(
        "example.org.", "A", use_edns=0, options=[dns.edns.CookieOption(ASKED, b"")]
    )
    query.set_opcode(2)  # type: ignore[arg-type]  # STATUS, as a number
    reply = respond(query.to_wire(), served(), replace(UDP, received=NOW))
    assert isinstance(reply, Reply)
    assert (reply.rcode, set(said(dns.message.from_wire(reply.wire)))) == (4, {10, 15})


def test_who_asks_for_a_cookie_only() -> None:
    """RFC 7873 5.4: no question, a cookie; FORMERR where there are none."""
    query = dns.message.Message(id=7)
    query.use_edns(0, options=[dns.edns.CookieOption(ASKED, b"")])
    for secrets, rcode in ((SECRETS, 0), (None, 1)):
        reply = respond(query.to_wire(), served(cookies=secrets), replace(UDP, received=NOW))
        assert isinstance(reply, Reply)
        message = dns.message.from_wire(reply.wire)
        assert (message.rcode(), message.question) == (rcode, [])
        assert set(said(message)) == ({10} if secrets else set())


# --- The others ------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [b"", b"\x00\x01", b"xyz"])
def test_keepalive(value: bytes) -> None:
    """RFC 7828 3.2.2, 3.3.2: our idle time over TCP and TLS; over UDP it is not there to see."""
    assert said(ask((11, value), transport=TCP)) == {11: b"\x00\x64"}
    assert said(ask((11, value), transport=TLS)) == {11: b"\x00\x64"}
    assert said(ask((11, value))) == {}
    assert said(ask(transport=TCP)) == {}


@pytest.mark.parametrize("qname", ["www.example.org.", "nx.example.org.", "big.example.org."])
@pytest.mark.parametrize("qtype", ["A", "TXT"])
def test_padding_over_tls(qname: str, qtype: str) -> None:
    """RFC 8467 4.1: multiples of 468 octets for who pads; RFC 7830 4: others, and UDP, not."""
    for transport, sent, padded in ((TLS, True, True), (TLS, False, False), (TCP, True, False)):
        options = [(12, b"")] if sent else []
        message = ask(*options, qname=qname, qtype=qtype, transport=transport)
        assert (12 in said(message)) == padded
        if padded:
            octets = message.wire
            assert octets is not None
            assert len(octets) % 468 == 0
            assert not any(said(message)[12])


@pytest.mark.parametrize(
    ("qname", "version"),
    [
        ("www.example.org.", True),
        ("nx.example.org.", True),
        ("alias.example.org.", True),
        ("x.sub.example.org.", True),
        ("elsewhere.", False),
        ("x.unready.", False),
    ],
)
def test_zone_version(qname: str, version: bool) -> None:
    """RFC 9660 3.2: labels of the zone, type 0, the SOA serial; not where no zone answers."""
    expected = {19: b"\x02\x00\xff\xff\xff\xff"} if version else {}
    found = said(ask((19, b""), qname=qname))
    found.pop(15, None)
    assert found == expected
    assert 19 not in said(ask(qname=qname))


def test_zone_version_where_acl_answers() -> None:
    """An empty answer of acl is not what the zone says."""
    policy = Policy(acl=(Acl((b"\x00",), (AclRule("filter", None, None),)),))
    assert set(said(ask((19, b""), policy=policy))) == {15}


def test_expire() -> None:
    """RFC 7314 3.2: for the SOA of a zone, its EXPIRE."""
    assert said(ask((9, b""), qname="example.org.", qtype="SOA")) == {9: b"\x00\x00\x00\x4d"}
    assert said(ask((9, b""), qname="example.org.", qtype="NS")) == {}
    assert said(ask((9, b""), qname="www.example.org.", qtype="SOA")) == {}
    assert said(ask(qname="example.org.", qtype="SOA")) == {}


def test_nsid() -> None:
    """RFC 5001 2.1, 2.3: only when asked, whatever the value; not where the block has none."""
    policy = Policy(nsid=b"ns1")
    assert said(ask((3, b""), policy=policy)) == {3: b"ns1"}
    assert said(ask((3, b"x"), (3, b""), policy=policy)) == {3: b"ns1"}
    assert said(ask(policy=policy)) == {}
    assert said(ask((3, b""))) == {}


def test_unknown_options_and_those_of_resolvers() -> None:
    """RFC 8906 8.2.3: no echo; ECS, CHAIN, key tags, report channel and EDE mean nothing here."""
    sent = [(code, b"\x00") for code in (1, 2, 5, 6, 7, 8, 13, 14, 15, 16, 18, 100, 65001, 65535)]
    message = ask(*sent)
    assert (message.rcode(), said(message)) == (0, {})
    assert message.answer


def test_the_order_of_options() -> None:
    """Cookie first, padding last: it is the one that does not matter."""
    sent = [(12, b""), (3, b""), (19, b""), (11, b""), (10, ASKED), (9, b"")]
    message = ask(*sent, qname="example.org.", qtype="SOA", transport=TLS, policy=Policy(nsid=b"n"))
    assert [int(option.otype) for option in message.options] == [10, 11, 19, 9, 3, 12]


# --- Classes and transfers that are none ------------------------------------------------------


def test_class_any() -> None:
    """RFC 1034 3.7.1: answered, but never authoritative; NSD does so, too."""
    query = dns.message.make_query("www.example.org.", "A", "ANY")
    reply = respond(query.to_wire(), served(), UDP)
    assert isinstance(reply, Reply)
    message = dns.message.from_wire(reply.wire)
    assert (message.rcode(), message.flags & 0x0400) == (0, 0)
    assert [rrset.to_text() for rrset in message.answer] == ["www.example.org. 60 IN A 192.0.2.2"]


@pytest.mark.parametrize("qtype", ["AXFR", "IXFR"])
@pytest.mark.parametrize("qname", ["www.example.org.", "elsewhere."])
def test_a_transfer_of_no_zone(qname: str, qtype: str) -> None:
    """RFC 5936 2.2.1: NOTAUTH; NSD, Knot and BIND agree."""
    assert ask(qname=qname, qtype=qtype, transport=TCP).rcode() == 9
