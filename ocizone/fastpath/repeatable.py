"""Which replies may be given again: those that depend on the question and the snapshot alone.

Pure. docs/performance.md has the list for operators. Not here: how they are given (fastpath.table),
and whether the query log wants to see each.
"""

from __future__ import annotations

from typing import Final

from ocizone.answer.blocks import Block, Loaded
from ocizone.answer.respond import Reply
from ocizone.fastpath.form import COOKIE_OCTETS
from ocizone.limits import UDP_PAYLOAD_OCTETS
from ocizone.wire.codes import (
    CLASS_IN,
    NOERROR,
    NXDOMAIN,
    TYPE_AXFR,
    TYPE_CNAME,
    TYPE_DNAME,
    TYPE_IXFR,
)

_HEADER: Final = 12
_ALIASES: Final = frozenset({TYPE_CNAME, TYPE_DNAME})
_TRANSFERS: Final = frozenset({TYPE_AXFR, TYPE_IXFR})


def is_repeatable(reply: Reply, *, alike: bool) -> bool:
    """Tell whether a reply would be the same for anybody else and later.

    Args:
        reply: of ``respond``, to a query without options but cookies.
        alike: every block of the listener answers everybody alike: else an alias may lead where
            some may not go.
    """
    query, block = reply.query, reply.block
    if query is None or block is None or reply.zone is None:
        return False
    if reply.rcode not in (NOERROR, NXDOMAIN) or query.qclass != CLASS_IN:
        return False
    if query.tsig is not None or query.qtype in _TRANSFERS:
        return False
    zone = block.zones.get(reply.zone)
    if not isinstance(zone, Loaded) or zone.catalog or not is_plain(block):
        return False
    return alike or not _begins_with_alias(reply.wire, _HEADER + len(query.question))


def cap_of(block: Block) -> int:
    """Return how many octets a response over UDP may have at most (RFC 6891 6.2.5)."""
    wanted = block.policy.bufsize
    return UDP_PAYLOAD_OCTETS if wanted is None else wanted.octets


def is_plain(block: Block) -> bool:
    """Tell whether a block's replies are alike for all clients and at all times."""
    return answers_all_alike(block) and block.policy.loadbalance is None


def answers_all_alike(block: Block) -> bool:
    """Tell whether a block's replies are alike for all clients."""
    policy = block.policy
    return not policy.acl and policy.tsig is None and not policy.whoami


def _begins_with_alias(wire: bytes, at: int) -> bool:
    """Tell whether the first record behind the question is an alias; its owner is a pointer."""
    rrtype = int.from_bytes(wire[at + 2 : at + 4])
    return bool(int.from_bytes(wire[6:8])) and (wire[at] < 0xC0 or rrtype in _ALIASES)


def ends_in_cookies(wire: bytes, block: Block) -> bool:
    """Tell whether a response to a query with a cookie ends in both cookies."""
    option = wire[-COOKIE_OCTETS - 4 : -COOKIE_OCTETS]
    return block.policy.cookies == "on" and option == b"\x00\x0a\x00\x18"
