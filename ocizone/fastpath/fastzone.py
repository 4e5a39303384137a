"""Answer plain questions about one zone from its encoded nodes and from templates.

One read of the image for a name that exists, one more a label for one that does not; then octets
are put together. Types whose rdata holds no names, denials, wildcards and referrals are answered
here; for the rest, and wherever a template is missing, ``respond`` answers. Pure. Law (tests): the
reply is the reply of ``answer.respond``. RFC 1034 4.3.2, RFC 4592 3.3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ocizone.answer.additional import TARGET_AT
from ocizone.answer.compose import FOR_VALIDATION
from ocizone.fastpath.denied import Denials, Gaps
from ocizone.fastpath.form import Form
from ocizone.fastpath.mould import Mould
from ocizone.fastpath.template import Put, Template, Wanted, last_label
from ocizone.limits import NAME_OCTETS
from ocizone.wire.codes import TYPE_CNAME, TYPE_DS, TYPE_RRSIG
from ocizone.wire.name import key_label
from ocizone.wire.render import SHAPES
from ocizone.zone.node import RRSET, Flag, rrsets_at
from ocizone.zone.reader import EncodedReader, ZoneInfo

_CUT: Final = int(Flag.CUT)
_DNAME: Final = int(Flag.DNAME)
_OCCLUDED: Final = int(Flag.OCCLUDED)
_WILDCARD_CHILD: Final = int(Flag.WILDCARD_CHILD)
_ASTERISK: Final = key_label(b"*")
#: The name in the question.
_OWNER: Final = b"\xc0\x0c"
_CLASS_IN: Final = b"\x00\x01"
_RRSIG_IN: Final = b"\x00\x2e\x00\x01"
#: Types that match what is no RRset of theirs (RFC 6895 3.1, RFC 4035 2.2), or not always here.
_ODD: Final = frozenset({*range(128, 256), TYPE_RRSIG, TYPE_DS})
#: Types that are answered by other rules, or with more than themselves.
_NOT_PLAIN: Final = frozenset({*SHAPES, *TARGET_AT, *FOR_VALIDATION})


#: What is said; a referral by the key of its cut.
_ANSWER, _NO_DATA, _NO_NAME = range(3)


class FastZone:
    """One zone of one snapshot, under one block's policy.

    Attributes:
        apex: lower-case wire name.
        cap: octets of a response over UDP the block allows.
        answers_cookies: the block gives each cookie its answer, and asks for none.
    """

    def __init__(
        self,
        info: ZoneInfo,
        reader: EncodedReader,
        cap: int,
        gaps: Gaps,
        on_cast: Callable[[], None],
    ) -> None:
        """Make it.

        Args:
            info: of the zone.
            reader: of its nodes.
            cap: see above.
            gaps: of all zones.
            on_cast: called before a template is cast; may call ``forget_casts``.
        """
        self._on_cast = on_cast
        self.apex = info.apex
        self.cap = cap
        self.answers_cookies = False
        #: Reads a node by its key.
        self.value = reader.getter()
        self.seeker = reader.seeker()
        apex = self.value(b"")
        assert apex is not None  # a zone has an apex
        self._apex_bits = apex[1]
        self._signed = bool(info.denial)
        #: Whether DO makes a difference at all.
        self._has_signatures = bool(info.denial or info.signed_until)
        #: Denies names to clients with DO.
        self.denials: Denials | None = None
        if info.denial == "nsec":
            self.denials = Denials(reader, info.apex, gaps, on_cast)
        #: By what is said (or the key of a cut), and whether the client wants DNSSEC records.
        self._moulds: dict[tuple[int | bytes, bool], Mould] = {}
        #: By what is said, kind of the question, length of its name, octets and records of the
        #: answer.
        self._casts: dict[tuple[int | bytes, int, int, int], Template] = {}

    def forget_casts(self) -> None:
        """Let everything go that is cast."""
        self._casts.clear()
        if self.denials is not None:
            self.denials.forget_casts()

    def forget(self) -> None:
        """Let everything go that was learned."""
        self._moulds.clear()
        self._casts.clear()
        if self.denials is not None:
            self.denials.forget()

    def look(
        self, name: bytes, offsets: list[int], depth: int, qtype: int, kind: int, form: Form
    ) -> Put | Wanted | None:
        """Return the reply to a question, a template that is missing, or None for neither.

        Args:
            name: lower case, below the apex.
            offsets: of its labels.
            depth: how many of them are below the apex, at least 1.
            qtype: any type.
            kind: of the question: its form and RD.
            form: of what stands behind the question.
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
            return self._absent(name, key, depth, own, qtype, mark, form)
        bits = value[1]
        if bits & (_OCCLUDED | _CUT):
            return self._referral(name, key, mark, form)
        return self._at(value, own, qtype, mark, form)

    def _at(
        self, value: bytes, own: bytes, qtype: int, mark: int, form: Form
    ) -> Put | Wanted | None:
        """Answer from what stands at a name, or at the wildcard that stands for it."""
        at = rrsets_at(value)
        for _ in range(value[2] << 8 | value[3]):
            rrtype, _, rdatas, signatures, octets = RRSET.unpack_from(value, at)
            if rrtype == qtype:
                break
            if rrtype == TYPE_CNAME:
                return None
            at += RRSET.size + octets
        else:
            if form.do and self._signed:
                return None
            return self._put(_NO_DATA, self.apex, own, mark, form)
        if rrtype in _NOT_PLAIN:
            return None
        fixed = _OWNER + value[at : at + 2] + _CLASS_IN + value[at + 2 : at + 6]
        at += RRSET.size
        if rdatas == 1 and not signatures:
            # Rdata stands in a node as in a message: length, octets.
            answer = fixed + value[at : at + octets]
        else:
            answer, rdatas = _records(value, at, rdatas, signatures if form.do else 0, fixed)
        return self._put(_ANSWER, self.apex, own, mark, form, answer, rdatas)

    def _put(
        self,
        said: int | bytes,
        base: bytes,
        own: bytes,
        mark: int,
        form: Form,
        answer: bytes = b"",
        answers: int = 0,
    ) -> Put | Wanted | None:
        """Put an answer into its template, which is cast if there is none yet."""
        key = (said, mark, len(answer), answers)
        template = self._casts.get(key)
        if template is None:
            kept = (said, form.do and self._has_signatures)
            mould = self._moulds.get(kept)
            if mould is None:
                return Wanted(self._moulds, kept, answer, base, own)
            template = mould.cast(mark & NAME_OCTETS, answer, answers, form, mark >> 8)
            if template is None:
                return None
            self._on_cast()
            self._casts[key] = template
        if own in template.labels:
            return None
        return template.head, answer, template.tail, template.cells, template.labels

    def _absent(
        self,
        name: bytes,
        key: bytes,
        depth: int,
        own: bytes,
        qtype: int,
        mark: int,
        form: Form,
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
                return self._referral(name, encloser, mark, form)
        if bits & _DNAME:
            return None
        if bits & _WILDCARD_CHILD:
            source = self.value(encloser + _ASTERISK)
            if source is None or (form.do and self._signed):
                return None
            return self._at(source, own, qtype, mark, form)
        if form.do and self._signed:
            if self.denials is None or encloser:
                return None
            return self.denials.no_name(key, own, mark, form)
        return self._put(_NO_NAME, self.apex, own, mark, form)

    def _referral(self, name: bytes, key: bytes, mark: int, form: Form) -> Put | Wanted | None:
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
        own = last_label(name[: len(name) - len(base)])
        return self._put(cut, base, own, mark, form)


def mark_of(kind: int, octets: int) -> int:
    """Return what templates are kept by: kind of a question, and octets of its name."""
    return kind << 8 | octets


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
