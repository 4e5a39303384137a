"""The law of the fast path: a fast reply is the reply of ``respond``, octet for octet."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ocizone.answer.blocks import Block, Loaded, Policy, Snapshot, Transport
from ocizone.answer.respond import Reply, respond
from ocizone.live import LiveZones
from ocizone.plugins.bufsize import BufferSize
from ocizone.wire import cookie
from ocizone.wire.cookie import CookieSecrets
from ocizone.wire.name import from_text
from ocizone.zone.image import Image, ImageZone, write_image
from ocizone.zone.reader import ZoneReader
from tests.signedtext import Line, with_nsec, with_nsec3
from tests.zonebuilder import block, snapshot, zone

pytest.importorskip("ocizone.fastpath")

from ocizone.fastpath import denied, memo, replies, tally
from ocizone.fastpath import table as table_module
from ocizone.fastpath.table import FastTable

NOW = 1_790_000_000
CLIENT = "192.0.2.53"
SECRETS = CookieSecrets((b"obviously a fake",))
UDP = Transport("udp", "main", CLIENT, 40000, NOW)
TCP = Transport("tcp", "main", CLIENT, 40000, NOW)

HEAD: list[Line] = [
    ("z.test.", "SOA", "ns.z.test. h.m.z.test. 1 2 3 4 5"),
    ("z.test.", "NS", "ns.z.test."),
    ("z.test.", "NS", "ns.test."),
    ("z.test.", "NS", "ns.a.z.test."),
    ("ns.z.test.", "A", "192.0.2.1"),
    ("ns.z.test.", "AAAA", "2001:db8::1"),
]
#: Servers whose addresses fill a response, so that some are left out of a small one.
CROWD: list[Line] = [
    line
    for number in range(9)
    for line in (
        ("z.test.", "NS", f"{'long' * 5}{number}.z.test."),
        (f"{'long' * 5}{number}.z.test.", "A", f"192.0.2.{number}"),
        (f"{'long' * 5}{number}.z.test.", "AAAA", f"2001:db8::{number}"),
    )
]
DS = "1 13 2 " + "00" * 32
#: What stands at a generated owner; ``T`` is a generated target.
KINDS: dict[str, list[tuple[str, str]]] = {
    "one": [("A", "192.0.2.9")],
    "data": [("A", "192.0.2.1"), ("A", "192.0.2.2"), ("TXT", '"x"'), ("TXT", '"yy"')],
    "other": [("MX", "5 T"), ("SRV", "1 2 3 T"), ("AAAA", "2001:db8::2"), ("CAA", '0 issue "x"')],
    "large": [("TXT", f'"{n:02d}{"x" * 200}"') for n in range(5)],
    "insecure": [("NS", "T"), ("NS", "ns.elsewhere.")],
    "secure": [("NS", "T"), ("DS", DS)],
    "alias": [("CNAME", "T")],
    "redirect": [("DNAME", "T")],
}
LABEL = st.sampled_from(["a", "b", "ns", "*", "Cc", "m", "test", "\\000", "\\001", "+"])
NAME = st.lists(LABEL, min_size=1, max_size=3).map(lambda parts: ".".join([*parts, "z.test."]))


def records(owner: str, kind: str, target: str) -> list[Line]:
    """Return one owner's records; a wildcard delegates and redirects nothing."""
    if owner.startswith("*") and kind in ("insecure", "secure", "redirect"):
        kind = "data"
    return [(owner, rrtype, rdata.replace("T", target)) for rrtype, rdata in KINDS[kind]]


def plain(lines: list[Line]) -> str:
    """Return the text of an unsigned zone; one TTL, so that no RRset has two."""
    return "".join(f"{owner} 9 {rrtype} {rdata}\n" for owner, rrtype, rdata in lines)


