"""Ask the same of several servers and tell in what their responses differ.

A response is taken apart (wirereader) into what is compared: rcode, flags, question, the three
sections as sets of records with TTLs, the order of aliases, EDNS. Names are compared without
case. A difference is a list of aspects; each must be explained by an entry of the one
table (explained) or the difference stands unexplained. Not here: who answers (servers, subject).
"""

from __future__ import annotations

import socket
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import dns.name
import dns.rcode
import dns.rdatatype

from tests.peers.questions import Known, Question
from tests.peers.wirereader import Record, read_message

PATIENCE_S = 5.0
_SILENT_S = 1.0

Aspect = Literal[
    "silence", "rcode", "aa", "tc", "rd", "ra", "ad", "cd", "question",
    "answer", "chain", "authority", "additional", "edns",
]  # fmt: skip
_FLAGS: tuple[tuple[Aspect, int], ...] = (
    ("aa", 0x0400), ("tc", 0x0200), ("rd", 0x0100), ("ra", 0x0080), ("ad", 0x0020), ("cd", 0x0010),
)  # fmt: skip
_ALIASES = (dns.rdatatype.CNAME, dns.rdatatype.DNAME)


@dataclass(frozen=True, slots=True)
class Response:
    """What is compared of a response; ``wire`` is None for silence."""

    wire: bytes | None
    rcode: int = -1
    flags: int = 0
    question: bytes = b""
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    edns: tuple[int, bool] | None = None

    @property
    def tc(self) -> bool:
        return bool(self.flags & 0x0200)

    @property
    def aa(self) -> bool:
        return bool(self.flags & 0x0400)

    def types(self, section: Literal["answer", "authority", "additional"]) -> frozenset[int]:
        """Return the types of the records of a section."""
        return frozenset(record.rrtype for record in getattr(self, section))


def read(wire: bytes | None) -> Response:
    """Take a response apart.

    Raises:
        ValueError, IndexError, struct.error: it is malformed.
    """
    if wire is None:
        return Response(None)
    message = read_message(wire)
    rcode, edns = message.flags & 0xF, None
    if message.opt is not None:
        extended = message.opt[1]
        rcode |= extended >> 24 << 4
        edns = (extended >> 16 & 0xFF, bool(extended & 0x8000))
    answer, authority, additional = message.sections
    return Response(
        wire, rcode, message.flags, message.question, answer, authority, additional, edns
    )


def differing(ours: Response, theirs: Response) -> tuple[Aspect, ...]:
    """Return in what two responses differ; empty for equal ones."""
    if ours.wire is None or theirs.wire is None:
        return () if ours.wire is theirs.wire else ("silence",)
    # The id apart, equal octets are equal responses.
    if ours.wire[2:] == theirs.wire[2:]:
        return ()
    found: list[Aspect] = []
    if ours.rcode != theirs.rcode:
        found.append("rcode")
    found += [name for name, bit in _FLAGS if (ours.flags ^ theirs.flags) & bit]
    if ours.question != theirs.question:
        found.append("question")
    if Counter(ours.answer) != Counter(theirs.answer):
        found.append("answer")
    elif chain(ours) != chain(theirs):
        found.append("chain")
    if Counter(ours.authority) != Counter(theirs.authority):
        found.append("authority")
    if Counter(ours.additional) != Counter(theirs.additional):
        found.append("additional")
    if ours.edns != theirs.edns:
        found.append("edns")
    return tuple(found)


