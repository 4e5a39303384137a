"""Reads tar archives from a stream, member by member, and refuses what a zone archive never holds.

POSIX ustar, GNU long names and pax paths (POSIX.1-2001). Not tarfile: its filters have been
bypassed (CVE-2025-4517, CVE-2025-4330) and it reads extended headers of any size into memory.
Only regular files are yielded; links, devices and sparse files are errors; nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from ocizone.limits import ARCHIVE_HEADER_OCTETS, ARCHIVE_MEMBERS

BLOCK: Final = 512
_REGULAR: Final = (b"0", b"\x00", b"7")
_KINDS: Final = {
    b"1": "hard link",
    b"2": "symbolic link",
    b"3": "character device",
    b"4": "block device",
    b"6": "fifo",
    b"K": "link",
    b"S": "sparse file",
}
# Extended header fields that change nothing about what is read.
_HARMLESS: Final = frozenset(
    "atime charset comment ctime gid gname hdrcharset mtime uid uname".split()  # noqa: SIM905 - reads as the list in POSIX
)


class BadArchiveError(ValueError):
    """The octets are no archive we take; the message says why."""


class Source(Protocol):
    """What is read from: fewer octets than asked for only at the end."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` octets."""


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file: its path as the archive gives it, and its content in pieces.

    The content must be read (or left) before the next member is asked for.
    """

    path: str
    content: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class _Header:
    path: str
    size: int
    kind: bytes


def looks_like_tar(block: bytes) -> bool:
    """Tell whether a first block is a tar header, or the end of an empty archive."""
    if len(block) != BLOCK:
        return False
    return not any(block) or _checksum_fits(block)


def members(source: Source) -> Iterator[Member]:
    """Yield the regular files of an archive; folders are passed over.

    Raises:
        BadArchiveError: it is cut short or damaged, or holds a link, a device, a sparse file, or
            over ARCHIVE_MEMBERS entries.
    """
    long_path: str | None = None
    for count in range(ARCHIVE_MEMBERS + 1):
        header = _header(_exactly(source, BLOCK))
        if header is None:
            return
        if count == ARCHIVE_MEMBERS:
            break
        if header.kind in (b"x", b"g", b"L"):
            body = _extended(source, header)
            if header.kind == b"L":
                long_path = _text(body)
            else:
                long_path = _pax_path(body, per_member=header.kind == b"x") or long_path
            continue
        path, long_path = long_path or header.path, None
        if header.kind == b"5" or (header.kind == b"\x00" and path.endswith("/")):
            _skip(source, header.size)
            continue
        if header.kind not in _REGULAR:
            kind = _KINDS.get(header.kind, f"entry of type {header.kind!r}")
            raise BadArchiveError(f"{path} is a {kind}; only regular files are taken")
        content = _content(source, header.size)
        yield Member(path, content)
        for _ in content:
            pass
    raise BadArchiveError(f"over {ARCHIVE_MEMBERS} entries")


def _header(block: bytes) -> _Header | None:
    """Return what a header block says; None for the zero block that ends an archive."""
    if not any(block):
        return None
    if not _checksum_fits(block):
        raise BadArchiveError("a header's checksum is wrong")
    path = _text(block[:100])
    # Only POSIX ustar has a prefix there; GNU's old magic is "ustar  " and keeps times there.
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\x00" else ""
    return _Header(f"{prefix}/{path}" if prefix else path, _octal(block[124:136]), block[156:157])


def _checksum_fits(block: bytes) -> bool:
    try:
        stated = _octal(block[148:156])
    except BadArchiveError:
        return False
    return stated == sum(block[:148]) + 8 * 0x20 + sum(block[156:])


def _octal(field: bytes) -> int:
    digits = field.strip(b" \x00")
    if not digits:
        return 0
    # Base 256 (first bit set) is for files over 8 GiB: over every limit here.
    if digits.translate(None, b"01234567"):
        raise BadArchiveError("a number in a header is not octal")
    return int(digits, 8)


def _text(field: bytes) -> str:
    try:
        return field.split(b"\x00", 1)[0].decode("utf-8")
    except UnicodeDecodeError:
        raise BadArchiveError("a path is not UTF-8") from None


def _extended(source: Source, header: _Header) -> bytes:
    if header.size > ARCHIVE_HEADER_OCTETS:
        raise BadArchiveError(f"an extended header is over {ARCHIVE_HEADER_OCTETS} octets")
    return b"".join(_content(source, header.size))


def _pax_path(body: bytes, *, per_member: bool) -> str | None:
    """Return the path a pax header gives, or None; other fields that matter are refused."""
    path = None
    while body:
        digits, _, _ = body.partition(b" ")
        if not digits.isdigit() or not len(digits) < int(digits) <= len(body):
            raise BadArchiveError("a pax header is damaged")
        record, body = body[len(digits) + 1 : int(digits) - 1], body[int(digits) :]
        key_octets, _, value = record.partition(b"=")
        key = _text(key_octets)
        if key == "path" and per_member and b"\x00" not in value:
            path = _text(value)
        elif key not in _HARMLESS and not key.startswith(("SCHILY.", "LIBARCHIVE.")):
            raise BadArchiveError(f"a pax header sets {key!r}")
    return path


def _content(source: Source, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = _exactly(source, min(left, 64 * 1024))
        left -= len(piece)
        yield piece
    _exactly(source, -size % BLOCK)


def _skip(source: Source, size: int) -> None:
    for _ in _content(source, size):
        pass


def _exactly(source: Source, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = source.read(size - len(found))
        if not piece:
            raise BadArchiveError("the archive is cut short")
        found += piece
    return found