CHAINS: dict[str, Callable[[list[Line]], str]] = {
    "plain": plain,
    "nsec": lambda lines: with_nsec(lines, "z.test."),
    "nsec3": lambda lines: with_nsec3(lines, "z.test."),
}
OWNERS = st.dictionaries(
    NAME, st.tuples(st.sampled_from(sorted(KINDS)), NAME), min_size=2, max_size=10
)
NO_CROWD: list[Line] = []
ZONES = st.tuples(st.sampled_from([NO_CROWD, CROWD]), OWNERS).map(
    lambda drawn: (
        HEAD
        + drawn[0]
        + [line for name, (kind, to) in drawn[1].items() for line in records(name, kind, to)]
    )
)
#: What stands behind a question: no OPT, OPTs, cookies, and what the fast path must leave alone.
NO_OPT, BARE, DO, COOKIE, DO_AND_COOKIE, OTHERS = range(6)
POLICIES = [
    Policy(),
    Policy(minimal=True),
    Policy(any_hinfo=True, bufsize=BufferSize(600)),
    Policy(cookies="off"),
    Policy(cookies="require"),
]


def opt(size: int, flags: int, options: bytes = b"") -> bytes:
    return struct.pack("!BHHIH", 0, 41, size, flags, len(options)) + options


def cookie_option(proven: bool) -> bytes:
    value = b"8octets!"
    if proven:
        value = cookie.check(value, bytes([192, 0, 2, 53]), NOW, SECRETS).reply
    return struct.pack("!HH", 10, len(value)) + value


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    """Return a query: a name in or near the zone, in any spelling, with any of the forms."""
    deeper = draw(st.sampled_from(["", "", "", "q.", "qq.r.", "longer."]))
    text = draw(st.one_of(NAME, st.sampled_from(["z.test.", "ns.z.test.", "test.", "x.z.test."])))
    name = from_text(deeper + text)
    if draw(st.booleans()):
        spelling = draw(st.integers(0, 2**16))
        name = bytes(
            octet ^ 0x20 if 0x61 <= octet | 0x20 <= 0x7A and octet > 63 and spelling >> at % 16 & 1
            else octet
            for at, octet in enumerate(name)
        )  # fmt: skip
    qtype = draw(st.sampled_from([1, 1, 1, 28, 16, 15, 2, 6, 5, 43, 47, 255, 46, 257, 65, 97, 251]))
    qclass = draw(st.sampled_from([*[1] * 20, 3, 255]))
    flags = draw(st.sampled_from([*[0, 0x0100, 0x0120] * 4, 0x0610, 0x8000, 0x2000]))
    additional = b""
    form = draw(st.sampled_from([*[NO_OPT, BARE, DO] * 4, COOKIE, DO_AND_COOKIE, OTHERS]))
    size = draw(st.sampled_from([0, 512, 600, 900, *[1232] * 4, 4096]))
    proven = draw(st.booleans())
    if form == OTHERS:
        odd = [
            opt(1232, 1 << 16),
            opt(1232, 0, b"\0\3\0\0"),
            opt(1232, 0, cookie_option(proven) + b"\0\3\0\0"),
            opt(1232, 0)[:-1],
            opt(1232, 0) + b"?",
            opt(1232, 0, b"\0\x0a\0\x07sevenoc"),
        ]
        additional = draw(st.sampled_from(odd))
    elif form != NO_OPT:
        do = form in (DO, DO_AND_COOKIE)
        has_cookie = form in (COOKIE, DO_AND_COOKIE)
        additional = opt(size, 0x8000 * do, cookie_option(proven) if has_cookie else b"")
    ident = draw(st.integers(0, 0xFFFF))
    header = struct.pack("!6H", ident, flags, 1, 0, 0, bool(additional))
    whole = header + name + struct.pack("!HH", qtype, qclass) + additional
    # Cut off before one or both cookies, among others.
    return whole[: len(whole) - draw(st.sampled_from([*[0] * 30, 1, 4, 8, 12, 24]))]


