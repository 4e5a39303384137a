"""Who may have zones, and what dnspython, as a secondary, makes of the messages."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.tsig
import dns.versioned
import dns.xfr
import dns.zone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone import limits
from ocizone.answer.blocks import Loaded, Policy, Transport
from ocizone.answer.transfer import transfer
from ocizone.corefile.load import parse_text
from ocizone.plugins.transfer import Secondary, Transfer
from ocizone.wire.codes import FORMERR, NOERROR, NOTAUTH, NOTIMP, REFUSED
from ocizone.wire.name import from_text
from ocizone.wire.query import Query, parse
from ocizone.wire.render import Answer
from ocizone.wire.tsig import HMAC_SHA256, Signer, TsigKey, last_tsig, verify
from ocizone.zone.diff import Change, diff
from ocizone.zone.reader import ZoneReader
from tests.zonebuilder import TCP, UDP, zone

NOW = 1_790_000_000
ORIGIN = dns.name.from_text("example.org.")
APEX = from_text("example.org.")
ANYBODY = Policy(transfer=(Transfer((), (Secondary(None, None, None),)),))
KEY = TsigKey(from_text("key.test."), HMAC_SHA256, b"an obvious fake, of 32 octets !!")
KEYRING = {
    dns.name.from_text("key.test."): dns.tsig.Key("key.test.", KEY.secret, dns.tsig.HMAC_SHA256)
}


def version(serial: int, text: str = "") -> ZoneReader:
    """Return a version of example.org."""
    head = f"@ 300 IN SOA ns.Example.org. h {serial} 7200 3600 1209600 300\n@ 300 NS ns\n"
    return zone(head + "ns 300 A 192.0.2.1\n" + text, "example.org")


def asked(
    request: dns.message.Message,
    loaded: Loaded,
    *,
    policy: Policy = ANYBODY,
    transport: Transport = TCP,
) -> Answer | Iterator[bytes | None]:
    wire = request.to_wire()
    query = parse(wire)
    assert isinstance(query, Query)
    signer = None
    if query.tsig is not None:
        verified = verify(wire, query.tsig, {KEY.name: KEY}, query.tsig.time)
        assert isinstance(verified, Signer)
        signer = verified
    at = request.tsig[0].time_signed if request.tsig else NOW
    return transfer(query, APEX, loaded, policy, replace(transport, received=at), signer)


def messages(request: dns.message.Message, loaded: Loaded) -> list[bytes]:
    found = asked(request, loaded)
    assert not isinstance(found, Answer)
    return [message for message in found if message is not None]


def empty() -> dns.versioned.Zone:
    return dns.versioned.Zone(ORIGIN)


def applied(
    secondary: dns.versioned.Zone, request: dns.message.Message, wires: list[bytes]
) -> None:
    """Apply the messages of a transfer to a secondary's zone, as dnspython does."""
    rdtype = request.question[0].rdtype
    serial = None
    if rdtype == dns.rdatatype.IXFR:
        serial = request.authority[0][0].serial
    with dns.xfr.Inbound(secondary, rdtype, serial) as inbound:
        done, context = False, None
        for wire in wires:
            assert not done, "messages behind the last one"
            assert len(wire) <= 65_535
            message = dns.message.from_wire(
                wire,
                keyring=request.keyring,
                request_mac=request.mac,
                xfr=True,
                origin=ORIGIN,
                tsig_ctx=context,
                multi=True,
                one_rr_per_rrset=rdtype == dns.rdatatype.IXFR,
            )
            assert bool(request.keyring) == message.had_tsig
            context = message.tsig_ctx
            done = inbound.process_message(message)
        assert done, "the last message is missing"


def text_of(secondary: dns.zone.Zone) -> list[str]:
    return sorted(
        f"{name.derelativize(ORIGIN)} {ttl} {rdata.rdtype} {rdata.to_digestable(ORIGIN).hex()}".lower()
        for name, ttl, rdata in secondary.iterate_rdatas()
    )


def everything(loaded: Loaded) -> list[str]:
    """Return what a secondary has after AXFR."""
    secondary = empty()
    request = axfr_of()
    applied(secondary, request, messages(request, loaded))
    return text_of(secondary)


