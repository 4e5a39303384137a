"""wire.name: text, labels, case and canonical order of names."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone.wire.name import (
    BadNameError,
    ancestor,
    from_text,
    is_at_or_below,
    join,
    labels,
    lower,
    name_from_key,
    parent,
    relative_key,
    to_text,
)

ORG = b"\x03org\x00"
LABELS = st.lists(st.binary(min_size=1, max_size=6), max_size=5)


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        (".", b"\x00"),
        ("www.Org.", b"\x03www\x03Org\x00"),
        ("www", b"\x03www\x03org\x00"),
        ("@", ORG),
        (r"a\.b", b"\x03a.b\x03org\x00"),
        (r"a\.b.", b"\x03a.b\x00"),
        (r"\065\000.", b"\x02A\x00\x00"),
        (r"\\.", b"\x01\\\x00"),
    ],
)
def test_from_text(text: str, wire: bytes) -> None:
    """RFC 1035 5.1: relative names, escapes, ``@``."""
    assert from_text(text, ORG) == wire


@pytest.mark.parametrize(
    "text",
    [
        "", "..", "a..b.", ".a.", "x" * 64 + ".", "é.", r"\256.", r"\25.", "a\\", r"\2x.",
        ".".join(["x" * 63] * 4) + ".", r"a\.b..",
    ],
)  # fmt: skip
def test_what_is_no_name(text: str) -> None:
    """Limits of RFC 1035 3.1, and text that says nothing."""
    with pytest.raises(BadNameError):
        from_text(text, ORG)


def test_absolute_without_origin() -> None:
    """Without an origin there is nothing to be relative to."""
    assert from_text("org") == ORG


@given(LABELS)
def test_text_and_back(parts: list[bytes]) -> None:
    """Any octets survive presentation form; dnspython reads it the same."""
    wire = join(parts)
    assert from_text(to_text(wire)) == wire
    assert dns.name.from_text(to_text(wire)).to_wire() == wire


@given(LABELS, LABELS)
def test_keys_are_in_canonical_order(one: list[bytes], two: list[bytes]) -> None:
    """RFC 4034 6.1: the order of keys is the order of names, and keys lead back to names."""
    first, second = (lower(join([*parts, b"org"])) for parts in (one, two))
    keys = relative_key(first, 1), relative_key(second, 1)
    names = tuple(dns.name.from_wire(name, 0)[0] for name in (first, second))
    assert (keys[0] < keys[1]) == (names[0] < names[1])
    assert name_from_key(keys[0], ORG) == first


@pytest.mark.parametrize(
    ("label", "key"),
    [(b"a", b"a"), (b"\x01", b"\x01\x02"), (b"\x00", b"\x01\x01"), (b"\x01\x02", b"\x01\x02\x02")],
)
def test_escapes_in_keys(label: bytes, key: bytes) -> None:
    """0x00 ends a label, 0x01 escapes: neither stands for itself."""
    assert relative_key(join([label, b"org"]), 1) == key + b"\x00"
    assert relative_key(join([b"b", label, b"org"]), 1) == key + b"\x00b\x00"


def test_keys_of_the_root_zone() -> None:
    """The apex is the empty key, the root's too."""
    assert relative_key(b"\x00", 0) == b""
    assert relative_key(ORG, 0) == b"org\x00"
    assert relative_key(ORG, 1) == b""


@given(LABELS, LABELS)
def test_at_or_below(zone: list[bytes], more: list[bytes]) -> None:
    """A name is below another when its last labels are the other's."""
    assert is_at_or_below(join(more + zone), join(zone))


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        (b"\x05aborg\x00", ORG),
        # The octets of a zone inside a label are no labels.
        (b"\x05a\x03org\x00", ORG),
        (ORG, b"\x01a\x03org\x00"),
    ],
)
def test_not_below(name: bytes, zone: bytes) -> None:
    """A suffix of octets is not a suffix of labels."""
    assert not is_at_or_below(name, zone)


def test_parent_and_ancestor() -> None:
    """One label less, or several; the root is its own parent."""
    name = from_text("a.b.org.")
    assert parent(name) == ancestor(name, 1) == from_text("b.org.")
    assert ancestor(name, 0) == name
    assert ancestor(name, 3) == parent(b"\x00") == b"\x00"
    assert labels(ancestor(name, 2)) == [b"org"]
