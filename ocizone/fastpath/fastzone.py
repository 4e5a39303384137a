"""Answer plain questions about one zone from its encoded nodes and from templates.

One read of the image for a name that exists, one more a label for one that does not; then octets
are put together. Types whose rdata holds no names, denials, wildcards and referrals are answered
here; for the rest, and wherever a template is missing, ``respond`` answers. Pure. Law (tests): the
reply is the reply of ``answer.respond``. RFC 1034 4.3.2, RFC 4592 3.3.1.
"""

from __future__ import annotations

import struct
from typing import Final

from ocizone.answer.additional import TARGET_AT
from ocizone.answer.compose import FOR_VALIDATION
from ocizone.fastpath.denied import Denials, Gaps
from ocizone.fastpath.template import Put, Template, Wanted
from ocizone.wire.codes import TYPE_CNAME, TYPE_DS, TYPE_RRSIG
from ocizone.wire.name import key_label
from ocizone.wire.render import SHAPES
from ocizone.zone.node import Flag
from ocizone.zone.reader import EncodedReader, ZoneInfo

_CUT: Final = int(Flag.CUT)
_DNAME: Final = int(Flag.DNAME)
_OCCLUDED: Final = int(Flag.OCCLUDED)
_MIXED_CASE: Final = int(Flag.MIXED_CASE)
_WILDCARD_CHILD: Final = int(Flag.WILDCARD_CHILD)
#: As zone.node lays out a node: flags, RRsets; and an RRset's head.
_HEAD_OCTETS: Final = 4
_RRSET: Final = struct.Struct("!HIHHI")
_RRSET_OCTETS: Final = _RRSET.size
_ASTERISK: Final = key_label(b"*")
#: The name in the question.
_OWNER: Final = b"\xc0\x0c"
_CLASS_IN: Final = b"\x00\x01"
_RRSIG_IN: Final = b"\x00\x2e\x00\x01"
#: Types that match what is no RRset of theirs (RFC 6895 3.1, RFC 4035 2.2), or not always here.
_ODD: Final = frozenset({*range(128, 256), TYPE_RRSIG, TYPE_DS})
#: Types that are answered by other rules, or with more than themselves.
_NOT_PLAIN: Final = frozenset({*SHAPES, *TARGET_AT, *FOR_VALIDATION})