def axfr_of(name: dns.name.Name = ORIGIN) -> dns.message.Message:
    return dns.message.make_query(name, "AXFR")


def ixfr_of(serial: int) -> dns.message.Message:
    request = dns.message.make_query(ORIGIN, "IXFR")
    request.authority.append(dns.rrset.from_text(ORIGIN, 0, "IN", "SOA", f". . {serial} 0 0 0 0"))
    return request


# --- AXFR --------------------------------------------------------------------------------------

ODD = """\
sub 300 NS ns.sub
ns.sub 300 A 192.0.2.2
deep.below.sub 300 TXT "occluded"
d 300 DNAME elsewhere.test.
x.d 300 A 192.0.2.3
*.w 300 MX 10 MAIL.example.org.
MiXeD 300 TXT "Case" "kept"
a.b.c.d.e 300 A 192.0.2.4
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 300 NSEC3 1 1 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom SOA
@ 300 RRSIG SOA 8 2 300 20300101000000 20200101000000 1 example.org. AAAA
ns 300 RRSIG A 8 3 300 20300101000000 20200101000000 1 example.org. AAAA
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 300 RRSIG NSEC3 8 3 300 20300101000000 20200101000000 1 example.org. AAAA
"""


def test_everything_is_sent():
    """Glue, what cuts and DNAMEs hide, NSEC3, every RRSIG (RFC 5936 3)."""
    loaded = Loaded(version(7, ODD))
    expected = dns.zone.from_text(
        "@ 300 IN SOA ns.Example.org. h 7 7200 3600 1209600 300\n@ 300 NS ns\nns 300 A 192.0.2.1\n"
        + ODD,
        ORIGIN,
        relativize=False,
        check_origin=False,
    )
    assert everything(loaded) == text_of(expected)


def test_the_soa_is_first_and_last():
    """One SOA at each end, none between; AA, id and question echoed (RFC 5936 2.2)."""
    request = axfr_of()
    (wire,) = messages(request, Loaded(version(7, ODD)))
    message = dns.message.from_wire(wire, one_rr_per_rrset=True)
    types = [rrset.rdtype for rrset in message.answer]
    assert types[0] == types[-1] == dns.rdatatype.SOA
    assert types.count(dns.rdatatype.SOA) == 2
    assert request.is_response(message)
    assert message.opt is None
    assert dns.flags.to_text(message.flags).split() == ["QR", "AA", "RD"]


def test_an_opt_is_answered_in_the_first_message():
    """And nowhere else (RFC 5936 2.2.5)."""
    request = dns.message.make_query(ORIGIN, "AXFR", use_edns=0)
    first, *others = messages(request, Loaded(version(1, many(2000))))
    assert dns.message.from_wire(first).edns == 0
    assert others
    assert all(dns.message.from_wire(other, xfr=True).edns == -1 for other in others)


def many(count: int) -> str:
    return "".join(f"host-{number} 300 A 192.0.2.{number % 256}\n" for number in range(count))


def test_a_long_zone_comes_in_many_messages():
    """Each at most TRANSFER_MESSAGE_OCTETS, and nearly full; the question in the first only."""
    request = axfr_of()
    loaded = Loaded(version(1, many(5000)))
    found = messages(request, loaded)
    sizes = [len(wire) for wire in found]
    assert max(sizes) <= limits.TRANSFER_MESSAGE_OCTETS
    assert min(sizes[:-1]) > limits.TRANSFER_MESSAGE_OCTETS - 64
    assert [dns.message.from_wire(wire).question != [] for wire in found] == [
        index == 0 for index in range(len(found))
    ]
    secondary = empty()
    applied(secondary, request, found)
    assert len(text_of(secondary)) == 5003


def test_names_are_compressed_case_kept():
    """A pointer leads to a name spelled alike only (RFC 5936 3.4)."""
    loaded = Loaded(version(1, "WwW 300 CNAME Www.example.org.\n"))
    (wire,) = messages(axfr_of(), loaded)
    assert b"\x03WwW" in wire
    assert b"\x03Www" in wire
    assert wire.count(b"\x07example") == 1


def test_names_of_messages_stand_for_themselves():
    """A long zone compresses: under 27 octets a record of 45 uncompressed."""
    found = messages(axfr_of(), Loaded(version(1, many(5000))))
    assert sum(map(len, found)) / 5000 < 28


