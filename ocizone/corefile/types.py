"""A parsed Corefile as frozen values. Values only: making them is the parser's work.

A directive's value is a frozen dataclass of its plugin module; a block holds them by type, so
that this module knows no plugin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from ocizone.errors import Problem

V = TypeVar("V")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where in the text: the file as given (absolute for imports) and a 1-based line."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a server block: ``[SCHEME://]ZONE[:PORT]``, CIDR keys already expanded.

    Attributes:
        scheme: ``dns`` or ``tls``.
        zone: lower-case wire name.
        port: 1..65535, or 0 for one the system chooses (tests).
        position: of the key as written.
    """

    scheme: str
    zone: bytes
    port: int
    position: Position


@dataclass(frozen=True, slots=True, eq=False)
class ServerBlock:
    """One server block: its keys and what its directives yielded.

    Attributes:
        keys: at least one.
        hosts: addresses to bind, from ``bind``; empty means every address.
        values: in plugin order; several of one type where a directive may repeat.
        position: of its first key.
    """

    keys: tuple[Key, ...]
    hosts: tuple[str, ...]
    values: tuple[object, ...]
    position: Position

    def get(self, kind: type[V]) -> V | None:
        """Return the block's last value of this type, or None."""
        found = self.all(kind)
        return found[-1] if found else None

    def all(self, kind: type[V]) -> tuple[V, ...]:
        """Return the block's values of this type, in order."""
        return tuple(value for value in self.values if isinstance(value, kind))


@dataclass(frozen=True, slots=True, eq=False)
class Corefile:
    """A whole Corefile.

    Attributes:
        path: as given on the command line.
        blocks: at least one.
        notices: warnings and notices, sorted by place; errors are raised instead.
        fingerprint: hex SHA-256 of the token stream, imports and environment included; the
            ``reload`` directive compares it.
        files: every file that was read, for watching.
    """

    path: str
    blocks: tuple[ServerBlock, ...]
    notices: tuple[Problem, ...]
    fingerprint: str
    files: tuple[str, ...]
