"""wire.render: octets that dnspython reads back, in the size they may have."""

from __future__ import annotations

from dataclasses import dataclass

import dns.edns
import dns.flags
import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.wire.edns import Edns
from ocizone.wire.name import from_text, to_text
from ocizone.wire.query import Query, Reject
from ocizone.wire.render import Answer, Section, least_octets, render, render_reject


@dataclass(frozen=True, slots=True)
class Plain:
    """Records without a zone."""

    rrtype: int
    ttl: int
    rdatas: tuple[bytes, ...]
    signatures: tuple[bytes, ...] = ()


def query(qname: str = "www.example.org.", qtype: str = "A", edns: Edns | None = None) -> Query:
    name = from_text(qname)
    tail = int(dns.rdatatype.from_text(qtype)).to_bytes(2) + b"\x00\x01"
    return Query(7, 0x0100, name, name.lower(), int.from_bytes(tail[:2]), 1, name + tail, edns)


def records(owner: str, rrtype: str, *texts: str, ttl: int = 300) -> tuple[bytes, Plain]:
    kind = dns.rdatatype.from_text(rrtype)
    rdatas = tuple(
        dns.rdata.from_text(dns.rdataclass.IN, kind, text).to_wire() or b"" for text in texts
    )
    return from_text(owner), Plain(int(kind), ttl, rdatas)


def meant(section: Section) -> list[tuple[str, int, int, str]]:
    """Return what a section should read as."""
    return sorted(
        (to_text(owner).lower(), rrset.rrtype, rrset.ttl, rdata.lower().hex())
        for owner, rrset in section
        for rdata in rrset.rdatas
    )


def read(section: list[dns.rrset.RRset]) -> list[tuple[str, int, int, str]]:
    """Return what dnspython reads in a section, names decompressed."""
    return sorted(
        (
            rrset.name.to_text().lower(),
            int(rrset.rdtype),
            rrset.ttl,
            (rdata.to_wire() or b"").lower().hex(),
        )
        for rrset in section
        for rdata in rrset
    )


def test_header_and_question() -> None:
    """RFC 1035 4.1.1: id, QR, AA, RD as asked; the question octet for octet."""
    asked = query("wWw.eXample.oRg.")
    wire = render(asked, Answer(aa=True), 512).wire
    assert wire[:12].hex() == "0007" + "8500" + "0001" + "0000" * 3
    assert wire[12:] == asked.question


def test_ad_cd_ra_z_are_clear() -> None:
    """RFC 4035 3.1.6: they are between resolvers."""
    asked = Query(7, 0x01F0 | 0x0200, b"\x00", b"\x00", 1, 1, b"\x00\x00\x01\x00\x01", None)
    assert render(asked, Answer(), 512).wire[2:4].hex() == "8100"


def test_compression_is_tight() -> None:
    """RFC 1035 4.1.4: each name ends in a pointer to the longest ending already there."""
    answer = Answer(
        answer=(records("www.example.org.", "CNAME", "a.b.example.org."),),
        authority=(
            records("example.org.", "NS", "ns1.b.example.org.", "ns2.b.example.org.", "x.org."),
        ),
    )
    wire = render(query(), answer, 512).wire
    question = 17 + 4
    cname = 2 + 10 + (2 + 2 + 2)
    ns = (2 + 10 + 4 + 2) + (2 + 10 + 4 + 2) + (2 + 10 + 2 + 2)
    assert len(wire) == 12 + question + cname + ns
    assert read(dns.message.from_wire(wire).authority) == meant(answer.authority)


def test_compression_ignores_case_and_keeps_what_it_writes() -> None:
    """RFC 4343: names equal but for case share octets; new labels keep their spelling."""
    answer = Answer(answer=(records("www.example.org.", "CNAME", "Mail.Example.ORG."),))
    message = dns.message.from_wire(render(query("wWw.exAmple.org."), answer, 512).wire)
    (cname,) = message.answer[0]
    assert cname.to_text() == "Mail.exAmple.org."
    assert message.answer[0].name.to_text() == "wWw.exAmple.org."


