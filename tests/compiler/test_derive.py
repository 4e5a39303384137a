"""Derived images: what a cold compilation writes, of which only what changed was read."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone import limits
from ocizone.compiler import former as former_module
from ocizone.compiler.spec import CompileReport, ZoneRule
from ocizone.zone.image import Image
from ocizone.zone.rewrite import Rewriting
from tests.revisions import RULE, VIEW, Revisions, content
from tests.signedzones import NOW as VALID
from tests.signedzones import signed_text


def zone(serial: int = 1, *records: str) -> str:
    """Return a zone file with some records."""
    return "\n".join(["$TTL 60", f"@ SOA ns.x. h.x. {serial} 2 3 4 5", "@ NS ns.x.", *records, ""])


def kept(report: CompileReport) -> tuple[int, int] | None:
    """Return how many zones were kept and read; None for a cold compilation."""
    derived = report.extra.get("derived")
    return derived and (derived["zones_kept"], derived["zones_read"])


@pytest.fixture
def revisions(tmp_path: Path) -> Revisions:
    """Return a source without revisions."""
    return Revisions(tmp_path)


FILES = {f"db.z{number}": zone(1, f"a TXT {number}") for number in range(6)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"db.z3": zone(2, "a TXT x")}, (5, 1)),
        ({"db.z3": zone(2, "a TXT x"), "db.z0": zone(7)}, (4, 2)),
        ({"db.z9": zone(1)}, (6, 1)),
        ({"db.z3": None}, (5, 0)),
        ({"db.z3": None, "db.z7": zone(1)}, (5, 1)),
        ({"README": "# zones"}, (6, 0)),
        # A zone that moves is read again.
        ({"db.z3": None, "sub/db.z3": FILES["db.z3"]}, (5, 1)),
        ({f"db.z{number}": zone(2) for number in range(4)}, None),
    ],
)
@pytest.mark.parametrize("archive", [False, True])
def test_what_did_not_change_is_not_read(
    revisions: Revisions, change: dict[str, str | None], expected: Any, archive: bool
) -> None:
    """Nor is anything kept where most changed; the zones are those of a cold compilation."""
    revisions.archive = archive
    revisions.add(FILES)
    files = {name: data for name, data in {**FILES, **change}.items() if data is not None}
    report = revisions.add(files)
    assert not report.refused
    assert kept(report) == expected
    # And once more, from the derived one.
    again = revisions.add({**files, "db.z5": zone(9, "b A 192.0.2.1")})
    assert kept(again) == (len(report.zones) - 1, 1)


def test_unchanged_files_are_not_written(revisions: Revisions) -> None:
    """Who needs them unpacks them; those that changed are there."""
    revisions.archive = True
    revisions.add(FILES)
    assert revisions.former is not None
    assert len(list(Path(revisions.former[0].tree).iterdir())) == 6
    revisions.add({**FILES, "db.z2": zone(2)})
    assert [path.name for path in Path(revisions.former[0].tree).iterdir()] == ["db.z2"]


def test_more_than_is_held_is_written(
    revisions: Revisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded, whatever did not change."""
    monkeypatch.setattr("ocizone.store.unpack.HELD_FILES_OCTETS", 2 * len(FILES["db.z0"]))
    revisions.archive = True
    revisions.add(FILES)
    report = revisions.add({**FILES, "db.z5": zone(2)})
    assert kept(report) == (5, 1)
    assert revisions.former is not None
    assert len(list(Path(revisions.former[0].tree).iterdir())) == 4


def test_an_included_file_counts(revisions: Revisions) -> None:
    """A zone is read again when a file it includes is another one, and only then."""
    files = {**FILES, "db.z3": zone(1) + "$INCLUDE hosts.inc\n", "hosts.inc": "h 5 A 192.0.2.1\n"}
    revisions.add(files)
    assert kept(revisions.add({**files, "db.z0": zone(2)})) == (5, 1)
    assert kept(revisions.add({**files, "hosts.inc": "h 5 A 192.0.2.2\n"})) == (4, 2)
    del files["hosts.inc"]
    assert revisions.add(files).refused


