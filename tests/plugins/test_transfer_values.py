"""What ``transfer`` and ``catalog`` yield, and what they refuse."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from ocizone.corefile.load import parse_text
from ocizone.errors import ConfigError
from ocizone.plugins.catalog import Catalog
from ocizone.plugins.transfer import Secondary, Transfer
from ocizone.wire.name import from_text


def values(text: str, kind: type, key: str = "example.org") -> list[object]:
    corefile = parse_text(f"{key} {{\nwhoami\n{text}\n}}", "Corefile", environ={}, cwd="/srv")
    return list(corefile.blocks[0].all(kind))


HOST = ip_network("192.0.2.1")
KEY = from_text("k.test.")


@pytest.mark.parametrize(
    ("line", "to"),
    [
        ("to *", Secondary(None, None, None)),
        ("to 192.0.2.1", Secondary(HOST, ("192.0.2.1", 53), None)),
        ("to 192.0.2.1:54", Secondary(HOST, ("192.0.2.1", 54), None)),
        ("to 2001:db8::1", Secondary(ip_network("2001:db8::1"), ("2001:db8::1", 53), None)),
        ("to [2001:db8::1]", Secondary(ip_network("2001:db8::1"), ("2001:db8::1", 53), None)),
        ("to [2001:DB8::1]:54", Secondary(ip_network("2001:db8::1"), ("2001:db8::1", 54), None)),
        ("to 192.0.2.0/24", Secondary(ip_network("192.0.2.0/24"), None, None)),
        ("to 192.0.2.1 key K.test", Secondary(HOST, ("192.0.2.1", 53), KEY)),
        ("to key k.test.", Secondary(None, None, KEY)),
    ],
)
def test_to(line, to):
    """Every form of ADDRESS."""
    assert values(f"transfer {{\n{line}\n}}", Transfer) == [Transfer((), (to,))]


def test_zones_source_and_several():
    """All words of a line, all lines, and where NOTIFY leaves from."""
    text = "transfer a.test b.test {\nto 192.0.2.1 *\nto 192.0.2.0/31\nsource 192.0.2.9\n}"
    (directive,) = values(text, Transfer)
    assert isinstance(directive, Transfer)
    assert directive.zones == (from_text("a.test"), from_text("b.test"))
    assert len(directive.to) == 3
    assert directive.source == "192.0.2.9"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("transfer", "'to' is required"),
        ("transfer {\nsource 192.0.2.1\n}", "'to' is required"),
        ("transfer {\nto\n}", "Wrong argument count"),
        ("transfer {\nto ns.example.org\n}", "must specify an IP address: `ns.example.org'"),
        ("transfer {\nto 192.0.2.1/24\n}", "`192.0.2.1/24' is an address in a network"),
        ("transfer {\nto 192.0.2.1:0\n}", "must specify an IP address"),
        ("transfer {\nto 192.0.2.1:x\n}", "must specify an IP address"),
        ("transfer {\nto 192.0.2.1:99999\n}", "must specify an IP address"),
        ("transfer {\nto [2001:db8::1\n}", "must specify an IP address"),
        ("transfer {\nto [2001:db8::1]53\n}", "must specify an IP address"),
        ("transfer {\nto fe80::1%eth0\n}", "must specify an IP address"),
        ("transfer {\nto 192.0.2.1/33\n}", "must specify an IP address"),
        ("transfer {\nto * key\n}", "'key' takes one name"),
        ("transfer {\nto * key a b\n}", "'key' takes one name"),
        ("transfer {\nto * key a..b\n}", "'a..b' is no key name"),
        ("transfer {\nto *\nsource x\n}", "must specify an IP address: `x'"),
        ("transfer {\nto *\nsource 192.0.2.1\nsource 192.0.2.1\n}", "'source' can be set only once"),
        ("catalog", "Wrong argument count"),
        ("catalog a..b", "'a..b' is no zone name"),
        ("catalog .", "'.' cannot be a catalog"),
        ("catalog " + "a23456789." * 22, "cannot be a catalog"),
        ("catalog example.org", "the catalog's name is one of the block's zones"),
        ("catalog org", "the catalog's name is one of the block's zones"),
        ("catalog c.test {\ngroup " + "x" * 256 + "\n}", "a group is 1 to 255 octets"),
        ('catalog c.test {\ngroup ""\n}', "a group is 1 to 255 octets"),
        ("catalog c.test\ncatalog d.test", "catalog"),
    ],
)  # fmt: skip
def test_refused(text, message):
    """With the place and what is wrong."""
    with pytest.raises(ConfigError) as caught:
        values(text, Transfer)
    assert message in str(caught.value)


def test_catalog():
    """A name in any case, with or without the last dot; a group."""
    assert values("catalog Catalog.invalid", Catalog) == [Catalog(from_text("catalog.invalid"))]
    assert values("catalog c.test. {\ngroup blue\n}", Catalog) == [
        Catalog(from_text("c.test"), b"blue")
    ]
    assert values("catalog c.example.org", Catalog) == [Catalog(from_text("c.example.org"))]