@pytest.mark.parametrize("qname", ["www.example.org.", "WWW.EXAMPLE.ORG.", "wWw.ExAmple.org."])
def test_pointers_do_not_depend_on_the_spelling_of_the_question(qname: str) -> None:
    """A memo of replies copies the question's octets back and nothing else (design 5)."""
    answer = Answer(
        answer=(records("www.example.org.", "A", "192.0.2.1"),),
        authority=(records("example.org.", "NS", "ns.example.org."),),
    )
    reference = render(query(), answer, 512).wire
    asked = query(qname)
    wire = render(asked, answer, 512).wire
    assert wire == reference[:12] + asked.question + reference[12 + len(asked.question) :]


@pytest.mark.parametrize(
    ("rrtype", "text", "octets"),
    [
        ("NS", "ns.example.org.", 5),
        ("PTR", "ns.example.org.", 5),
        ("MX", "10 ns.example.org.", 7),
        ("SOA", "ns.example.org. h.example.org. 1 2 3 4 5", 5 + 4 + 20),
        # RFC 3597 4: no other type, however well known (RFC 2782, 6672 2.5, 9460 2.2).
        ("SRV", "0 0 0 ns.example.org.", 6 + 16),
        ("DNAME", "ns.example.org.", 16),
        ("HTTPS", "1 ns.example.org.", 2 + 16),
        ("RP", "ns.example.org. .", 17),
        ("NSEC", "ns.example.org. A", 16 + 3),
        ("TYPE65280", r"\# 3 010203", 3),
    ],
)
def test_which_rdata_is_compressed(rrtype: str, text: str, octets: int) -> None:
    """RFC 3597 4: names in the types of RFC 1035 and nowhere else."""
    answer = Answer(answer=(records("www.example.org.", rrtype, text),))
    wire = render(query(), answer, 512).wire
    rdlength = int.from_bytes(wire[33 + 10 : 33 + 12])
    assert rdlength == octets
    assert read(dns.message.from_wire(wire).answer) == meant(answer.answer)


@pytest.mark.parametrize(
    ("rrtype", "prefix"),
    [
        ("AFSDB", "1"),
        ("RT", "1"),
        ("SRV", "0 0 0"),
        ("KX", "1"),
        ("DNAME", ""),
        ("SVCB", "1"),
        ("HTTPS", "1"),
    ],
)
def test_a_name_that_stays_whole_is_pointed_at(rrtype: str, prefix: str) -> None:
    """RFC 1035 4.1.4: any prior occurrence will do; BIND is as tight."""
    answer = records("www.example.org.", rrtype, f"{prefix} Host.Elsewhere.NET.")
    address = records("host.elsewhere.net.", "A", "192.0.2.1")
    other = records("ns.elsewhere.net.", "A", "192.0.2.1")
    alone = len(render(query(), Answer(answer=(answer,)), 512).wire)
    message = render(query(), Answer(answer=(answer, address, other)), 512).wire
    assert len(message) - alone == (2 + 10 + 4) + (3 + 2 + 10 + 4)
    assert read(dns.message.from_wire(message).answer) == meant((answer, address, other))


def test_the_next_name_of_an_nsec_is_pointed_at() -> None:
    """RFC 4034 4.1.1 keeps it whole; the NSEC that follows begins there."""
    first = records("a.example.org.", "NSEC", "long-label.b.example.org. A")
    second = records("long-label.b.example.org.", "NSEC", "c.example.org. A")
    alone = len(render(query(), Answer(answer=(first,)), 512).wire)
    both = render(query(), Answer(answer=(first, second)), 512).wire
    assert len(both) - alone == 2 + 10 + len(second[1].rdatas[0])
    assert read(dns.message.from_wire(both).answer) == meant((first, second))


