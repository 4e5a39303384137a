"""zone.denial: which records, and at what cost. What they prove: tests/answer/test_dnssec_answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ocizone.limits import NAME_LABELS, NSEC3_ITERATIONS, NSEC3_OTHER_CHAINS
from ocizone.wire.name import from_text, to_text
from ocizone.zone.denial import Proof, no_closer, no_data, no_ds, no_name
from ocizone.zone.lookup import Match, NoData, NxDomain, Referral, lookup
from ocizone.zone.node import Node
from ocizone.zone.reader import DictZone, Nsec3Params, ZoneReader
from tests.signedtext import Line, with_nsec, with_nsec3
from tests.zonebuilder import zone

HEAD: list[Line] = [("z.", "SOA", "ns.z. h.z. 1 2 3 4 5"), ("z.", "NS", "ns.elsewhere.")]
DEEP = ".".join(["d"] * 120)
LONG = ".".join(["x"] * 126)


class Counting(DictZone):
    """A zone that counts what is read."""

    def __init__(self, counted: DictZone) -> None:
        super().__init__(counted.info, dict(counted.nodes()), dict(counted.nsec3_nodes()))
        self.reads = self.hashes = 0

    def get(self, key: bytes) -> Node | None:
        self.reads += 1
        return super().get(key)

    def predecessor(self, key: bytes) -> tuple[bytes, Node] | None:
        self.reads += 1
        return super().predecessor(key)

    def nsec3(self, digest: bytes) -> tuple[bytes, Node] | None:
        self.hashes += 1
        return super().nsec3(digest)


def prove(reader: ZoneReader, qname: str, qtype: int = 1) -> Proof:
    """Return the proof that goes with what a lookup finds; there is one."""
    proof = _prove(reader, qname, qtype)
    assert proof is not None
    return proof


def _prove(reader: ZoneReader, qname: str, qtype: int) -> Proof | None:
    name = from_text(qname)
    outcome = lookup(reader, name, qtype)
    match outcome:
        case NoData():
            return no_data(reader, name, outcome)
        case NxDomain(encloser):
            return no_name(reader, name, encloser)
        case Referral():
            return no_ds(reader, outcome.cut, outcome.node)
        case Match():
            return no_closer(reader, name, outcome.encloser)
        case _:
            raise AssertionError(outcome)


def owners(proof: Proof | None) -> list[str]:
    assert proof is not None
    return sorted(to_text(owner) for owner, _ in proof)


NAMES: list[Line] = [
    ("a.z.", "A", "192.0.2.1"),
    ("b.c.d.z.", "TXT", "x"),
    ("Mixed.z.", "A", "192.0.2.1"),
    ("dn.z.", "DNAME", "elsewhere."),
    ("x.dn.z.", "A", "192.0.2.9"),
    ("sub.z.", "NS", "ns.sub.z."),
    ("e.ns.sub.z.", "A", "192.0.2.2"),
    ("*.w.z.", "A", "192.0.2.3"),
    ("b.w.z.", "A", "192.0.2.4"),
    ("t.*.v.z.", "A", "192.0.2.5"),
]
NSEC = zone(with_nsec(HEAD + NAMES, "z."), "z.")


@pytest.mark.parametrize(
    ("qname", "qtype", "expected"),
    [
        ("a.z.", 15, ["a.z."]),
        # Stored spelling.
        ("mixed.z.", 15, ["Mixed.z."]),
        # ENTs: what spans them, the names before being ENTs, too.
        ("d.z.", 1, ["a.z."]),
        ("c.d.z.", 1, ["a.z."]),
        # Before it stand two ENTs.
        ("a.c.d.z.", 1, ["a.z."]),
        ("cc.z.", 1, ["a.z.", "z."]),
        # Past the end it is the last; the apex's covers the wildcard.
        ("zz.z.", 1, ["b.w.z.", "z."]),
        # Before it stand glue and an ENT of glue: their cut's is it.
        ("sub0.z.", 1, ["sub.z.", "z."]),
        # The same of a DNAME.
        ("dn0.z.", 1, ["dn.z.", "z."]),
        ("x.sub.z.", 1, ["sub.z."]),
        # A wildcard's expansion, NODATA, and that of one that is an ENT.
        ("y.w.z.", 1, ["b.w.z."]),
        ("y.w.z.", 15, ["*.w.z.", "b.w.z."]),
        ("y.v.z.", 1, ["sub.z.", "t.*.v.z."]),
    ],
)  # fmt: skip
def test_which_nsec(qname: str, qtype: int, expected: list[str]) -> None:
    """RFC 4035 3.1.3, 3.1.4.1."""
    assert owners(prove(NSEC, qname, qtype)) == expected


def test_an_nsec3_keeps_the_spelling_of_its_owner() -> None:
    """RFC 5155 3: the owner is base32hex, in either case, and is answered as it was written."""
    text = with_nsec3(HEAD, "z.")
    (owner,) = owners(prove(zone(text, "z."), "a.z."))
    shouted = zone(text.replace(owner, owner.upper()), "z.")
    assert owners(prove(shouted, "a.z.")) == [owner.upper()] != [owner]


def test_one_record_proves_it_all_once() -> None:
    """RFC 5155 7.2.1: records that prove several things stand in a response once."""
    alone = zone(with_nsec3(HEAD, "z."), "z.")
    assert len(prove(alone, "a.b.z.")) == 1
    assert len(prove(zone(with_nsec(HEAD, "z."), "z."), "a.b.z.")) == 1


def test_an_unsigned_zone_proves_nothing() -> None:
    """RFC 4035 3.1: DO does not change what a zone has not."""
    plain = zone("\n".join(" 9 ".join([o, f"{t} {r}"]) for o, t, r in HEAD + NAMES), "z.")
    for qname, qtype in (("q.z.", 1), ("a.z.", 15), ("y.w.z.", 1), ("x.sub.z.", 1)):
        assert prove(plain, qname, qtype) == ()


# --- broken chains: an answer without proof, no exception ---------------------------------------


def test_a_zone_that_lost_its_nsec() -> None:
    """The check refuses it; a denial must not depend on that."""
    nodes = {
        key: Node(node.flags, {t: r for t, r in node.rrsets.items() if t != 47}, node.owner)
        for key, node in NSEC.nodes()
    }
    broken = DictZone(NSEC.info, nodes)
    assert prove(broken, "q.z.") == ()
    assert prove(broken, "a.z.", 15) == ()


def test_names_without_nsec_are_not_searched_through() -> None:
    """The same, and 1,000 names: it ends where no chain of empty non-terminals could go on."""
    text = "".join(f"{owner} 9 {rrtype} {rdata}\n" for owner, rrtype, rdata in HEAD)
    text += "".join(f"a{n}.z. 9 TXT x\n" for n in range(1000))
    counting = Counting(zone(f"{text}z. 9 NSEC z. SOA NS NSEC\n", "z."))
    assert owners(no_name(counting, from_text("b.z."), b"")) == ["z."]
    assert counting.reads == NAME_LABELS + 1


def test_a_zone_that_lost_its_nsec3() -> None:
    """Neither the apex nor anything else matches: the search ends."""
    whole = zone(with_nsec3(HEAD + NAMES, "z."), "z.")
    names = dict(whole.nodes())
    assert prove(DictZone(whole.info, names), "q.a.z.") == ()
    assert prove(DictZone(whole.info, names), "a.z.", 15) == ()
    one = dict(list(whole.nsec3_nodes())[:1])
    assert len(prove(DictZone(whole.info, names, one), "q.a.z.")) == 1


# --- several chains -----------------------------------------------------------------------------


def test_of_two_chains_only_one_is_used() -> None:
    """RFC 5155 7.2: a signer that changes the salt publishes both for a while."""
    old = zone(with_nsec3(HEAD + NAMES, "z.", salt="01"), "z.")
    new = zone(with_nsec3(HEAD + NAMES, "z.", salt="02"), "z.")
    both = DictZone(new.info, dict(new.nodes()), dict(old.nsec3_nodes()) | dict(new.nsec3_nodes()))
    for qname, qtype in (("q.z.", 1), ("a.z.", 15), ("y.w.z.", 1), ("x.sub.z.", 1)):
        assert prove(both, qname, qtype) == prove(new, qname, qtype) != ()


def test_records_of_other_chains_do_not_cost_more_than_so_much() -> None:
    """A zone of which hardly one NSEC3 is of the served chain is not searched through."""
    many = zone(
        with_nsec3([*HEAD, *((f"n{n}.z.", "A", "192.0.2.1") for n in range(300))], "z."), "z."
    )
    info = replace(many.info, nsec3=Nsec3Params(0, b"other"))
    counting = Counting(DictZone(info, dict(many.nodes()), dict(many.nsec3_nodes())))
    assert prove(counting, "n1.z.", 15) == ()
    assert counting.hashes == NSEC3_OTHER_CHAINS


# --- cost ---------------------------------------------------------------------------------------


def test_glue_is_not_walked() -> None:
    """10,000 names below a cut stand before the name: the cut is found in three reads."""
    glue: list[Line] = [("sub.z.", "NS", "n1.sub.z.")]
    glue += [(f"n{n}.sub.z.", "A", "192.0.2.1") for n in range(10_000)]
    counting = Counting(zone(with_nsec(HEAD + glue, "z."), "z."))
    assert lookup(counting, from_text("sub0.z."), 1) == NxDomain(b"")
    counting.reads = 0
    assert owners(no_name(counting, from_text("sub0.z."), b"")) == ["sub.z.", "z."]
    assert counting.reads == 3


@pytest.mark.parametrize("qname", [f"{LONG}.z.", f"0.{DEEP}.z.", f"e.{DEEP}.z.", f"{DEEP[2:]}.z."])
def test_nsec_costs_a_read_a_label(qname: str) -> None:
    """127 labels, 119 empty non-terminals in a row: O(labels)."""
    counting = Counting(zone(with_nsec([*HEAD, (f"{DEEP}.z.", "TXT", "x")], "z."), "z."))
    assert prove(counting, qname)
    assert counting.reads <= 2 * 128


@pytest.mark.parametrize("opt_out", [False, True])
@pytest.mark.parametrize("iterations", [0, NSEC3_ITERATIONS])
@pytest.mark.parametrize(
    "qname", [f"{LONG}.z.", f"0.{DEEP}.z.", f"0.{DEEP[2:]}.z.", f"{DEEP[2:]}.z."]
)
def test_nsec3_costs_a_hash_a_label(qname: str, iterations: int, opt_out: bool) -> None:
    """CVE-2023-50868: at most 128 hashes, and three where Opt-Out leaves nothing out."""
    lines: list[Line] = [*HEAD, (f"{DEEP}.z.", "NS", "ns.elsewhere.")]
    text = with_nsec3(lines, "z.", iterations=iterations, opt_out=opt_out)
    counting = Counting(zone(text, "z."))
    assert prove(counting, qname)
    assert counting.hashes <= (128 if opt_out else 3)
