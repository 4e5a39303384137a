"""RFC 2308: what a denial looks like."""

from __future__ import annotations

import pytest

from tests.zonebuilder import ask, lines, serving

SERVED = serving(
    """
@     3600 SOA ns h 1 7200 3600 1209600 300
@     3600 NS ns
ns    3600 A 192.0.2.1
alias 3600 CNAME gone
half  3600 CNAME ns
""",
    "example.",
)
SOA = ["example. 300 SOA ns.example. h.example. 1 7200 3600 1209600 300"]


@pytest.mark.parametrize(
    ("qname", "qtype", "rcode", "answers"),
    [
        # 2.1: NXDOMAIN, and behind a CNAME (2.1, "the rcode is about the last name").
        ("gone.example.", "A", 3, 0),
        ("alias.example.", "A", 3, 1),
        # 2.2: NODATA, and behind a CNAME.
        ("ns.example.", "MX", 0, 0),
        ("half.example.", "MX", 0, 1),
    ],
)
def test_denial(qname: str, qtype: str, rcode: int, answers: int) -> None:
    """RFC 2308 2.1, 2.2 (type 2: SOA, no NS), 3 and 5 (TTL is min(SOA TTL, MINIMUM))."""
    message = ask(SERVED, qname, qtype)
    assert (message.rcode(), len(message.answer)) == (rcode, answers)
    assert lines(message.authority) == SOA
    assert message.flags & 0x0400