@pytest.mark.parametrize("rrtype", ["TXT", "SRV"])
def test_no_pointer_reaches_beyond_16_kib(rrtype: str) -> None:
    """RFC 1035 4.1.4: a pointer has 14 bits."""
    big = '"' + "x" * 200 + '"'
    many = tuple(
        records(f"n{n}.far.example.", "TXT", "first", big)
        if rrtype == "TXT"
        else records(f"n{n}.far.example.", "SRV", f"0 0 0 {'t' * 60}.{'u' * 60}.t{n - n % 2}.")
        for n in range(240)
    )
    wire = render(query(), Answer(answer=many), 65535).wire
    assert len(wire) > 0x8000
    assert read(dns.message.from_wire(wire).answer) == meant(many)


# --- Truncation ------------------------------------------------------------------------------

ANSWER = records("www.example.org.", "A", *(f"192.0.2.{n}" for n in range(1, 11)))
BIG = records("www.example.org.", "TXT", *(f'"{n}{"x" * 90}"' for n in range(6)))
NS = records("example.org.", "NS", "ns.example.org.")


def test_required_records_that_do_not_fit_set_tc() -> None:
    """RFC 2181 9: no part of an RRset; nothing behind it either."""
    rendered = render(query(), Answer(answer=(ANSWER, BIG), authority=(NS,)), 512)
    message = dns.message.from_wire(rendered.wire)
    assert rendered.truncated
    assert message.flags & dns.flags.TC
    assert read(message.answer) == meant((ANSWER,))
    assert not message.authority


def test_the_limit_itself_fits() -> None:
    """512 octets are in 512."""
    record = (from_text("www.example.org."), Plain(65280, 1, (bytes(512 - 33 - 12),)))
    exact = render(query(), Answer(answer=(record,)), 512)
    assert (len(exact.wire), exact.truncated) == (512, False)
    assert render(query(), Answer(answer=(record,)), 511).truncated


@pytest.mark.parametrize(
    ("answer", "truncated"),
    [
        (Answer(answer=(ANSWER,), authority=(BIG,)), True),
        (Answer(answer=(ANSWER,), authority=(BIG,), courtesy_ns=True), False),
        # RFC 9471 2.1: glue of the delegation itself must be there, or TC.
        (Answer(authority=(NS,), glue=(BIG,)), True),
        (Answer(authority=(NS,), additional=(BIG,)), False),
    ],
)
def test_what_may_be_left_out_in_silence(answer: Answer, truncated: bool) -> None:
    """RFC 2181 9: TC is for records that have to be there."""
    rendered = render(query(), answer, 512)
    message = dns.message.from_wire(rendered.wire)
    assert rendered.truncated == truncated
    assert len(rendered.wire) <= 512
    assert b"x" * 90 not in rendered.wire
    assert read(message.answer) == meant(answer.answer)


def test_names_taken_back_are_not_pointed_at() -> None:
    """CVE-2016-2776 and its kin: what was rolled back leaves nothing behind."""
    lost = (
        from_text("lost.example.org."),
        Plain(16, 300, tuple(b"\xff" + b"x" * 255 for _ in range(2))),
    )
    kept = records("lost.example.org.", "A", "192.0.2.1")
    answer = Answer(authority=(lost,), courtesy_ns=True, additional=(kept,))
    message = dns.message.from_wire(render(query(), answer, 512).wire)
    assert read(message.additional) == meant((kept,))


def test_signatures_stand_or_fall_with_their_rrset() -> None:
    """RFC 4035 3.1.1: with DO the RRset and its RRSIGs; both or neither."""
    owner, plain = ANSWER
    small = Plain(1, 300, plain.rdatas, (b"\x00\x01" + bytes(16) + b"\x00" + b"s" * 100,))
    large = Plain(1, 300, plain.rdatas, (b"\x00\x01" + bytes(16) + b"\x00" + b"s" * 400,))
    asked = query(edns=Edns(512, do=True))
    fits = render(asked, Answer(answer=((owner, small),)), 512)
    assert not fits.truncated
    assert [int(r.rdtype) for r in dns.message.from_wire(fits.wire).answer] == [1, 46]
    over = render(asked, Answer(answer=((owner, large),)), 512)
    assert over.truncated
    assert not dns.message.from_wire(over.wire).answer
    without = render(query(edns=Edns(512)), Answer(answer=((owner, large),)), 512)
    assert len(dns.message.from_wire(without.wire).answer) == 1


