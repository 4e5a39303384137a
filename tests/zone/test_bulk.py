"""Lines read by the thousand: batches say what the records of a line each say (zone.bulk)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ocizone.findings import Findings
from ocizone.wire.name import from_text
from ocizone.zone import lines as lines_module
from ocizone.zone.batch import Batch
from ocizone.zone.masterfile import IncludeError, read_master, read_zone_master
from ocizone.zone.record import Record

APEX = from_text("example.org.")
FILES = {
    "inner": "a A 192.0.2.1\n$ORIGIN sub\nb A 192.0.2.2\n\tTXT x\n$TTL 9\nc A 192.0.2.3\n",
    "broken": "a A 192.0.2.1\na A 192.0.2\n",
}


def resolve(_including: str, target: str) -> tuple[str, bytes]:
    """Read an include from FILES."""
    if target not in FILES:
        raise IncludeError(f"{target} is not here")
    return target, FILES[target].encode()


def records_of(parts: Iterable[Record | Batch]) -> list[Record]:
    """Return the records of parts, of which every one of a batch is given out."""
    found: list[Record] = []
    for part in parts:
        found += [part] if isinstance(part, Record) else part.records()
    return found


def both(
    text: str | bytes, limit: int = 100
) -> tuple[list[Record | Batch], Findings, list[Record], Findings]:
    """Read a text in bulk, and one by one."""
    data = text.encode() if isinstance(text, str) else text
    bulk, plain = Findings(limit), Findings(limit)
    parts = list(read_zone_master(data, file="db", apex=APEX, findings=bulk, resolver=resolve))
    records = list(read_master(data, file="db", origin=APEX, findings=plain, resolver=resolve))
    return parts, bulk, records, plain


def batched(text: str | bytes) -> int:
    """Return how many records of a text came in batches; all say what reading by line says."""
    parts, bulk, records, plain = both(text)
    assert records_of(parts) == records
    assert bulk.problems() == plain.problems()
    return sum(len(part.keys) for part in parts if isinstance(part, Batch))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 60 IN A 192.0.2.1\n", 1),
        ("a 60 A 192.0.2.1\nb 61 a 192.0.2.255\n", 2),
        ("a 60 in aaaa 2001:db8::1\n", 1),
        ("a 60 A 192.0.2.1\r\nb 60 A 192.0.2.2\r\n", 2),
        ("a\t60\tIN\tA\t192.0.2.1\t ; why\n", 1),
        ("$TTL 5\na A 192.0.2.1\n\tAAAA ::\n b A 192.0.2.1\n", 2),
        ("$TTL 5\na A 192.0.2.1\n$TTL 6\nb A 192.0.2.1\n", 2),
        ("a 60 A 192.0.2.1\n; why\n\n   \nb 60 A 192.0.2.2\n", 2),
        ("a.b.c 60 A 192.0.2.1\nx.b.c 60 A 192.0.2.1\n", 2),
        ("a.example.org. 60 A 192.0.2.1\na.b.example.org. 60 A 192.0.2.1\n", 2),
        ("$ORIGIN b\na 60 A 192.0.2.1\na.c 60 A 192.0.2.1\nd.example.org. 60 A 192.0.2.1\n", 3),
        ('a 60 TXT "x y" "z" ; c\nb 60 TXT x y\n', 2),
        ("a 60 NS ns.b\na 60 MX 10 c\n_s._t 60 SRV 1 2 3 d\ne 60 CNAME f\ng 60 PTR h.\n", 5),
        ("*.a 60 A 192.0.2.1\n* 60 A 192.0.2.1\n", 2),
        ("60 60 A 192.0.2.1\nin 60 A 192.0.2.1\na 60 A 192.0.2.1\n", 3),
        ("$INCLUDE inner\n", 1),
        ("$TTL 5\n$INCLUDE inner\nd A 192.0.2.4\n", 5),
        (f"{'a' * 63} 60 A 192.0.2.1\n", 1),
    ],
)
def test_what_is_read_in_bulk(text: str, expected: int):
    """Owners in lower case at or below the origin, the common types, a TTL that is known."""
    assert batched(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "A 60 A 192.0.2.1\n",
        "@ 60 A 192.0.2.1\n",
        "example.org. 60 A 192.0.2.1\n",
        "@ 60 TXT x\n 60 A 192.0.2.1\n",
        "A 60 TXT x\n 60 A 192.0.2.1\n",
        "a.example.net. 60 A 192.0.2.1\n 60 A 192.0.2.1\n",
        "aexample.org. 60 A 192.0.2.1\n",
        ".example.org. 60 A 192.0.2.1\n",
        ". 60 A 192.0.2.1\n",
        "a A 192.0.2.1\n",
        "a TXT x\n",
        " 60 A 192.0.2.1\n",
        " 60 TXT x\n",
        "a 60 A 192.0.2.1",
        "a 60 A 192.0.2.256\n",
        "a 60 A 192.0.02.1\n",
        "a 60 A 192.0.2\n",
        "a 60 A 192.0.2.1 2\n",
        "a 60 A 192.0.2.1 \\\n",
        "a 60 AAAA :::\n",
        "a 2147483648 A 192.0.2.1\n",
        "a 2147483648 TXT x\n",
        "a 99999999999 A 192.0.2.1\n",
        "a IN 60 A 192.0.2.1\n",
        "a 60 CH A 192.0.2.1\n",
        "a 60 HINFO x y\n",
        "a 60 CAA 0 issue x\n",
        "a\\.b 60 A 192.0.2.1\n",
        "a..b 60 A 192.0.2.1\n",
        ".a 60 A 192.0.2.1\n",
        "a.b..c 60 A 192.0.2.1\n",
        f"{'a' * 64} 60 A 192.0.2.1\n",
        f"{'a' * 64}.b 60 A 192.0.2.1\n",
        f"b.{'a' * 64} 60 A 192.0.2.1\n",
        f"{'a.' * 122}b 60 A 192.0.2.1\n",
        f"{'a.' * 122}bb.example.org. 60 A 192.0.2.1\n",
        f"a 60 TXT {'x' * 256}\n",
        f"a 60 TXT {'x' * 5000}\n",
        "$ORIGIN B\na 60 A 192.0.2.1\n",
        "$ORIGIN example.net.\na 60 A 192.0.2.1\n",
        f"$ORIGIN {'a.' * 90}b\na 60 A 192.0.2.1\n",
        f"$ORIGIN {'a.' * 90}b\nc 60 CNAME d\n",
        f"$ORIGIN {'a.' * 119}b\nccccc 60 A 192.0.2.1\n",
        "a ( 60\n A 192.0.2.1\n)\n",
        "a 60 TXT (\nb 60 A 192.0.2.1\n)\n",
        "\ufeffA 60 A 192.0.2.1\n",
        "a 60 A 192.0.2.1\rb 60 A 192.0.2.1\n",
        "a 60 A 192.0.2.1\x00\n",
        "$INCLUDE broken\n",
        "$INCLUDE missing\n",
        "",
        "\n",
    ],
)
def test_what_is_left_to_reading_by_line(text: str):
    """Whatever is spelled, placed or written otherwise; the line and its findings stay the same."""
    assert batched(text) == 0


def test_a_stated_ttl_is_inherited():
    """Without ``$TTL`` a record takes the last one stated (RFC 1035 5.1), by whatever way."""
    assert (
        batched("a 60 A 192.0.2.1\nb 61 TXT x\nc A 192.0.2.1\nd 62 A 192.0.2.1\ne A 192.0.2.1\n")
        == 3
    )


def test_a_limit_of_lengths_is_where_names_end():
    """255 octets, in both readings (RFC 1035 3.1)."""
    most = ".".join(["a" * 63] * 3) + "." + "b" * 49
    assert batched(f"{most} 60 A 192.0.2.1\n{most}.example.org. 60 A 192.0.2.1\n") == 2
    assert batched(f"{most}b 60 A 192.0.2.1\n") == 0
    assert batched(f"{most}b.example.org. 60 A 192.0.2.1\n") == 0


@pytest.mark.parametrize(("octets", "expected"), [(1, 0), (20, 4), (40, 4), (1000, 5)])
def test_chunks_end_anywhere(monkeypatch: pytest.MonkeyPatch, octets: int, expected: int):
    """What a chunk holds, and lines longer than one, change nothing."""
    monkeypatch.setattr(lines_module, "_CHUNK_OCTETS", octets)
    text = (
        "$TTL 5\na A 192.0.2.1\nb TXT (\nx\n\n y )\nc A 192.0.2.3\n\tA 192.0.2.4\nd A 1\n"
        f"e TXT {'x' * 100}\n\nf A 192.0.2.1\ng SOA ( n h\n1 2 3 4 5"
    )
    assert batched(text) == expected


def test_chunks_are_read_from_where_reading_by_line_stopped():
    """Lines in parentheses are rows too, and no records."""
    text = "$TTL 5\na TXT (\nb A 192.0.2.1\nc A 192.0.2.2\n)\nd A 192.0.2.3\n"
    parts, *_ = both(text)
    assert [len(part.keys) for part in parts if isinstance(part, Batch)] == [1]
    assert [record.line for record in records_of(parts)] == [2, 6]
