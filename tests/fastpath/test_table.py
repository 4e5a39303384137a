"""What the fast path answers itself, what it leaves to ``respond``, and what it forgets."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import dns.message
import pytest

from ocizone.answer.blocks import Loaded, NotReady, Policy, Snapshot
from ocizone.answer.respond import Reply, respond
from ocizone.plugins.acl import Acl, AclRule
from ocizone.plugins.loadbalance import LoadBalance
from ocizone.plugins.tsig import TsigRules
from ocizone.wire.cookie import CookieSecrets
from ocizone.wire.name import from_text
from ocizone.zone.image import Image, ImageZone, write_image
from ocizone.zone.reader import DictZone, ZoneInfo
from tests.signedtext import with_nsec
from tests.zonebuilder import UDP, block, snapshot, zone

table_module = pytest.importorskip("ocizone.fastpath.table")
limits = pytest.importorskip("ocizone.limits")

APEX = "example.org."
TEXT = """\
@ 300 IN SOA ns hostmaster 1 7200 3600 1209600 300
@ 300 IN NS ns
ns 300 IN A 192.0.2.1
www 300 IN A 192.0.2.2
two 300 IN A 192.0.2.3
two 300 IN A 192.0.2.4
mail 300 IN MX 10 www
alias 300 IN CNAME www
*.wild 300 IN A 192.0.2.5
sub 300 IN NS ns.sub
ns.sub 300 IN A 192.0.2.6
"""
SIGNED = [
    (APEX, "SOA", "ns.elsewhere. h.elsewhere. 1 2 3 4 5"),
    (APEX, "NS", "ns.example.org."),
    ("ns.example.org.", "A", "192.0.2.1"),
    ("www.example.org.", "A", "192.0.2.2"),
]


def serving(policy: Policy | None = None, text: str = TEXT) -> Snapshot:
    return snapshot(block(APEX, {APEX: Loaded(zone(text, APEX))}, policy))


def of_image(text: str, folder: Path) -> Snapshot:
    """Return what serves the zone from an image, behind another zone, as servers do."""
    made = [ImageZone(("v",), *_parts(zone(one, APEX))) for one in (TEXT, text)]
    first, second = (replace(one, views=(view,)) for one, view in zip(made, "av", strict=True))
    write_image(folder / "image", [first, second])
    reader = Image.open(folder / "image").zone("v", from_text(APEX))
    assert reader is not None
    return snapshot(block(APEX, {APEX: Loaded(reader)}))


def _parts(read: DictZone) -> tuple[ZoneInfo, list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
    return read.info, list(read.encoded()), list(read.nsec3_encoded())


def table_of(served: Snapshot, *, logged: bool = False):
    return table_module.FastTable(served, "main", "udp", lambda *_: logged)


def question(name: str, qtype: str = "A", **options: object) -> bytes:
    """Return a query; the names of one text differ in nothing else."""
    query = dns.message.make_query(name, qtype, id=7, **options)  # type: ignore[arg-type] # passed on
    return query.to_wire()


def teach(table, packet: bytes) -> None:
    """Ask until what is to be learned of a question is: a zone, a template, a lane."""
    for _ in range(4):
        ask(table, packet)


def ask(table, packet: bytes) -> bool:
    """Tell whether the table had a reply, a right one; if not, it learns of the one there is."""
    kept = table.by_lanes([packet])[0]
    made = table.direct(packet) if kept is None else (*kept, b"")
    reply = respond(packet, table.snapshot, UDP)
    if made is None:
        if isinstance(reply, Reply):
            table.learn(packet, reply)
        return False
    assert isinstance(reply, Reply)
    assert made[2] or made[0] == reply.wire[2:]
    return True


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("aa", "bb"),
        ("a.deep", "b.deep"),
        ("x.wild", "y.wild"),
        ("x.sub", "y.sub"),
        ("x.y.sub", "z.y.sub"),
    ],
    ids=["no name", "no name, deeper", "wildcard", "referral", "referral, deeper"],
)
@pytest.mark.parametrize("do", [False, True])
def test_one_name_teaches_the_next(first: str, then: str, do: bool):
    """Names that come once cost no composition once one like them was answered."""
    table = table_of(serving())
    assert not ask(table, question(f"{first}.{APEX}", want_dnssec=do))
    teach(table, question(f"{first}.{APEX}", want_dnssec=do))
    assert ask(table, question(f"{then}.{APEX}", want_dnssec=do))


@pytest.mark.parametrize("from_image", [False, True])
def test_names_denied_by_nsec_are_put_together(from_image: bool, tmp_path: Path):
    """RFC 4035 3.1.3.2: the NSEC differ, and what stands around them does not."""
    text = with_nsec(SIGNED, APEX)
    table = table_of(of_image(text, tmp_path) if from_image else serving(text=text))
    teach(table, question("aa.example.org.", want_dnssec=True))
    for name in ("bb", "oo", "zz"):
        assert ask(table, question(f"{name}.example.org.", want_dnssec=True))


@pytest.mark.parametrize("from_image", [False, True])
def test_what_exists_is_answered_from_its_node(from_image: bool, tmp_path: Path):
    """One record of the same size: the second name needs no ``respond``."""
    text = TEXT + "ww2 300 IN A 192.0.2.9\n"
    table = table_of(of_image(text, tmp_path) if from_image else serving(text=text))
    teach(table, question("www.example.org."))
    assert ask(table, question("ww2.example.org."))


@pytest.mark.parametrize(
    ("text", "names", "do"),
    [
        (TEXT, ("aa", "bb", "cc"), False),
        (TEXT + "ww2 300 IN A 192.0.2.9\nww3 300 IN A 192.0.2.8\n", ("www", "ww2", "ww3"), False),
        (with_nsec(SIGNED, APEX), ("oo", "pp", "qq"), True),
    ],
    ids=["no name", "a record", "denied by NSEC"],
)
def test_the_third_takes_the_fewest_steps(
    text: str, names: tuple[str, ...], do: bool, monkeypatch: pytest.MonkeyPatch
):
    """Some are composed, some put together, and from then on they have a lane."""
    table = table_of(serving(text=text))
    first, second, third = (question(f"{name}.{APEX}", want_dnssec=do) for name in names)
    teach(table, first)
    teach(table, second)
    monkeypatch.setattr(table_module.FastTable, "direct", pytest.fail)
    assert ask(table, third)


@pytest.mark.parametrize(
    ("name", "qtype"),
    [("mail", "MX"), ("alias", "A"), ("two", "AAAA"), ("@", "NS"), ("sub", "DS"), ("www", "ANY")],
)
def test_the_rest_is_kept_when_it_is_asked_again(name: str, qtype: str):
    """What no template covers is composed twice, and not a third time."""
    table = table_of(serving())
    packet = question(APEX if name == "@" else f"{name}.{APEX}", qtype)
    asked = [ask(table, packet) or packet[2:] in table.memo.young for _ in range(3)]
    assert asked[-1]


@pytest.mark.parametrize(
    "policy",
    [
        Policy(
            acl=(Acl((from_text(APEX),), (AclRule("allow", None, (ip_network("192.0.2.0/24"),)),)),)
        ),
        Policy(loadbalance=LoadBalance()),
        Policy(tsig=TsigRules(())),
        Policy(whoami=True),
    ],
    ids=["acl", "loadbalance", "tsig", "whoami"],
)
def test_blocks_that_answer_not_all_alike_are_left_alone(policy: Policy):
    """Who asks, with which id or signed: replies are not repeated (docs/performance.md)."""
    table = table_of(serving(policy))
    for name in ("www", "mail", "nx1", "nx2"):
        packets = [question(f"{name}.{APEX}", "MX" if name == "mail" else "A")] * 4
        assert not any(ask(table, packet) for packet in packets)
    assert not table.memo.young


def test_a_logged_reply_is_not_repeated():
    """Each has its line in the log."""
    table = table_of(serving(), logged=True)
    assert not any(ask(table, question(f"www.{APEX}")) for _ in range(4))


def test_an_alias_into_a_block_with_rules_is_not_repeated():
    """Whom it leads to the other zone depends on who asks."""
    rule = Acl((from_text("closed.test."),), (AclRule("block", None, None),))
    inner = Loaded(zone("@ 9 SOA n h 1 2 3 4 5\n@ 9 NS n\nwww 9 A 192.0.2.4\n", "closed.test."))
    outer = Loaded(zone(TEXT + "out 300 IN CNAME www.closed.test.\n", APEX))
    blocks = (
        block(APEX, {APEX: outer}),
        block("closed.test.", {"closed.test.": inner}, Policy(acl=(rule,))),
    )
    table = table_of(snapshot(*blocks))
    assert not any(ask(table, question(f"out.{APEX}")) for _ in range(4))
    mail = question(f"mail.{APEX}", "MX")
    for _ in range(3):
        ask(table, mail)
    assert list(table.memo.young) == [mail[2:]]


def test_a_zone_without_a_version_is_left_alone():
    """SERVFAIL is no answer to keep."""
    served = snapshot(block(APEX, {APEX: NotReady("none yet")}))
    table = table_of(served)
    assert not any(ask(table, question(f"www.{APEX}")) for _ in range(4))


def test_a_catalog_is_left_alone():
    """RFC 9432 6: it is for secondaries, whoever asked before."""
    loaded = replace(Loaded(zone(TEXT, APEX)), catalog=True)
    table = table_of(snapshot(block(APEX, {APEX: loaded})))
    assert not any(ask(table, question(APEX, "SOA")) for _ in range(4))


def test_a_flood_of_names_leaves_the_memo_alone():
    """Names that do not exist are put together, whatever their number; none is kept."""
    table = table_of(serving())
    kept = question(f"mail.{APEX}", "MX")
    while kept[2:] not in table.memo.young:
        ask(table, kept)
    before = dict(table.memo.young)
    for number in range(2000):
        ask(table, question(f"nx{number:06d}.{APEX}"))
    assert table.memo.young == before


def test_templates_are_bounded(monkeypatch: pytest.MonkeyPatch):
    """At the bound all are let go, and cast again of what was learned."""
    monkeypatch.setattr(table_module, "FAST_TEMPLATES", 3)
    table = table_of(serving())
    teach(table, question(f"x.{APEX}"))
    for size in range(1, 12):
        assert ask(table, question(f"{'y' * size}.{APEX}"))
        assert sum(len(zone._casts) for zone in table._zones.values() if zone) <= 3


def test_what_is_learned_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """At the bound all is let go, and learned again."""
    monkeypatch.setattr(table_module, "FAST_MOULDS", 1)
    table = table_of(serving())
    for name in ("nx", "www", "x.sub", "x.wild") * 3:
        teach(table, question(f"{name}.{APEX}"))
        assert sum(len(zone._moulds) for zone in table._zones.values() if zone) == 1


def test_one_length_and_client_teach_all_others():
    """A name of another length, with and without RD, EDNS, DO and cookies: no ``respond`` needed."""
    served = replace(serving(), cookies=CookieSecrets((b"obviously a fake",)))
    table = table_of(served)
    teach(table, question(f"nx.{APEX}"))
    option = dns.edns.CookieOption(b"8octets!", b"")
    others: list[dict[str, Any]] = [
        {"use_edns": 0},
        {"want_dnssec": True},
        {"options": [option]},
        {"options": [option], "want_dnssec": True},
    ]
    for number, more in enumerate(others):
        assert ask(table, question(f"{'y' * (5 + number)}.{APEX}", **more))
    rd = bytearray(question(f"without-rd.{APEX}"))
    rd[2] = 0
    assert ask(table, bytes(rd))


def test_a_spelling_is_given_back():
    """0x20: a reply repeats the question as it was spelled."""
    table = table_of(serving())
    for _ in range(3):
        ask(table, question(f"mail.{APEX}", "MX"))
    made = table.direct(question("mAiL.eXample.ORG.", "MX"))
    assert made is not None
    assert b"\x04mAiL\x07eXample\x03ORG\x00" in made[0]


def test_cookies_are_put_behind_a_kept_reply():
    """RFC 7873: a client's cookie is new in each query to a server it does not know."""
    served = replace(serving(), cookies=CookieSecrets((b"obviously a fake",)))
    table = table_of(served)
    for number in range(6):
        option = dns.edns.CookieOption(bytes([number] * 8), b"")
        packet = question(f"nx{number}.{APEX}", options=[option])
        made = table.direct(packet)
        if made is None:
            ask(table, packet)
    assert made is not None
    assert made[2] == bytes([5] * 8)


