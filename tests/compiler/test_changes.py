"""What a new version changes: counts by view and zone, of readers, of images, in the child."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ocizone.compiler import changes as changes_module
from ocizone.compiler.changes import changes_between, compare_images, zone_changes
from ocizone.compiler.spec import (
    CompareSpec,
    CompileReport,
    CompileSpec,
    ZoneChange,
    read_spec,
)
from ocizone.errors import StoreError
from ocizone.wire.codes import TYPE_DNSKEY
from ocizone.zone.image import Image
from ocizone.zone.reader import DictZone, ZoneReader
from tests.compiler.test_pipeline import VIEW, artifact, compiled, run_child, spec_of
from tests.signedzones import DAY, NOW, TEXT, Signer
from tests.zonebuilder import zone

HEAD = "$TTL 300\n@ SOA ns h {serial} 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
APEX = "example.org."
Zones = dict[tuple[str, bytes], ZoneReader]


def version(text: str = "", serial: int = 1, origin: str = APEX) -> DictZone:
    return zone(HEAD.format(serial=serial) + text, origin)


def served(*zones: ZoneReader, view: str = VIEW) -> Zones:
    return {(view, reader.info.apex): reader for reader in zones}


def only(before: ZoneReader, after: ZoneReader) -> ZoneChange:
    (change,) = zone_changes(served(before), served(after))
    assert (change.view, change.apex, change.kind) == (VIEW, APEX, "changed")
    return change


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        ("", "a A 192.0.2.1", (1, 0, 0)),
        ("a A 192.0.2.1", "", (0, 1, 0)),
        ("a A 192.0.2.1", "a A 192.0.2.2", (1, 1, 1)),
        ("a A 192.0.2.1", "a TXT x", (1, 1, 0)),
        ("a A 192.0.2.1\na A 192.0.2.2", "a A 192.0.2.1", (0, 1, 0)),
        # A TTL alone: one RRset, no record went (else a new $TTL would trip every guard).
        ("a A 192.0.2.1\na A 192.0.2.2", "a 9 A 192.0.2.1\na 9 A 192.0.2.2", (0, 0, 1)),
        ("a A 192.0.2.1\na A 192.0.2.2", "a 9 A 192.0.2.1\na 9 A 192.0.2.3", (1, 1, 1)),
        ("a A 192.0.2.1", "a 9 A 192.0.2.1", (0, 0, 1)),
        ("a A 192.0.2.1", "a 9 A 192.0.2.2", (1, 1, 1)),
        ("a A 192.0.2.1", "a AAAA 2001:db8::1", (1, 1, 0)),
        # Spelling is no record.
        ("a A 192.0.2.1", "A A 192.0.2.1", (0, 0, 0)),
        ("@ ZONEMD 1 1 1 " + "00" * 48, "@ ZONEMD 1 1 1 " + "01" * 48, (0, 0, 0)),
    ],
)
def test_counts(before: str, after: str, counts: tuple[int, int, int]) -> None:
    """Records that came, that went, and RRsets with both (RFC 2181 5)."""
    change = only(version(before), version(after, 2))
    assert (change.added, change.removed, change.changed) == counts
    assert (change.serial_before, change.serial, change.ns) == (1, 2, False)


def test_before_counts_what_counts() -> None:
    """All but the SOA, and what a signer makes."""
    assert only(version("a A 192.0.2.1\n@ ZONEMD 1 1 1 " + "00" * 48), version("", 2)).before == 3


@pytest.mark.parametrize(
    ("before", "after", "ns"),
    [
        ("@ SOA ns h 1 2 3 4 5", "@ SOA ns other 1 9 9 9 9", False),
        ("@ SOA ns h 1 2 3 4 5", "@ 9 SOA NS h 1 2 3 4 5", False),
        ("@ SOA ns h 1 2 3 4 5", "@ SOA ms h 1 2 3 4 5", True),
        ("@ NS a", "@ NS A", False),
        ("@ NS a", "@ 9 NS a", False),
        ("@ NS a", "@ NS b", True),
        ("@ NS a", "@ NS a\n@ NS b", True),
        ("sub NS a", "sub NS b", False),
        ("a A 192.0.2.1", "a A 192.0.2.2", False),
        ("@ A 192.0.2.1", "@ A 192.0.2.2", False),
    ],
)
def test_ns(before: str, after: str, ns: bool) -> None:
    """The apex NS and the MNAME decide who answers; RNAME, timers, TTLs and spelling do not."""
    soa, rest = "@ SOA ns h 1 2 3 4 5\n", "\nns TXT {}"
    texts = [
        ("" if "SOA" in text else soa)
        + ("" if re.match(r"@( \d)? NS ", text) else "@ NS ns\n")
        + text
        for text in (before, after)
    ]
    old, new = (
        zone(f"$TTL 5\n{text}{rest.format(number)}", APEX) for number, text in enumerate(texts)
    )
    assert only(old, new).ns is ns


@pytest.mark.parametrize(
    ("before", "after", "ns"),
    [
        ("ns A 192.0.2.1", "ns A 192.0.2.2", True),
        ("ns A 192.0.2.1", "ns A 192.0.2.1\nns A 192.0.2.2", True),
        ("ns AAAA 2001:db8::1", "ns AAAA 2001:db8::2", True),
        ("ns A 192.0.2.1", "NS A 192.0.2.1\nns TXT x", False),
        ("ns A 192.0.2.1", "ns 9 A 192.0.2.1", False),
        ("ns A 192.0.2.1\nns TXT x", "ns A 192.0.2.1\nns TXT y", False),
        # Servers of a delegation are not the zone's.
        ("sub NS a.sub\na.sub A 192.0.2.1", "sub NS a.sub\na.sub A 192.0.2.2", False),
        # A server below a delegation is: its address here is what resolvers are given.
        (
            "@ NS b.sub\nsub NS x.\nb.sub A 192.0.2.1",
            "@ NS b.sub\nsub NS x.\nb.sub A 192.0.2.2",
            True,
        ),
        ("@ NS out.example.\na A 192.0.2.1", "@ NS out.example.\na A 192.0.2.2", False),
        ("@ NS @\n@ A 192.0.2.1", "@ NS @\n@ A 192.0.2.2", True),
    ],
)
def test_addresses_of_servers(before: str, after: str, ns: bool) -> None:
    """Whoever moves ``ns.example.org.`` to another address moves the zone, too."""
    head = "$TTL 5\n@ SOA ns h 1 2 3 4 5\n@ NS Ns\n{}"
    old, new = (zone(head.format(text), APEX) for text in (before, after))
    assert only(old, new).ns is ns


def test_signing_again_changes_nothing() -> None:
    """RRSIG, NSEC, NSEC3 and its salt are the signer's: neither counted nor part of the whole."""
    later = Signer(TEXT.replace(" 7 ", " 8 "), expiration=NOW + 20 * DAY).nsec3(salt="ab")
    for first in (Signer().nsec(), Signer().nsec3()):
        old, new = (zone("\n".join(one.lines()), APEX) for one in (first, later))
        change = only(old, new)
        assert (change.added, change.removed, change.changed) == (0, 0, 0)
        # The lines of TEXT less the SOA, and the keys.
        apex = old.get(b"")
        assert apex is not None
        assert change.before == TEXT.count("\n") - 1 + len(apex.rrsets[TYPE_DNSKEY].rdatas)


