"""The two sides of a comparison, as an operator writes them. Pure but for "is there such a path".

    host/repo:tag  host/repo@sha256:HEX   an artifact; the beginning of a digest will do
    prod  prod@sha256:90aa  sha256:90aa   the same, of the other side's repository
    ./zones  zones/db.example.org         a directory or a file
    @served  @served/SOURCE               what the running server serves
    @192.0.2.53  @ns1.example.org:5353    what a server gives away by AXFR

A path that exists is a path. Not here: what the sides hold (ocizone.opening).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ocizone.registry.reference import BadReferenceError, Reference

_BEGINNING: Final = re.compile(r"sha256:(?P<digits>[0-9a-f]{4,64})")
_SHORT: Final = re.compile(
    r"(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@?(?P<digest>sha256:[0-9a-f]{4,64}))?"
)
_SERVED: Final = "served"
_DNS_PORT: Final = 53


class BadSideError(ValueError):
    """The text is no side; the message says why."""


@dataclass(frozen=True, slots=True)
class Files:
    """A directory or a file."""

    path: Path


@dataclass(frozen=True, slots=True)
class Stored:
    """An artifact.

    Attributes:
        base: its repository, and its tag when there is no digest; None for that of the other side.
        tag: that is meant, "" for ``base``'s, or with a digest.
        digest: ``sha256:`` and at least four digits, "" for what the tag names.
    """

    base: Reference | None
    tag: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """What the running server serves of a source; "" for the only one."""

    source: str = ""


@dataclass(frozen=True, slots=True)
class Transferred:
    """What a server gives away by AXFR (RFC 5936)."""

    host: str
    port: int = _DNS_PORT


Side = Files | Stored | Served | Transferred


def parse_side(text: str, exists: Callable[[Path], bool] = Path.exists) -> Side:
    """Return the side a text names.

    Raises:
        BadSideError: it is none.
    """
    if text.startswith("@"):
        return _running(text.removeprefix("@"))
    if text and (text[0] in "./" or exists(Path(text))):
        return Files(Path(text))
    if "/" in text:
        return _stored(text)
    short = _SHORT.fullmatch(text)
    if short is None or not text or text == "sha256":
        raise BadSideError(
            f"{text!r} is no path, no reference and no tag (write HOST/REPOSITORY:TAG, a tag, "
            "sha256:DIGITS, a path, @served or @HOST)"
        )
    digest = short["digest"] or ""
    return Stored(None, "" if digest else short["tag"], digest)


def _stored(text: str) -> Stored:
    named, at, digest = text.partition("@")
    try:
        if not at:
            return Stored(Reference.parse(text))
        if _BEGINNING.fullmatch(digest) is None:
            raise BadSideError(
                f"{text}: a digest is sha256: and at least four lower-case hex digits"
            )
        return Stored(Reference.parse(named), "", digest)
    except BadReferenceError as error:
        raise BadSideError(f"{text}: {error}") from error


def _running(text: str) -> Side:
    name, slash, source = text.partition("/")
    if name == _SERVED:
        return Served(source)
    if slash or not text:
        raise BadSideError(f"@{text}: write @served, @served/SOURCE or @HOST[:PORT]")
    bare = text.startswith("[") and text.endswith("]")
    host, colon, port = (text, "", "") if bare else text.rpartition(":")
    if not colon:
        host = text
    elif not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
        raise BadSideError(f"@{text}: {port!r} is no port (an IPv6 address stands in brackets)")
    host = host.removeprefix("[").removesuffix("]")
    if not host:
        raise BadSideError(f"@{text}: there is no host")
    return Transferred(host, int(port) if colon else _DNS_PORT)
