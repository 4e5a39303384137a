"""Keys: schemes, ports, zones and networks; and who may share a listening address."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.corefile.keys import BadKeyError, SplitKey, split_key, zones_of
from ocizone.corefile.load import parse_text
from ocizone.errors import ConfigError, Problem
from ocizone.wire.name import to_text


def zones(text: str) -> list[str]:
    return [to_text(zone) for zone in zones_of(text)]


def findings(text: str) -> tuple[Problem, ...]:
    try:
        return parse_text(text, environ={}, cwd="/").notices
    except ConfigError as error:
        return error.problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.org", SplitKey("dns", "example.org", 1053)),
        ("example.org:53", SplitKey("dns", "example.org", 53)),
        ("example.org:0", SplitKey("dns", "example.org", 0)),
        ("example.org:000065535", SplitKey("dns", "example.org", 65535)),
        ("dns://.", SplitKey("dns", ".", 1053)),
        ("tls://.", SplitKey("tls", ".", 853)),
        ("quic://.", SplitKey("quic", ".", 853)),
        ("https3://.", SplitKey("https3", ".", 443)),
        ("unix://.", SplitKey("unix", ".", 1053)),
        ("2001:db8::/32", SplitKey("dns", "2001:db8::/32", 1053)),
        ("2001:db8::/32:54", SplitKey("dns", "2001:db8::/32", 54)),
        ("a:b", SplitKey("dns", "a:b", 1053)),
        ("a:\u0661", SplitKey("dns", "a:\u0661", 1053)),
        (":53", SplitKey("dns", "", 53)),
    ],
)
def test_split(text: str, expected: SplitKey) -> None:
    """The port is what stands after the last colon if it is a number."""
    assert split_key(text, 1053) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x:", 'expecting data after last colon: "x:"'),
        ("x:70000", "address 70000: invalid port"),
        ("x:" + "9" * 5000, f"address {'9' * 20}: invalid port"),
        ("http://x", "unknown scheme 'http://'"),
        ("DNS://x", "unknown scheme 'DNS://'"),
    ],
)
def test_split_refused(text: str, message: str) -> None:
    """A scheme CoreDNS would take for part of the zone is an error, as is a port out of range."""
    with pytest.raises(BadKeyError) as caught:
        split_key(text, 53)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".", ["."]),
        ("Example.ORG", ["example.org."]),
        ("_tcp.example.org.", ["_tcp.example.org."]),
        ("10.0.0.1", ["10.0.0.1."]),
        ("10.0.0.0/24", ["0.0.10.in-addr.arpa."]),
        ("10.0.0.0/8", ["10.in-addr.arpa."]),
        ("10.1.2.3/8", ["10.in-addr.arpa."]),
        ("10.0.0.0/15", ["0.10.in-addr.arpa.", "1.10.in-addr.arpa."]),
        ("0.0.0.0/0", ["in-addr.arpa."]),
        ("192.0.2.1/32", ["1.2.0.192.in-addr.arpa."]),
        ("2001:db8::/32", ["8.b.d.0.1.0.0.2.ip6.arpa."]),
        ("2001:DB8::/30", [f"{n}.b.d.0.1.0.0.2.ip6.arpa." for n in "89ab"]),
        ("10.0.0.0/33", ["10.0.0.0/33."]),
        ("10.0.0.0/255.0.0.0", ["10.0.0.0/255.0.0.0."]),
        ("10.0.0.256/24", ["10.0.0.256/24."]),
    ],
)
def test_zones(text: str, expected: list[str]) -> None:
    """A network is its reverse zones; what is no network is a name."""
    assert zones(text) == expected


@pytest.mark.parametrize(
    ("text", "count", "first", "last"),
    [
        ("10.9.3.0/18", 64, "0.9.10.in-addr.arpa.", "63.9.10.in-addr.arpa."),
        ("192.168.1.0/25", 128, "0.1.168.192.in-addr.arpa.", "127.1.168.192.in-addr.arpa."),
        ("2001:db8::/29", 8, "8.b.d.0.1.0.0.2.ip6.arpa.", "f.b.d.0.1.0.0.2.ip6.arpa."),
    ],
)
def test_networks_between_boundaries(text: str, count: int, first: str, last: str) -> None:
    """A length off the label boundary becomes several zones, up to the next one."""
    found = zones(text)
    assert (len(found), found[0], found[-1]) == (count, first, last)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)),
        st.tuples(st.integers(2**124, 2**128 - 1), st.integers(4, 128)),
    )
)
def test_reverse_zones_cover_the_network(drawn: tuple[int, int]) -> None:
    """RFC 1035 3.5, RFC 3596 2.5: the zones are the network, no more and no less."""
    number, length = drawn
    network = ip_network((number, length), strict=False)
    bits, base, suffix = (
        (8, 10, ".in-addr.arpa.") if network.version == 4 else (4, 16, ".ip6.arpa.")
    )
    found = zones(str(network))
    assert len(found) <= 128
    covered = 0
    for zone in found:
        digits = [label for label in zone.removesuffix(suffix[1:]).split(".") if label]
        size = network.max_prefixlen - bits * len(digits)
        start = 0
        for label in reversed(digits):
            start = (start << bits) + int(label, base)
        assert network.network_address.__class__(start << size) in network
        covered += 1 << size
    assert covered == network.num_addresses


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "zone is not a valid domain name: "),
        ("a..b", "zone is not a valid domain name: a..b"),
        ("x" * 64, f"zone is not a valid domain name: {'x' * 64}"),
        ("a." * 128 + "b", "specified zone is too long: 257 > 255"),
        ("\u00fc.example", "zone is not a valid domain name: \u00fc.example"),
        ("::/0", "invalid CIDR ::/0"),
        ("0::/8", "invalid CIDR 0::/8"),
    ],
)
def test_zones_refused(text: str, message: str) -> None:
    """CoreDNS' words."""
    with pytest.raises(BadKeyError) as caught:
        zones_of(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("scheme", ["grpc", "https", "https3", "quic", "unix"])
def test_schemes_that_are_not_served(scheme: str) -> None:
    """Known to CoreDNS, refused here by name."""
    (found,) = findings(f"{scheme}://example.org {{\n}}")
    assert found.message == f"'{scheme}://' is not supported by ocizone"


def test_tls_without_tls() -> None:
    """CoreDNS would serve plain text; here it is an error."""
    (found,) = findings("tls://example.org {\n}")
    assert found.message == "tls:// needs a 'tls' directive in its server block"
    assert findings("tls://example.org {\ntls cert key\n}") == ()


def test_tls_without_a_key_for_it() -> None:
    """The certificate would never be seen: somebody expected otherwise."""
    (found,) = findings("example.org {\ntls cert key\n}")
    assert found.message == "plugin/tls: no key of this server block is served over TLS"
    assert found.hint == "write 'tls://example.org.' for one that is"
    assert findings("example.org, tls://example.org {\ntls cert key\n}") == ()


@pytest.mark.parametrize(
    ("zone", "warned"),
    [
        (".", False),
        ("example.org", False),
        ("2.0.192.in-addr.arpa", False),
        ("_tcp.example.org", True),
        ("a,b", True),
        ("3com.com", True),
    ],
)
def test_odd_names(zone: str, *, warned: bool) -> None:
    """A name outside RFC 1035 2.3.1 works, with CoreDNS' warning."""
    assert [found.rule for found in findings(f"{zone} {{\n}}")] == ["odd-zone-name"] * warned


DEFINED = "it is already defined"
OVERLAP = "zone overlap listener capacity with"
ON = "bind 127.0.0.1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {\n}\nb {\n}", []),
        ("a {\n}\na:54 {\n}", []),
        ("a a {\n}", [f"cannot serve dns://a.:53 - {DEFINED}"]),
        ("a {\n}\nA. {\n}", [f"cannot serve dns://a.:53 - {DEFINED}"]),
        (f"a {{\n{ON}\n}}\na {{\nbind ::1\n}}", []),
        (
            f"a {{\n{ON}\n}}\na {{\nbind ::1 127.0.0.1\n}}",
            [f"cannot serve dns://a.:53 on 127.0.0.1 - {DEFINED}"],
        ),
        (
            f"a {{\n{ON}\n}}\na {{\n}}",
            [f"cannot serve dns://a.:53 - {OVERLAP} dns://a.:53 on 127.0.0.1"],
        ),
        (
            f"a {{\n}}\na {{\n{ON}\n}}",
            [f"cannot serve dns://a.:53 on 127.0.0.1 - {OVERLAP} dns://a.:53"],
        ),
        ("a {\nbind ::1\n}\na {\nbind 0:0::1\n}", [f"cannot serve dns://a.:53 on ::1 - {DEFINED}"]),
        ("a {\nbind eth0\n}\na {\nbind eth0\n}", [f"cannot serve dns://a.:53 on eth0 - {DEFINED}"]),
    ],
)
def test_overlap(text: str, expected: list[str]) -> None:
    """One zone, port and address is served by one block, and not bound and unbound at once."""
    assert [found.message for found in findings(text) if found.severity == "error"] == expected


def test_race() -> None:
    """Different zones, bound and unbound, on one port: it works by luck, so it is told."""
    (found,) = findings(f"a {{\n}}\nb {{\n{ON}\n}}")
    assert (found.line, found.rule, found.severity) == (3, "listener-race", "warning")
    assert findings(f"a {{\n}}\nb:54 {{\n{ON}\n}}") == ()