def test_a_record_of_64_kib_has_a_message_of_its_own():
    """Over TRANSFER_MESSAGE_OCTETS but sendable."""
    text = f"big 300 TYPE65280 \\# 65000 {'ab' * 65000}\n"
    request = axfr_of()
    loaded = Loaded(version(1, many(1000) + text + "zz 300 A 192.0.2.1\n"))
    found = messages(request, loaded)
    assert max(map(len, found)) > 65_000
    secondary = empty()
    applied(secondary, request, found)
    assert len(text_of(secondary)) == 1005


def test_a_record_that_fits_no_message_ends_the_transfer():
    """SERVFAIL is the last message, and it comes: never a loop (NSD 4.15.1)."""
    text = f"big 300 TYPE65280 \\# 65500 {'ab' * 65500}\n"
    found = messages(axfr_of(), Loaded(version(1, many(1000) + text)))
    assert [dns.message.from_wire(wire).rcode() for wire in found] == [0] * (len(found) - 1) + [2]


def test_a_walk_without_records_gives_way():
    """10,000 empty non-terminals make no message for a while: None comes in between."""
    label = "x." * 115
    loaded = Loaded(version(1, "".join(f"{label}{n:04d} 300 A 192.0.2.1\n" for n in range(100))))
    found = asked(axfr_of(), loaded)
    assert not isinstance(found, Answer)
    nones = sum(message is None for message in found)
    assert nones == (100 * 116 + 2) // limits.WALK_NODES


# --- IXFR --------------------------------------------------------------------------------------


def history(*texts: str) -> tuple[ZoneReader, ...]:
    """Return versions 1, 2, ... of example.org, oldest first."""
    return tuple(version(number, text) for number, text in enumerate(texts, 1))


def loaded_of(versions: tuple[ZoneReader, ...]) -> Loaded:
    *earlier, current = versions
    return Loaded(current, tuple(reversed(earlier)))


def soas(request: dns.message.Message, loaded: Loaded) -> list[int]:
    """Return the serials of the SOAs in a response."""
    return [
        rrset[0].serial
        for wire in messages(request, loaded)
        for rrset in dns.message.from_wire(wire, one_rr_per_rrset=True, xfr=True).answer
        if rrset.rdtype == dns.rdatatype.SOA
    ]


HOSTS = many(20)


def test_a_known_version_is_answered_with_one_condensed_difference():
    """New SOA, old SOA, removed, new SOA, added, new SOA (RFC 1995 4); what came and went is not sent."""
    versions = history(
        HOSTS + "a 1 A 192.0.2.1", HOSTS + "b 1 A 192.0.2.1", HOSTS + "c 1 A 192.0.2.1"
    )
    (wire,) = messages(ixfr_of(1), loaded_of(versions))
    answer = dns.message.from_wire(wire, one_rr_per_rrset=True).answer
    assert [
        rrset[0].serial if rrset.rdtype == dns.rdatatype.SOA else str(rrset.name)[0]
        for rrset in answer
    ] == [3, 1, "a", 3, "c", 3]


def test_an_unknown_version_is_answered_with_the_zone():
    """As AXFR, after the SOA of the current version (RFC 1995 4)."""
    assert soas(ixfr_of(1), Loaded(version(9, HOSTS))) == [9, 9]
    assert soas(ixfr_of(3), Loaded(version(9, HOSTS), (version(2, HOSTS),))) == [9, 9]


@pytest.mark.parametrize("serial", [9, 10, 2**31 + 8])
def test_a_current_or_newer_client_gets_the_soa(serial):
    """One record, signatures left out (RFC 1995 2); compared as RFC 1982 says."""
    answer = asked(ixfr_of(serial), Loaded(version(9, ODD), (version(8),)))
    assert isinstance(answer, Answer)
    ((_, rrset),) = answer.answer
    assert (rrset.rrtype, rrset.signatures, answer.aa, answer.rcode) == (6, (), True, NOERROR)


def test_serials_wrap():
    """0 follows 2**32 - 1 (RFC 1982)."""
    assert soas(ixfr_of(2**32 - 1), Loaded(version(1, HOSTS), (version(2**32 - 1, HOSTS),))) == [
        1, 2**32 - 1, 1, 1
    ]  # fmt: skip


