"""A catalog as RFC 9432 writes it, and what stays when members come and go."""

from __future__ import annotations

import pytest

from ocizone.wire.name import from_text, key_label, name_from_key, to_text
from ocizone.zone.catalog import CatalogZone, catalog, label_of
from ocizone.zone.diff import diff
from ocizone.zone.reader import DictZone

NAME = from_text("catalog.invalid.")
A, B, C = (from_text(text) for text in ("a.test.", "b.test.", "c.test."))
LONG = from_text(".".join(["x" * 61] * 4) + ".")


def made(
    *members: bytes, group: bytes = b"", before: CatalogZone | None = None, now: int = 100
) -> CatalogZone:
    return catalog(NAME, frozenset(members), group, before, now)


def shown(zone: CatalogZone) -> list[str]:
    """Return the records, members' labels as their number."""
    order = sorted(label_of(member) for member in zone.labels)
    lines = []
    for key, node in zone.nodes():
        owner = to_text(name_from_key(key, NAME))
        for number, label in enumerate(order):
            owner = owner.replace(label.decode(), str(number))
        for rrset in node.rrsets.values():
            (rdata,) = rrset.rdatas
            lines.append(f"{owner} {rrset.ttl} {rrset.rrtype} {rdata!r}")
    return lines


def test_a_catalog_is_as_the_rfc_has_it():
    """SOA, NS invalid., version, a PTR a member (RFC 9432 4.1, 4.2)."""
    first, second = sorted([A, B], key=label_of)
    numbers = (100, 3600, 600, 2_147_483_646, 0)
    soa = 2 * from_text("invalid.") + b"".join(number.to_bytes(4) for number in numbers)
    assert shown(made(A, B)) == [
        f"catalog.invalid. 0 6 {soa!r}",
        r"catalog.invalid. 0 2 b'\x07invalid\x00'",
        r"version.catalog.invalid. 0 16 b'\x012'",
        f"0.zones.catalog.invalid. 0 12 {first!r}",
        f"1.zones.catalog.invalid. 0 12 {second!r}",
    ]


def test_a_group_is_a_property_of_each_member():
    """TXT at group.<member> (RFC 9432 4.3.2)."""
    assert shown(made(A, group=b"blue"))[3:] == [
        f"0.zones.catalog.invalid. 0 12 {A!r}",
        r"group.0.zones.catalog.invalid. 0 16 b'\x04blue'",
    ]


def test_nothing_is_listed_of_nothing():
    """No members, no ENT above them."""
    assert len(shown(made())) == 3
    assert made().get(key_label(b"zones")) is None
    zones = made(A).get(key_label(b"zones"))
    assert zones is not None
    assert zones.rrsets == {}


@pytest.mark.parametrize("zone", [made(), made(A), made(A, B, C, LONG, group=b"g")])
def test_it_reads_like_any_zone(zone):
    """get, predecessor, nodes and encoded agree with a zone of the same nodes."""
    same = DictZone(zone.info, dict(zone.nodes()))
    keys = [key for key, _ in zone.nodes()]
    assert keys == sorted(keys)
    for key in [*keys, b"a\x00", b"zones\x00zzz\x00", b"zzz\x00"]:
        assert zone.get(key) == same.get(key)
        assert zone.predecessor(key) == same.predecessor(key)
        assert list(zone.nodes(key)) == list(same.nodes(key))
    assert list(zone.encoded()) == list(same.encoded())
    assert list(diff(zone, same)) == []
    assert zone.nsec3(bytes(20)) is None
    assert list(zone.nsec3_nodes()) == list(zone.nsec3_encoded()) == []
    assert zone.info.records == sum(
        len(rrset.rdatas) for _, node in zone.nodes() for rrset in node.rrsets.values()
    )


def test_it_changes_only_with_its_members():
    """The same set is the same zone; a change raises the serial, to the time where that does."""
    first = made(A, B)
    assert made(B, A, before=first, now=200) is first
    second = made(A, C, before=first, now=200)
    assert (first.info.serial, second.info.serial) == (100, 200)
    # Twice in a second, or after the clock was set back: still higher.
    assert made(A, before=second, now=200).info.serial == 201
    assert made(A, before=second, now=50).info.serial == 201
    assert made(A, C, group=b"g", before=second, now=300).info.serial == 300
    assert made(now=2**32).info.serial == 1


def test_a_member_keeps_its_label():
    """One PTR comes and goes with one member; the others are not touched (RFC 9432 5.4)."""
    first = made(A, B)
    second = made(A, B, C, before=first, now=200)
    changed = [change for change in diff(first, second) if change is not None]
    assert len(changed) == 2  # the SOA, and the new one
    assert second.labels[A] == first.labels[A] == label_of(A)


def test_a_name_of_255_octets_is_listed():
    """It stands in rdata alone; owners are short whatever members are called."""
    assert len(LONG) == 249
    owners = [len(name_from_key(key, NAME)) for key, _ in made(LONG, group=b"g").nodes()]
    assert max(owners) < 80