class FastZone:
    """One zone of one snapshot, under one block's policy.

    Attributes:
        apex: lower-case wire name.
        cap: octets of a response over UDP the block allows.
    """

    def __init__(self, info: ZoneInfo, reader: EncodedReader, cap: int, gaps: Gaps) -> None:
        self.apex = info.apex
        self.cap = cap
        #: Reads a node by its key.
        self.value = reader.getter()
        self.seeker = reader.seeker()
        apex = self.value(b"")
        assert apex is not None  # a zone has an apex
        self._apex_bits = apex[1]
        self._signed = bool(info.denial)
        #: Denies names to clients with DO.
        self.denials = Denials(reader, info.apex, gaps) if info.denial == "nsec" else None
        #: By kind of question and length of its name.
        self._no_name: dict[int, Template] = {}
        self._no_data: dict[int, Template] = {}
        #: The same, with octets and records of the answer.
        self._answers: dict[tuple[int, int, int], Template] = {}
        #: The same, with the key of the cut.
        self._referrals: dict[tuple[bytes, int], Template] = {}

    def forget(self) -> None:
        """Let every template go."""
        for store in (self._no_name, self._no_data, self._answers, self._referrals):
            store.clear()
        if self.denials is not None:
            self.denials.forget()

    def look(
        self, name: bytes, offsets: list[int], depth: int, qtype: int, kind: int, *, do: bool
    ) -> Put | Wanted | None:
        """Return the reply to a question, a template that is missing, or None for neither.

        Args:
            name: lower case, below the apex.
            offsets: of its labels.
            depth: how many of them are below the apex, at least 1.
            qtype: any type.
            kind: of the question (form and RD): replies of two kinds have nothing in common.
            do: the client wants DNSSEC records.
        """
        if qtype in _ODD:
            return None
        below = name[: offsets[depth - 1] + 1 + name[offsets[depth - 1]]]
        own = below[offsets[depth - 1] + 1 :]
        if depth == 1:
            key = own + b"\x00"
        else:
            parts = [below[at + 1 : at + 1 + below[at]] for at in offsets[:depth]]
            parts.reverse()
            key = b"\x00".join(parts) + b"\x00"
        if b"\x01" in key or key.count(0) != depth:
            # Octets that keys escape: rare enough for the long way.
            return None
        mark = mark_of(kind, len(name))
        value = self.value(key)
        if value is None:
            return self._absent(name, key, depth, own, qtype, mark, do)
        bits = value[1]
        if bits & (_OCCLUDED | _CUT):
            return self._referral(name, key, mark)
        return self._at(value, own, qtype, mark, do)

    def _at(self, value: bytes, own: bytes, qtype: int, mark: int, do: bool) -> Put | Wanted | None:  # noqa: FBT001 - the hot path; a keyword costs
        """Answer from what stands at a name, or at the wildcard that stands for it."""
        at = _HEAD_OCTETS
        if value[1] & _MIXED_CASE:
            at += 1 + value[at]
        for _ in range(value[2] << 8 | value[3]):
            rrtype, _, rdatas, signatures, octets = _RRSET.unpack_from(value, at)
            if rrtype == qtype:
                break
            if rrtype == TYPE_CNAME:
                return None
            at += _RRSET_OCTETS + octets
        else:
            if do and self._signed:
                return None
            return self._negative(self._no_data, mark, own)
        if rrtype in _NOT_PLAIN:
            return None
        fixed = _OWNER + value[at : at + 2] + _CLASS_IN + value[at + 2 : at + 6]
        at += _RRSET_OCTETS
        if rdatas == 1 and not signatures:
            # Rdata stands in a node as in a message: length, octets.
            answer = fixed + value[at : at + octets]
        else:
            answer, rdatas = _records(value, at, rdatas, signatures if do else 0, fixed)
        key = (mark, len(answer), rdatas)
        template = self._answers.get(key)
        if template is None:
            return Wanted(self._answers, key, answer, self.apex, own)
        if own in template.labels:
            return None
        return template.head, answer, template.tail, template.cells, template.labels

    def _negative(self, store: dict[int, Template], mark: int, own: bytes) -> Put | Wanted | None:
        template = store.get(mark)
        if template is None:
            return Wanted(store, mark, b"", self.apex, own)
        if own in template.labels:
            return None
        return template.head, b"", template.tail, template.cells, template.labels

    def _absent(
        self,
        name: bytes,
        key: bytes,
        depth: int,
        own: bytes,
        qtype: int,
        mark: int,
        do: bool,  # noqa: FBT001 - as _at
    ) -> Put | Wanted | None:
        """Answer for a name that does not exist: walk down from the apex to what encloses it."""
        encloser, bits, end = b"", self._apex_bits, 0
        for _ in range(depth - 1):
            if bits & _DNAME:
                return None
            end = key.index(0, end) + 1
            value = self.value(key[:end])
            if value is None:
                break
            encloser, bits = key[:end], value[1]
            if bits & _CUT:
                return self._referral(name, encloser, mark)
        if bits & _DNAME:
            return None
        if bits & _WILDCARD_CHILD:
            source = self.value(encloser + _ASTERISK)
            if source is None or (do and self._signed):
                return None
            return self._at(source, own, qtype, mark, do)
        if do and self._signed:
            if self.denials is None or encloser:
                return None
            return self.denials.no_name(key, own, mark)
        return self._negative(self._no_name, mark, own)

    def _referral(self, name: bytes, key: bytes, mark: int) -> Put | Wanted | None:
        """Answer for a name at or below a cut, which is the highest at or above a key."""
        cut, bits, end = b"", 0, 0
        while not bits & _CUT:
            if bits & _DNAME or end == len(key):
                return None
            end = key.index(0, end) + 1
            cut = key[:end]
            value = self.value(cut)
            if value is None:
                return None
            bits = value[1]
        # The cut's labels and their lengths take as many octets as its key.
        base = name[len(name) - len(self.apex) - len(cut) :]
        above = len(name) - len(base)
        below = name[:above]
        own = _last_label(below)
        found = (cut, mark)
        template = self._referrals.get(found)
        if template is None:
            return Wanted(self._referrals, found, b"", base, own)
        if own in template.labels:
            return None
        return template.head, b"", template.tail, template.cells, template.labels


def mark_of(kind: int, octets: int) -> int:
    """Return what templates are kept by: kind of a question, and octets of its name."""
    return kind << 8 | octets


def _last_label(labels: bytes) -> bytes:
    """Return the last of some labels in wire form; b"" of none."""
    at = last = 0
    while at < len(labels):
        last = at
        at += 1 + labels[at]
    return labels[last + 1 :]


def _records(
    value: bytes, at: int, rdatas: int, signatures: int, fixed: bytes
) -> tuple[bytes, int]:
    """Return records in octets and how many they are, of an RRset with so many rdatas."""
    parts = []
    ttl = fixed[-4:]
    for number in range(rdatas + signatures):
        start = at
        at += 2 + (value[at] << 8 | value[at + 1])
        parts.append(fixed if number < rdatas else _OWNER + _RRSIG_IN + ttl)
        parts.append(value[start:at])
    return b"".join(parts), rdatas + signatures
