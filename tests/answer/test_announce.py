"""Whom to tell of what, from two snapshots."""

from __future__ import annotations

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone.answer.announce import Acknowledged, Announcement, acknowledged, changed
from ocizone.answer.blocks import Loaded, NotReady, Policy, ServedZone, Snapshot
from ocizone.limits import WALK_NODES
from ocizone.plugins.transfer import Secondary, Transfer
from ocizone.wire.name import from_text
from ocizone.wire.tsig import HMAC_SHA256, TsigKey
from tests.servedzones import zone_of
from tests.zonebuilder import block, zone

KEY = TsigKey(from_text("k.test."), HMAC_SHA256, b"x" * 32)
ONE = Secondary(None, ("192.0.2.1", 53), None)
SIGNED = Secondary(None, ("192.0.2.2", 5353), KEY.name)
NOBODY = Secondary(None, None, None)
EMPTY = Snapshot(0, {})


def snapshot(
    zones: dict[str, ServedZone],
    *transfers: Transfer,
    name: str = "org.",
    keys: tuple[TsigKey, ...] = (KEY,),
) -> Snapshot:
    policy = Policy(transfer=transfers or (Transfer((), (ONE,), "198.51.100.1"),))
    blocks = {from_text(name): block(name, zones, policy)}
    return Snapshot(1, {"main": blocks, "other": blocks}, {key.name: key for key in keys})


def loaded(origin: str = "a.org.", serial: int = 1) -> Loaded:
    return Loaded(zone_of(origin, serial))


def told(old: Snapshot, new: Snapshot) -> list[tuple[str, tuple[str, int]]]:
    return [(one.zone, one.to) for one in announced(old, new)]


def announced(old: Snapshot, new: Snapshot) -> list[Announcement]:
    return [one for one in changed(old, new) if one is not None]


A, TO = "a.org.", ("192.0.2.1", 53)


@pytest.mark.parametrize(
    ("old", "new", "zones"),
    [
        ({}, {A: loaded()}, [A]),
        ({A: loaded()}, {A: loaded()}, []),
        ({A: loaded(serial=1)}, {A: loaded(serial=2)}, [A]),
        # Gone back: secondaries are told, and will see that they are ahead.
        ({A: loaded(serial=2)}, {A: loaded(serial=1)}, [A]),
        ({A: NotReady("")}, {A: loaded()}, [A]),
        ({A: loaded()}, {A: NotReady("")}, []),
        ({A: loaded()}, {}, []),
        ({A: loaded()}, {A: loaded(), "b.org.": loaded("b.org.")}, ["b.org."]),
    ],
)
def test_zones_with_another_serial_are_told(old, new, zones):
    """Compared by serial, as secondaries do (RFC 1996 4.3); once, on however many addresses."""
    assert told(snapshot(old), snapshot(new)) == [(zone, TO) for zone in zones]


def test_at_the_start_every_zone_is_told():
    """They may have changed while nobody served them."""
    new = snapshot({A: loaded(), "b.org.": loaded("b.org.")})
    assert told(EMPTY, new) == [(A, TO), ("b.org.", TO)]


def test_everybody_on_the_zones_own_line_is_told():
    """Addresses alone, each with its key; the longest zone's line decides."""
    lines = (
        Transfer((), (ONE, SIGNED, NOBODY), "198.51.100.1"),
        Transfer((from_text("b.org."),), (NOBODY,)),
    )
    new = snapshot({A: loaded(), "b.org.": loaded("b.org.")}, *lines)
    first, second = announced(EMPTY, new)
    assert (first.to, first.key, first.source) == (TO, None, "198.51.100.1")
    assert (second.to, second.key) == (("192.0.2.2", 5353), KEY)


def test_a_zone_without_a_line_is_told_to_nobody():
    """Nor is anything with a key that there is not: never unsigned."""
    assert told(EMPTY, snapshot({A: loaded()}, Transfer((from_text("x."),), (ONE,)))) == []
    assert told(EMPTY, snapshot({A: loaded()}, Transfer((), (SIGNED,)), keys=())) == []


def test_a_soa_too_long_for_a_datagram_is_left_out():
    """The question says enough (RFC 1996 3.7)."""
    label = "x" * 60
    origin = f"{label}.{label}.{label}.org."
    (one,) = announced(EMPTY, snapshot({origin: loaded(origin)}))
    assert len(dns.message.from_wire(one.request(1, 0)[0]).answer) == 1
    long = "y" * 60
    text = f"@ 1 SOA {'.'.join([long] * 4)}. {'.'.join(['z' * 60] * 4)}. 1 2 3 4 5\n@ 1 NS n.\n"
    (one,) = announced(EMPTY, snapshot({origin: Loaded(zone(text, origin))}))
    assert dns.message.from_wire(one.request(1, 0)[0]).answer == []


def test_looking_at_many_zones_gives_way():
    """Unchanged ones make no announcement for a while: None comes in between."""
    many = snapshot({f"z{number}.org.": loaded() for number in range(1000)})
    assert list(changed(many, many)) == [None] * (1000 // WALK_NODES)


@given(st.binary(max_size=16))
def test_any_octets_are_an_answer_or_none(octets):
    """Never an exception."""
    found = acknowledged(octets)
    assert found is None or found.ident == int.from_bytes(octets[:2])
    assert acknowledged(b"\x12\x34\xa4\x05" + bytes(8)) == Acknowledged(0x1234, 5)
