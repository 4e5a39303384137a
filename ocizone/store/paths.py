"""Which paths an artifact may name: relative, plain, not too deep, and no two alike.

A title or a member's path is whatever a stranger wrote (CVE-2021-21272, CVE-2007-4559). What is
not plainly harmless is refused; nothing is repaired, but for a leading ``./``. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ocizone.limits import ARCHIVE_PATH_DEPTH, ARCHIVE_PATH_OCTETS

_COMPONENT_OCTETS: Final = 255
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_SECRET: Final = re.compile(
    r"(?:.*/)?(?:K[^/]*\.private|id_(?:rsa|dsa|ecdsa|ed25519)|\.env|\.docker/config\.json)"
)


class BadPathError(ValueError):
    """The text is no path we take; the message says why."""


def safe_path(text: str) -> str:
    """Return the path, a leading ``./`` taken off.

    Raises:
        BadPathError: it is absolute, leaves the tree, is not plain text, or is over a limit.
    """
    path = text.removeprefix("./")
    try:
        octets = len(path.encode("utf-8"))
    except UnicodeEncodeError:
        raise BadPathError("it is not UTF-8") from None
    if not path:
        raise BadPathError("it is empty")
    if octets > ARCHIVE_PATH_OCTETS:
        raise BadPathError(f"it is over {ARCHIVE_PATH_OCTETS} octets")
    if not path.isprintable():
        raise BadPathError("it has characters that do not print")
    if "\\" in path:
        raise BadPathError("it has a backslash")
    if path.startswith("/") or _DRIVE.match(path):
        raise BadPathError("it is absolute")
    parts = path.split("/")
    if len(parts) > ARCHIVE_PATH_DEPTH:
        raise BadPathError(f"it is deeper than {ARCHIVE_PATH_DEPTH} folders")
    for part in parts:
        if part in ("", ".", ".."):
            raise BadPathError(f'it has a part "{part}"')
        if len(part.encode("utf-8")) > _COMPONENT_OCTETS:
            raise BadPathError(f"a part is over {_COMPONENT_OCTETS} octets")
    return path


def folded(path: str) -> str:
    """Return the form in which paths that some file system takes for the same are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def names_a_secret(path: str) -> bool:
    """Tell whether a path names what is never meant to be published: keys, credentials."""
    return _SECRET.fullmatch(path) is not None


def is_leftover(path: str) -> bool:
    """Tell whether a path names an editor's backup or macOS metadata, not a file of its own."""
    name = path.rsplit("/", 1)[-1]
    return (
        name.startswith(("._", ".#"))
        or (name.startswith("#") and name.endswith("#"))
        or name.endswith(("~", ".swp", ".swo", ".bak", ".orig", ".rej", ".tmp"))
        or name == ".DS_Store"
    )
