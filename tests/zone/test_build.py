"""Nodes and their flags (RFC 4592, RFC 1034 4.2.1, RFC 6672), and images of them."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import dns.zone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.errors import StoreError
from ocizone.findings import Findings
from ocizone.limits import KIB
from ocizone.wire.codes import TYPE_A, TYPE_CNAME, TYPE_NS, TYPE_SOA
from ocizone.wire.name import from_text, name_from_key, relative_key, to_text
from ocizone.zone import image as image_module
from ocizone.zone.build import encoded_nodes, nsec3_nodes, zone_info, zone_nodes
from ocizone.zone.content import Content, gather
from ocizone.zone.image import Image, ImageZone, write_image
from ocizone.zone.masterfile import read_master
from ocizone.zone.node import Flag, Node
from ocizone.zone.reader import DictZone

ORIGIN = from_text("example.org.")
HEAD = "$TTL 60\n@ 600 SOA ns h 7 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"


def content_of(text: str, origin: bytes = ORIGIN) -> Content:
    """Return the content of a zone text that reads without findings."""
    findings = Findings()
    records = read_master(text.encode(), file="db", origin=origin, findings=findings)
    content = gather(records, origin, findings)
    assert not findings.problems()
    return content


def flags_of(text: str) -> dict[str, Flag]:
    """Return each name's flags, the apex as ``@``."""
    return {
        to_text(name_from_key(key, b"\x00"))[:-1] or "@": node.flags
        for key, node in zone_nodes(content_of(HEAD + text))
    }


@pytest.mark.parametrize(
    ("text", "name", "flags"),
    [
        ("", "@", Flag.NONE),
        ("x.y.z A 192.0.2.1", "y.z", Flag.EMPTY_NON_TERMINAL),
        ("x.y.z A 192.0.2.1", "z", Flag.EMPTY_NON_TERMINAL),
        ("x.y.z A 192.0.2.1", "x.y.z", Flag.NONE),
        ("* A 192.0.2.1", "@", Flag.WILDCARD_CHILD),
        ("*.w A 192.0.2.1", "w", Flag.WILDCARD_CHILD | Flag.EMPTY_NON_TERMINAL),
        ("a.* A 192.0.2.1", "@", Flag.WILDCARD_CHILD),
        ("a.* A 192.0.2.1", "*", Flag.EMPTY_NON_TERMINAL),
        ("sub NS ns.a.sub\nns.a.sub A 192.0.2.1", "sub", Flag.CUT),
        ("sub NS ns.a.sub\nns.a.sub A 192.0.2.1", "ns.a.sub", Flag.OCCLUDED),
        (
            "sub NS ns.a.sub\nns.a.sub A 192.0.2.1",
            "a.sub",
            Flag.OCCLUDED | Flag.EMPTY_NON_TERMINAL,
        ),
        ("sub NS n.net.\na.sub NS n.net.", "a.sub", Flag.OCCLUDED),
        ("sub NS n.net.\nsub- A 192.0.2.1", "sub-", Flag.NONE),
        ("old DNAME x.net.\na.old A 192.0.2.1", "old", Flag.DNAME),
        ("old DNAME x.net.\na.old A 192.0.2.1", "a.old", Flag.OCCLUDED),
        ("@ DNAME x.net.", "@", Flag.DNAME),
        ("@ DNAME x.net.", "ns", Flag.OCCLUDED),
        ("WWW A 192.0.2.1", "www", Flag.MIXED_CASE),
    ],
)
def test_flags(text: str, name: str, flags: Flag) -> None:
    """Flags say what a lookup must know before it reads an RRset."""
    assert flags_of(text)[name] == flags


def test_spelling_is_the_first_one() -> None:
    """The owner's capitals are kept as first written (RFC 4343)."""
    nodes = dict(zone_nodes(content_of(HEAD + "WwW A 192.0.2.1\nwww TXT x\n")))
    assert nodes[b"www\x00"].owner == from_text("WwW.example.org.")


