"""Types and rdata as text: what is read without dnspython is read as dnspython reads it."""

from __future__ import annotations

import subprocess
import sys

import dns.name
import dns.rdata
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.wire.codes import TYPE_A, TYPE_SOA
from ocizone.wire.name import from_text
from ocizone.zone import rdata as rr
from ocizone.zone.rdata import BadRdataError, rdata_from_text, rdata_text, type_name, type_number

ORIGIN = from_text("Example.org.")
WORD = st.from_regex(r"[-A-Za-z0-9_.*/]{1,20}|@", fullmatch=True)
NUMBER = st.integers(0, 2**33).map(str)


def judged(text: str) -> bytes | None:
    """Return SOA rdata as dnspython reads it, None when it refuses."""
    origin = dns.name.from_text("Example.org.")
    try:
        return dns.rdata.from_text("IN", "SOA", text, origin, relativize=False).to_wire()
    except dns.exception.DNSException:
        return None


@settings(max_examples=200, deadline=None)
@given(WORD, WORD, st.lists(NUMBER, min_size=4, max_size=6))
def test_soa_is_read_alike(mname: str, rname: str, numbers: list[str]) -> None:
    """Where the quick way takes a SOA, it takes what dnspython takes (RFC 1035 3.3.13)."""
    text = " ".join([mname, rname, *numbers])
    expected = judged(text)
    try:
        assert rdata_from_text(TYPE_SOA, text, ORIGIN) == expected
    except BadRdataError:
        assert expected is None


@pytest.mark.parametrize(
    ("text", "quick"),
    [
        ("ns h 1 2 3 4 5", True),
        ("@ Host.Example.com. 4294967295 0 0 0 0", True),
        ("ns h 4294967296 2 3 4 5", False),
        ("a..b h 1 2 3 4 5", False),
        ("ns a\\.b 1 2 3 4 5", False),
        ("ns h 1 1h 3 4 5", False),
        (f"{'a' * 64} h 1 2 3 4 5", False),
    ],
)
def test_soa_the_quick_way(monkeypatch: pytest.MonkeyPatch, text: str, quick: bool) -> None:
    """The common way needs no dnspython; everything else is left to it."""
    expected = judged(text)
    monkeypatch.setitem(sys.modules, "dns.rdata", None)
    if quick:
        assert rdata_from_text(TYPE_SOA, text, ORIGIN) == expected
    else:
        with pytest.raises(ImportError):
            rdata_from_text(TYPE_SOA, text, ORIGIN)


def test_common_types() -> None:
    """Their names and numbers are the registry's."""
    for name, number in rr._COMMON.items():
        assert dns.rdatatype.from_text(name) == number
        assert (type_number(name), type_name(number)) == (number, name)
    assert (type_number("CAA"), type_name(257)) == (257, "CAA")
    assert [type_number(word) for word in ("TYPE0", "ANY", "AXFR", "NONSENSE")] == [None] * 4


@pytest.mark.parametrize(
    ("rrtype", "rdata", "text"),
    [
        (TYPE_A, b"\xc0\x00\x02\x01", "192.0.2.1"),
        (15, b"\x00\x0a\x01a\x00", "10 a."),
        (65280, b"\xab\xcd", r"\# 2 abcd"),
        # What a zone cannot hold is shown all the same.
        (TYPE_A, b"\xc0", r"\# 1 c0"),
        (15, b"\x00", r"\# 1 00"),
    ],
)
def test_rdata_text(rrtype: int, rdata: bytes, text: str) -> None:
    """Presentation form, or the form any rdata has (RFC 3597 5)."""
    assert rdata_text(rrtype, rdata) == text


def test_a_plain_zone_needs_no_dnspython() -> None:
    """It takes a sixth of a small compilation's time to import."""
    code = """
import sys
from ocizone.findings import Findings
from ocizone.zone.check import check_zone
from ocizone.zone.content import gather
from ocizone.zone.masterfile import read_master
text = b"$TTL 5\\n@ SOA ns h (\\n 1 ; serial\\n 2 3 4 5 )\\n@ NS ns\\nns A 192.0.2.1\\nw TXT x\\n"
findings = Findings()
content = gather(read_master(text, file="f", origin=b"\\x01a\\x00", findings=findings), b"\\x01a\\x00", findings)
check_zone(content, findings, "f")
assert not findings.problems(), findings.problems()
print("dns" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "False\n"
