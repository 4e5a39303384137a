"""What is older than what was served, and what raises the mark: it never falls."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.compiler.spec import CompiledZone
from ocizone.errors import Problem, Severity
from ocizone.follow import watermark
from ocizone.follow.watermark import older, raised
from ocizone.limits import CREATED_AHEAD_S
from ocizone.store.standing import Watermark
from ocizone.zone.serial import newer

NOW = 1_795_219_200  # 2026-11-21T00:00:00Z
NOON = "2026-11-20T12:00:00Z"
DIGEST = "sha256:6b1f0d2c9ae4" + "0" * 52
MARK = Watermark("sha256:served", NOON, (("db.a.", "a.", 100),))


def zone(serial: int, apex: str = "a.", view: str = "v", file: str = "") -> CompiledZone:
    """Return a zone with this serial in its file; another one is served (`serial auto`)."""
    file = file or f"db.{apex}"
    return CompiledZone(view, apex, serial + 1000, 3, file, written=serial)


def rules(found: tuple[Problem, ...]) -> list[str]:
    return [problem.rule for problem in found]


@pytest.mark.parametrize(
    ("created", "is_older"),
    [
        (NOON, False),
        ("2026-11-20T11:59:59Z", True),
        ("2026-11-20T12:00:01Z", False),
        ("2026-11-20T11:59:59.999999999Z", True),
        ("2026-11-20t12:00:00z", False),
        # The same moments elsewhere.
        ("2026-11-20T13:00:00+01:00", False),
        ("2026-11-20T12:30:00+01:00", True),
        # No time says nothing, and neither does one of no zone.
        ("", False),
        ("yesterday", False),
        ("2026-11-19", False),
        ("2026-11-19T00:00:00", False),
        ("0001-01-01T00:00:00+23:59", True),
        ("9999-12-31T23:59:59-23:59", False),
    ],
)
def test_created(created: str, is_older: bool) -> None:
    """A time of creation before the mark's is older (RFC 3339)."""
    found = older(MARK, DIGEST, created, ())
    assert rules(found) == (["rollback-created"] if is_older else [])
    assert older(Watermark(), DIGEST, created, ()) == ()


@pytest.mark.parametrize(
    ("serial", "is_older"),
    [
        (100, False),
        (101, False),
        (99, True),
        (0, True),
        # RFC 1982 3.2: the other half of the circle is behind; half a circle away is neither.
        (100 + 2**31 - 1, False),
        (100 + 2**31, False),
        (100 + 2**31 + 1, True),
        (2**32 - 1, True),
    ],
)
def test_serials(serial: int, is_older: bool) -> None:
    """A serial below the highest that was served is older."""
    found = older(MARK, DIGEST, "", (zone(serial),))
    assert rules(found) == (["rollback-serial"] if is_older else [])


def test_what_the_mark_does_not_know() -> None:
    """A new zone has no past, and nor has a record of before serials were kept."""
    unknown = CompiledZone("v", "a.", 1, 3, "db.a.")
    assert older(MARK, DIGEST, "", (zone(1, "b."), unknown)) == ()


def test_a_block_or_file_that_was_renamed() -> None:
    """A Corefile's key line must not wipe the mark, nor another name of the file."""
    assert rules(older(MARK, DIGEST, "", (zone(99, view="w"),))) == ["rollback-serial"]
    assert rules(older(MARK, DIGEST, "", (zone(99, file="a.zone"),))) == ["rollback-serial"]


def test_two_versions_of_one_zone() -> None:
    """Inside and outside have files of their own, and serials of their own."""
    mark = Watermark("d", "", (("in/db.a", "a.", 100), ("out/db.a", "a.", 5)))
    assert older(mark, DIGEST, "", (zone(101, file="in/db.a"), zone(6, file="out/db.a"))) == ()
    assert rules(older(mark, DIGEST, "", (zone(4, file="out/db.a"),))) == ["rollback-serial"]
    assert older(mark, DIGEST, "", (zone(50, file="new/db.a"),)) == ()


def test_its_own_digest_is_never_older() -> None:
    """What is served now may say what it likes."""
    assert older(MARK, MARK.digest, "2000-01-01T00:00:00Z", (zone(1),)) == ()