def test_a_difference_longer_than_the_zone_is_not_sent():
    """The zone is."""
    loaded = loaded_of(history(many(50), "a 1 A 192.0.2.1\n"))
    assert soas(ixfr_of(1), loaded) == [2, 2]


def test_a_difference_over_the_limit_is_not_sent(monkeypatch):
    """IXFR_OCTETS bounds what is kept of it."""
    monkeypatch.setattr("ocizone.answer.ixfr.IXFR_OCTETS", 100)
    loaded = loaded_of(history(HOSTS, HOSTS.replace("192.0.2.1\n", "192.0.2.99\n")))
    assert soas(ixfr_of(1), loaded) == [2, 1, 2, 2]
    loaded = loaded_of(history(HOSTS, HOSTS.replace("host-1", "other-1")))
    assert soas(ixfr_of(1), loaded) == [2, 2]


def test_a_difference_is_computed_once(monkeypatch):
    """Ten secondaries that ask at once share the work, and those that come later."""
    calls = []

    def counted(*pair: ZoneReader) -> Iterator[Change | None]:
        calls.append(pair)
        return diff(*pair)

    monkeypatch.setattr("ocizone.answer.ixfr.diff", counted)
    loaded = loaded_of(history(HOSTS, HOSTS))
    streams = [asked(ixfr_of(1), loaded) for _ in range(10)]
    for _ in range(9):
        for stream in streams:
            assert not isinstance(stream, Answer)
            next(stream, None)
    assert len(calls) == 1


def test_ixfr_without_a_serial_is_malformed():
    """RFC 1995 3; NSD, Knot and BIND say FORMERR too."""
    answer = asked(dns.message.make_query(ORIGIN, "IXFR"), Loaded(version(1)))
    assert isinstance(answer, Answer)
    assert answer.rcode == FORMERR


def test_over_udp_a_short_difference_is_whole():
    """Where it fits one datagram; else the SOA says to come over TCP (RFC 1995 2)."""
    near = loaded_of(history(HOSTS, HOSTS + "a 1 A 192.0.2.1"))
    far = loaded_of(history(many(200), many(200).replace("192.0.2.", "198.51.100.")))
    huge = loaded_of(history(many(1001), many(1001)))
    counts = []
    for loaded in (near, far, huge):
        answer = asked(ixfr_of(1), loaded, transport=UDP)
        assert isinstance(answer, Answer)
        counts.append(len(answer.answer))
    assert counts == [5, 1, 1]
    # Known already because somebody asked over TCP: then it is sent.
    messages(ixfr_of(1), huge)
    answer = asked(ixfr_of(1), huge, transport=UDP)
    assert isinstance(answer, Answer)
    assert len(answer.answer) == 4


def test_over_udp_a_difference_has_no_signatures_behind_its_soas():
    """With DO too: the second record tells a difference from a zone (RFC 1995 4)."""
    when = "20300101000000 20200101000000 1 z. AAAA\n"
    signature = f"a RRSIG A 13 2 1 {when}@ RRSIG SOA 13 1 1 {when}"
    loaded = loaded_of(history(HOSTS, HOSTS + "a 1 A 192.0.2.1\n" + signature))
    answer = asked(ixfr_of(1), loaded, transport=UDP)
    assert isinstance(answer, Answer)
    assert len(answer.answer) > 4
    assert not any(rrset.signatures for _, rrset in answer.answer)


def test_over_udp_a_difference_that_is_of_no_use_is_not_sent():
    """Longer than the zone, or than the room an OPT leaves."""
    longer = loaded_of(history(many(50), "a 1 A 192.0.2.1\n"))
    room = 'b 1 TXT "' + "x" * 250 + '"\n'
    close = loaded_of(history(HOSTS, HOSTS + room))
    request = dns.message.make_query(ORIGIN, "IXFR", use_edns=0, payload=512)
    request.authority.append(ixfr_of(1).authority[0])
    counts = []
    for loaded, asking in ((longer, ixfr_of(1)), (close, ixfr_of(1)), (close, request)):
        answer = asked(asking, loaded, transport=UDP)
        assert isinstance(answer, Answer)
        counts.append(len(answer.answer))
    assert counts == [1, 5, 1]


