r"""Master files (RFC 1035 5) from octets to records, with every finding and its place.

Most lines are read by zone.bulk, many at once, and zone.fastline; the rest become entries
(zone.entry) whose rdata dnspython reads (zone.rdata). ``$ORIGIN``, ``$TTL`` (RFC 2308 4),
``$INCLUDE`` through a resolver that the caller bounds, ``$GENERATE`` bounded by limits. Opens no
file. Not here: whether the records make a zone (zone.check).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ocizone.errors import OcizoneError
from ocizone.findings import Findings, shown, shown_path
from ocizone.limits import GENERATE_STEPS, INCLUDE_DEPTH
from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_SOA, TYPE_TXT
from ocizone.zone import rdata as rr
from ocizone.zone.batch import Batch
from ocizone.zone.bulk import BulkReader
from ocizone.zone.entry import Entry, EntryError, Token, read_entry
from ocizone.zone.fastline import FastReader
from ocizone.zone.generate import BadGenerateError, fill, parse_range
from ocizone.zone.lines import Lines
from ocizone.zone.record import Record, Records
from ocizone.zone.ttl import BadTtlError, looks_like_ttl, parse_ttl

_BOM: Final = b"\xef\xbb\xbf"
_OTHER_CLASSES: Final = frozenset({"CH", "CS", "HS", "ANY", "NONE"})
_MINIMUM: Final = slice(-4, None)


class IncludeError(OcizoneError):
    """A ``$INCLUDE`` target cannot be read; the message says why."""


_Parts = Iterator[Record | Batch]

#: From (including file, target as written) to (included file, octets); IncludeError if not.
Resolver = Callable[[str, str], tuple[str, bytes]]


@dataclass(slots=True)
class _Context:
    """What carries over from line to line of one file; an included file gets a copy."""

    path: str
    file: str
    origin: bytes
    fast: FastReader
    bulk: BulkReader | None = None
    depth: int = 0
    owner: bytes | None = None
    default_ttl: int | None = None
    last_ttl: int | None = None


def read_master(
    data: bytes, *, file: str, origin: bytes, findings: Findings, resolver: Resolver | None = None
) -> Records:
    """Yield the records of a master file; findings grow as it is read.

    Args:
        data: the file's octets; a UTF-8 byte order mark and CRLF are taken.
        file: its path; findings and records name it in printable form.
        origin: absolute wire name, the first ``$ORIGIN``.
        findings: where problems go; an entry with an error yields nothing.
        resolver: reads ``$INCLUDE`` targets; without one ``$INCLUDE`` is an error.
    """
    reader = _Reader(findings, resolver)
    for part in reader.lines(data, reader.context(file, origin)):
        assert isinstance(part, Record)  # without an apex there are no batches
        yield part


def read_zone_master(
    data: bytes, *, file: str, apex: bytes, findings: Findings, resolver: Resolver | None = None
) -> Iterator[Record | Batch]:
    """Yield the records of a zone's master file as ``read_master`` does, many of them in batches.

    Args:
        data: as there.
        file: as there.
        apex: lower-case wire name of the zone, the first ``$ORIGIN``.
        findings: as there.
        resolver: as there.
    """
    reader = _Reader(findings, resolver, apex)
    return reader.lines(data, reader.context(file, apex))


class _Reader:
    """One reading of one zone: what is shared by its files."""

    def __init__(
        self, findings: Findings, resolver: Resolver | None, apex: bytes | None = None
    ) -> None:
        self._findings = findings
        self._resolver = resolver
        self._apex = apex
        self._soa_minimum: int | None = None
        self._generated = 0

    def context(self, path: str, origin: bytes) -> _Context:
        """Return how the first file begins."""
        fast = FastReader(origin)
        return _Context(path, shown_path(path), origin, fast, self._bulk(origin, fast))

    def _bulk(self, origin: bytes, fast: FastReader) -> BulkReader | None:
        if self._apex is None or not BulkReader.can_read(origin, self._apex):
            return None
        return BulkReader(origin, self._apex, fast)

    def lines(self, data: bytes, context: _Context) -> _Parts:
        """Yield the records of one file."""
        numbered = Lines(data.removeprefix(_BOM))
        while True:
            if context.bulk is not None:
                yield from self._batches(numbered, context.bulk, context)
            number, line = next(numbered, (0, b""))
            if not number:
                return
            quick = context.fast.read(line)
            if quick is not None:
                owner, ttl = quick.owner or context.owner, quick.ttl
                if ttl is None:
                    ttl = self._omitted_ttl(context)
                else:
                    context.last_ttl = ttl
                if owner is not None and ttl is not None:
                    context.owner = owner
                    yield Record(owner, quick.rrtype, ttl, quick.rdata, context.file, number, 1)
                    continue
            elif line[:1] == b";" or not line.strip():
                continue
            yield from self._slow_line(line, number, numbered, context)
            if self._findings.full:
                return

    def _batches(self, numbered: Lines, bulk: BulkReader, context: _Context) -> Iterator[Batch]:
        while batch := bulk.read(numbered, context.file, context.owner, context.default_ttl):
            context.owner, context.last_ttl = batch.owner, batch.ttl
            yield batch

    def _slow_line(
        self, line: bytes, number: int, following: Iterator[tuple[int, bytes]], context: _Context
    ) -> _Parts:
        try:
            entry = read_entry(line, number, following)
            if entry is None:
                return
            first = entry.tokens[0]
            if first.raw.startswith(b"$"):
                yield from self._directive(first, entry.tokens[1:], context)
            else:
                yield self._record(entry, context)
        except EntryError as error:
            self._findings.error(
                context.file, error.line, error.column, error.rule, error.message, error.hint
            )

    def _directive(self, first: Token, arguments: list[Token], context: _Context) -> _Parts:
        directive = first.raw.upper()
        counts = {b"$ORIGIN": (1, 1), b"$TTL": (1, 1), b"$INCLUDE": (1, 2), b"$GENERATE": (4, 99)}
        if directive not in counts:
            raise _error(
                first,
                "unknown-directive",
                f"unknown directive {shown(first.raw)}",
                "known are $ORIGIN, $TTL, $INCLUDE and $GENERATE",
            )
        least, most = counts[directive]
        if not least <= len(arguments) <= most:
            raise _error(first, "directive-arguments", f"{shown(first.raw)} takes other arguments")
        if directive == b"$ORIGIN":
            context.origin = _name(arguments[0], context.origin)
            context.fast = FastReader(context.origin)
            context.bulk = self._bulk(context.origin, context.fast)
        elif directive == b"$TTL":
            context.default_ttl = _ttl(arguments[0])
        elif directive == b"$INCLUDE":
            yield from self._include(first, arguments, context)
        else:
            yield from self._generate(first, arguments, context)

    def _include(self, first: Token, arguments: list[Token], context: _Context) -> _Parts:
        if self._resolver is None:
            raise _error(first, "include", "$INCLUDE is not possible here")
        if context.depth >= INCLUDE_DEPTH:
            raise _error(
                first,
                "include-depth",
                f"$INCLUDE nested deeper than {INCLUDE_DEPTH}",
                "a file may include itself",
            )
        target = _text(arguments[0])
        try:
            path, data = self._resolver(context.path, target)
        except IncludeError as error:
            raise _error(arguments[0], "include", str(error)) from error
        origin = _name(arguments[1], context.origin) if len(arguments) > 1 else context.origin
        # RFC 1035 5.1: the origin of the including file is unchanged by what it includes; so are
        # the owner and the TTL (BIND, dnspython).
        inner = self.context(path, origin)
        inner.depth = context.depth + 1
        inner.owner = context.owner
        inner.default_ttl = context.default_ttl
        inner.last_ttl = context.last_ttl
        yield from self.lines(data, inner)

    def _generate(self, first: Token, arguments: list[Token], context: _Context) -> Records:
        try:
            numbers = parse_range(_text(arguments[0]))
            self._generated += len(numbers)
            if self._generated > GENERATE_STEPS:
                raise _error(
                    first,
                    "generate",
                    f"$GENERATE: {self._generated} steps in this zone, over {GENERATE_STEPS}",
                    "all $GENERATE lines of a zone count together; write the records out",
                )
            left = _text(arguments[1])
            rest = " ".join(_ascii(token) for token in arguments[2:])
            for number in numbers:
                line = f"{fill(left, number)} {fill(rest, number)}".encode("ascii")
                entry = read_entry(line, first.line, iter(()))
                if entry is None:
                    raise BadGenerateError("a pattern is empty")
                entry.tokens = [Token(t.raw, first.line, first.column) for t in entry.tokens]
                yield self._record(entry, context)
        except BadGenerateError as error:
            raise _error(first, "generate", f"$GENERATE: {error}") from error

    def _record(self, entry: Entry, context: _Context) -> Record:
        tokens = entry.tokens
        at = 0
        if not entry.owner_omitted:
            context.owner = _name(tokens[0], context.origin)
            at = 1
        if context.owner is None:
            raise _error(
                tokens[0], "no-owner", "the first record has no owner", "a line begins with a name"
            )
        ttl, rrtype, at = _ttl_class_type(tokens, at)
        rdata = _rdata(rrtype, tokens, at, context.origin)
        if ttl is not None:
            context.last_ttl = ttl
        ttl = self._ttl_for(ttl, rrtype, rdata, tokens[0], context)
        first = tokens[0]
        return Record(context.owner, rrtype, ttl, rdata, context.file, first.line, first.column)

    def _omitted_ttl(self, context: _Context) -> int | None:
        """Return the TTL of a record without one: ``$TTL``, the last stated, SOA MINIMUM."""
        if context.default_ttl is not None:
            return context.default_ttl
        return self._soa_minimum if context.last_ttl is None else context.last_ttl

    def _ttl_for(
        self, ttl: int | None, rrtype: int, rdata: bytes, first: Token, context: _Context
    ) -> int:
        """Return the record's TTL; the SOA itself may give the zone's (RFC 2308 4)."""
        known = self._omitted_ttl(context) if ttl is None else ttl
        if known is not None:
            return known
        hint = "put $TTL before the first record (RFC 2308 4)"
        if rrtype != TYPE_SOA:
            raise _error(
                first, "no-ttl", "the record has no TTL, and no $TTL stands before it", hint
            )
        self._soa_minimum = int.from_bytes(rdata[_MINIMUM], "big")
        self._findings.warning(
            context.file,
            first.line,
            first.column,
            "no-ttl",
            f"no TTL is given: the SOA's MINIMUM, {self._soa_minimum}, is taken for this zone",
            hint,
        )
        return self._soa_minimum


def _ttl_class_type(tokens: list[Token], at: int) -> tuple[int | None, int, int]:
    """Return the TTL, the type, and where rdata begins; TTL and class stand in either order."""
    ttl: int | None = None
    in_class = False
    for index in range(at, len(tokens)):
        token = tokens[index]
        word = token.raw.decode("ascii", "replace").upper()
        if looks_like_ttl(word) and ttl is None:
            ttl = _ttl(token)
        elif word in ("IN", "CLASS1") and not in_class:
            in_class = True
        elif word in _OTHER_CLASSES or (word.startswith("CLASS") and word[5:].isdigit()):
            raise _error(token, "class", f"class {shown(token.raw)}", "zones here are of class IN")
        else:
            rrtype = rr.type_number(word)
            if rrtype is None:
                raise _error(
                    token,
                    "unknown-type",
                    f"{shown(token.raw)} is no record type",
                    "unknown types are written TYPEnnn \\# (RFC 3597 5)",
                )
            return ttl, rrtype, index + 1
    raise _error(tokens[-1], "no-type", "the entry ends before a record type")


def _rdata(rrtype: int, tokens: list[Token], at: int, origin: bytes) -> bytes:
    if at >= len(tokens):
        raise _error(tokens[-1], "rdata", f"{rr.type_name(rrtype)} without rdata")
    first = tokens[at]
    text = _rdata_token(first, rrtype)
    for before, token in pairwise(tokens[at:]):
        # alpn="h2": the quotes are part of the value (RFC 9460 2.1; dnssec-signzone writes them).
        glued = before.raw.endswith(b"=") and token.quoted and token.follows(before)
        text += ("" if glued else " ") + _rdata_token(token, rrtype)
    try:
        return rr.rdata_from_text(rrtype, text, origin)
    except rr.BadRdataError as error:
        raise _error(
            first,
            "rdata",
            f"bad {rr.type_name(rrtype)} rdata {shown(text)}: {shown(str(error))}",
        ) from error


def _rdata_token(token: Token, rrtype: int) -> str:
    r"""Return a token in ASCII: in strings other octets become ``\DDD``, in names they are errors."""
    if token.raw.isascii():
        return token.raw.decode("ascii")
    if not (token.quoted or rrtype == TYPE_TXT):
        raise _error(token, "not-ascii", f"{shown(token.raw)} is not ASCII", _a_label(token.raw))
    return "".join(chr(octet) if octet < 0x80 else f"\\{octet:03d}" for octet in token.raw)


def _name(token: Token, origin: bytes) -> bytes:
    if token.quoted:
        raise _error(token, "bad-name", "a name is not quoted")
    if not token.raw.isascii():
        raise _error(token, "not-ascii", f"{shown(token.raw)} is not ASCII", _a_label(token.raw))
    try:
        return names.from_text(token.raw.decode("ascii"), origin)
    except names.BadNameError as error:
        raise _error(token, "bad-name", f"{shown(token.raw)} is no name: {error}") from error


def _a_label(raw: bytes) -> str:
    """Return a hint with the name's A-label form where it has one (RFC 5890)."""
    try:
        return f"write the A-label: {raw.decode('utf-8').encode('idna').decode('ascii')}"
    except UnicodeError:
        return "write its A-label (xn--)"


def _ttl(token: Token) -> int:
    text = token.raw.decode("ascii", "replace")
    if not looks_like_ttl(text):
        raise _error(token, "ttl", f"{shown(token.raw)} is no TTL", "seconds, or units: 1h30m")
    try:
        return parse_ttl(text)
    except BadTtlError as error:
        raise _error(token, "ttl", str(error), "RFC 2181 8") from error


def _text(token: Token) -> str:
    text = _ascii(token)
    return text[1:-1] if token.quoted else text


def _ascii(token: Token) -> str:
    if not token.raw.isascii():
        raise _error(token, "not-ascii", f"{shown(token.raw)} is not ASCII")
    return token.raw.decode("ascii")


def _error(token: Token, rule: str, message: str, hint: str = "") -> EntryError:
    return EntryError(token.line, token.column, rule, message, hint)
