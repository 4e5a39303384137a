"""RFC 6672: the substitution table of 2.2, and DNAME beside other data."""

from __future__ import annotations

import pytest

from tests.zonebuilder import ask, lines, serving

HEAD = "@ 9 SOA ns.elsewhere. h.elsewhere. 1 2 3 4 5\n@ 9 NS ns.elsewhere.\n"


@pytest.mark.parametrize(
    ("qname", "owner", "target", "cname"),
    [
        ("com.", "example.com.", "example.net.", None),
        ("example.com.", "example.com.", "example.net.", None),
        ("a.example.com.", "example.com.", "example.net.", "a.example.net."),
        ("a.b.example.com.", "example.com.", "example.net.", "a.b.example.net."),
        ("ab.example.com.", "b.example.com.", "example.net.", None),
        ("foo.example.com.", "example.com.", "example.net.", "foo.example.net."),
        ("a.x.example.com.", "x.example.com.", "example.net.", "a.example.net."),
        ("a.example.com.", "example.com.", "y.example.net.", "a.y.example.net."),
        ("cyc.example.com.", "example.com.", "example.com.", "cyc.example.com."),
        ("cyc.example.com.", "example.com.", "c.example.com.", "cyc.c.example.com."),
        ("shortloop.x.x.", "x.", ".", "shortloop.x."),
        ("shortloop.x.", "x.", ".", "shortloop."),
    ],
)
def test_table_1(qname: str, owner: str, target: str, cname: str | None) -> None:
    """RFC 6672 2.2, table 1; the first CNAME is the substitution."""
    served = serving(f"{HEAD}{owner} 9 DNAME {target}\n", owner.split(".")[-2] + ".")
    answer = ask(served, qname, "A").answer
    if cname is None:
        assert not answer
        return
    dname, synthesized = answer[:2]
    assert dname.to_text() == f"{owner} 9 IN DNAME {target}"
    assert synthesized.to_text() == f"{qname} 9 IN CNAME {cname}"


ZONE = (
    HEAD
    + """
d     9 DNAME t
d     9 TXT "beside"
x.d   9 TXT "occluded"
t     9 TXT "target"
x.t   9 TXT "found"
"""
)


@pytest.mark.parametrize(
    ("qname", "qtype", "types"),
    [
        # 2.3: the DNAME redirects what is below it, not itself.
        ("d.example.", "TXT", ["TXT"]),
        ("d.example.", "DNAME", ["DNAME"]),
        ("d.example.", "A", []),
        # 2.4: what lies below a DNAME is not seen.
        ("x.d.example.", "TXT", ["CNAME", "DNAME", "TXT"]),
        # 3.2: DNAME is asked of the redirected name as well.
        ("x.d.example.", "DNAME", ["CNAME", "DNAME"]),
    ],
)
def test_beside_and_below(qname: str, qtype: str, types: list[str]) -> None:
    """RFC 6672 2.3, 2.4, 3.2."""
    message = ask(serving(ZONE, "example."), qname, qtype)
    assert sorted(line.split()[2] for line in lines(message.answer)) == types
    assert all("occluded" not in line for line in lines(message.answer))
