"""Messages of every bad kind, and what each is answered: one table for all transports.

Written by hand against the RFCs and against what NSD 4.6, Knot 3.2 and BIND 9.18 answer; each
row says where they differ. Not here: asserting it (conformance/test_wire_corpus), and what a
zone answers.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ocizone.answer.blocks import Loaded, Snapshot
from ocizone.wire.cookie import CookieSecrets
from ocizone.wire.name import from_text
from ocizone.wire.tsig import Tsig, TsigKey, last_tsig, sign_request
from tests.zonebuilder import block, snapshot, zone

NOW = 1_790_000_000
KEY = TsigKey(from_text("k.test."), from_text("hmac-sha256."), b"not a real secret")

NAME = b"\x03wWw\x07example\x00"
APEX = b"\x07example\x00"
A, SOA, SIG, OPT, TSIG, IXFR, AXFR, ANY_TYPE = 1, 6, 24, 41, 250, 251, 252, 255
QUESTION = NAME + b"\x00\x01\x00\x01"
#: Where a record behind QUESTION starts.
BEHIND = 12 + len(QUESTION)

#: What is answered: an rcode, or nothing.
SILENCE = -1
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, NOTAUTH, BADVERS = 0, 1, 2, 3, 4, 5, 9, 16


def served() -> Snapshot:
    """Return a snapshot with one zone, one key and cookies."""
    text = "@ 60 SOA ns h 5 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\nwww 60 A 192.0.2.2\n"
    made = snapshot(block("example.", {"example.": Loaded(zone(text, "example."))}))
    return replace(made, keys={KEY.name: KEY}, cookies=CookieSecrets((b"obviously a fake",)))


# --- Parts of messages -----------------------------------------------------------------------


def header(flags: int = 0, qd: int = 1, an: int = 0, ns: int = 0, ar: int = 0) -> bytes:
    return struct.pack("!HHHHHH", 7, flags, qd, an, ns, ar)


def question(name: bytes = NAME, qtype: int = A, qclass: int = 1) -> bytes:
    return name + struct.pack("!HH", qtype, qclass)


def record(
    owner: bytes = b"\xc0\x0c",
    rrtype: int = A,
    rrclass: int = 1,
    ttl: int = 0,
    rdata: bytes = b"\xc0\x00\x02\x01",
) -> bytes:
    return owner + struct.pack("!HHIH", rrtype, rrclass, ttl, len(rdata)) + rdata


def option(code: int, value: bytes = b"") -> bytes:
    return struct.pack("!HH", code, len(value)) + value


def opt(options: bytes = b"", *, owner: bytes = b"\x00", size: int = 1232, ttl: int = 0) -> bytes:
    return record(owner, OPT, size, ttl, options)


def asked(*additional: bytes, an: bytes = b"", ns: bytes = b"", flags: int = 0) -> bytes:
    """Return a query with these records; ``an`` and ``ns`` are one record each."""
    counts = (1, bool(an), bool(ns), len(additional))
    return header(flags, *counts) + QUESTION + an + ns + b"".join(additional)


def tsig_rdata(mac: bytes = bytes(32), *, algorithm: bytes = KEY.algorithm) -> bytes:
    return algorithm + NOW.to_bytes(6) + b"\x01\x2c" + len(mac).to_bytes(2) + mac + bytes(6)


def tsig(
    rdata: bytes | None = None, *, owner: bytes = KEY.name, rrclass: int = 255, ttl: int = 0
) -> bytes:
    return record(owner, TSIG, rrclass, ttl, tsig_rdata() if rdata is None else rdata)


def signed(packet: bytes, key: TsigKey = KEY, now: int = NOW) -> bytes:
    return sign_request(packet, key, now)[0]


def with_mac(packet: bytes, octets: int) -> bytes:
    """Return a signed packet with its MAC cut, or filled with zeros, to so many octets."""
    found = last_tsig(packet)
    assert found is not None
    mac = found.mac[:octets].ljust(octets, b"\x00")
    count = (int.from_bytes(packet[10:12]) - 1).to_bytes(2)
    plain = packet[:10] + count + packet[12 : found.start]
    return Tsig(0, found.key, found.algorithm, found.time, 300, mac, 7).appended_to(plain)


# --- Messages --------------------------------------------------------------------------------

#: Well-formed queries: cut anywhere they are none any more; mutated, they are hypothesis' seeds.
SEEDS: tuple[bytes, ...] = (
    asked(),
    header() + question(APEX, SOA),
    asked(opt()),
    asked(opt(option(3) + option(10, b"client c") + option(12, bytes(40)))),
    asked(an=record()),
    asked(record(b"\x01a\xc0\x10"), opt()),
    header(0, 1, 0, 1)
    + question(APEX, IXFR)
    + record(rrtype=SOA, rdata=b"\x00\xc0\x0c" + bytes(20)),
    signed(asked()),
    signed(asked(opt())),
    asked(record(b"\x00", SIG, 255, 0, bytes(12) + b"\x02\x00\x00\x01a\x00" + bytes(16))),
)


def flag_words(opcodes: Iterable[int], *, qr: bool = False) -> Iterator[int]:
    """Yield every flags word with these opcodes: all rcodes, all bits."""
    for opcode, bits, rcode in itertools.product(opcodes, range(0, 0x800, 0x10), range(16)):
        yield qr << 15 | opcode << 11 | bits | rcode


def header_counts() -> Iterator[tuple[int, int, int, int]]:
    numbers = (0, 1, 2, 65_535)
    yield from itertools.product(numbers, numbers, numbers, numbers)


def truncated(seed: bytes) -> Iterator[bytes]:
    for at in range(12, len(seed)):
        yield seed[:at]


BAD_NAMES: tuple[bytes, ...] = (
    b"\xc0\x0c",  # itself
    b"\xc0\x00",  # the header; BIND reads it as a name
    b"\xc0\xff",  # ahead
    b"\x01a\xc0\x0c",  # a loop
    b"\xc0\x0e\xc0\x0c",  # one another
    b"\x40" + b"x" * 64 + b"\x00",
    b"\x41a\x00",
    b"\x81a\x00",
    (b"\x3f" + b"x" * 63) * 4 + b"\x00",
    (b"\x3f" + b"x" * 63) * 3 + b"\x3e" + b"x" * 62 + b"\x00",
    b"\x01a" * 127 + b"\x01a\x00",
    b"\x01a" * 20_000,
)
#: Of a record that stands at BEHIND.
BAD_OWNERS: tuple[bytes, ...] = (
    bytes([0xC0, BEHIND]),  # itself
    bytes([0xC0, BEHIND + 2]),  # ahead
    b"\x01a" + bytes([0xC0, BEHIND]),  # a loop
    b"\x01a" + bytes([0xC0, BEHIND + 2]),  # its own pointer
    b"\xff\xff",
    b"\x40" + b"x" * 64 + b"\x00",
    b"\x81a\x00",
    (b"\x3f" + b"x" * 63) * 4 + b"\x00",
)
#: Rdata of pointers to pointers; 127 of them are a name, 128 are too many.
CHAIN = b"\xc0\x0c" + b"".join((0xC000 | BEHIND + 11 + 2 * n).to_bytes(2) for n in range(200))


def chained(links: int) -> bytes:
    """Return a query whose second record's owner is a chain of so many pointers."""
    first = record(b"\x00", 65_280, rdata=CHAIN)
    start = BEHIND + 11
    return asked(first, record((0xC000 | start + 2 * links).to_bytes(2)))