def test_cookies_are_left_alone_where_they_are_demanded():
    """``cookies require`` answers some and not others."""
    served = replace(
        serving(Policy(cookies="require")), cookies=CookieSecrets((b"obviously a fake",))
    )
    table = table_of(served)
    option = dns.edns.CookieOption(b"8octets!", b"")
    packet = question(f"www.{APEX}", options=[option])
    assert not any(ask(table, packet) for _ in range(4))


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\0" * 11,
        b"\0" * 12,
        question(f"www.{APEX}")[:-1],
        question(f"www.{APEX}")[:20],
        question(f"www.{APEX}") + b"?",
        b"\0\0\1\0\0\1\0\0\0\0\0\0" + b"\xc0\x0c\0\1\0\1",
        b"\0\0\1\0\0\1\0\0\0\0\0\0" + b"\x40" + b"x" * 64 + b"\0\0\1\0\1",
        b"\0\0\1\0\0\1\0\0\0\0\0\0" + b"\x3f" * 64 * 5 + b"\0\0\1\0\1",
    ],
    ids=lambda packet: packet[:40].hex() or "nothing",
)
def test_what_is_no_plain_query_is_left_alone(packet: bytes):
    """Total: whatever the octets are."""
    assert table_of(serving()).direct(packet) is None


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("label", [b"", b"x" * 64, b"x" * 192, b"x" * 250, b"d"])
def test_a_lane_knows_labels_by_their_octets(label: bytes, signed: bool):
    """RFC 1035 2.3.4: a name has no label of 0 or of more than 63 octets, whatever follows it."""
    table = table_of(serving(text=with_nsec(SIGNED, APEX) if signed else TEXT))
    for name in ("www", "tbb", "b", "w", "tcc", "c"):
        teach(table, question(f"{name}.{APEX}", want_dnssec=signed))
    assert table._lanes
    like = question(f"www.{APEX}", want_dnssec=signed)
    packet = like[:12] + bytes([len(label)]) + label + like[16:]
    kept = table.by_lanes([like[:7], packet, like[:12]])
    assert kept[0] is kept[2] is None
    assert (kept[1] is not None) == (label == b"d")
    ask(table, packet)