def chain(response: Response) -> list[tuple[dns.name.Name, int]]:
    """Return the aliases of the answer in order, each once."""
    return list(
        dict.fromkeys(
            (record.owner, record.rrtype) for record in response.answer if record.rrtype in _ALIASES
        )
    )


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that differs: an aspect, or a record only we (``-``) or only they (``+``) give."""

    aspect: Aspect
    sign: Literal["-", "+", ""] = ""
    record: Record | None = None

    def __str__(self) -> str:
        return f"{self.aspect} {self.sign} {self.record or ''}".rstrip()


@dataclass(frozen=True, slots=True)
class Difference:
    """One question that a peer answers otherwise.

    Attributes:
        zone_set: where.
        peer: ``nsd``, ``knotd`` or ``named``.
        question: what was asked.
        ours: our response.
        theirs: the peer's.
        aspects: in what they differ.
        zones: what is served.
    """

    zone_set: str
    peer: str
    question: Question
    ours: Response
    theirs: Response
    aspects: tuple[Aspect, ...]
    zones: Known

    @property
    def items(self) -> tuple[Item, ...]:
        """What is to be explained: every aspect, and of a section every record."""
        found: list[Item] = []
        for aspect in self.aspects:
            if aspect in ("answer", "authority", "additional"):
                ours, theirs = (Counter(getattr(one, aspect)) for one in (self.ours, self.theirs))
                found += [Item(aspect, "-", record) for record in (ours - theirs).elements()]
                found += [Item(aspect, "+", record) for record in (theirs - ours).elements()]
            else:
                found.append(Item(aspect))
        return tuple(found)

    def __str__(self) -> str:
        lines = [f"[{self.zone_set}] {self.peer}: {self.question}", f"  differ: {self.aspects}"]
        for who, response in (("ocizone", self.ours), (self.peer, self.theirs)):
            flags = " ".join(name for name, bit in _FLAGS if response.flags & bit)
            rcode = "silence" if response.wire is None else dns.rcode.to_text(response.rcode)  # type: ignore[arg-type]  # any number
            octets = len(response.wire or b"")
            lines.append(f"  {who}: {rcode} {flags} edns={response.edns} {octets} octets")
        lines += [f"    {item}"[:200] for item in self.items if item.record is not None][:24]
        if "chain" in self.aspects:
            lines += [f"    chain {chain(one)}" for one in (self.ours, self.theirs)]
        return "\n".join(lines)


class Asker:
    """Asks one server on loopback over UDP and over one TCP connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.settimeout(_SILENT_S)
        self._udp.connect(("127.0.0.1", port))
        self._tcp: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._udp.close()
        if self._tcp is not None:
            self._tcp.close()

    def send(self, packet: bytes, *, tcp: bool) -> None:
        """Send one message; its response is taken by ``receive``."""
        if not tcp:
            self._udp.send(packet)
            return
        framed = struct.pack("!H", len(packet)) + packet
        for _ in range(2):
            if self._tcp is None:
                self._tcp = socket.create_connection(("127.0.0.1", self._port), PATIENCE_S)
            try:
                self._tcp.sendall(framed)
            except OSError:
                # Idle for too long: the server closed it.
                self._tcp.close()
                self._tcp = None
            else:
                return
        raise AssertionError(f"port {self._port} closes TCP connections")

    def receive(self, packet: bytes, *, tcp: bool) -> bytes | None:
        """Return the response to a message, None for silence."""
        try:
            while True:
                reply = self._receive_tcp() if tcp else self._udp.recv(65_535)
                if reply is None or reply[:2] == packet[:2]:
                    return reply
        except TimeoutError:
            return None

    def ask(self, packet: bytes, *, tcp: bool) -> bytes | None:
        """Send a message and return its response."""
        self.send(packet, tcp=tcp)
        reply = self.receive(packet, tcp=tcp)
        if reply is None and tcp and self._tcp is None:
            # It was closed while the question was under way: once more on a new connection.
            self.send(packet, tcp=tcp)
            reply = self.receive(packet, tcp=tcp)
        return reply

    def _receive_tcp(self) -> bytes | None:
        head = self._exactly(2)
        return None if head is None else self._exactly(int.from_bytes(head, "big"))

    def _exactly(self, octets: int) -> bytes | None:
        assert self._tcp is not None
        out = b""
        while len(out) < octets:
            more = self._tcp.recv(octets - len(out))
            if not more:
                self._tcp.close()
                self._tcp = None
                return None
            out += more
        return out


def ask_all(askers: Sequence[Asker], packet: bytes, *, tcp: bool) -> list[Response]:
    """Ask several servers the same; return their responses in order."""
    return [read(asker.ask(packet, tcp=tcp)) for asker in askers]
