"""Which serial a zone gets, alone and through a whole compilation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ocizone.compiler.pipeline import compile_revision
from ocizone.compiler.serials import serial_for
from ocizone.compiler.spec import (
    BaseZone,
    CompiledZone,
    CompileReport,
    CompileSpec,
    SerialRule,
    ZoneRule,
    basis,
    fingerprint,
)
from ocizone.wire.name import from_text
from ocizone.zone.image import Image
from ocizone.zone.serial import newer
from tests.compiler.test_pipeline import spec_of
from tests.signedzones import NOW, signed_text

VIEW, OTHER = "dns://.:53", "dns://.:54"
ZONE = "$TTL 60\n@ SOA ns.x. h.x. {} 2 3 4 5\n@ NS ns.x.\n{}"
LAST = 2**32 - 1


@pytest.mark.parametrize(
    ("rule", "written", "content", "base", "expected"),
    [
        ("keep", 5, "b", (9, "a"), 5),
        ("keep", 5, "b", None, 5),
        ("auto", 5, "b", None, 5),
        ("auto", 5, "a", (9, "a"), 9),
        ("auto", 9, "a", (9, "a"), 9),
        ("auto", 10, "a", (9, "a"), 10),
        ("auto", 5, "b", (9, "a"), 10),
        ("auto", 9, "b", (9, "a"), 10),
        ("auto", 20, "b", (9, "a"), 20),
        ("auto", LAST, "b", (LAST, "a"), 1),
        ("auto", 3, "b", (LAST, "a"), 3),
        ("auto", 9, "a", (9, ""), 10),
        ("unixtime", 5, "b", None, NOW),
        ("unixtime", 5, "a", (9, "a"), 9),
        ("unixtime", 5, "b", (9, "a"), NOW),
        ("unixtime", 5, "b", (NOW, "a"), NOW + 1),
        ("unixtime", 5, "b", (NOW + 500, "a"), NOW + 501),
        ("unixtime", 5, "b", (NOW - 1, "a"), NOW),
    ],
)
def test_serial_for(
    rule: SerialRule, written: int, content: str, base: tuple[int, str] | None, expected: int
):
    """RFC 1982 decides what is newer; a base of an old record tells nothing of its content."""
    deployed = BaseZone(VIEW, "x.", *base) if base else None
    assert serial_for(rule, written, content, deployed, NOW) == expected


@given(st.sampled_from(["auto", "unixtime"]), st.integers(0, LAST), st.integers(0, LAST))
def test_a_change_always_rises(rule: SerialRule, written: int, deployed: int):
    """Whatever the file says; and what is deployed compiles to the same serial again."""
    base = BaseZone(VIEW, "x.", deployed, "a")
    serial = serial_for(rule, written, "b", base, NOW)
    assert newer(serial, deployed)
    # Half the circle away, what the file says may have become newer by the rise (RFC 1982 3.2).
    assume(not newer(written, serial))
    again = serial_for(rule, written, "b", BaseZone(VIEW, "x.", serial, "b"), NOW + 5)
    assert again == serial


# --- Through a compilation -----------------------------------------------------------------------


def rule(serial: SerialRule, view: str = VIEW) -> ZoneRule:
    return ZoneRule(view, "artifact", "", (".",), serial=serial)


def compiled(
    base: Path, text: str, rules: tuple[ZoneRule, ...], before: tuple[CompiledZone, ...] = ()
) -> tuple[CompileReport, CompileSpec]:
    base.mkdir()
    spec = spec_of(base, {"db.x": text}, *rules)
    zones = tuple(BaseZone(one.view, one.apex, one.serial, one.content) for one in before)
    spec = replace(spec, base=zones, now=NOW)
    report = compile_revision(spec, lambda: 0.0)
    assert not report.refused, report.problems
    return report, spec


def test_the_image_has_the_serial_of_the_report(tmp_path: Path):
    """And the one of the SOA it answers with."""
    first, _ = compiled(tmp_path / "1", ZONE.format(7, ""), (rule("auto"),))
    second, spec = compiled(
        tmp_path / "2", ZONE.format(7, "a A 192.0.2.1"), (rule("auto"),), first.zones
    )
    (zone,) = second.zones
    assert zone.serial == 8
    reader = Image.open(Path(spec.image)).zone(VIEW, from_text("x."))
    assert reader is not None
    assert (reader.info.serial, reader.info.content) == (8, zone.content)
    apex = reader.get(b"")
    assert apex is not None
    assert apex.rrsets[6].rdatas[0][-20:-16] == (8).to_bytes(4)


def test_going_back_rises(tmp_path: Path):
    """A rollback to an older artifact is a change like any other."""
    one, two = ZONE.format(7, ""), ZONE.format(7, "a A 192.0.2.1")
    before: tuple[CompiledZone, ...] = ()
    serials = []
    for number, text in enumerate((one, two, one)):
        report, _ = compiled(tmp_path / str(number), text, (rule("auto"),), before)
        before = report.zones
        serials.append(before[0].serial)
    assert serials == [7, 8, 9]


def test_what_is_deployed_compiles_to_itself(tmp_path: Path):
    """An image that was lost is made again octet by octet, from the deployment's own record."""
    first, _ = compiled(tmp_path / "1", ZONE.format(7, ""), (rule("unixtime"),))
    text = ZONE.format(7, "a A 192.0.2.1")
    second, _ = compiled(tmp_path / "2", text, (rule("unixtime"),), first.zones)
    third, _ = compiled(tmp_path / "3", text, (rule("unixtime"),), second.zones)
    assert second.image_sha256 == third.image_sha256
    assert second.zones == third.zones