def denying(soa: str, *owners: str, apex: str = APEX) -> str:
    """Return an NSEC zone with this SOA and addresses at these names."""
    lines = [(apex, "SOA", f"{soa} 1 2 3 4 5"), (apex, "NS", "ns.elsewhere.")]
    return with_nsec([*lines, *((owner, "A", "192.0.2.1") for owner in owners)], apex)


@pytest.mark.parametrize(
    ("soa", "owners"),
    [
        ("ns.ii.example.org. h.elsewhere.", ("ab.example.org.", "xx.example.org.")),
        ("ns.elsewhere. h.hh.example.org.", ("hh.example.org.", "xx.example.org.")),
        ("ns.n\\001.example.org. h.elsewhere.", ("n\\001.example.org.", "xx.example.org.")),
    ],
    ids=["below what is asked for", "below what NSEC are of", "below what keys escape"],
)
def test_denials_beside_names_of_the_soa(soa: str, owners: tuple[str, ...]):
    """RFC 1035 4.1.4: names that stand in the SOA are pointed at, those like them partly."""
    table = table_of(serving(text=denying(soa, *owners)))
    teach(table, question("aa.example.org.", want_dnssec=True))
    for name in ("ii", "hi", "zz", "nz", "ac", "q.ii", "aa", "oo"):
        for _ in range(3):
            # ask() compares with respond.
            ask(table, question(f"{name}.example.org.", want_dnssec=True))
    assert ask(table, question("ad.example.org.", want_dnssec=True))