def serving(text: str, policy: Policy, image: Path | None = None) -> Snapshot:
    """Return what serves the zone, and one zone inside and one outside of it.

    Args:
        text: of the zone.
        policy: of its block.
        image: where the zone is written to and read from; None for a dict.
    """
    inner = Loaded(zone("@ 9 SOA n h 1 2 3 4 5\n@ 9 NS n\n@ 9 A 192.0.2.3\n", "cc.z.test."))
    outer = Loaded(zone("@ 9 SOA n h 1 2 3 4 5\n@ 9 NS n\nx 9 A 192.0.2.4\n", "test."))
    read: ZoneReader = zone(text, "z.test.")
    if image is not None:
        nodes, nsec3 = list(read.encoded()), list(read.nsec3_encoded())
        write_image(image, [ImageZone(("v",), read.info, nodes, nsec3)])
        written = Image.open(image).zone("v", read.info.apex)
        assert written is not None
        read = written
    served = Loaded(read)
    blocks = [
        block("z.test.", {"z.test.": served, "b.z.test.": inner}, policy),
        block("test.", {"test.": outer}),
    ]
    return replace(snapshot(*blocks), cookies=SECRETS)


def unlogged(_block: Block, _reply: Reply | None) -> bool:
    return False


def table_of(served: Snapshot, transport: Transport = UDP) -> FastTable:
    return FastTable(served, "main", transport.protocol, unlogged)


def fast_reply(table: FastTable, packet: bytes) -> bytes | None:
    """Return what the fast path replies, as a port puts it together; None for nothing."""
    kept = table.memo.young.get(packet[2:]) or table.by_lanes([packet])[0]
    if kept is not None:
        return packet[:2] + kept[0]
    made = table.direct(packet)
    if made is None:
        return None
    rest, _, option = made
    if option:
        rest += cookie.check(option, bytes([192, 0, 2, 53]), NOW, SECRETS).reply
    return packet[:2] + rest


def ask(table: FastTable, packet: bytes, transport: Transport = UDP) -> bool:
    """Ask both ways, and tell whether the fast one had a reply; it must be that of the other."""
    fast = fast_reply(table, packet)
    reply = respond(packet, table.snapshot, transport)
    if fast is not None:
        assert isinstance(reply, Reply)
        assert fast == reply.wire
        return True
    if isinstance(reply, Reply):
        table.learn(packet, reply)
    return False


#: Bounds that are met at once, and those there are.
MODULES = {
    "FAST_TEMPLATES": table_module,
    "FAST_MOULDS": table_module,
    "FAST_LANES": table_module,
    "FAST_NOTED": table_module,
    "FAST_FORMS": table_module,
    "FAST_GAPS": denied,
    "FAST_CELLS": tally,
    "FAST_MEMO_ENTRIES": memo,
}


# Not shrunk: a failure shows its zone and its questions, and shrinking takes minutes.
@pytest.mark.parametrize("chain", CHAINS)
@given(
    lines=ZONES,
    asked=st.lists(packets(), min_size=10, max_size=40),
    policy=st.sampled_from(POLICIES),
    transport=st.sampled_from([UDP, UDP, TCP]),
    bound=st.sampled_from([None, None, 1, 2]),
)
@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_a_fast_reply_is_the_reply(
    chain: str,
    lines: list[Line],
    asked: list[bytes],
    policy: Policy,
    transport: Transport,
    bound: int | None,
):
    """Whatever zone, question and order; asked three times, so that memo and templates are used."""
    with pytest.MonkeyPatch.context() as patch:
        for name, module in MODULES.items() if bound else ():
            patch.setattr(module, name, bound)
        table = table_of(serving(CHAINS[chain](lines), policy), transport)
        for packet in asked * 3:
            ask(table, packet, transport)


#: Labels of which most zones have none, of lengths that meet again, and what must not be mistaken.
SYLLABLES = ["a", "i", "n", "o", "x", "ns", "-", "\0", "\1"]
SPECIAL = [b"b", b"B", b"cc", b"m", b"a", b"*", b"", b"y" * 62, b"y" * 63, b"y" * 64, b"y" * 192]
#: An SOA with names below labels that are asked for.
ODD_SOA: Line = ("z.test.", "SOA", "ns.i\\001.z.test. h.an.z.test. 1 2 3 4 5")