def test_over_udp_an_unknown_version_gets_the_soa():
    """RFC 1995 2."""
    answer = asked(ixfr_of(1), Loaded(version(3)), transport=UDP)
    assert isinstance(answer, Answer)
    assert len(answer.answer) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_a_secondary_that_follows_has_what_axfr_gives(seed):
    """Eight random edits; secondaries of every earlier version apply IXFR and agree."""
    chance = random.Random(seed)
    lines = {f"h{number} 300 A 192.0.2.{chance.randrange(9)}" for number in range(12)}
    versions = []
    for serial in range(1, 9):
        for _ in range(chance.randrange(6)):
            lines.discard(chance.choice(sorted(lines) or [""]))
            owner = chance.choice([f"h{chance.randrange(20)}", "@", "*.w", "MiX.ed"])
            rdata = chance.choice(['TXT "a"', 'TXT "b"', "A 192.0.2.7", "MX 5 Mail"])
            lines.add(f"{owner} {300 if owner != 'h3' else chance.choice([60, 300])} {rdata}")
        one_ttl = {line.split()[0] + line.split()[2]: line.split()[1] for line in sorted(lines)}
        text = "\n".join(
            " ".join(
                [line.split()[0], one_ttl[line.split()[0] + line.split()[2]], *line.split()[2:]]
            )
            for line in sorted(lines)
        )
        versions.append(version(serial, text + "\n"))
        current = Loaded(versions[-1], tuple(reversed(versions[:-1])))
        wanted = everything(current)
        for old in versions[:-1]:
            secondary = empty()
            applied(secondary, axfr_of(), messages(axfr_of(), Loaded(old)))
            request = ixfr_of(old.info.serial)
            applied(secondary, request, messages(request, current))
            assert text_of(secondary) == wanted


# --- TSIG --------------------------------------------------------------------------------------


def test_every_message_is_signed():
    """One stream of MACs, which dnspython verifies (RFC 8945 5.3.1)."""
    request = axfr_of()
    request.use_tsig(KEYRING)
    found = messages(request, Loaded(version(1, many(3000))))
    assert len(found) > 3
    assert max(map(len, found)) <= limits.TRANSFER_MESSAGE_OCTETS
    secondary = empty()
    applied(secondary, request, found)
    assert len(text_of(secondary)) == 3003


def test_a_difference_is_signed_too():
    """IXFR takes the same way."""
    loaded = loaded_of(history(HOSTS, HOSTS + "a 1 A 192.0.2.1"))
    secondary = empty()
    applied(secondary, axfr_of(), messages(axfr_of(), Loaded(loaded.earlier[0])))
    request = ixfr_of(1)
    request.use_tsig(KEYRING)
    applied(secondary, request, messages(request, loaded))
    assert text_of(secondary) == everything(loaded)


def test_each_message_is_signed_when_it_is_sent():
    """A client may take long: one that is five minutes old would be refused (RFC 8945 5.2.3)."""
    request = axfr_of()
    request.use_tsig(KEYRING)
    wire = request.to_wire()
    query = parse(wire)
    assert isinstance(query, Query)
    assert query.tsig is not None
    begun = query.tsig.time
    clock = itertools.count(begun, 200)
    signer = verify(wire, query.tsig, {KEY.name: KEY}, begun)
    assert isinstance(signer, Signer)
    transport = replace(TCP, received=begun, wall=lambda: next(clock))
    found = transfer(query, APEX, Loaded(version(1, many(3000))), ANYBODY, transport, signer)
    assert not isinstance(found, Answer)
    times = [tsig.time for message in found if message and (tsig := last_tsig(message))]
    assert times == [begun + 200 * number for number in range(len(times))]
    assert len(times) > 3


# --- Who may -----------------------------------------------------------------------------------


