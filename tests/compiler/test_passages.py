"""What the changed lines of a master file say, and when that cannot be told from them alone."""

from __future__ import annotations

import pytest

from ocizone.compiler.mentions import Mentions
from ocizone.compiler.passages import Passage, Text, passages
from ocizone.limits import AMENDED_ODD_LINES, AMENDED_SEARCHES
from ocizone.wire.name import from_text, to_text
from ocizone.zone.rdata import rdata_text, type_name
from ocizone.zone.record import Record

APEX = from_text("example.org.")


def said(records: tuple[Record, ...]) -> list[str]:
    """Return records as text."""
    return [
        f"{to_text(one.owner)} {one.ttl} {type_name(one.rrtype)} {rdata_text(one.rrtype, one.rdata)}"
        for one in records
    ]


def changed(old: str, new: str) -> list[tuple[list[str], list[str]]] | None:
    """Return what passages lost and gained."""
    found = passages(old.encode(), new.encode(), APEX)
    if found is None:
        return None
    return [(said(one.removed), said(one.added)) for one in found[0]]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("$TTL 5\na A 192.0.2.1\n", "$TTL 5\na A 192.0.2.1\n", []),
        (
            "$TTL 5\na A 192.0.2.1\nb A 192.0.2.2\n",
            "$TTL 5\na A 192.0.2.1\nb A 192.0.2.3",
            [(["b.example.org. 5 A 192.0.2.2"], ["b.example.org. 5 A 192.0.2.3"])],
        ),
        (
            "\ufeff$TTL 5\na A 192.0.2.1\n$TTL 6\n$ORIGIN x.org.example.org.\nb TXT 2\n",
            "$TTL 5\na A 192.0.2.1\n$TTL 6\n$ORIGIN x.org.example.org.\nb TXT 3\n",
            [(['b.x.org.example.org. 6 TXT "2"'], ['b.x.org.example.org. 6 TXT "3"'])],
        ),
        # Two places of one entry are one passage; what inherits from it belongs to it.
        (
            "$TTL 5\na TXT ( 1\n 2\n 3\n 4\n 5\n 6 )\n TXT heir\nb TXT b\n",
            "$TTL 5\na TXT ( 1\n x\n 3\n 4\n 5\n y )\n TXT heir\nb TXT b\n",
            [
                (
                    [
                        'a.example.org. 5 TXT "1" "2" "3" "4" "5" "6"',
                        'a.example.org. 5 TXT "heir"',
                    ],
                    [
                        'a.example.org. 5 TXT "1" "x" "3" "4" "5" "y"',
                        'a.example.org. 5 TXT "heir"',
                    ],
                )
            ],
        ),
        # The records of a name that stand together are read together, for their order.
        (
            "$TTL 5\na TXT 1\n  TXT 2\n;\nb TXT 1\nb TXT 2\nb TXT 3\n\nb TXT 4\n",
            "$TTL 5\na TXT 1\n  TXT 2\n;\nb TXT 1\nB TXT 9\nb TXT 3\n\nb TXT 4\n",
            [
                (
                    [f'b.example.org. 5 TXT "{number}"' for number in (1, 2, 3)],
                    [f'{one}.example.org. 5 TXT "{two}"' for one, two in ("b1", "B9", "b3")],
                )
            ],
        ),
        ("a 5 A 192.0.2.1\n", "a 5 A 192.0.2.1\n; and\n", [([], [])]),
        # What is not certain.
        (" 5 A 192.0.2.1\n", " 5 A 192.0.2.2\n", None),
        ("$TTL 5\n", "$TTL 6\n", None),
        ("a 5 A 192.0.2.1\n$TTL 5\n", "a 5 A 192.0.2.1\n", None),
        ("a A 192.0.2.1\n", "a A 192.0.2.2\n", None),
        ("a 5 A 192.0.2.1\nb A 192.0.2.1\n", "a 6 A 192.0.2.1\nb A 192.0.2.1\n", None),
        ("a 5 A 192.0.2.1\n", "a 5 A 192.0.2\n", None),
        ("a 5 A 192.0.2.1\n", "a 5 A 192.0.2.1\nb 5 TXT (\n", None),
        ("$TTL 5\n$INCLUDE x\na A 192.0.2.1\n", "$TTL 5\n$INCLUDE x\na A 192.0.2.2\n", None),
        ("( $TTL 5 )\na A 192.0.2.1\n", "( $TTL 5 )\na A 192.0.2.2\n", None),
        (
            "a 5 A 192.0.2.1\n" + ";(\n" * (AMENDED_ODD_LINES + 1),
            "a 5 A 192.0.2.2\n" + ";(\n" * (AMENDED_ODD_LINES + 1),
            None,
        ),
        (
            "a 5 A 192.0.2.1\n" + ";$\n" * (AMENDED_ODD_LINES + 1),
            "a 5 A 192.0.2.2\n" + ";$\n" * (AMENDED_ODD_LINES + 1),
            None,
        ),
        ("", "".join(f"a{number} 5 TXT {'x' * 100}\n" for number in range(12_000)), None),
    ],
)
def test_passages(old: str, new: str, expected: object) -> None:
    """Each with all that it takes to read it by itself, or none at all."""
    assert changed(old, new) == expected