def test_a_denial_that_is_too_large_for_this_client():
    """RFC 6891 6.2.3: what one client can take says nothing of another one."""
    long = [".".join([letter * 63, letter * 63, letter * 50, "example.org."]) for letter in "mn"]
    text = denying("ns.elsewhere. h.elsewhere.", "f.example.org.", *long)
    table = table_of(serving(text=text))
    for payload, name in ((4096, "mz"), (4096, "aa"), (512, "aa"), (512, "ab"), (512, "mz")):
        teach(table, question(f"{name}.example.org.", want_dnssec=True, payload=payload))
    assert ask(table, question("bb.example.org.", want_dnssec=True, payload=512))


def test_no_name_is_longer_than_names_are():
    """RFC 1035 2.3.4: 255 octets, whatever a label may have."""
    apex = ".".join(["a" * 60] * 3 + ["b" * 20, "test."])
    text = denying("ns.elsewhere. h.elsewhere.", f"m.{apex}", apex=apex)
    table = table_of(snapshot(block(apex, {apex: Loaded(zone(text, apex))})))
    for name in ("aa", "bb", "cc", "dd"):
        teach(table, question(f"{name}.{apex}", want_dnssec=True))
    like = question(f"ee.{apex}", want_dnssec=True)
    assert table.by_lanes([like]) != [None]
    for size in (20, 41, 50, 63):
        assert table.by_lanes([like[:12] + bytes([size]) + b"e" * size + like[15:]]) == [None]