def test_kinds_and_order() -> None:
    """New and gone zones are told with all their records; what is as it was is not."""
    a, b, c = (version("x TXT x", 7, origin) for origin in ("a.", "b.", "c."))
    assert zone_changes(served(a, b), served(c, b)) == (
        ZoneChange(VIEW, "a.", "removed", removed=3, before=3, serial_before=7),
        ZoneChange(VIEW, "c.", "added", added=3, serial=7),
    )
    assert zone_changes(served(a, b), served(a, b)) == ()


def test_a_serial_alone() -> None:
    """It is told, with nothing counted."""
    change = only(version(serial=1), version(serial=2))
    assert change == ZoneChange(VIEW, APEX, "changed", before=2, serial_before=1, serial=2)


def with_content(reader: DictZone, content: str) -> DictZone:
    return DictZone(replace(reader.info, content=content), dict(reader.nodes()))


def test_equal_content_is_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zone of a million records whose serial alone rose costs nothing."""
    monkeypatch.setattr(changes_module, "merged", None)
    old, new = (with_content(version(serial=serial), "same") for serial in (1, 2))
    assert (only(old, new).serial_before, only(old, new).serial) == (1, 2)
    assert zone_changes(served(old), served(old)) == ()


def test_equal_serials_with_other_content_are_walked() -> None:
    """The digest decides, not the serial; and what has no digest is compared."""
    old, new = version("a TXT x"), version("")
    assert only(with_content(old, "x"), with_content(new, "y")).removed == 1
    assert only(old, new).removed == 1


def test_a_renamed_view() -> None:
    """A key line that was edited makes no zone new: compared by apex (as assemble serves it)."""
    old, new = version("a TXT x", 1), version("", 2)
    (change,) = zone_changes(served(old, view="was"), served(new, view="is"))
    assert (change.view, change.kind, change.removed) == ("is", "changed", 1)


def test_views_that_stay_are_not_mixed() -> None:
    """A zone that moves from one view to another is gone there and new here."""
    other = version(origin="other.")
    former = served(version(), view="a") | served(other, view="b")
    now = served(version(), view="b") | served(other, view="b") | served(other, view="a")
    kinds = [(change.view, change.apex, change.kind) for change in zone_changes(former, now)]
    assert kinds == [
        ("a", "example.org.", "removed"),
        ("a", "other.", "added"),
        ("b", "example.org.", "added"),
    ]


def test_a_view_that_is_new() -> None:
    """Beside one that stays: its zones are new, though the other has them."""
    former = served(version(), view="old")
    (change,) = zone_changes(former, former | served(version("a TXT x"), view="new"))
    assert (change.view, change.kind, change.before) == ("new", "added", 0)


def test_a_view_split_in_two() -> None:
    """Both halves are compared with what it was."""
    former = served(version(origin="a."), version(origin="b."), view="both")
    now = served(version("x TXT x", 2, "a."), view="a") | served(version("", 2, "b."), view="b")
    assert [(one.apex, one.kind) for one in zone_changes(former, now)] == [
        ("a.", "changed"),
        ("b.", "changed"),
    ]


# --- Images ----------------------------------------------------------------------------------

ZONE = "$TTL 60\n@ SOA ns.x. h.x. {} 2 3 4 5\n@ NS ns.x.\n{}"


def image(base: Path, name: str, files: dict[str, str]) -> Path:
    folder = base / name
    folder.mkdir()
    assert not compiled(folder, files).refused
    return folder / "image"


def second(base: Path, former: str) -> CompileSpec:
    (base / "second").mkdir()
    files = {"db.a": ZONE.format(2, "x TXT x\n")}
    return replace(spec_of(base / "second", files, artifact()), former=former)


def test_the_child_reports_changes(tmp_path: Path) -> None:
    """With ``former`` the report tells them; CompareSpec gives the same for two images."""
    former = image(tmp_path, "first", {"db.a": ZONE.format(1, ""), "db.b": ZONE.format(1, "")})
    spec = second(tmp_path, str(former))
    report = CompileReport.from_json(run_child(spec.to_json()).stdout)
    assert report.changes == (
        ZoneChange(VIEW, "a.", "changed", added=1, before=1, serial_before=1, serial=2),
        ZoneChange(VIEW, "b.", "removed", removed=1, before=1, serial_before=1),
    )
    compared = CompareSpec(str(former), spec.image)
    alone = CompileReport.from_json(run_child(compared.to_json()).stdout)
    assert alone == CompileReport(changes=report.changes, seconds=alone.seconds)
    new = compare_images(CompareSpec("", spec.image), lambda: 0.0)
    assert new.changes == (ZoneChange(VIEW, "a.", "added", added=2, serial=2),)


def test_without_a_former_image(tmp_path: Path) -> None:
    """Nothing is told; one that cannot be opened refuses nothing, and the report says so.

    A guard that took it for a version that changes nothing would let everything pass.
    """
    spec = second(tmp_path, "")
    report = CompileReport.from_json(run_child(spec.to_json()).stdout)
    assert (report.changes, report.compared) == ((), True)
    spec = replace(spec, former=str(tmp_path / "gone"), tree=str(tmp_path / "tree"))
    Path(spec.tree).mkdir()
    report = CompileReport.from_json(run_child(spec.to_json()).stdout)
    assert (report.changes, report.refused, report.compared) == ((), False, False)
    assert report.extra["former"].startswith(f"cannot open the image {tmp_path}/gone")


def test_two_images(tmp_path: Path) -> None:
    """Compared in process as in the child; with one that is no image nothing is."""
    former = image(tmp_path, "one", {"db.a": ZONE.format(1, "")})
    new = image(tmp_path, "two", {"db.a": ZONE.format(1, "x TXT x\n")})
    report = compare_images(CompareSpec(str(former), str(new)), lambda: 0.0)
    assert [(one.apex, one.added) for one in report.changes] == [("a.", 1)]
    assert report.compared
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"x" * 9_000)
    report = compare_images(CompareSpec(str(damaged), str(new)), lambda: 0.0)
    assert (report.changes, list(report.extra), report.compared) == ((), ["former"], False)


def test_an_image_that_cannot_be_opened(tmp_path: Path) -> None:
    """There is nothing to compare: the child ends with one line."""
    with pytest.raises(StoreError, match="cannot open the image"):
        compare_images(CompareSpec("", str(tmp_path / "gone")), lambda: 0.0)
    done = run_child(CompareSpec("", "/nowhere").to_json())
    assert (done.returncode, done.stdout) == (1, "")


def test_specs_are_told_apart() -> None:
    """One door for both."""
    compare = CompareSpec("a", "b")
    assert read_spec(compare.to_json()) == compare
    compile_spec = CompileSpec("s", (), (artifact(),), "t", "i")
    assert read_spec(compile_spec.to_json()) == compile_spec


def test_images_hold_views(tmp_path: Path) -> None:
    """``changes_between`` reads them from the images."""
    former = Image.open(image(tmp_path, "one", {"db.a": ZONE.format(1, "")}))
    (change,) = changes_between(None, former)
    assert (change.view, change.apex, change.kind) == (VIEW, "a.", "added")
    assert changes_between(former, former) == ()