def test_long_entries_near_each_other() -> None:
    """A hunk that grows into the one before it or behind it is one with it."""
    lines = [f"h{number} 5 TXT ( a\n b\n c\n d\n e\n f )\n" for number in range(3)]
    old = "".join(lines)
    new = old.replace(" a\n", " x\n").replace(" f )", " y )")
    found = changed(old, new)
    assert found is not None
    assert sum(len(removed) for removed, _ in found) == 3
    assert [text for _, added in found for text in added] == [
        f'h{number}.example.org. 5 TXT "x" "b" "c" "d" "e" "y"' for number in range(3)
    ]


FILE = """\
$ORIGIN example.org.
host A 192.0.2.1
Host AAAA ::1
host.sub A 192.0.2.2
hostile A 192.0.2.3
my-host A 192.0.2.4
mx MX 10 mail
  MX 20 Mail.Example.Org.
text TXT ( "a"
inner )
"""


@pytest.mark.parametrize(
    ("key", "mentioned"),
    [
        (b"host\x00", False),
        (b"sub\x00host\x00", False),
        (b"mail\x00", True),
        (b"my-host\x00", False),
        (b"nowhere\x00", False),
        (b"inner\x00", True),
        (b"sub\x00", True),
        # Of $ORIGIN: names below it may stand for it.
        (b"example\x00", True),
        (b"odd\\label\x00", True),
    ],
)
def test_mentions(key: bytes, mentioned: bool) -> None:
    """A label that begins an owner is none; in any other place it may be a target."""
    text = Text.of(FILE.encode())
    assert text is not None
    assert Mentions(text).any(key) is mentioned


def test_what_cannot_be_searched_may_be_mentioned() -> None:
    """Names may be written in escapes; and a search has an end."""
    escaped = Text.of(FILE.encode() + b"a CNAME \\104ost\n")
    plain = Text.of(FILE.encode())
    common = Text.of(b"".join(b"%d.host 5 A 192.0.2.1\n" % n for n in range(10)) + FILE.encode())
    assert escaped is not None
    assert plain is not None
    assert common is not None
    assert Mentions(escaped).any(b"host\x00")
    assert Mentions(common).any(b"host\x00")
    mentions = Mentions(plain)
    assert [mentions.any(b"host\x00") for _ in range(AMENDED_SEARCHES + 1)] == [
        *[False] * AMENDED_SEARCHES,
        True,
    ]
    often = Text.of(b"host A 192.0.2.1\n" * (AMENDED_ODD_LINES + 1))
    assert often is not None
    assert Mentions(often).any(b"host\x00")


def test_a_passage_is_a_value() -> None:
    """Records without places: lines move."""
    found = passages(b"a 5 TXT a\n", b"\na 5 TXT b\n", APEX)
    assert found is not None
    (passage,) = found[0]
    assert passage == Passage(
        (Record(b"\x01a" + APEX, 16, 5, b"\x01a", "", 0, 0),),
        (Record(b"\x01a" + APEX, 16, 5, b"\x01b", "", 0, 0),),
    )
