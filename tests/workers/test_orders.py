"""A snapshot sent to a worker is the snapshot: the same answers to the same questions."""

from __future__ import annotations

from pathlib import Path

import dns.message
import pytest

from ocizone.answer.blocks import Loaded, NotReady, Snapshot, Transport
from ocizone.answer.respond import respond
from ocizone.assemble import assemble
from ocizone.errors import StoreError
from ocizone.plan import Plan
from ocizone.store.deployments import Deployment
from ocizone.wire.name import from_text
from ocizone.workers.orders import Message, Place, Unpacker, Zones, pack, read, to_octets
from tests.servedzones import FakeImage, deployment_of
from tests.test_plan import plan_of

EVERYTHING = """
org:53 tls://org:853 {
    oci r.test/a /a {
        username alice
        password s3cret-canary
    }
    tls c.pem k.pem
    acl {
        block net 192.0.2.0/24 type A
        allow
    }
    any
    bufsize 1232
    chaos mine me
    cookies on
    errors {
        consolidate 5m "x.*"
    }
    loadbalance
    log org. {
        class denial
    }
    minimal
    nsid here
    provenance
    transfer org {
        to * 192.0.2.9
    }
    tsig {
        secret key.example. c2VjcmV0
        require AXFR
    }
    catalog catalog.invalid
}
net {
    oci r.test/b /b
    whoami
}
"""
HERE = "dns://org.:53,tls://org.:853"


class Images:
    """Images by path, and who opened them how often."""

    def __init__(self, **images: FakeImage) -> None:
        self.images = images
        self.opened: list[str] = []

    def open(self, path: str) -> Zones:
        self.opened.append(path)
        if path not in self.images:
            raise StoreError(f"no image {path}")
        return self.images[path].zones()

    @property
    def places(self) -> dict[int, Place]:
        return {
            id(reader): (path, view, apex)
            for path, image in self.images.items()
            for (view, apex), reader in image.zones().items()
        }


def made(plan: Plan, images: dict[str, FakeImage], **more: object) -> Snapshot:
    deployments: dict[str, Deployment] = {key: deployment_of(key, (HERE, "org.")) for key in images}
    return assemble(
        plan,
        images,
        hostname="ns1",
        generation=7,
        now=1_790_000_000,
        cookie_secret=bytes(16),
        deployments=deployments,
        **more,  # type: ignore[arg-type]  # of assemble
    ).snapshot


@pytest.fixture
def plan() -> Plan:
    return plan_of(EVERYTHING)


def test_a_worker_answers_as_the_server_would(plan):
    """Every directive, a catalog, differences from before, zones not there yet."""
    name = plan.views[0].name
    source = plan.sources[0].key
    images = Images(
        new=FakeImage((name, "org."), serial=3, content="new"),
        old=FakeImage((name, "org."), serial=2, content="old"),
    )
    here = made(plan, {source: images.images["new"]}, earlier={source: [images.images["old"]]})
    there = Unpacker(images.open).unpack(pack(here, images.places))
    assert there.generation == 7
    assert there.keys == here.keys
    assert there.cookies == here.cookies
    assert list(there.listeners) == list(here.listeners)
    for listener, name_, rrtype, rdclass in [
        ("dns://:53", "www.org.", "A", "IN"),
        ("dns://:53", "nope.org.", "AAAA", "IN"),
        ("tls://:853", "org.", "SOA", "IN"),
        ("dns://:53", "catalog.invalid.", "SOA", "IN"),
        ("dns://:53", "artifact.org.", "TXT", "CH"),
        ("dns://:53", "version.bind.", "TXT", "CH"),
        ("dns://:53", "x.net.", "A", "IN"),
        ("dns://:53", "elsewhere.", "A", "IN"),
    ]:
        query = dns.message.make_query(name_, rrtype, rdclass, use_edns=0, want_dnssec=True)
        query.id = 7
        transport = Transport("udp", listener, "198.51.100.1", 4000, 1_790_000_000)
        mine = respond(query.to_wire(), here, transport)
        theirs = respond(query.to_wire(), there, transport)
        assert mine is not None
        assert theirs is not None
        assert mine.wire == theirs.wire  # type: ignore[union-attr]  # over UDP
    block, original = (one.listeners["dns://:53"][from_text("org")] for one in (there, here))
    assert block.policy == original.policy
    zone = block.zones[from_text("org")]
    assert isinstance(zone, Loaded)
    assert [reader.info.serial for reader in zone.earlier] == [2]