def test_a_query_cut_off_before_its_cookie_is_another_one():
    """RFC 6891 6.1.2: an OPT whose options are not there is malformed."""
    table = table_of(replace(serving(), cookies=CookieSecrets((b"obviously a fake",))))
    for name in ("www", "mail", "nx"):
        packet = question(f"{name}.{APEX}", options=[dns.edns.CookieOption(b"8octets!", b"")])
        teach(table, packet)
        assert packet[2:-8] not in table.memo.young
        assert not ask(table, packet[:-8])


def test_lanes_outlive_the_templates_they_were_made_of(monkeypatch: pytest.MonkeyPatch):
    """Ten thousand zones have more templates than are kept, and each has its lane."""
    monkeypatch.setattr(table_module, "FAST_TEMPLATES", 1)
    table = table_of(serving())
    names = ("aa", "bbb", "cccc", "ddddd")
    for name in names * 3:
        teach(table, question(f"{name}.{APEX}"))
    assert None not in table.by_lanes(question(f"{name}.{APEX}") for name in names)


def test_what_lanes_note_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """By length of a label, TTL and octets of a record: all lanes together, opened or not."""
    monkeypatch.setattr(table_module, "FAST_NOTED", 30)
    lines = [f'{"t" * (1 + n % 9)}{n} {n} IN TXT "{"x" * n}"\n' for n in range(100)]
    table = table_of(serving(text=TEXT + "".join(lines)))
    most = 0
    for line in lines:
        teach(table, question(f"{line.split()[0]}.{APEX}", "TXT"))
        lanes = [steps[-1] for steps in table._lanes.values()]
        answers = sum(len(by_node) for lane in lanes for by_node in lane._answers.values())
        most = max(most, answers + sum(len(lane._no_name) for lane in lanes))
    assert 10 < most <= 30


CROWD = "".join(
    f"@ 300 IN NS {'long' * 6}{n}\n{'long' * 6}{n} 300 IN A 192.0.2.{n}\n" for n in range(12)
)


@pytest.mark.parametrize("first", [512, 700, 1232])
def test_what_was_left_out_for_one_client_is_there_for_the_next(first: int):
    """Addresses that do not fit are left out without TC (RFC 2181 9): no template of such a reply."""
    table = table_of(serving(text=TEXT + CROWD + "ww2 300 IN A 192.0.2.9\n"))
    teach(table, question("www.example.org.", use_edns=0, payload=first))
    for payload in (1232, 700, 512):
        # ask() compares with respond.
        ask(table, question("ww2.example.org.", use_edns=0, payload=payload))
    teach(table, question("www.example.org.", use_edns=0, payload=1232))
    assert ask(table, question("ww2.example.org.", use_edns=0, payload=1232))


def test_the_root_is_no_name_to_point_at():
    """One octet is shorter than a pointer (RFC 1035 4.1.4): denials of a signed root zone."""
    lines = [
        (".", "SOA", "ns.test. h.test. 1 2 3 4 5"),
        (".", "NS", "ns.test."),
        ("org.", "NS", "ns.org."),
    ]
    served = snapshot(block(".", {".": Loaded(zone(with_nsec(lines, "."), "."))}))
    table = table_of(served)
    for name in ("aa.", "bb.", "aa.", "bb.", "cc."):
        ask(table, question(name, want_dnssec=True))


def test_a_burst_of_types_keeps_nothing_out_of_the_memo(monkeypatch: pytest.MonkeyPatch):
    """When there are too many kinds of replies to count apart, they are counted together."""
    tally = pytest.importorskip("ocizone.fastpath.tally")
    monkeypatch.setattr(tally, "FAST_CELLS", 2)
    table = table_of(serving())
    for qtype in ("A", "AAAA", "TXT", "SRV"):
        teach(table, question(f"nx.{APEX}", qtype))
    mail = question(f"mail.{APEX}", "MX")
    teach(table, mail)
    assert mail[2:] in table.memo.young


def test_gaps_of_signed_zones_are_bounded(monkeypatch: pytest.MonkeyPatch):
    """However many names, types and sizes of EDNS there are."""
    denied = pytest.importorskip("ocizone.fastpath.denied")
    monkeypatch.setattr(denied, "FAST_GAPS", 2)
    lines = [*SIGNED, *((f"{letter}a.example.org.", "A", "192.0.2.1") for letter in "bdfhjl")]
    table = table_of(serving(text=with_nsec(lines, APEX)))
    for letter in "acegikm" * 3:
        ask(table, question(f"{letter}z.example.org.", want_dnssec=True))
    assert len(table._gaps._gaps) <= 2