def allowed(text: str, client: str, *, key: bool = False, name: str = "example.org.") -> int | None:
    """Return the rcode a client is answered AXFR with; None when it gets the zone."""
    corefile = parse_text(f"example.org {{\nwhoami\n{text}\n}}", environ={}, cwd="/srv")
    request = axfr_of(dns.name.from_text(name))
    if key:
        request.use_tsig(KEYRING)
    transport = Transport("tcp", "main", client, 4000)
    policy = Policy(transfer=corefile.blocks[0].all(Transfer))
    answer = asked(request, Loaded(version(1)), policy=policy, transport=transport)
    return answer.rcode if isinstance(answer, Answer) else None


BOTH = "transfer example.org {\nto 192.0.2.1\n}\ntransfer org {\nto 192.0.2.2\n}"


@pytest.mark.parametrize(
    ("text", "client", "key", "rcode"),
    [
        ("", "192.0.2.1", False, REFUSED),
        ("transfer {\nto *\n}", "192.0.2.1", False, None),
        ("transfer {\nto *\n}", "192.0.2.1", True, None),
        ("transfer {\nto 192.0.2.1\n}", "192.0.2.1", False, None),
        ("transfer {\nto 192.0.2.1:5353\n}", "192.0.2.1", False, None),
        ("transfer {\nto 192.0.2.1\n}", "::ffff:192.0.2.1", False, None),
        ("transfer {\nto 192.0.2.1\n}", "192.0.2.2", False, REFUSED),
        ("transfer {\nto 192.0.2.1 192.0.2.2\n}", "192.0.2.2", False, None),
        ("transfer {\nto 192.0.2.1\nto 192.0.2.2\n}", "192.0.2.2", False, None),
        ("transfer {\nto 192.0.2.0/24\n}", "192.0.2.200", False, None),
        ("transfer {\nto 2001:db8::/32\n}", "2001:db8::9", False, None),
        ("transfer {\nto 2001:db8::/32\n}", "192.0.2.1", False, REFUSED),
        ("transfer {\nto [2001:db8::1]:54\n}", "2001:db8::1", False, None),
        ("transfer {\nto *\n}", "no address", False, None),
        ("transfer {\nto 192.0.2.1\n}", "no address", False, REFUSED),
        ("transfer {\nto 192.0.2.1 key key.test\n}", "192.0.2.1", True, None),
        ("transfer {\nto 192.0.2.1 key KEY.test.\n}", "192.0.2.1", True, None),
        ("transfer {\nto 192.0.2.1 key key.test\n}", "192.0.2.1", False, REFUSED),
        ("transfer {\nto 192.0.2.1 key key.test\n}", "192.0.2.2", True, REFUSED),
        ("transfer {\nto key key.test\n}", "192.0.2.9", True, None),
        ("transfer {\nto key other.test\n}", "192.0.2.9", True, REFUSED),
        ("transfer {\nto key other.test\nto 192.0.2.9\n}", "192.0.2.9", True, None),
        ("transfer example.org {\nto *\n}", "192.0.2.1", False, None),
        ("transfer other.test {\nto *\n}", "192.0.2.1", False, REFUSED),
        # The longest zone decides alone.
        (BOTH, "192.0.2.1", False, None),
        (BOTH, "192.0.2.2", False, REFUSED),
        ("transfer {\nto *\n}\ntransfer example.org {\nto 192.0.2.1\n}", "192.0.2.2", False, REFUSED),
    ],
)  # fmt: skip
def test_who_may_have_a_zone(text, client, key, rcode):
    """Address and key of the most specific directive."""
    assert allowed(text, client, key=key) == rcode


def test_a_name_that_is_no_apex_is_not_ours_to_transfer():
    """NOTAUTH, as NSD, Knot and BIND say; the apex in any case is the apex (#7899)."""
    everybody = "transfer {\nto *\n}"
    assert allowed(everybody, "192.0.2.1", name="ns.example.org.") == NOTAUTH
    assert allowed(everybody, "192.0.2.1", name="eXample.ORG.") is None


def test_there_is_no_axfr_over_udp():
    """NOTIMP, as NSD and Knot say; RFC 5936 4.2 defines none."""
    answer = asked(axfr_of(), Loaded(version(1)), transport=UDP)
    assert isinstance(answer, Answer)
    assert answer.rcode == NOTIMP
    refused = asked(axfr_of(), Loaded(version(1)), transport=UDP, policy=Policy())
    assert isinstance(refused, Answer)
    assert refused.rcode == REFUSED