def test_one_record_larger_than_any_message() -> None:
    """CVE-2016-2776: 65,535 octets of rdata fit no message; TC, and no exception."""
    huge = (from_text("www.example.org."), Plain(65280, 1, (bytes(65_535),)))
    rendered = render(query(), Answer(answer=(huge,)), 65_535)
    assert rendered.truncated
    assert len(rendered.wire) == 33


# --- EDNS ------------------------------------------------------------------------------------


def test_opt_in_the_response() -> None:
    """RFC 6891 6.1.1, 6.1.3; RFC 3225 3 copies DO; RFC 8914; RFC 5001."""
    answer = Answer(rcode=16, error=(20, "why"))
    wire = render(query(edns=Edns(4096, do=True)), answer, 512, ((3, b"ns1"),)).wire
    message = dns.message.from_wire(wire)
    assert message.rcode() == 16
    assert (message.edns, message.payload) == (0, 1232)
    assert message.ednsflags & dns.flags.DO
    nsid, error = message.options
    assert (int(nsid.otype), nsid.to_wire()) == (3, b"ns1")
    assert isinstance(error, dns.edns.EDEOption)
    assert (int(error.code), error.text) == (20, "why")


def test_no_opt_without_one_in_the_query() -> None:
    """RFC 6891 7: a client without EDNS gets none, whatever there would be to say."""
    wire = render(query(), Answer(error=(20, "why")), 512, ((3, b"ns1"),)).wire
    assert dns.message.from_wire(wire).edns == -1


def test_options_make_room() -> None:
    """An NSID that would crowd out the question is left out; the OPT stays."""
    name = ".".join(["x" * 62] * 4) + "."
    rendered = render(query(name, edns=Edns(512)), Answer(), 512, ((3, b"n" * 400),))
    message = dns.message.from_wire(rendered.wire)
    assert (message.edns, message.options) == (0, ())
    assert len(rendered.wire) <= 512


def test_the_first_options_stay() -> None:
    """Those that matter most come first; what behind them still fits is kept, too."""
    options = ((10, bytes(24)), (3, b"n" * 400), (11, b"\x00\x64"))
    name = ".".join(["x" * 30] * 4) + "."
    rendered = render(query(name, edns=Edns(512)), Answer(), 512, options)
    message = dns.message.from_wire(rendered.wire)
    assert [int(option.otype) for option in message.options] == [10, 11]


@pytest.mark.parametrize("tsig_octets", [0, 97])
@pytest.mark.parametrize(("limit", "sizes"), [(65_535, {468, 936}), (600, {468, 600})])
def test_padding(limit: int, sizes: set[int], tsig_octets: int) -> None:
    """RFC 8467 4.1: a multiple of the block with its TSIG, never beyond the limit."""
    found = set()
    for octets in range(1, 560):
        answer = Answer(answer=((b"\x00", Plain(65280, 1, (bytes(octets),))),))
        asked = query(edns=Edns(4096))
        rendered = render(asked, answer, limit, tsig_octets=tsig_octets, padded_to=468)
        if not rendered.truncated:
            found.add(len(rendered.wire) + tsig_octets)
            assert dns.message.from_wire(rendered.wire).edns == 0
    # One octet more than the option's head is too little to pad with.
    assert sizes <= found
    assert found <= sizes | set(range(limit - 3, limit + 1))