def test_what_is_said() -> None:
    """Place, both figures, and all three ways out."""
    hint = (
        "if it is meant: `ocizone approve 6b1f0d2c9ae4` or `ocizone pin 6b1f0d2c9ae4`; "
        "with `allow_rollback` older versions are not held"
    )
    found = older(MARK, DIGEST, "2026-11-19T00:00:00Z", (zone(7),))
    assert found == (
        Problem(
            "6b1f0d2c9ae4",
            0,
            0,
            Severity.ERROR,
            "rollback-created",
            f"it was created 2026-11-19T00:00:00Z, before what was served: {NOON}",
            hint,
        ),
        Problem(
            "db.a.",
            0,
            0,
            Severity.ERROR,
            "rollback-serial",
            "a. serial 7 is below 100, which was served",
            hint,
        ),
    )


def test_a_file_of_several_views_is_told_once() -> None:
    """One file in two blocks is one reason."""
    mark = Watermark("d", "", (("db.a.", "a.", 9),))
    assert len(older(mark, DIGEST, "", (zone(8), zone(8, view="w")))) == 1


def test_raised() -> None:
    """Digest of the last, newest time, highest serials; what is not there now is remembered."""
    mark = raised(MARK, DIGEST, "2026-11-20T13:00:00Z", (zone(101), zone(5, "b.")), NOW)
    assert mark == Watermark(
        DIGEST, "2026-11-20T13:00:00Z", (("db.a.", "a.", 101), ("db.b.", "b.", 5))
    )
    mark = raised(mark, "sha256:next", "2026-11-19T00:00:00Z", (zone(4, "b."),), NOW)
    assert mark == Watermark(
        "sha256:next", "2026-11-20T13:00:00Z", (("db.a.", "a.", 101), ("db.b.", "b.", 5))
    )


@pytest.mark.parametrize(
    ("ahead", "counts"),
    [(0, True), (CREATED_AHEAD_S, True), (CREATED_AHEAD_S + 1, False), (10**9, False)],
)
def test_a_clock_that_is_wrong(ahead: int, counts: bool) -> None:
    """A time over a day ahead of ours does not count: it would hold all that comes after it."""
    created = datetime.fromtimestamp(NOW + ahead, UTC).isoformat()
    mark = raised(MARK, DIGEST, created, (), NOW)
    assert mark.created == (created if counts else NOON)
    locked_out = bool(older(mark, "sha256:next", "2026-11-21T00:00:00Z", ()))
    assert locked_out is (counts and ahead > 0)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zones that are long gone are forgotten first."""
    monkeypatch.setattr(watermark, "WATERMARK_ZONES", 2)
    mark = raised(MARK, DIGEST, "", (zone(1, "b."), zone(1, "c.")), NOW)
    assert mark.serials == (("db.b.", "b.", 1), ("db.c.", "c.", 1))


SERIAL = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 2**31, 2**31 + 1, 2**32 - 1]))
TIME = st.one_of(
    st.just(""),
    st.just("never"),
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
)
VERSION = st.tuples(st.sampled_from(["x", "y", "z"]), TIME, st.dictionaries(
    st.sampled_from(["a.", "b."]), SERIAL))  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(VERSION, min_size=1, max_size=6))
def test_the_mark_only_rises(versions: list[tuple[str, str, dict[str, int]]]) -> None:
    """No time and no serial falls, and what it was just raised to is never older."""
    mark = Watermark()
    for digest, created, serials in versions:
        zones = tuple(zone(serial, apex) for apex, serial in serials.items())
        before, mark = mark, raised(mark, digest, created, zones, NOW)
        assert older(mark, digest, created, zones) == ()
        assert older(before, "other", mark.created, ()) == ()
        now = {apex: serial for _, apex, serial in mark.serials}
        assert all(
            now[apex] == serial or newer(now[apex], serial) for _, apex, serial in before.serials
        )
        if not older(before, "other", created, zones):
            # What passed the mark passes it again, whatever its digest.
            assert older(mark, "other", created, zones) == ()
