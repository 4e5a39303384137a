"""Find what a zone says about a name (RFC 1034 4.3.2 step 3, RFC 4592, RFC 6672).

Pure: knows nothing of messages, sections or sockets. The outcome is a closed union; whoever
matches it ends with ``assert_never``, so that a new outcome breaks mypy and not production.
"""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.zone.node import Node, RRset


@dataclass(frozen=True, slots=True)
class Match:
    """The name exists and has the type.

    Attributes:
        rrsets: what answers; several only for ANY.
        node: where they stand (for additional data and denial).
        wildcard: the source of synthesis' key when the answer is synthesised, else None.
        encloser: key of the closest encloser (the name itself when not synthesised).
    """

    rrsets: tuple[RRset, ...]
    node: Node
    encloser: bytes
    wildcard: bytes | None = None


@dataclass(frozen=True, slots=True)
class NoData:
    """The name exists (or a wildcard stands for it), the type does not. ENTs too."""

    encloser: bytes
    wildcard: bytes | None = None


@dataclass(frozen=True, slots=True)
class NxDomain:
    """Neither the name nor a wildcard that covers it exists."""

    encloser: bytes


@dataclass(frozen=True, slots=True)
class Referral:
    """The name is at or below a zone cut.

    Attributes:
        cut: key of the cut.
        owner: the cut's name, wire form, stored spelling.
        node: the cut, with its NS RRset and perhaps DS.
    """

    cut: bytes
    owner: bytes
    node: Node


@dataclass(frozen=True, slots=True)
class Alias:
    """A CNAME, or a DNAME above the name.

    Attributes:
        rrset: the CNAME or DNAME RRset.
        owner: its owner, wire form: the query name for CNAME, the DNAME's owner otherwise.
        target: where the query goes on, wire form; None when a DNAME substitution is too long
            (YXDOMAIN, RFC 6672 2.2).
        encloser: key of the closest encloser.
        wildcard: the source of synthesis' key for a wildcard CNAME, else None.
    """

    rrset: RRset
    owner: bytes
    target: bytes | None
    encloser: bytes
    wildcard: bytes | None = None


Outcome = Match | NoData | NxDomain | Referral | Alias