def batch(chance: Random, owners: list[bytes], kinds: list[tuple[int, int, bytes]]) -> list[bytes]:
    """Return queries of few kinds for names right below the apex, as lanes are made for."""
    found = []
    for _ in range(chance.randrange(1, 30)):
        label = "".join(chance.choices(SYLLABLES, k=chance.choice([1, 2, 2, 3]))).encode()
        label = chance.choice([label, label, label, chance.choice(SPECIAL)])
        name = bytes([len(label)]) + label + from_text("z.test.")
        if chance.random() < 0.4:
            name = chance.choice(owners)
        qtype, flags, additional = chance.choice(kinds)
        header = struct.pack("!6H", chance.randrange(1 << 16), flags, 1, 0, 0, bool(additional))
        found.append(header + name + struct.pack("!HH", qtype, 1) + additional)
    return found


@pytest.mark.parametrize("chain", CHAINS)
@given(
    lines=ZONES,
    odd=st.booleans(),
    kinds=st.lists(
        st.tuples(
            st.sampled_from([1, 1, 28, 16]),
            st.sampled_from([0, 0x0100]),
            st.sampled_from(
                [b"", opt(1232, 0), opt(1232, 0x8000), opt(4096, 0x8000), opt(512, 0x8000)]
            ),
        ),
        min_size=1,
        max_size=2,
    ),
    policy=st.sampled_from(POLICIES),
    transport=st.sampled_from([UDP, UDP, TCP]),
    bound=st.sampled_from([None, None, 3]),
    chance=st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_what_a_lane_says_is_the_reply(
    chain: str,
    lines: list[Line],
    odd: bool,
    kinds: list[tuple[int, int, bytes]],
    policy: Policy,
    transport: Transport,
    bound: int | None,
    chance: Random,
):
    """Batches of questions that differ in their first label, beside a zone below the apex."""
    text = CHAINS[chain]([ODD_SOA, *lines[1:]] if odd else lines)
    owners = [from_text(owner) for owner, _, _ in lines]
    with pytest.MonkeyPatch.context() as patch:
        for name, module in MODULES.items() if bound else ():
            patch.setattr(module, name, bound)
        table = table_of(serving(text, policy), transport)
        for _ in range(12):
            asked = batch(chance, owners, kinds)
            for packet, kept in zip(asked, table.by_lanes(asked), strict=True):
                if kept is None:
                    ask(table, packet, transport)
                    continue
                reply = respond(packet, table.snapshot, transport)
                assert isinstance(reply, Reply)
                assert packet[:2] + kept[0] == reply.wire


@pytest.mark.parametrize("chain", CHAINS)
@given(
    versions=st.lists(ZONES, min_size=2, max_size=2),
    asked=st.lists(packets(), min_size=10, max_size=30),
    turns=st.lists(st.integers(0, 1), min_size=4, max_size=4),
)
@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_it_is_the_reply_of_the_live_snapshot(
    chain: str,
    versions: list[list[Line]],
    asked: list[bytes],
    turns: list[int],
    tmp_path_factory: pytest.TempPathFactory,
):
    """Across swaps, over images as a server has them: never of the version before."""
    folder = tmp_path_factory.mktemp("images")
    served = [
        serving(CHAINS[chain](lines), Policy(), folder / str(number))
        for number, lines in enumerate(versions)
    ]
    live = LiveZones(served[0])
    told = replies.FastReplies(
        live,
        lambda packet, where: answered(told, live, packet, where),
        seconds=lambda: 0.0,
        is_logged=unlogged,
        count=lambda *_: None,
        on_bug=lambda packet, _: pytest.fail(packet.hex()),
    )
    for turn in turns:
        live.snapshot = served[turn]
        for packet in asked * 2:
            reply = respond(packet, live.snapshot, TCP)
            assert told.answer(packet, TCP) == (reply.wire if isinstance(reply, Reply) else None)


def answered(told: Any, live: LiveZones, packet: bytes, where: Transport) -> bytes | None:
    """Do as the door does."""
    reply = respond(packet, live.snapshot, where)
    if not isinstance(reply, Reply):
        return None
    told.learn(packet, reply, where)
    return reply.wire