def test_a_block_under_several_keys_and_listeners_stays_one(plan):
    """Nothing is kept twice."""
    there = Unpacker(Images().open).unpack(pack(made(plan, {}), {}))
    plain, tls = (there.listeners[name][from_text("org")] for name in ("dns://:53", "tls://:853"))
    assert plain is tls
    assert isinstance(there.listeners["dns://:53"][from_text("net")].pending, str)


def test_zones_without_a_version_say_so():
    """With the reason that the supervisor has."""
    plan = plan_of("org {\nroot /z\nfile db.org\n}")
    there = Unpacker(Images().open).unpack(pack(made(plan, {}), {}))
    (block,) = there.blocks.values()
    assert isinstance(block.zones[from_text("org")], NotReady)


def test_no_credentials_are_in_it(plan):
    """A worker reads what strangers send: what it does not know nobody can take from it."""
    octets = pack(made(plan, {}), {})
    assert b"s3cret-canary" not in octets
    assert b"alice" not in octets


def test_an_image_is_opened_once_and_let_go_when_it_is_not_served():
    """One changed source of thousands costs one image."""
    plan = plan_of("org {\noci r.test/a /a\n}\nnet {\noci r.test/b /b\n}")
    one, two = (view.name for view in plan.views)
    keys = [source.key for source in plan.sources]
    images = Images(
        a1=FakeImage((one, "org.")),
        a2=FakeImage((one, "org."), serial=2),
        b=FakeImage((two, "net.")),
    )
    unpacker = Unpacker(images.open)

    def serve(first: str) -> None:
        held = {keys[0]: images.images[first], keys[1]: images.images["b"]}
        unpacker.unpack(pack(made(plan, held), images.places))

    serve("a1")
    serve("a2")
    serve("a2")
    assert images.opened == ["a1", "b", "a2"]
    serve("a1")
    assert images.opened == ["a1", "b", "a2", "a1"]


def test_an_image_that_cannot_be_opened_changes_nothing():
    """What was opened before is still open."""
    plan = plan_of("org {\noci r.test/a /a\n}")
    (view,), (source,) = plan.views, plan.sources
    images = Images(a=FakeImage((view.name, "org.")), gone=FakeImage((view.name, "org.")))
    unpacker = Unpacker(images.open)
    good, bad = (
        pack(made(plan, {source.key: images.images[name]}), images.places) for name in ("a", "gone")
    )
    unpacker.unpack(good)
    del images.images["gone"]
    with pytest.raises(StoreError, match="no image gone"):
        unpacker.unpack(bad)
    unpacker.unpack(good)
    assert images.opened == ["a", "gone"]


def test_an_earlier_image_that_is_gone_keeps_nobody_from_serving():
    """Only differences from it are (RFC 1995 4: then a transfer is whole)."""
    plan = plan_of("org {\noci r.test/a /a\ntransfer org {\nto *\n}\n}")
    (view,), (source,) = plan.views, plan.sources
    one, two, now = (
        FakeImage((view.name, "org."), serial=serial, content=str(serial)) for serial in (1, 2, 3)
    )
    images = Images(one=one, two=two, now=now)
    orders = pack(made(plan, {source.key: now}, earlier={source.key: [one, two]}), images.places)
    del images.images["one"]
    zone = Unpacker(images.open).unpack(orders).listeners["dns://:53"][from_text("org")].zones
    loaded = zone[from_text("org")]
    assert isinstance(loaded, Loaded)
    assert loaded.reader.info.serial == 3
    assert [reader.info.serial for reader in loaded.earlier] == [2]


def test_what_is_sent_is_what_is_read():
    """The envelope."""
    message = Message(4, (), b"orders")
    assert read(to_octets(message)) == message


def test_nothing_of_this_machine_is_needed(tmp_path: Path):
    """Paths are texts: an image is where the supervisor says."""
    plan = plan_of("org {\noci r.test/a /a\n}")
    (view,), (source,) = plan.views, plan.sources
    path = str(tmp_path / "image")
    images = Images(**{path: FakeImage((view.name, "org."))})
    snapshot = made(plan, {source.key: images.images[path]})
    Unpacker(images.open).unpack(pack(snapshot, images.places))
    assert images.opened == [path]