def filled(front: bytes, filling: bytes) -> bytes:
    """Return a message of 65,535 octets."""
    return (front + filling * (65_535 // len(filling) + 1))[:65_535]


# --- The table -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """Messages of one kind, and their answer over UDP, TCP and TLS alike.

    Attributes:
        why: the RFC or the peers that decide.
        answer: an rcode, or SILENCE.
        packets: called once for each transport.
    """

    why: str
    answer: int
    packets: Callable[[], Iterable[bytes]]


def _opcodes_but(*known: int) -> list[int]:
    return [opcode for opcode in range(16) if opcode not in known]


def _counted(answer: int) -> Iterator[bytes]:
    """Yield a question without records under every header count that deserves an answer."""
    for counts in header_counts():
        right = counts == (1, 0, 0, 0)
        if right == (answer == NOERROR):
            yield header(0, *counts) + QUESTION


def _sections(answer: int) -> Iterator[bytes]:
    """Yield up to three records a section: more than a query may carry is FORMERR."""
    for an, ns, ar in itertools.product(range(4), repeat=3):
        right = an <= 1 and ns <= 1 and ar <= 2
        if right == (answer == NOERROR):
            yield header(0, 1, an, ns, ar) + QUESTION + record() * (an + ns + ar)


TABLE: tuple[Row, ...] = (
    # Headers
    Row("less than a header has no id", SILENCE, lambda: (asked()[:at] for at in range(12))),
    Row(
        "a response is never answered (CVE-2012-0206)",
        SILENCE,
        lambda: (header(flags) + QUESTION for flags in flag_words(range(16), qr=True)),
    ),
    Row(
        "a response, cut or long",
        SILENCE,
        lambda: (header(0x8000)[:12] + QUESTION[:at] + bytes(at * 9) for at in range(40)),
    ),
    Row(
        "flags and rcode of a query mean nothing (RFC 8906 8.1.3); NSD minds the rcode",
        NOERROR,
        lambda: (header(flags) + QUESTION for flags in flag_words([0])),
    ),
    Row(
        "other opcodes (RFC 8906 8.1.4); NSD, Knot and BIND know NOTIFY, Knot and BIND UPDATE",
        NOTIMP,
        lambda: (header(flags) + QUESTION for flags in flag_words(_opcodes_but(0))),
    ),
    Row(
        "other opcodes, whatever follows",
        NOTIMP,
        lambda: (
            header(opcode << 11, *counts) + rest
            for opcode in _opcodes_but(0)
            for counts in header_counts()
            for rest in (b"", QUESTION, opt(b"\x00"))
        ),
    ),
    Row(
        "counts without records, no question, two questions (RFC 9619 4)",
        FORMERR,
        lambda: _counted(FORMERR),
    ),
    Row("one question", NOERROR, lambda: _counted(NOERROR)),
    Row("two questions", FORMERR, lambda: [header(0, 2) + QUESTION * 2]),
    Row("records nobody asked with; NSD minds", NOERROR, lambda: _sections(NOERROR)),
    Row("too many of them; Knot and BIND read them", FORMERR, lambda: _sections(FORMERR)),
    Row(
        "octets behind the message, as NSD and BIND; Knot minds",
        NOERROR,
        lambda: (seed + bytes(more) for seed in SEEDS[:6] for more in (1, 2, 12, 500)),
    ),
    # Truncation
    Row(
        "a query cut anywhere behind its header",
        FORMERR,
        lambda: (cut for seed in SEEDS for cut in truncated(seed)),
    ),
    Row(
        "another opcode, cut anywhere",
        NOTIMP,
        lambda: (
            cut[:2] + bytes([cut[2] | opcode << 3]) + cut[3:]
            for opcode in (1, 4, 5, 15)
            for seed in SEEDS
            for cut in truncated(seed)
        ),
    ),
    # Names
    Row(
        "no name in the question (RFC 9267 2); Knot is silent",
        FORMERR,
        lambda: (header() + name + b"\x00\x01\x00\x01" for name in BAD_NAMES),
    ),
    Row(
        "no name where a record begins",
        FORMERR,
        lambda: (
            asked(record(owner), opt()) if additional else asked(opt(), an=record(owner))
            for owner in BAD_OWNERS
            for additional in (True, False)
        ),
    ),
    Row("a chain of pointers too long for a name", FORMERR, lambda: map(chained, range(126, 200))),
    Row("a chain of pointers that ends", NOERROR, lambda: map(chained, range(126))),
    # Questions
    Row(
        "any type is data or there is none; BIND minds meta types",
        NOERROR,
        lambda: (
            header() + question(qtype=qtype)
            for qtype in (*range(300), *range(4095, 65_536, 1024), 65_534, 65_535)
            if qtype not in {IXFR, AXFR}
        ),
    ),
    Row(
        "a transfer of no zone", NOTAUTH, lambda: (header() + question(qtype=t) for t in (251, 252))
    ),
    Row(
        "a transfer nobody may have",
        REFUSED,
        lambda: (header() + question(APEX, t) for t in (251, 252)),
    ),
    Row(
        "IXFR with no SOA in authority (RFC 1995 3)",
        FORMERR,
        lambda: (
            header(0, 1, 0, 1) + question(APEX, IXFR) + soa
            for soa in (
                record(),
                record(rrtype=SOA, rdata=b""),
                record(rrtype=SOA, rdata=b"\x00\x00" + bytes(19)),
                record(rrtype=SOA, rdata=b"\x00\x00" + bytes(21)),
                record(rrtype=SOA, rdata=b"\x40" + bytes(60)),
            )
        ),
    ),
    Row(
        "no such class here (CVE-2026-5946)",
        REFUSED,
        lambda: (
            header() + question(qtype=qtype, qclass=qclass)
            for qtype in (A, SOA, ANY_TYPE)
            for qclass in (0, 2, 3, 4, 253, 254, 256, 65_535)
        ),
    ),
    Row("class ANY, as NSD and Knot", NOERROR, lambda: [header() + question(qclass=255)]),
    # EDNS
    Row(
        "any size, flags and extended rcode (RFC 6891 6.1.3, 6.2.3)",
        NOERROR,
        lambda: (
            asked(opt(size=size, ttl=rcode << 24 | flags))
            for size in (0, 1, 511, 512, 1232, 65_535)
            for rcode in (0, 1, 255)
            for flags in (0, 0x8000, 0x7FFF, 0xFFFF, 1)
        ),
    ),
    Row(
        "no such version (RFC 6891 6.1.3), whatever its options and opcode",
        BADVERS,
        lambda: (
            asked(opt(rdata, ttl=version << 16), flags=opcode << 11)
            for version in range(1, 256)
            for rdata in (b"", b"\x00\x03\x00\xff")
            for opcode in (0, 2, 15)
        ),
    ),
    Row(
        "two OPT, or OPT elsewhere (RFC 6891 6.1.1)",
        FORMERR,
        lambda: [
            asked(opt(), opt()),
            asked(opt(), opt(ttl=1 << 16)),
            asked(an=opt()),
            asked(ns=opt()),
            asked(opt(), an=opt()),
        ],
    ),
    Row(
        "OPT not of the root (RFC 6891 6.1.2); Knot does not mind",
        FORMERR,
        lambda: (asked(opt(owner=owner)) for owner in (b"\x01a\x00", b"\xc0\x0c", b"\xc0\x18")),
    ),
    Row(
        "100 options, 1,000, 16,000; ours and unknown ones",
        NOERROR,
        lambda: (
            asked(opt(option(code) * count))
            for code in (0, 3, 8, 11, 12, 65_001, 65_535)
            for count in (1, 100, 1_000, 16_000)
        ),
    ),
    Row(
        "options that overrun (RFC 6891 6.1.2)",
        FORMERR,
        lambda: (asked(opt(option(3, bytes(9))[:at])) for at in range(1, 13)),
    ),
    Row(
        "cookies of 8, and 16 to 40 octets",
        NOERROR,
        lambda: (asked(opt(option(10, bytes(octets)))) for octets in (8, *range(16, 41))),
    ),
    Row(
        "cookies of any other length (RFC 7873 5.2.2)",
        FORMERR,
        lambda: (
            asked(opt(option(10, bytes(octets)))) for octets in (*range(8), *range(9, 16), 41, 99)
        ),
    ),
    Row(
        "no question, but a cookie (RFC 7873 5.4); Knot says FORMERR",
        NOERROR,
        lambda: [header(0, 0, 0, 0, 1) + opt(option(10, bytes(8)))],
    ),
    Row(
        "no question, and no cookie either",
        FORMERR,
        lambda: (header(0, 0, 0, 0, 1) + opt(rest) for rest in (b"", option(3), option(10, b"x"))),
    ),
    # TSIG
    Row(
        "signed with a key we have",
        NOERROR,
        lambda: map(signed, (*SEEDS[:5], asked(opt(option(12, bytes(65_000)))))),
    ),
    Row(
        "another key, another secret, another time, a MAC of half the length (RFC 8945 5.2)",
        NOTAUTH,
        lambda: [
            signed(asked(), replace(KEY, name=b"\x05other\x00")),
            signed(asked(), replace(KEY, secret=b"another")),
            signed(asked(), replace(KEY, algorithm=from_text("hmac-sha512."))),
            signed(asked(), now=NOW - 301),
            signed(asked(), now=NOW + 301),
            signed(asked(flags=2 << 11), now=NOW + 301),
            *(with_mac(signed(asked()), octets) for octets in range(16, 32)),
        ],
    ),
    Row(
        "a MAC that is too short or too long (RFC 8945 5.2.2.1); NSD and Knot say BADSIG",
        FORMERR,
        lambda: (with_mac(signed(asked()), octets) for octets in (*range(16), 33, 64, 65_000)),
    ),
    Row(
        "TSIG not last, twice, elsewhere (RFC 8945 5.2)",
        FORMERR,
        lambda: [
            asked(tsig(), opt()),
            asked(tsig(), record()),
            asked(tsig(), tsig()),
            asked(an=tsig()),
            asked(ns=tsig()),
            asked(tsig(), an=tsig()),
            asked(tsig(), ns=tsig()),
        ],
    ),
    Row(
        "TSIG that is none (RFC 8945 4.2)",
        FORMERR,
        lambda: [
            *(asked(tsig(tsig_rdata()[:at])) for at in range(len(tsig_rdata()))),
            asked(tsig(tsig_rdata() + b"x")),
            asked(tsig(tsig_rdata(algorithm=b"\xc0\x0c"))),
            asked(tsig(tsig_rdata(algorithm=b"\x40" + b"x" * 64 + b"\x00"))),
            asked(tsig(rrclass=1)),
            asked(tsig(ttl=1)),
            *(asked(tsig(owner=owner)) for owner in BAD_OWNERS),
        ],
    ),
    # 64 KiB
    Row(
        "65,535 octets of one filling",
        FORMERR,
        lambda: (
            filled(header(0, *counts), filling)
            for counts in ((1, 0, 0, 0), (1, 1, 1, 2), (0, 0, 0, 1), (2, 0, 0, 0), (65_535,) * 4)
            for filling in (b"\xc0\x0c", b"\xff", b"\x01a", b"\x3f" + b"x" * 63)
        ),
    ),
    Row(
        "65,535 octets of records, questions and names",
        FORMERR,
        lambda: [
            filled(header(0, 1, 0, 0, 65_535) + QUESTION, record(b"\x00", rdata=b"")),
            filled(header(0, 1, 65_535) + QUESTION, record(CHAIN[:2], rdata=CHAIN)),
            filled(header(0, 10_000) + QUESTION, b"\x01a\xc0\x0c\x00\x01\x00\x01"),
            filled(header(0, 1, 0, 0, 2) + QUESTION, CHAIN),
            asked(record(b"\x00", 65_280, rdata=bytes(65_000)), tsig(bytes(400))),
            asked(opt(option(65_001) * 100 + b"\x00" * 65_000 + b"\x01\x00\x03\xff\xff")[:-1]),
        ],
    ),
    Row(
        "65,000 octets of options, padding and records that are well formed",
        NOERROR,
        lambda: [
            asked(opt(option(12, bytes(65_000)))),
            asked(opt(option(65_001, bytes(64)) * 950)),
            asked(record(rrtype=65_280, rdata=bytes(65_000)), opt()),
        ],
    ),
)
