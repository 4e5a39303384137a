"""The fast replies of one snapshot, one address and one transport.

``direct`` answers what it can; what it cannot goes to ``respond``, and ``learn`` takes from the
reply what the next question needs. A table belongs to one snapshot: there is nothing to
invalidate. Pure. Which blocks are answered so: docs/performance.md. Not here: sockets
(fastpath.port), and the live snapshot (fastpath.replies).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from functools import partial
from typing import Final, Literal

from ocizone.answer.blocks import Block, Loaded, Snapshot, Transport
from ocizone.answer.respond import Reply, respond
from ocizone.answer.route import Blocks, route
from ocizone.fastpath.denied import Gaps
from ocizone.fastpath.fastzone import FastZone
from ocizone.fastpath.form import COOKIE_OCTETS, Form, form_of
from ocizone.fastpath.lane import Lane, Steps, look
from ocizone.fastpath.memo import Kept, Memo
from ocizone.fastpath.mould import Mould, mould_of, soa_mould_of
from ocizone.fastpath.repeatable import (
    answers_all_alike,
    cap_of,
    ends_in_cookies,
    is_plain,
    is_repeatable,
)
from ocizone.fastpath.tally import Cell, Cells, Labels, cell_mark
from ocizone.fastpath.template import Put, Wanted
from ocizone.limits import (
    FAST_FORMS,
    FAST_LANES,
    FAST_MOULDS,
    FAST_NOTED,
    FAST_TEMPLATES,
    LABEL_OCTETS,
    NAME_OCTETS,
    TCP_MESSAGE_OCTETS,
)
from ocizone.wire.codes import NXDOMAIN, TYPE_A
from ocizone.wire.name import ROOT
from ocizone.zone.reader import EncodedReader

_HEADER: Final = 12
#: Where the first label begins, behind its length.
_LABEL: Final = 13
#: Response, and the opcode.
_NOT_A_QUERY: Final = 0xF8
_RD: Final = 1
#: An OPT and the head of one option.
_FORM_OCTETS: Final = 15
_NO_BLOCKS: Final[Blocks] = {}

#: A reply without id and cookies, what counts it, and the query's COOKIE option (b"" for none).
Direct = tuple[bytes, Cell, bytes]


class FastTable:
    """Memo and templates of one listener.

    Attributes:
        snapshot: whose replies these are.
        memo: whole replies.
        cells: what counts them.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        listener: str,
        protocol: Literal["udp", "tcp", "tls"],
        is_logged: Callable[[Block, Reply | None], bool],
    ) -> None:
        """Make it; zones are looked at when they are asked for.

        Args:
            snapshot: what is served.
            listener: a key of its listeners.
            protocol: decides sizes.
            is_logged: tells whether a reply of a block is logged, or any may be (None).
        """
        self.snapshot = snapshot
        self.memo = Memo()
        #: Of queries with cookies, by what stands before these. A query that is cut off there is
        #: as long and is another one, so nothing is looked up here but by ``direct``.
        self._cookied = Memo()
        self.cells = Cells()
        self._is_logged = is_logged
        self._datagrams = protocol == "udp"
        self._blocks = snapshot.listeners.get(listener, _NO_BLOCKS)
        #: Every name that routing could stop at; None for zones that were not asked for yet.
        self._zones: dict[bytes, FastZone | None] = dict.fromkeys(self._blocks)
        for block in set(self._blocks.values()):
            self._zones.update(dict.fromkeys(block.zones))
        self._lengths = frozenset(map(len, self._zones))
        #: Names that are no zones, or zones of blocks that need the whole pipeline.
        self._slow: set[bytes] = set()
        self._lanes: dict[bytes, Steps] = {}
        self._gaps = Gaps()
        self._forms: dict[bytes, Form | None] = {}
        self._wanted: tuple[bytes, Wanted, int] | None = None
        self._listener = listener
        self._moulds = self._casts = self._celled = self._laned = 0
        #: Whether every block answers everybody alike: else aliases may lead where some may not.
        self._alike = all(answers_all_alike(block) for block in self._blocks.values())

    # --- Answering ---------------------------------------------------------------------------

    def by_lanes(self, packets: Iterable[bytes]) -> list[Kept | None]:
        """Return the replies to queries that are not in ``memo.young``; None to ask ``direct``."""
        return look(self._lanes, packets)

    def direct(self, packet: bytes) -> Direct | None:
        """Return the reply to a query that is not in ``memo.young``; None to ask ``respond``."""
        self._wanted = None
        octets = len(packet)
        if octets <= _HEADER or packet[2] & _NOT_A_QUERY:
            return None
        at, offsets = _HEADER, []
        try:
            while size := packet[at]:
                if size > LABEL_OCTETS:
                    return None
                offsets.append(at - _HEADER)
                at += 1 + size
        except IndexError:
            return None
        at += 1
        if at - _HEADER > NAME_OCTETS:
            return None
        form = self._form(packet[at + 4 : at + 4 + _FORM_OCTETS])
        if form is None or octets != at + 4 + form.octets or packet[4:12] != form.counts:
            return None
        spelled = packet[_HEADER:at]
        name = spelled.lower()
        option = packet[octets - form.cookie :] if form.cookie else b""
        key = packet[2:_HEADER] + name + packet[at : octets - form.cookie]
        memo = self._cookied if option else self.memo
        kept = memo.get(key) if memo is self.memo and name == spelled else memo.find(key)
        if kept is not None:
            rest, cell = kept
            if name != spelled:
                rest = rest[:10] + spelled + rest[at - 2 :]
            return rest, cell, option
        return self._put_together(packet, key, name, offsets, at, form, option)

    def _keep(self, key: bytes, rest: bytes, cell: Cell) -> None:
        """Keep the reply of a lane if it is asked again; the memo wants lower case."""
        if self.memo.is_asked_again(key):
            size = key[10]
            label = key[11 : 11 + size]
            if label == label.lower():
                self.memo.put(key, (rest, cell))

    def _put_together(
        self,
        packet: bytes,
        key: bytes,
        name: bytes,
        offsets: list[int],
        at: int,
        form: Form,
        option: bytes,
    ) -> Direct | None:
        if packet[at + 2 : at + 4] != b"\x00\x01":
            return None
        size = len(name)
        lengths, zones = self._lengths, self._zones
        depth = 0
        for offset in offsets:
            if size - offset in lengths and name[offset:] in zones:
                apex = name[offset:]
                break
            depth += 1
        else:
            apex = ROOT
        zone = zones.get(apex)
        if zone is None:
            zone = self._zone(apex)
        if zone is None or not depth or (option and not zone.answers_cookies):
            # The apex has its own rules: its NS are an answer, its DS the parent's.
            return None
        qtype = packet[at] << 8 | packet[at + 1]
        put = zone.look(name, offsets, depth, qtype, form.kind | packet[2] & _RD, form)
        if put is None:
            return None
        if isinstance(put, Wanted):
            self._wanted = packet, put, at + 4
            return None
        head, answer, tail, cells, _ = put
        total = at + 4 + len(answer) + len(tail)
        if option:
            total += COOKIE_OCTETS
        room = TCP_MESSAGE_OCTETS
        if self._datagrams:
            room = min(form.room, zone.cap) if form.octets else form.room
        if total > room:
            return None
        mark = cell_mark(qtype, total)
        cell = cells.get(mark)
        if cell is None:
            labels = Labels(zone.apex, qtype, head[1] & 15, form.do, len(packet), total)
            cell = cells[mark] = self.cells.of(labels)
            self._count_cell()
        rest = b"".join((head, packet[_HEADER : at + 4], answer, tail))
        if depth == 1 and not option:
            self._open_lane(packet, name, at, zone, put, cell, form, room)
        memo = self._cookied if option else self.memo
        if answer and memo.is_asked_again(key):
            memo.put(key, (b"".join((head, name, packet[at : at + 4], answer, tail)), cell))
        return rest, cell, option

    def _open_lane(
        self,
        packet: bytes,
        name: bytes,
        at: int,
        zone: FastZone,
        put: Put,
        cell: Cell,
        form: Form,
        room: int,
    ) -> None:
        """Let the next question like this one take fewer steps; its apex is in lower case."""
        size = name[0]
        behind = _LABEL + size
        if packet[behind:at] != zone.apex:
            return
        head, answer, tail, _, labels = put
        key = packet[2:_HEADER] + packet[behind:]
        steps = self._lanes.get(key)
        if steps is not None:
            lane = steps[-1]
        else:
            if not self.memo.is_asked_again(key):
                return
            if len(self._lanes) >= FAST_LANES:
                # The oldest: were all let go, who asks for more zones than that would have none.
                del self._lanes[next(iter(self._lanes))]
            kind, qtype = form.kind | packet[2] & _RD, packet[at] << 8 | packet[at + 1]
            sizes = frozenset(length - len(zone.apex) - 1 for length in self._lengths)
            apart = partial(_is_below, self._zones, zone.apex)
            behind = at + 4 - behind
            lane = Lane(zone, kind, qtype, form, behind, room, apart, sizes, self._keep)
            self._lanes[key] = lane.steps
        if labels is None:
            return
        if head[1] & 15 == NXDOMAIN and not answer:
            lane.keep_no_name(size, head, tail, labels, cell)
        elif head[4:6] == b"\x00\x01" and answer:
            lane.keep_answer(answer, size, head, tail, labels, cell)
        else:
            return
        self._laned += 1
        if self._laned >= FAST_NOTED:
            self._forget_lanes()

    def _form(self, front: bytes) -> Form | None:
        form = self._forms.get(front)
        if form is None:
            form = form_of(front)
            if form is not None:
                if len(self._forms) >= FAST_FORMS:
                    self._forms.clear()
                self._forms[front] = form
        return form

    def _zone(self, apex: bytes) -> FastZone | None:
        """Return the zone that answers for names whose longest known ending is this one."""
        if apex in self._slow or apex not in self._zones or not self.memo.is_asked_again(apex):
            return None
        # Type A: of all but DS, the apex is its own.
        way = route(self._blocks, apex, TYPE_A)
        zone = None
        if way.block is not None and way.apex == apex and isinstance(way.zone, Loaded):
            reader = way.zone.reader
            if (
                isinstance(reader, EncodedReader)
                and not way.zone.catalog
                and is_plain(way.block)
                and not self._is_logged(way.block, None)
            ):
                octets = cap_of(way.block)
                zone = FastZone(reader.info, reader, octets, self._gaps, self._cast)
                cookies = self.snapshot.cookies is not None
                zone.answers_cookies = cookies and way.block.policy.cookies == "on"
                self._zones[apex] = zone
        if zone is None:
            self._slow.add(apex)
        return zone

    # --- Learning ----------------------------------------------------------------------------

    def learn(self, packet: bytes, reply: Reply) -> None:
        """Take from a reply of ``respond`` what the same question, or one like it, needs."""
        wanted, self._wanted = self._wanted, None
        query, block = reply.query, reply.block
        if query is None or block is None or not self._is_repeatable(block, reply):
            return
        end = _HEADER + len(query.question)
        form = self._form(packet[end : end + _FORM_OCTETS])
        if form is None or len(packet) != end + form.octets or packet[4:12] != form.counts:
            return
        wire = reply.wire
        if form.cookie and not ends_in_cookies(wire, block):
            return
        if wanted is not None and wanted[0] is packet:
            self._take(packet, reply, wanted[1], wanted[2], form)
        key = packet[2:_HEADER] + query.name + packet[end - 4 : len(packet) - form.cookie]
        memo = self._cookied if form.cookie else self.memo
        if memo.is_asked_again(key):
            assert reply.zone is not None  # it is repeatable
            labels = Labels(reply.zone, query.qtype, reply.rcode, form.do, len(packet), len(wire))
            bare = wire[end:-COOKIE_OCTETS] if form.cookie else wire[end:]
            rest = wire[2:_HEADER] + query.name + wire[end - 4 : end] + bare
            memo.put(key, (rest, self.cells.of(labels)))

    def _is_repeatable(self, block: Block, reply: Reply) -> bool:
        return is_repeatable(reply, alike=self._alike) and not self._is_logged(block, reply)

    def _take(self, packet: bytes, reply: Reply, wanted: Wanted, end: int, form: Form) -> None:
        # Making one costs as much as a reply: where each is wanted once, there are none.
        if not self.memo.is_asked_again(wanted.seal()) or not self._is_whole(packet, reply, form):
            return
        if self._moulds >= FAST_MOULDS:
            for zone in self._zones.values():
                if zone is not None:
                    zone.forget()
            self._casts = self._celled = self._moulds = 0
            self._forget_lanes()
        self._moulds += 1
        wire = reply.wire
        made: Mould | None = None
        if wanted.is_denial:
            made = soa_mould_of(wire, end, wanted.base, wanted.own)
        elif wire.startswith(wanted.answer, end):
            made = mould_of(wire, end, len(wanted.answer), wanted.base, wanted.own, form)
        if made is not None:
            wanted.store[wanted.key] = made

    def _is_whole(self, packet: bytes, reply: Reply, form: Form) -> bool:
        """Tell whether nothing was left out of a reply because of its size.

        Over UDP addresses that do not fit are left out without a sign (RFC 2181 9); what fits for
        this question and client says nothing of the next. So it is asked as over TCP.
        """
        if reply.truncated or not self._datagrams:
            return not reply.truncated
        roomy = respond(packet, self.snapshot, Transport("tcp", self._listener, "", 1))
        cut = -COOKIE_OCTETS if form.cookie else None
        return isinstance(roomy, Reply) and roomy.wire[:cut] == reply.wire[:cut]

    def _cast(self) -> None:
        """Make room before a template is cast."""
        if self._casts >= FAST_TEMPLATES:
            self._forget_casts()
        self._casts += 1

    def _count_cell(self) -> None:
        """Make room after a template got one cell more."""
        self._celled += 1
        if self._celled >= FAST_NOTED:
            self._forget_casts()

    def _forget_lanes(self) -> None:
        self._lanes.clear()
        self._laned = 0

    def _forget_casts(self) -> None:
        for zone in self._zones.values():
            if zone is not None:
                zone.forget_casts()
        self._casts = self._celled = 0


def _is_below(zones: Container[bytes], apex: bytes, label: bytes) -> bool:
    return bytes((len(label),)) + label + apex in zones
