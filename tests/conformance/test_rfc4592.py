"""RFC 4592: the example zone of 2.2.1 and every answer the text says it gives."""

from __future__ import annotations

import pytest

from tests.zonebuilder import ask, lines, serving

SERVED = serving(
    """
$TTL 3600
example.                 SOA ns.example.com. h.example.com. 1 2 3 4 5
example.                 NS  ns.example.com.
example.                 NS  ns.example.net.
*.example.               TXT "this is a wildcard"
*.example.               MX  10 host1.example.
sub.*.example.           TXT "this is not a wildcard"
host1.example.           A   192.0.2.1
_ssh._tcp.host1.example. SRV 0 0 22 host1.example.
_ssh._tcp.host2.example. SRV 0 0 22 host2.example.
subdel.example.          NS  ns.example.com.
subdel.example.          NS  ns.example.net.
""",
    "example.",
)


@pytest.mark.parametrize(
    ("qname", "qtype", "rcode", "answer"),
    [
        # "The following responses would be synthesized from one of the wildcards".
        ("host3.example.", "MX", 0, ["host3.example. 3600 MX 10 host1.example."]),
        ("host3.example.", "A", 0, []),
        ("foo.bar.example.", "TXT", 0, ['foo.bar.example. 3600 TXT "this is a wildcard"']),
        # "would not be synthesized": the name exists,
        ("host1.example.", "MX", 0, []),
        ("sub.*.example.", "MX", 0, []),
        # the closest encloser has no wildcard,
        ("_telnet._tcp.host1.example.", "SRV", 3, []),
        # (below a cut)
        ("host.subdel.example.", "A", 0, []),
        # and a wildcard does not cover what is below its own name.
        ("ghost.*.example.", "MX", 3, []),
        # 2.2.2, 2.2.3: empty non-terminals exist, host2 by its service.
        ("host2.example.", "TXT", 0, []),
        ("_tcp.host2.example.", "TXT", 0, []),
        # 2.3: the wildcard's own name is a name like any other.
        ("*.example.", "TXT", 0, ['*.example. 3600 TXT "this is a wildcard"']),
        ("sub.*.example.", "TXT", 0, ['sub.*.example. 3600 TXT "this is not a wildcard"']),
    ],
)
def test_section_2_2_1(qname: str, qtype: str, rcode: int, answer: list[str]) -> None:
    """RFC 4592 2.2.1, 3.3.1."""
    message = ask(SERVED, qname, qtype)
    assert message.rcode() == rcode
    assert lines(message.answer) == answer


def test_below_the_cut_is_a_referral() -> None:
    """RFC 4592 4.2: the cut comes before any wildcard."""
    message = ask(SERVED, "host.subdel.example.", "A")
    assert not message.flags & 0x0400
    assert [line.split()[0] for line in lines(message.authority)] == ["subdel.example."] * 2