def test_rrsets_are_folded() -> None:
    """Duplicates are one record, the lowest TTL is served (RFC 2181 5, 5.2)."""
    text = "a 9 A 192.0.2.1\na 5 A 192.0.2.1\na 7 A 192.0.2.2\n"
    rrset = dict(zone_nodes(content_of(HEAD + text)))[b"a\x00"].rrsets[TYPE_A]
    assert rrset.ttl == 5
    assert rrset.rdatas == (b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02")


def test_signatures_stand_with_what_they_cover() -> None:
    """There is no RRSIG RRset; each stands with the type it covers (RFC 4034 3.1.1)."""
    rrsig = "RRSIG {} 13 3 60 20300101000000 20200101000000 1 example.org. AAAA"
    text = f"a CNAME b\na {rrsig.format('CNAME')}\na NSEC b CNAME\na {rrsig.format('NSEC')}\n"
    rrsets = dict(zone_nodes(content_of(HEAD + text)))[b"a\x00"].rrsets
    assert set(rrsets) == {TYPE_CNAME, 47}
    assert [len(rrset.signatures) for rrset in rrsets.values()] == [1, 1]
    assert rrsets[TYPE_CNAME].signatures[0].startswith(b"\x00\x05")


def test_info() -> None:
    """Negative answers are kept min(SOA TTL, MINIMUM) seconds (RFC 2308 5)."""
    info = zone_info(content_of(HEAD), "db")
    assert (info.serial, info.records, info.negative_ttl, info.apex_labels) == (7, 3, 5, 2)
    low = HEAD.replace("600 SOA", "3 SOA")
    assert zone_info(content_of(low), "db").negative_ttl == 3


def image_of(path: Path, *texts: str, views: tuple[str, ...] = ("v",)) -> Image:
    """Write and open an image of zones of the same apex below different roots."""
    zones = []
    for number, text in enumerate(texts):
        origin = from_text(f"z{number}.example.org.")
        content = content_of(text, origin)
        zones.append(ImageZone(views, zone_info(content, "db"), encoded_nodes(content)))
    write_image(path, zones)
    return Image.open(path)


def test_image_is_small(tmp_path: Path) -> None:
    """A zone of ten records costs less than 100 KiB on disk."""
    path = tmp_path / "image"
    image_of(path, HEAD + "".join(f"h{n} A 192.0.2.{n}\n" for n in range(7)))
    assert path.stat().st_size < 100 * KIB
    assert list(tmp_path.iterdir()) == [path]


def test_same_zones_give_the_same_image(tmp_path: Path) -> None:
    """An image is a function of its zones: the hash is what the record says."""
    content = content_of(HEAD + "a A 192.0.2.1\n")
    results = {
        write_image(
            tmp_path / name, [ImageZone(("v",), zone_info(content, "db"), encoded_nodes(content))]
        )
        for name in ("one", "two")
    }
    assert len(results) == 1


def test_views_share_a_zone(tmp_path: Path) -> None:
    """One zone for two views is stored once, and found from both."""
    image = image_of(tmp_path / "image", HEAD, views=("v", "w"))
    apex = from_text("z0.example.org.")
    assert set(image.zones()) == {("v", apex), ("w", apex)}
    one, other = image.zone("v", apex), image.zone("w", apex)
    assert one is not None
    assert other is not None
    assert one.get(b"") == other.get(b"")
    assert len(list(image.cursor())) == 2
    assert image.zone("x", apex) is None


def test_zones_do_not_see_one_another(tmp_path: Path) -> None:
    """Neighbours in one image end where the next begins, in every direction."""
    image = image_of(tmp_path / "image", HEAD, HEAD + "a A 192.0.2.9\nz A 192.0.2.9\n", HEAD)
    first, middle, last = (image.zones()["v", from_text(f"z{n}.example.org.")] for n in range(3))
    assert [key for key, _ in middle.nodes()] == [b"", b"a\x00", b"ns\x00", b"z\x00"]
    assert [key for key, _ in middle.nodes(b"b\x00")] == [b"ns\x00", b"z\x00"]
    assert list(last.nodes(b"x\x00")) == []
    assert middle.predecessor(b"") is None
    assert first.predecessor(b"") is None
    found = middle.predecessor(b"zz\x00")
    assert found is not None
    assert found[0] == b"z\x00"
    assert last.predecessor(b"zz\x00") == (b"ns\x00", last.get(b"ns\x00"))
    assert first.get(b"a\x00") is None


def test_open_twice_is_one(tmp_path: Path) -> None:
    """LMDB takes one mapping of a file in a process: a second open shares the first."""
    path = tmp_path / "image"
    image = image_of(path, HEAD)
    os.link(path, tmp_path / "other")
    assert Image.open(path) is image
    assert Image.open(tmp_path / "other") is image


def test_closed_when_nobody_refers_to_it(tmp_path: Path) -> None:
    """A zone keeps its image open; without any it is closed, and can be opened anew."""
    path = tmp_path / "image"
    zone = image_of(path, HEAD).zone("v", from_text("z0.example.org."))
    assert zone is not None
    gc.collect()
    assert zone.get(b"") is not None
    assert len(Image._open) == 1
    path.unlink()
    del zone
    gc.collect()
    assert len(Image._open) == 0
    assert not [
        line for line in Path("/proc/self/maps").read_text().splitlines() if str(path) in line
    ]


def test_a_replaced_file_is_another_image(tmp_path: Path) -> None:
    """An image is its file, not its path: a rebuilt one opens beside the old one."""
    path = tmp_path / "image"
    old = image_of(path, HEAD)
    new = image_of(path, HEAD + "a A 192.0.2.1\n")
    apex = from_text("z0.example.org.")
    assert new is not old
    assert old.zones()["v", apex].get(b"a\x00") is None
    assert new.zones()["v", apex].get(b"a\x00") is not None


@pytest.mark.parametrize("octets", [None, b"", b"junk" * 4096])
def test_what_is_no_image(tmp_path: Path, octets: bytes | None) -> None:
    """A missing, empty or foreign file is a StoreError that names it."""
    path = tmp_path / "image"
    if octets is not None:
        path.write_bytes(octets)
    with pytest.raises(StoreError, match="image"):
        Image.open(path)


def test_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image of an older or newer layout is not read as ours."""
    monkeypatch.setattr(image_module, "FORMAT", b"ocizone-image-0")
    image_of(tmp_path / "image", HEAD)
    monkeypatch.undo()
    gc.collect()
    with pytest.raises(StoreError, match="another format"):
        Image.open(tmp_path / "image")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """Whatever goes wrong while zones are read, no image appears and no draft stays."""

    def broken() -> list[ImageZone]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_image(tmp_path / "image", (zone for zone in broken()))
    with pytest.raises(StoreError, match="cannot write the image"):
        write_image(tmp_path / "missing" / "image", [])
    assert list(tmp_path.iterdir()) == []


LABEL = st.binary(min_size=1, max_size=3).map(bytes.lower)
KEY = st.lists(LABEL, max_size=3).map(
    lambda parts: relative_key(b"".join(bytes([len(p)]) + p for p in parts) + ORIGIN, 2)
)


@settings(max_examples=25, deadline=None)
@given(st.sets(KEY, max_size=12), st.lists(KEY, max_size=6))
def test_lmdb_zone_equals_dict_zone(
    tmp_path_factory: pytest.TempPathFactory, keys: set[bytes], asked: list[bytes]
) -> None:
    """Law: an image answers as the dict of the same nodes does."""
    content = content_of(HEAD)
    nodes = dict(zone_nodes(content))
    nodes |= dict.fromkeys(keys, nodes[b""])
    info = zone_info(content, "db")
    path = tmp_path_factory.mktemp("image") / "image"
    encoded = sorted((key, node.encode()) for key, node in nodes.items())
    write_image(path, [ImageZone(("v",), info, encoded)])
    ours, theirs = Image.open(path).zones()["v", ORIGIN], DictZone(info, nodes)
    assert ours.info == theirs.info
    for key in (b"", *asked, *keys):
        assert ours.get(key) == theirs.get(key)
        assert ours.predecessor(key) == theirs.predecessor(key)
        assert list(ours.nodes(key)) == list(theirs.nodes(key))


def test_nsec3_survive_the_image_in_either_case() -> None:
    """dnssec-signzone writes the hash of an NSEC3's owner in capitals (RFC 4648 7)."""
    digest = "0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM"
    for spelled in (digest, digest.lower()):
        text = f"{HEAD}{spelled} 60 NSEC3 1 0 0 - {digest} A\n"
        ((key, node),) = nsec3_nodes(content_of(text))
        read = Node.decode(node.encode())
        assert (len(key), list(read.rrsets)) == (20, [50])
        assert read.rrsets[50].rdatas == node.rrsets[50].rdatas


def test_nodes_equal_dnspython() -> None:
    """Law on a sample: what stands in the nodes is the zone dnspython reads from the same text."""
    text = Path("zones/db.example.org").read_text(encoding="ascii")
    zone = dns.zone.from_text(text, origin="example.org.", relativize=False)
    expected = {
        (name.to_wire(), int(rdataset.rdtype), rdataset.ttl): {r.to_wire() for r in rdataset}
        for name, rdataset in zone.iterate_rdatasets()
    }
    found = {
        (name_from_key(key, ORIGIN), rrtype, rrset.ttl): set(rrset.rdatas)
        for key, node in zone_nodes(content_of(text))
        for rrtype, rrset in node.rrsets.items()
    }
    assert found == expected
    assert {TYPE_SOA, TYPE_NS} <= {rrtype for _, rrtype, _ in found}
