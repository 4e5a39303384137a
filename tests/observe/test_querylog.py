"""The query log: rules, classes and formats of CoreDNS' ``log`` (corefile.md 2.9)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone.answer.blocks import Transport
from ocizone.observe.printable import printable
from ocizone.observe.querylog import Line, classes_of, rule_for, text_of, type_text
from ocizone.plugins.log import COMBINED, COMMON, LogRule
from ocizone.wire.name import from_text, join
from tests.zonebuilder import UDP

ALL = frozenset({"all"})


def reply(*, rcode: int = 0, answer: str = "", authority: str = "", flags: int = 0) -> bytes:
    """Return a response to ``www.example.org A`` with at most one record a section."""
    message = dns.message.make_response(dns.message.make_query("www.example.org", "A", id=4660))
    message.set_rcode(dns.rcode.Rcode(rcode))
    message.flags |= flags
    for text, section in ((answer, message.answer), (authority, message.authority)):
        if text:
            owner, rrtype, rdata = text.split(" ", 2)
            section.append(dns.rrset.from_text(owner, 300, "IN", rrtype, rdata))
    return message.to_wire()


SOA = "example.org. SOA ns.example.org. h.example.org. 1 2 3 4 5"
NS = "sub.example.org. NS ns.sub.example.org."
A = "www.example.org. A 192.0.2.1"


@pytest.mark.parametrize(
    ("wire", "qtype", "rcode", "kind"),
    [
        (reply(answer=A), 1, 0, "success"),
        (reply(authority=NS), 1, 0, "success"),
        (reply(), 1, 0, "success"),
        (reply(authority=SOA), 1, 0, "denial"),
        (reply(rcode=3, authority=SOA), 1, 3, "denial"),
        (reply(rcode=3), 1, 3, "denial"),
        (reply(rcode=3, answer=A), 1, 3, "error"),
        (reply(rcode=2), 1, 2, "error"),
        (reply(rcode=5), 1, 5, "error"),
        (reply(answer=A), 252, 0, "error"),
        (reply(answer=A), 251, 0, "error"),
    ],
)  # fmt: skip
def test_a_reply_is_of_one_class(wire, qtype, rcode, kind):
    """success: answers and delegations; denial: NODATA, NXDOMAIN; error: everything else."""
    assert classes_of(wire, qtype, rcode) == {"all", kind}


def test_the_first_rule_with_a_matching_name_decides():
    """Also when its class then suppresses the line."""
    org = LogRule((from_text("org"),), "1", frozenset({"error"}))
    com = LogRule((from_text("net"), from_text("com")), "2", ALL)
    every = LogRule((b"\0",), "3", ALL)
    rules = (org, com, every)
    assert rule_for(rules, from_text("www.example.org")) is org
    assert rule_for(rules, from_text("com")) is com
    assert rule_for(rules, from_text("xorg")) is every
    assert rule_for((org,), from_text("edu")) is None


LINE = Line(
    qname=from_text("www.example.org"),
    qtype=1,
    qclass=1,
    message_id=4660,
    dnssec_ok=False,
    bufsize=None,
    request_octets=33,
    reply=reply(answer=A, flags=dns.flags.AA),
    reply_octets=len(reply(answer=A, flags=dns.flags.AA)),
    transport=UDP,
    seconds=0.000123,
)


def text(template: str, rcode: int = 0, **changed: Any) -> str:
    return text_of(LogRule((b"\0",), template, ALL), replace(LINE, **changed), rcode)


def test_the_common_format():
    """The line every CoreDNS log reader knows."""
    assert text(COMMON) == (
        '192.0.2.53:40000 - 4660 "A IN www.example.org. udp 33 false 512" NOERROR qr,aa,rd 49'
        " 0.000123000s"
    )


def test_the_combined_format():
    """Common, and the opcode."""
    assert text(COMBINED) == text(COMMON) + ' "0"'


TCP6 = Transport("tcp", "dns://[::1]:53", "2001:db8::1", 5)


@pytest.mark.parametrize(
    ("template", "changed", "shown"),
    [
        ("{remote}", {"transport": TCP6}, "[2001:db8::1]"),
        ("{port} {proto} {local}", {"transport": TCP6}, "5 tcp dns://[::1]:53"),
        ("{>bufsize}", {}, "512"),
        ("{>bufsize}", {"bufsize": 100}, "512"),
        ("{>bufsize}", {"bufsize": 4096}, "4096"),
        ("{>bufsize}", {"bufsize": 4096, "transport": TCP6}, "65535"),
        ("{>do}", {"dnssec_ok": True}, "true"),
        ("{type}", {"qtype": 65}, "HTTPS"),
        ("{type}", {"qtype": 65_280}, "TYPE65280"),
        ("{class}", {"qclass": 3}, "CH"),
        ("{class}", {"qclass": 4711}, "CLASS4711"),
        ("{>id} {size} {rsize}", {}, "4660 33 49"),
        ("{>rflags}", {"reply": bytes(12)}, "-"),
        ("{>rflags}", {"reply": b"\0\0\x87\xb0" + bytes(8)}, "qr,aa,tc,rd,ra,ad,cd"),
        ("{>opcode}", {"reply": b"\0\0\xa8\0" + bytes(8)}, "5"),
        ("{nosuch} {} {Name} { name }", {}, "{nosuch} {} {Name} { name }"),
        ("{/log/type}", {}, "-"),
        ("{{name}}", {}, "{www.example.org.}"),
    ],
)
def test_placeholders(template, changed, shown):
    """Unknown ones stay literal, missing values are ``-``."""
    assert text(template, **changed) == shown


@pytest.mark.parametrize(("rcode", "shown"), [(3, "NXDOMAIN"), (16, "BADVERS"), (4000, "4000")])
def test_rcodes_are_mnemonics_or_numbers(rcode, shown):
    """Extended ones too."""
    assert text("{rcode}", rcode) == shown


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=5))
def test_a_hostile_name_makes_one_line(labels):
    """LF, ESC, NUL, quotes, ``%s``, ``{}``: one line, nothing raw."""
    line = printable(text(COMMON, qname=join(labels)))
    assert not re.search("[\x00-\x1f\x7f-\x9f]", line)
    assert line.endswith(" NOERROR qr,aa,rd 49 0.000123000s")
    # What is between the quotes is one name: no space or quote of a label ends it early.
    assert re.fullmatch(r'[^"]+"A IN \S+ udp 33 false 512"[^"]+', line.replace('\\"', ""))


def test_a_name_is_not_a_format():
    """Substituted once: ``{rcode}`` in a name stays what the client sent."""
    assert text("{name}", qname=from_text(r"{rcode}.org")) == "{rcode}.org."


def test_types_without_a_name():
    """RFC 3597 5."""
    assert (type_text(1), type_text(4711)) == ("A", "TYPE4711")