def test_views_with_other_histories_get_other_serials(tmp_path: Path):
    """One file, two views, of which one is new or keeps its serial."""
    first, _ = compiled(tmp_path / "1", ZONE.format(7, ""), (rule("auto"),))
    rules = (rule("auto"), rule("keep", OTHER))
    second, spec = compiled(tmp_path / "2", ZONE.format(7, "a A 192.0.2.1"), rules, first.zones)
    assert [(zone.view, zone.serial) for zone in second.zones] == [(VIEW, 8), (OTHER, 7)]
    zones = Image.open(Path(spec.image)).zones()
    assert {view: zone.info.serial for (view, _), zone in zones.items()} == {VIEW: 8, OTHER: 7}


def test_the_serial_of_a_signed_zone_stays(tmp_path: Path):
    """Its SOA is signed."""
    base = tmp_path / "1"
    base.mkdir()
    spec = spec_of(base, {"db.example.org": signed_text()}, rule("auto"))
    spec = replace(spec, base=(BaseZone(VIEW, "example.org.", 9, "other"),), now=NOW)
    report = compile_revision(spec, lambda: 0.0)
    (zone,) = report.zones
    assert zone.serial == 7
    assert zone.signed_until == NOW + 14 * 86_400


def test_the_serial_of_a_zone_with_a_digest_stays(tmp_path: Path):
    """ZONEMD holds it, and secondaries verify both (RFC 8976 2.2.1, 4)."""
    digest = "@ ZONEMD 7 1 1 " + "00" * 48
    first, _ = compiled(tmp_path / "1", ZONE.format(7, digest), (rule("auto"),))
    second, _ = compiled(
        tmp_path / "2", ZONE.format(7, f"{digest}\na A 192.0.2.1"), (rule("auto"),), first.zones
    )
    assert [zone.serial for zone in second.zones] == [7]


# --- What goes into the name of an image ---------------------------------------------------------


def test_what_keeps_its_serial_is_named_without_what_is_deployed():
    """So that images are reused whatever was served in between."""
    one, other = BaseZone(VIEW, "x.", 1, "a"), BaseZone(VIEW, "x.", 2, "a")
    kept = (rule("keep"),)
    assert basis(kept, (one,)) == basis(kept, (other,)) == basis(kept, ()) == ""
    rising = (rule("auto"),)
    assert len({basis(rising, (one,)), basis(rising, (other,)), basis(rising, ())}) == 3
    assert basis(rising, (replace(one, view=OTHER),)) == basis(rising, ())
    names = {
        fingerprint((), rules, of)
        for rules in (kept, rising, (replace(kept[0], dnssec="warn"),))
        for of in ("", "basis")
    }
    assert len(names) == 6


def test_a_spec_survives_the_way_to_the_child(tmp_path: Path):
    """JSON in, JSON out; the time is not in the fingerprint."""
    spec = spec_of(tmp_path, {"db.x": ""}, rule("auto"))
    spec = replace(
        spec, base=(BaseZone(VIEW, "x.", 1, "a"),), now=5, excuse_expired=True, expiring_s=7
    )
    assert CompileSpec.from_json(spec.to_json()) == spec
    assert replace(spec, now=6).fingerprint() == spec.fingerprint()
    assert replace(spec, base=()).fingerprint() != spec.fingerprint()
