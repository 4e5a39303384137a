"""The table of bad messages asked of NSD, Knot and BIND: we are never alone with an answer.

Where we are, the row stands in ALONE with the RFC that decides.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice

import pytest

from ocizone.answer.blocks import Transport
from ocizone.answer.respond import Reply, respond
from tests.peers.servers import Peer, ZoneFile, running
from tests.wirecorpus import NOW, SILENCE, TABLE, Row, served

pytestmark = [pytest.mark.e2e, pytest.mark.peers("nsd", "knotd", "named")]

ZONE = "@ 60 SOA ns h 5 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\nwww 60 A 192.0.2.2\n"
SERVED = served()
UDP = Transport("udp", "main", "127.0.0.1", 40000, NOW)
#: Asked of each row; a datagram holds no more octets.
SAMPLES = 9
DATAGRAM_OCTETS = 65_507
#: Longest wait for an answer on loopback; silence costs it.
PATIENCE_S = 0.3

#: The beginning of a row's words, and why nobody else answers so.
ALONE = {
    "other opcodes": "NOTIFY and UPDATE (RFC 1996, 2136): they may take zones in, we never do",
    "another opcode, cut": "the same",
    "no such version": "RFC 6891 6.1.3: options of another version are not looked at",
    "IXFR with no SOA": "RFC 1995 3: malformed; they refuse the transfer first",
    "signed with a key": "they do not have it",
    "a MAC that is": "they do not have its key",
}


@pytest.fixture(scope="module")
def peers(tmp_path_factory) -> Iterator[list[Peer]]:
    directory = tmp_path_factory.mktemp("peers")
    file = directory / "db.example"
    file.write_text(f"$ORIGIN example.\n{ZONE}")
    with ExitStack() as stack:
        yield [
            stack.enter_context(running(name, directory / name, [ZoneFile("example.", file)]))
            for name in ("nsd", "knotd", "named")
        ]


def asked(peer: Peer, packet: bytes) -> int:
    """Return the rcode of a peer's answer to a datagram, or SILENCE."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect(("127.0.0.1", peer.port))
        sock.send(packet)
        try:
            return rcode_of(sock.recv(65_535))
        except OSError:
            return SILENCE


def rcode_of(wire: bytes) -> int:
    """Return the four bits of the header: BADVERS is 0 here, as of us."""
    return wire[3] & 0xF


@pytest.mark.parametrize("row", TABLE, ids=lambda one: one.why)
def test_we_are_not_alone(row: Row, peers: list[Peer]) -> None:
    """What we answer at least one of three answers, too."""
    packets = [packet for packet in row.packets() if len(packet) <= DATAGRAM_OCTETS]
    # Opening, middle and end of the row.
    for packet in islice(packets, 0, None, max(1, len(packets) // SAMPLES)):
        reply = respond(packet, SERVED, UDP)
        assert reply is None or isinstance(reply, Reply)
        ours = SILENCE if reply is None else rcode_of(reply.wire)
        if ours not in (theirs := [asked(peer, packet) for peer in peers]):
            explained = any(row.why.startswith(words) for words in ALONE)
            assert explained, f"{ours}, they {theirs}: {packet[:80].hex()}"
