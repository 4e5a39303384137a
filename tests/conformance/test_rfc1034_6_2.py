"""RFC 1034 section 6: its zones, asked its questions.

The server of the example is C.ISI.EDU: it has the root zone and EDU.
"""

from __future__ import annotations

import pytest

from ocizone.answer.blocks import Loaded
from tests.zonebuilder import ask, block, lines, snapshot, zone

ROOT = """
$TTL 86400
.           SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400
.           NS A.ISI.EDU.
.           NS C.ISI.EDU.
.           NS SRI-NIC.ARPA.
MIL.        NS SRI-NIC.ARPA.
MIL.        NS A.ISI.EDU.
EDU.        NS SRI-NIC.ARPA.
EDU.        NS C.ISI.EDU.
SRI-NIC.ARPA. A 26.0.0.73
SRI-NIC.ARPA. A 10.0.0.51
SRI-NIC.ARPA. MX 0 SRI-NIC.ARPA.
ACC.ARPA.   A 26.6.0.65
ACC.ARPA.   HINFO PDP-11/70 UNIX
ACC.ARPA.   MX 10 ACC.ARPA.
USC-ISIC.ARPA. CNAME C.ISI.EDU.
73.0.0.26.IN-ADDR.ARPA. PTR SRI-NIC.ARPA.
65.0.6.26.IN-ADDR.ARPA. PTR ACC.ARPA.
51.0.0.10.IN-ADDR.ARPA. PTR SRI-NIC.ARPA.
52.0.0.10.IN-ADDR.ARPA. PTR C.ISI.EDU.
103.0.3.26.IN-ADDR.ARPA. PTR A.ISI.EDU.
A.ISI.EDU.  A 26.3.0.103
C.ISI.EDU.  A 10.0.0.52
"""
EDU = """
$TTL 172800
@           86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870729 1800 300 604800 86400
@           86400 NS SRI-NIC.ARPA.
@           86400 NS C.ISI.EDU.
UCI         NS ICS.UCI
UCI         NS ROME.UCI
ICS.UCI     A 192.5.19.1
ROME.UCI    A 192.5.19.31
ISI         NS VAXA.ISI
ISI         NS A.ISI
ISI         NS VENERA.ISI.EDU.
VAXA.ISI    A 10.2.0.27
VAXA.ISI    A 128.9.0.33
VENERA.ISI  A 10.1.0.52
VENERA.ISI  A 128.9.0.32
A.ISI       A 26.3.0.103
"""
SERVED = snapshot(
    block(".", {".": Loaded(zone(ROOT, ".")), "edu.": Loaded(zone(EDU, "edu."))}),
)
NIC = ["SRI-NIC.ARPA. 86400 A 10.0.0.51", "SRI-NIC.ARPA. 86400 A 26.0.0.73"]
MX = "SRI-NIC.ARPA. 86400 MX 0 SRI-NIC.ARPA."
SOA = [". 86400 SOA SRI-NIC.ARPA. HOSTMASTER.SRI-NIC.ARPA. 870611 1800 300 604800 86400"]
ROOT_NS = [". 86400 NS A.ISI.EDU.", ". 86400 NS C.ISI.EDU.", ". 86400 NS SRI-NIC.ARPA."]
ALIAS = "USC-ISIC.ARPA. 86400 CNAME C.ISI.EDU."
ISI = ["ISI.EDU. 172800 NS A.ISI.EDU.", "ISI.EDU. 172800 NS VAXA.ISI.EDU.", "ISI.EDU. 172800 NS VENERA.ISI.EDU."]  # fmt: skip


@pytest.mark.parametrize(
    ("qname", "qtype", "rcode", "aa", "answer", "authority"),
    [
        # 6.2.1; the root's NS in authority are today's habit (NSD, BIND).
        ("SRI-NIC.ARPA.", "A", 0, True, NIC, ROOT_NS),
        # 6.2.2
        ("SRI-NIC.ARPA.", "ANY", 0, True, [*NIC, MX], ROOT_NS),
        # 6.2.3
        ("SRI-NIC.ARPA.", "MX", 0, True, [MX], ROOT_NS),
        # 6.2.4: no data; the SOA came with RFC 2308.
        ("SRI-NIC.ARPA.", "NS", 0, True, [], SOA),
        # 6.2.5
        ("SIR-NIC.ARPA.", "A", 3, True, [], SOA),
        # 6.2.6
        ("BRL.MIL.", "A", 0, False, [], ["MIL. 86400 NS A.ISI.EDU.", "MIL. 86400 NS SRI-NIC.ARPA."]),
        # 6.2.7: the RFC answers with the A it has as glue. RFC 2181 6.1 took that back: what is
        # below a cut is not ours to answer, so the client is referred to ISI.EDU.
        ("USC-ISIC.ARPA.", "A", 0, True, [ALIAS], ISI),
        # 6.2.8
        ("USC-ISIC.ARPA.", "CNAME", 0, True, [ALIAS], ROOT_NS),
    ],
)  # fmt: skip
def test_section_6_2(
    qname: str,
    qtype: str,
    rcode: int,
    aa: bool,
    answer: list[str],
    authority: list[str],
) -> None:
    """RFC 1034 6.2.1 to 6.2.8."""
    message = ask(SERVED, qname, qtype)
    assert (message.rcode(), bool(message.flags & 0x0400)) == (rcode, aa)
    assert [line.lower() for line in lines(message.answer)] == [line.lower() for line in answer]
    found = [line.lower() for line in lines(message.authority)]
    assert found == [line.lower() for line in authority]


def test_additional_of_6_2_3_and_6_2_6() -> None:
    """Both bring the addresses of what they point at."""
    mail = lines(ask(SERVED, "SRI-NIC.ARPA.", "MX").additional)
    assert set(NIC) <= set(mail)
    referral = lines(ask(SERVED, "BRL.MIL.", "A").additional)
    assert referral == ["A.ISI.EDU. 86400 A 26.3.0.103", *NIC]


def test_ds_of_the_child_is_the_parents() -> None:
    """RFC 4035 3.1.4.1: both zones are here; the root knows there is no DS."""
    assert lines(ask(SERVED, "EDU.", "DS").authority) == SOA
