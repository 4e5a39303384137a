"""ocizone as the primary of NSD, Knot and BIND: what is pushed is what they serve."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ocizone.lab import LabRegistry
from tests.e2e.program import Repository, Server, wait_until
from tests.peers import zonetexts
from tests.peers.secondaries import (
    Asked,
    Key,
    differences,
    dump,
    following,
    soa_of,
    wait_serial,
)
from tests.peers.servers import Peer
from tests.peers.zonesets import NSEC, NSEC3_SALTED, Signing, Zone, ZoneSet
from tests.ports import free_port

pytestmark = [pytest.mark.e2e]
ALL = [pytest.param(name, marks=pytest.mark.peers(name)) for name in ("nsd", "knotd", "named")]
KEY = Key()
DUMP = Key("dump.test")
#: PowerDNS does not hand a catalog's key on to the zones in it.
CATALOG_READERS = [
    pytest.param(name, key, marks=pytest.mark.peers(name), id=f"{name}-{key and 'signed'}")
    for name, key in (
        ("knotd", None), ("knotd", KEY), ("named", None), ("named", KEY), ("pdns_server", None)
    )
]  # fmt: skip
ZONE = "example.org."

HEAD = "$ORIGIN {origin}\n$TTL 300\n@ SOA ns1 hostmaster {serial} 3600 1 1209600 300\n@ NS ns1\n"


def text(serial: int, lines: str = "", origin: str = ZONE) -> bytes:
    hosts = "".join(f"host{number} A 192.0.2.{number}\n" for number in range(1, 100))
    return (
        HEAD.format(serial=serial, origin=origin) + "ns1 A 192.0.2.1\n" + hosts + lines
    ).encode()


class Site:
    """A registry, the program, and one secondary that it tells."""

    def __init__(self, stack: ExitStack, directory: Path, registry: LabRegistry) -> None:
        self.stack = stack
        self.directory = directory
        self.repository = Repository(registry)
        self.port = free_port()
        self.peer_port = free_port()

    def serve(self, *lines: str, key: Key | None = None) -> Server:
        """Start the program, which transfers to the secondary."""
        named = f" key {key.name}" if key else ""
        keys = "\n".join(
            f"secret {one.name} {one.secret} {one.algorithm}" for one in (key, DUMP) if one
        )
        more = [
            # Who compares has a key of its own: nobody gets anything unsigned by way of it.
            f"tsig {{\n{keys}\n}}",
            f"transfer {{\nto 127.0.0.1:{self.peer_port}{named}\nto key {DUMP.name}\n}}",
            *lines,
        ]
        (self.directory / "server").mkdir()
        corefile = self.repository.corefile(self.directory, *more)
        self.server = Server(self.directory / "server", corefile, self.port)
        self.stack.callback(self.end)
        return self.server

    def end(self) -> None:
        if self.server.process.poll() is None:
            self.server.kill()

    def follow(self, name: str, asked: Asked) -> Peer:
        directory = self.directory / name
        return self.stack.enter_context(following(name, directory, self.peer_port, asked))

    def push(self, data: bytes) -> None:
        self.repository.push(db_example_org=data)
        if hasattr(self, "server"):
            self.server.refresh()


@pytest.fixture
def site(tmp_path: Path, lab_registry: LabRegistry) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(stack, tmp_path, lab_registry)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("key", [None, KEY], ids=["unsigned", "signed"])
def test_what_is_pushed_is_what_they_serve(site: Site, name: str, key: Key | None) -> None:
    """AXFR at first, then NOTIFY and IXFR for each push; dumps are equal within seconds."""
    site.push(text(1))
    site.serve(key=key)
    peer = site.follow(name, Asked(site.port, [ZONE], key=key))
    wait_serial(peer, ZONE, 1)
    chance = random.Random(1)
    for serial in range(2, 8):
        lines = "".join(f'new{chance.randrange(9)} TXT "{chance.randrange(9)}"\n' for _ in range(5))
        site.push(text(serial, lines))
        wait_serial(peer, ZONE, serial, 15)
        assert dump(peer.port, ZONE) == dump(site.port, ZONE, DUMP)
    assert differences(peer) >= 5, peer.log[-5000:]


@pytest.mark.parametrize("name", ALL)
def test_a_secondary_with_the_wrong_key_gets_nothing(site: Site, name: str) -> None:
    """It asks, signed with another secret, and is told NOTAUTH."""
    site.push(text(1))
    site.serve(key=KEY)
    site.server.wait_answer("host1.example.org", "A", "192.0.2.1")
    wrong = Key(secret="YW5vdGhlciBvYnZpb3VzIGZha2UgISEhISEhISEhIQ==")
    peer = site.follow(name, Asked(site.port, [ZONE], key=wrong))
    wait_until(lambda: re.search(r"(?i)tsig|NOTAUTH|BADSIG", peer.log), f"a complaint\n{peer.log}")
    assert soa_of(peer.port, ZONE) is None


@pytest.mark.parametrize("name", ALL)
def test_a_big_zone_arrives(site: Site, name: str) -> None:
    """6,000 records in several messages, signed; then one of them changes."""
    body = "".join(
        f"h{number} A 10.{number >> 16}.{number >> 8 & 255}.{number & 255}\n"
        for number in range(6_000)
    )
    site.push(text(1, body))
    site.serve(key=KEY)
    peer = site.follow(name, Asked(site.port, [ZONE], key=KEY))
    wait_serial(peer, ZONE, 1, 60)
    assert dump(peer.port, ZONE) == dump(site.port, ZONE, DUMP)
    site.push(text(2, body + "one TXT more\n"))
    wait_serial(peer, ZONE, 2, 60)
    assert differences(peer) >= 1
    assert dump(peer.port, ZONE) == dump(site.port, ZONE, DUMP)


@pytest.mark.peers("dnssec-signzone", "dnssec-keygen", "ldns-verify-zone")
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("signing", [None, NSEC, NSEC3_SALTED], ids=["plain", "nsec", "nsec3"])
def test_every_type_arrives(site: Site, name: str, signing: Signing | None, tmp_path: Path) -> None:
    """Types old and new, occluded data, escapes, NSEC3 and RRSIGs; keys roll with each push."""
    text_of = zonetexts.types() + zonetexts.occluded()

    def push(serial: int, more: str) -> None:
        zone = Zone(ZONE, text_of.replace(" 7 7200 ", f" {serial} 7200 ") + more, signing)
        (file,) = ZoneSet("pushed", (zone,)).write(tmp_path / f"zone{serial}").zones
        site.push(file.path.read_bytes())

    push(7, "")
    site.serve()
    peer = site.follow(name, Asked(site.port, [ZONE]))
    wait_serial(peer, ZONE, 7)
    assert dump(peer.port, ZONE) == dump(site.port, ZONE, DUMP)
    for serial, more in ((8, "more TXT one\n"), (9, "more TXT two\n")):
        push(serial, more)
        wait_serial(peer, ZONE, serial)
        assert dump(peer.port, ZONE) == dump(site.port, ZONE, DUMP)


# --- Catalogs ------------------------------------------------------------------------------------


def zones(count: int, serial: int = 1) -> dict[str, bytes]:
    return {
        f"db.z{number}.test": (
            HEAD.format(serial=serial, origin=f"z{number}.test.") + "ns1 A 192.0.2.1\n"
        ).encode()
        for number in range(count)
    }


@pytest.mark.parametrize(("name", "key"), CATALOG_READERS)
def test_zones_of_an_artifact_appear_and_disappear(site: Site, name: str, key: Key | None) -> None:
    """One line of the secondary's configuration, whatever is pushed (RFC 9432)."""
    site.repository.push_files(zones(30))
    site.serve("catalog catalog.invalid", key=key)
    peer = site.follow(name, Asked(site.port, catalog="catalog.invalid.", key=key))
    for number in range(30):
        wait_serial(peer, f"z{number}.test.", 1)
    more = zones(40)
    del more["db.z7.test"]
    site.repository.push_files(more)
    site.server.refresh()
    for number in (30, 39):
        wait_serial(peer, f"z{number}.test.", 1)
    wait_until(lambda: soa_of(peer.port, "z7.test.") is None, "z7.test to be dropped")
    site.repository.push_files({**more, "db.z8.test": zones(9, 2)["db.z8.test"]})
    site.server.refresh()
    wait_serial(peer, "z8.test.", 2)