def test_findings_of_unchanged_zones_are_told(revisions: Revisions) -> None:
    """They are of what is served, whichever zone was read last."""
    files = {**FILES, "db.z3": zone(1, "a A 192.0.2.1", "a A 192.0.2.1")}
    assert [problem.rule for problem in revisions.add(files).problems] == ["duplicate"]
    report = revisions.add({**files, "db.z4": zone(2, "b A 192.0.2.1", "b A 192.0.2.1")})
    assert kept(report) == (5, 1)
    assert [problem.file for problem in report.problems] == ["db.z3", "db.z4"]


def test_many_findings_are_found_again(
    revisions: Revisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zone of so many mistakes is read again rather than remembered with them."""
    monkeypatch.setattr(former_module, "NOTED_PROBLEMS", 1)
    doubled = zone(1, *["a A 192.0.2.1"] * 3)
    revisions.add({**FILES, "db.z3": doubled})
    assert kept(revisions.add({**FILES, "db.z3": doubled, "db.z4": zone(2)})) == (4, 2)


def test_a_refused_revision_leaves_nothing(revisions: Revisions) -> None:
    """As a cold one: the findings say why, and there is no image."""
    revisions.add(FILES)
    report = revisions.add({**FILES, "db.z3": "@ SOA\n"})
    assert report.refused
    assert not report.image_sha256
    assert kept(revisions.add({**FILES, "db.z3": zone(2)})) == (5, 1)


def test_other_rules_take_nothing_over(revisions: Revisions) -> None:
    """What zones are, and of which view, is decided anew."""
    revisions.add(FILES)
    revisions.rules = (replace(RULE, origins=("z1.", "z2.")),)
    assert kept(revisions.add(FILES)) is None
    assert kept(revisions.add({**FILES, "db.z1": zone(2)})) == (1, 1)


@pytest.mark.parametrize("serial", ["auto", "unixtime"])
def test_serials_are_those_of_now(revisions: Revisions, serial: Any) -> None:
    """A zone is taken over when it would get the serial it has."""
    revisions.rules = (replace(RULE, serial=serial), replace(RULE, view="v", origins=("z1.",)))
    revisions.add(FILES)
    revisions.now += 100
    report = revisions.add({**FILES, "db.z3": zone(1, "a TXT x")})
    assert kept(report) == (5, 1)
    assert {one.kind for one in report.changes} == {"changed"}
    revisions.now += 100
    assert kept(revisions.add({**FILES, "db.z3": zone(1, "a TXT x"), "db.z1": zone(1)})) == (5, 1)


def test_a_zone_of_several_serials(revisions: Revisions) -> None:
    """It is in the image once for each; both go when it changes."""
    revisions.rules = (replace(RULE, serial="unixtime"), replace(RULE, view="v"))
    revisions.add(FILES)
    assert kept(revisions.add({**FILES, "db.z2": zone(2)})) == (5, 1)
    assert kept(revisions.add({**FILES, "db.z2": zone(2), "db.z1": zone(2)})) == (5, 1)


# Larger than the signed zone: reading that is worth it.
LARGE = zone(1, *(f"h{number} TXT {number}" for number in range(1000)))
SIGNED = {**FILES, "db.example.org": signed_text(), "db.large": LARGE}


def test_signatures_are_judged_by_the_time_of_now(tmp_path: Path) -> None:
    """A signed zone is taken over while nothing of it is about to expire."""
    revisions = Revisions(tmp_path, now=VALID)
    first = revisions.add(SIGNED)
    assert not first.refused, first.problems
    (until,) = {one.signed_until for one in first.zones} - {0}
    number = 1
    for now, expected in (
        (until - limits.EXPIRING_S - 10, (7, 1)),
        (until - limits.EXPIRING_S + 10, (6, 2)),
        (until + 10, None),
        (VALID, (6, 2)),
        (VALID + 5, (7, 1)),
        (VALID, (6, 2)),
    ):
        number += 1
        revisions.now = now
        report = revisions.add({**SIGNED, "db.z3": zone(number)})
        assert (None if report.refused else kept(report)) == expected, now


def test_what_is_not_yet_valid_is_judged_again(tmp_path: Path) -> None:
    """It is valid some time, and nobody is to be told of it then."""
    revisions = Revisions(tmp_path, (replace(RULE, dnssec="warn"),), now=VALID - 2 * 86_400)
    rules = {problem.rule for problem in revisions.add(SIGNED).problems}
    assert "rrsig-not-yet-valid" in rules
    revisions.now = VALID
    report = revisions.add({**SIGNED, "db.z3": zone(2)})
    assert kept(report) == (6, 2)
    assert report.problems == ()


@pytest.mark.parametrize("damage", ["gone", "cut", "flipped", "empty", "other"])
def test_a_damaged_former_image_is_not_used(revisions: Revisions, damage: str) -> None:
    """It is compiled anew; a mapped file that is cut short would end the process."""
    revisions.add(FILES)
    assert revisions.former is not None
    spec, report = revisions.former
    octets = Path(spec.image).read_bytes()
    broken = {
        "cut": octets[: len(octets) // 2],
        "flipped": octets[:5000] + bytes([octets[5000] ^ 1]) + octets[5001:],
        "empty": b"",
        "other": b"no image" * 1000,
    }
    copy = Path(spec.image).with_name("broken")
    if damage in broken:
        copy.write_bytes(broken[damage])
    assert Rewriting.of(copy, report.image_sha256, copy.with_name("draft")) is None
    # Cold on both sides, and not compared with what cannot be read.
    spec = replace(spec, image=str(copy))
    again = revisions.compiled({**FILES, "db.z3": zone(2)}, former=(spec, report))
    assert not again.refused
    assert kept(again) is None
    assert [one.serial for one in again.zones] == [1, 1, 1, 2, 1, 1]


def test_a_file_of_another_kind_is_not_used(tmp_path: Path) -> None:
    """Its hash is right, and it is not ours to rewrite."""
    text = tmp_path / "text"
    text.write_bytes(b"no image" * 1000)
    sha256 = hashlib.sha256(text.read_bytes()).hexdigest()
    assert Rewriting.of(text, sha256, tmp_path / "draft") is None


def test_much_that_was_dropped_is_not_carried_along(revisions: Revisions) -> None:
    """The file is written anew when a fifth of it would be free."""
    files = {f"db.z{n}": zone(1, *(f"h{i} TXT {'x' * 200}" for i in range(3000))) for n in range(8)}
    revisions.add(files)
    assert revisions.former is not None
    before = revisions.former[1].image_octets
    for number in range(3):
        files.pop(f"db.z{number}")
    assert kept(revisions.add(files)) == (5, 0)
    assert revisions.former[1].image_octets < 0.7 * before


_ORIGINS = ("a", "b", "c.b", "d")
_ZONES = st.builds(
    zone, st.integers(1, 3), st.sampled_from(["a A 192.0.2.1", "b.c MX 5 a", "$INCLUDE inc", ""])
)
_REVISION = st.fixed_dictionaries(
    {"inc": st.sampled_from(["i 5 A 192.0.2.1\n", "i 5 A 192.0.2.2\n"])},
    optional={f"db.{origin}": _ZONES for origin in _ORIGINS},
)


@settings(max_examples=40, deadline=None)
@given(st.lists(_REVISION, min_size=2, max_size=4), st.booleans())
def test_derived_is_cold(chain: list[dict[str, str]], archive: bool) -> None:
    """Over any chain of revisions (``add`` compares)."""
    with tempfile.TemporaryDirectory() as folder:
        rules = (
            RULE,
            ZoneRule("v", "auto", "", ("b.", "d."), r"db\.(.*)", "{1}", serial="auto"),
        )
        revisions = Revisions(Path(folder), rules=rules, archive=archive)
        for files in chain:
            revisions.add(files)


def test_images_are_read_as_any_other(revisions: Revisions) -> None:
    """What serves them finds each zone in them."""
    revisions.add(FILES)
    revisions.add({**FILES, "db.z3": zone(2, "new A 192.0.2.7"), "db.z8": zone(1)})
    assert revisions.former is not None
    image = Image.open(Path(revisions.former[0].image))
    assert len(image.zones()) == 7
    found = image.zone(VIEW, b"\x02z3\x00")
    assert found is not None
    assert found.get(b"new\x00") is not None
    assert found.predecessor(b"a") == (b"", found.get(b""))
    assert content(Path(revisions.former[0].image)).keys() == image.zones().keys()