@pytest.mark.parametrize(
    ("reject", "rcode", "questions", "edns"),
    [
        (Reject(1, 7, 0x0100, b"", None), 1, 0, -1),
        (Reject(1, 7, 0x0100, query().question, Edns(512)), 1, 1, 0),
        (Reject(16, 7, 0x0100, query().question, Edns(512, 1, do=True)), 16, 1, 0),
        (Reject(4, 7, 0x7900, query().question, None), 4, 1, -1),
    ],
)
def test_rejects(reject: Reject, rcode: int, questions: int, edns: int) -> None:
    """Id, opcode and RD come back; BADVERS names version 0 (RFC 6891 6.1.3)."""
    wire = render_reject(reject)
    assert wire[:2] == b"\x00\x07"
    assert int.from_bytes(wire[2:4]) & 0x7900 == reject.flags & 0x7900
    message = dns.message.from_wire(wire)
    assert (message.rcode(), len(message.question), message.edns) == (rcode, questions, edns)


# --- Law -------------------------------------------------------------------------------------

LABEL = st.text("abAB-", min_size=1, max_size=5).filter(lambda text: text != "-")
NAME = st.lists(LABEL, min_size=1, max_size=5).map(lambda parts: ".".join(parts) + ".example.")
RDATA = (
    st.tuples(st.just("NS"), NAME)
    | st.tuples(st.just("MX"), NAME.map(lambda name: f"5 {name}"))
    | st.tuples(
        st.just("SOA"), st.tuples(NAME, NAME).map(lambda two: f"{two[0]} {two[1]} 1 2 3 4 5")
    )
    | st.tuples(st.just("SRV"), NAME.map(lambda name: f"1 2 3 {name}"))
    | st.tuples(st.just("A"), st.just("192.0.2.1"))
)
SECTION = st.lists(
    st.tuples(NAME, RDATA), max_size=8, unique_by=lambda r: (r[0].lower(), r[1][0])
).map(lambda found: tuple(records(owner, rrtype, text) for owner, (rrtype, text) in found))


@settings(deadline=None)
@given(NAME, SECTION, SECTION, SECTION)
def test_rendered_is_what_was_meant(
    qname: str, answer: Section, authority: Section, additional: Section
) -> None:
    """Dnspython reads the sections that were given, whatever names share."""
    sections = Answer(answer=answer, authority=authority, additional=additional)
    wire = render(query(qname), sections, 65_535).wire
    message = dns.message.from_wire(wire)
    assert read(message.answer) == meant(answer)
    assert read(message.authority) == meant(authority)
    assert read(message.additional) == meant(additional)


@settings(deadline=None)
@given(NAME, SECTION, SECTION, st.integers(512, 700), st.booleans())
def test_any_limit_is_kept(
    qname: str,
    answer: Section,
    additional: Section,
    limit: int,
    with_edns: bool,
) -> None:
    """No message is over its limit, and what is in it is whole RRsets, in order."""
    edns = Edns(1232) if with_edns else None
    rendered = render(query(qname, edns=edns), Answer(answer=answer, additional=additional), limit)
    assert len(rendered.wire) <= limit
    message = dns.message.from_wire(rendered.wire)
    there = read(message.answer)
    assert there in [meant(answer[:count]) for count in range(len(answer) + 1)]
    assert rendered.truncated == (there != meant(answer))


@pytest.mark.parametrize(
    ("owner", "rrtype", "texts"),
    [
        (".", "A", ("192.0.2.1", "192.0.2.2")),
        (".", "NS", (".",)),
        (".", "MX", ("0 .", "1 .")),
        ("www.example.org.", "PTR", ("www.example.org.",)),
        ("www.example.org.", "TXT", ("x", "yy")),
    ],
)
def test_the_least_an_rrset_takes(owner: str, rrtype: str, texts: tuple[str, ...]) -> None:
    """Never more than it takes in a message; nothing less where the owner is the root."""
    record = records(owner, rrtype, *texts)
    empty = len(render(query(owner), Answer(), 512).wire)
    taken = len(render(query(owner), Answer(answer=(record,)), 512).wire) - empty
    assert least_octets(record[1]) <= taken
    if owner == "." and rrtype == "A":
        assert least_octets(record[1]) == taken
