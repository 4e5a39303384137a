"""What is asked: names near those of the zones, every type, every way to ask.

From a seed, so that the same questions come again. Half of them go through what exists
(each owner with each of its types), the other half is by chance: below, beside, above and
under wildcards. Not here: answers (compare).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import dns.name
import dns.rdatatype
import dns.zonefile
from dns.rdataclass import IN
from dns.rdatatype import RdataType
from dns.transaction import TransactionManager
from dns.zone import Zone

from tests.peers.servers import ZoneFile

_RD, _AD, _CD = 0x0100, 0x0020, 0x0010
_DO = 0x8000
#: Types that are asked wherever they are; those of a name come on top.
ASKED = (
    *("A", "AAAA", "NS", "SOA", "CNAME", "DNAME", "MX", "TXT", "DS", "DNSKEY", "ANY", "SRV"),
    *("HTTPS", "SVCB", "NSEC", "NSEC3", "NSEC3PARAM", "RRSIG", "CDS", "CDNSKEY", "PTR", "CAA"),
    *("TYPE65280", "TYPE65535", "TYPE0", "HINFO", "KEY", "NAPTR", "LOC"),
)
_TYPES = tuple(int(dns.rdatatype.from_text(name)) for name in ASKED)
_COMMON = tuple(int(dns.rdatatype.from_text(name)) for name in ("A", "DS", "NSEC", "ANY", "NS"))
_LABELS = (b"a", b"b", b"*", b"zz", b"ns1", b"\x00", b"x" * 63, b"-", b"mail", b"d", b"q")


@dataclass(frozen=True, slots=True)
class Question:
    """One question and how it is asked.

    Attributes:
        name: as spelled in the message.
        qtype: number of the type.
        size: UDP payload size of its OPT; None without EDNS.
        do: DNSSEC OK.
        tcp: over TCP.
        flags: of RD, AD, CD.
    """

    name: dns.name.Name
    qtype: int
    size: int | None = 1232
    do: bool = False
    tcp: bool = False
    flags: int = 0

    def __str__(self) -> str:
        return " ".join(
            [
                f"{self.name} {dns.rdatatype.to_text(RdataType.make(self.qtype))}",
                *(["+tcp"] if self.tcp else []),
                "+noedns" if self.size is None else f"+bufsize={self.size}",
                *(["+dnssec"] if self.do else []),
                f"flags={self.flags:04x}",
            ]
        )

    def wire(self, number: int) -> bytes:
        """Return the message with this id."""
        opt = b""
        if self.size is not None:
            opt = struct.pack("!BHHIH", 0, 41, self.size, _DO * self.do, 0)
        head = struct.pack("!HHHHHH", number, self.flags, 1, 0, 0, bool(opt))
        return head + self.name.to_wire() + struct.pack("!HH", self.qtype, 1) + opt  # type: ignore[operator]  # bytes without a file


@dataclass(frozen=True, slots=True)
class Known:
    """What zones hold.

    Attributes:
        origins: of the zones.
        types: of each name.
        hashes: owners of NSEC3, which are no names of the zone (RFC 5155 7.2.8).
    """

    origins: tuple[dns.name.Name, ...]
    types: dict[dns.name.Name, tuple[int, ...]]
    hashes: frozenset[dns.name.Name]


def known(zones: Sequence[ZoneFile]) -> Known:
    """Read the names and types of zone files with dnspython."""
    types: dict[dns.name.Name, tuple[int, ...]] = {}
    hashes: set[dns.name.Name] = set()
    origins = []
    for file in zones:
        origin = dns.name.from_text(file.origin)
        origins.append(origin)
        zone = Zone(origin, relativize=False)
        manager: TransactionManager = zone
        with manager.writer(replacement=True) as transaction:
            tokens = dns.tokenizer.Tokenizer(file.path.read_text(), str(file.path))
            dns.zonefile.Reader(tokens, IN, transaction, allow_include=False).read()
        for name, node in zone.items():
            held = {int(rdataset.rdtype) for rdataset in node}
            if dns.rdatatype.NSEC3 in held:
                hashes.add(name)
                continue
            types[name] = tuple(sorted(held | set(types.get(name, ()))))
    return Known(tuple(origins), types, frozenset(hashes))


def questions(zones: Known, count: int, seed: int) -> Iterator[Question]:
    """Yield ``count`` questions about zones."""
    chance = Random(seed)
    names = sorted(zones.types)
    pairs = [(name, rrtype) for name in names for rrtype in {*zones.types[name], *_COMMON}]
    chance.shuffle(pairs)
    near = [*names, *_empty_non_terminals(zones)]
    # Few: what is known of them is soon said.
    near += chance.sample(sorted(zones.hashes), min(len(zones.hashes), len(names) // 30 + 1))
    for number in range(count):
        if number % 2 and number // 2 < len(pairs):
            name, qtype = pairs[number // 2]
        else:
            name = nearby(chance, chance.choice(near))
            qtype = chance.choice(_TYPES if chance.random() < 0.7 else _COMMON)
        yield asked(chance, name, qtype)


def asked(chance: Random, name: dns.name.Name, qtype: int) -> Question:
    """Return a question with case, transport, EDNS and flags by chance."""
    if chance.random() < 0.2:
        name = dns.name.Name([_mixed(chance, label) for label in name.labels])
    size = chance.choice((None, 512, 1232, 1232, 4096))
    return Question(
        name,
        qtype,
        size,
        do=size is not None and chance.random() < 0.7,
        tcp=chance.random() < 0.3,
        flags=chance.choice((0, 0, _RD, _CD, _AD, _RD | _CD | _AD)),
    )


def nearby(chance: Random, name: dns.name.Name) -> dns.name.Name:
    """Return a name by this one: itself, below, beside, above."""
    labels = list(name.labels)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        turn = chance.random()
        if turn < 0.55:
            labels.insert(0, _label(chance))
        elif turn < 0.75 and len(labels) > 1:
            labels[0] = _label(chance)
        elif len(labels) > 2:
            del labels[0]
    try:
        return dns.name.Name(labels)
    except dns.name.NameTooLong:
        return name


def _label(chance: Random) -> bytes:
    if chance.random() < 0.3:
        return f"r{chance.randrange(100_000)}".encode()
    return chance.choice(_LABELS)


def _mixed(chance: Random, label: bytes) -> bytes:
    return (
        bytes(chance.choice((octet, ord(chr(octet).swapcase()) & 0xFF)) for octet in label)
        if label.isascii()
        else label
    )


def _empty_non_terminals(zones: Known) -> list[dns.name.Name]:
    found: set[dns.name.Name] = set()
    for name in zones.types:
        above = name
        while above != dns.name.root and above not in zones.origins:
            above = above.parent()
            if above not in zones.types:
                found.add(above)
    return sorted(found)
