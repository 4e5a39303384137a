"""The plainest lines of a master file by the thousand: rows in (zone.lines), a Batch out.

A way round zone.fastline for what large zones consist of: owners in lower case, in or below the
zone's apex, of the types FastReader knows. At the first line it does not take for certain it
stops; the line is read as any other. Law (tests): a batch tells the records that the complete
reader yields for the same lines.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from ocizone.limits import LABEL_OCTETS, NAME_OCTETS
from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_A, TYPE_AAAA, TYPE_NS, TYPE_PTR, TYPE_TXT
from ocizone.zone.batch import Batch
from ocizone.zone.fastline import FastReader, NotFastError, octet_pair, ttl_of
from ocizone.zone.lines import Lines
from ocizone.zone.memo import Memo
from ocizone.zone.single import single_head

_END: Final = b"\x00"
_STAR: Final = b"*"
# What leads nowhere: checks have nothing to say of it while it stands alone at a name.
_LEADS_NOWHERE: Final = frozenset({TYPE_A, TYPE_AAAA, TYPE_PTR, TYPE_TXT})
# The same few servers, for many names.
_REPEATED: Final = (b"NS", b"MX", b"CNAME")
_PAIRS: Final = Memo(octet_pair)
_A_HEADS: Final = Memo(lambda token: single_head(TYPE_A, ttl_of(token), 4))


class BulkReader:
    """Reads rows relative to one origin; make another when the origin changes."""

    def __init__(self, origin: bytes, apex: bytes, fast: FastReader) -> None:
        """Take an origin for which ``can_read`` holds; ``fast`` is the reader of it."""
        self._apex = apex
        self._apex_labels = len(names.labels(apex))
        self._below_apex = b"." + names.to_text(apex).encode() if apex != names.ROOT else b"."
        self._prefix = names.relative_key(origin, self._apex_labels)
        self._room = NAME_OCTETS - len(origin) - 1
        self._parents = Memo(_parent_key)
        self._repeated = {mnemonic: Memo(partial(fast.rdata, mnemonic)) for mnemonic in _REPEATED}
        self._fast = fast

    @staticmethod
    def can_read(origin: bytes, apex: bytes) -> bool:
        """Tell whether every label of lower case below an origin makes a name of the zone."""
        spelled = origin == names.lower(origin) and names.is_at_or_below(origin, apex)
        return spelled and len(origin) + 1 + LABEL_OCTETS <= NAME_OCTETS

    def read(
        self, lines: Lines, file: str, owner: bytes | None, default_ttl: int | None
    ) -> Batch | None:
        """Take lines that are plain records, at most up to the first that is not; None for none.

        Args:
            lines: of the file.
            file: as findings call it.
            owner: of the record before, which a line without one inherits.
            default_ttl: ``$TTL``; without one only records that state theirs are taken.
        """
        keys: list[bytes] = []
        singles: list[bytes] = []
        noted: list[bytes] = []
        cuts: list[bytes] = []
        apex = self._apex
        rows, first = lines.rows(), lines.number
        prefix, repeated, rdata_of = self._prefix, self._repeated, self._fast.rdata
        key: bytes | None = None
        stated_head = None if default_ttl is None else single_head(TYPE_A, default_ttl, 4)
        try:
            for label, name, ttl, high, low, mnemonic, rest in rows:
                if label:
                    key = prefix + label + _END
                elif name:
                    key = self._name_key(name)
                elif key is None and (high or mnemonic):
                    key = self._inherited(owner)
                if high:
                    head = _A_HEADS[ttl] if ttl else stated_head
                    if head is None or not key:
                        break
                    single = head + _PAIRS[high] + _PAIRS[low]
                elif mnemonic:
                    seconds = ttl_of(ttl) if ttl else default_ttl
                    if seconds is None or not key:
                        break
                    if mnemonic in repeated:
                        rrtype, rdata = repeated[mnemonic][rest]
                    else:
                        rrtype, rdata = rdata_of(mnemonic, rest)
                    single = single_head(rrtype, seconds, len(rdata)) + rdata
                    if rrtype not in _LEADS_NOWHERE:
                        if rrtype == TYPE_NS:
                            cuts.append(key)
                        if rdata.lower().endswith(apex) or _STAR in key:
                            noted.append(key)
                else:
                    break
                keys.append(key)
                singles.append(single)
        except NotFastError:
            # The row that is none is where the keys end.
            pass
        if not keys:
            return None
        lines.take(len(keys))
        return Batch(apex, keys, singles, noted, cuts, file, first)

    def _inherited(self, owner: bytes | None) -> bytes:
        """Return the key of an owner; empty for the apex, and where lines are not taken."""
        if owner is None or owner != names.lower(owner):
            return b""
        if not names.is_at_or_below(owner, self._apex):
            return b""
        return names.relative_key(owner, self._apex_labels)

    def _name_key(self, name: bytes) -> bytes:
        """Return the key of an owner of several labels, or of an absolute one."""
        if name.endswith(b"."):
            if not name.endswith(self._below_apex):
                raise NotFastError
            relative, prefix = name[: -len(self._below_apex)], b""
            room = NAME_OCTETS - len(self._apex) - 1
        else:
            relative, prefix, room = name, self._prefix, self._room
        label, dot, parent = relative.partition(b".")
        if not label or len(label) > LABEL_OCTETS or len(relative) > room:
            raise NotFastError
        return prefix + (self._parents[parent] if dot else b"") + label + _END


def _parent_key(parent: bytes) -> bytes:
    labels = parent.split(b".")
    labels.reverse()
    if not all(0 < len(label) <= LABEL_OCTETS for label in labels):
        raise NotFastError
    return _END.join(labels) + _END
