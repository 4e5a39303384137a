"""Sealed records whose checksum is right and whose content is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.compiler.spec import CompiledZone, RevisionFile, ZoneChange
from ocizone.errors import Problem, Severity
from ocizone.store.deployments import Deployment, Rejection, StoredLayer
from ocizone.store.images import ImageRecord
from ocizone.store.ledger import Ledger
from ocizone.store.reports import DeployReport
from ocizone.store.sealed import DamagedError, seal
from ocizone.store.standing import Held, Pin, Standing, Suspension, Watermark
from ocizone.store.store import Store
from ocizone.store.typed import read_as, value_of
from tests.fakes.following import digest_of

DIGEST = digest_of(b"1")
ZONE = CompiledZone("v", "a.test.", 1, 2, "db", "c", 3)
PROBLEM = Problem("db", 1, 2, Severity.WARNING, "rule", "message", "hint")
DEPLOYMENT = Deployment(
    source="one",
    reference="r.test/a:t",
    digest=DIGEST,
    layers=(StoredLayer(DIGEST, 4, "db", False, "text/dns"),),
    fingerprint="f" * 64,
    zones=(ZONE,),
    files=(RevisionFile("db", DIGEST, 4),),
    activated_at=5,
    generation=1,
)
STANDING = Standing(
    Pin(DIGEST, "rollback", 1, "why", (DIGEST,)),
    Suspension(1, 2, "why"),
    Held(DIGEST, "ChangeGuard", 1, "c", (PROBLEM,), (DIGEST,), "f", DEPLOYMENT),
    (DIGEST,),
    Watermark(DIGEST, "2026-01-01T00:00:00Z", (("v", "a.test.", 1),)),
)
REPORT = DeployReport(
    "one",
    "one",
    "r",
    DIGEST,
    "served",
    (("resolved", 1.5), ("served", 2)),
    zones=(ZONE,),
    changes=(ZoneChange("v", "a.test.", "added", serial=1),),
    problems=(PROBLEM,),
)
VALUES = [
    DEPLOYMENT,
    STANDING,
    Standing(),
    REPORT,
    Rejection(DIGEST, "c", (PROBLEM,)),
    ImageRecord("0" * 64, 5, (ZONE,), (), (PROBLEM,)),
    Ledger("/a", {"db": ["0", "1"]}, ["sub"]),
]


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(asdict(value)))


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_was_written_is_read(value: Any):
    """The same value, tuples and enums included."""
    assert value_of(type(value), as_json(value)) == value


class Word(StrEnum):
    """Two words."""

    ONE = "one"
    TWO = "two"


@dataclass(frozen=True)
class Sample:
    """One field of each kind."""

    text: str = ""
    whole: int = 0
    number: float = 0.0
    flag: bool = False
    word: Word = Word.ONE
    literal: Literal["a", "b"] = "a"
    maybe: int | None = None
    row: tuple[str, int] = ("", 0)
    many: tuple[int, ...] = ()
    table: dict[str, list[int]] | None = None


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("text", [5, None, [], {}, True]),
        ("whole", ["9", True, 1.0, None, 10**30, -2, 253_402_300_800]),
        ("number", ["9", True, None, 1e30, float("inf"), float("nan"), 10**30]),
        ("flag", [0, 1, "true", None]),
        ("word", ["three", 1, None, ["one"]]),
        ("literal", ["c", None, ["a"], {}]),
        ("maybe", ["", 0.5, False]),
        ("row", [[], ["", 1, 2], [1, ""], "ab", None, {}]),
        ("many", [1, [None], "12", {"0": 1}]),
        ("table", [[], {"a": 1}, {"a": ["1"]}, 0]),
    ],
)
def test_a_wrong_type_is_damage(field: str, wrong: list[Any]):
    """And the message names the field."""
    for value in wrong:
        with pytest.raises(DamagedError, match=rf"^{field}: "):
            value_of(Sample, {field: value})


def test_a_record_is_an_object_with_its_fields():
    """What has no default must be there; what nobody knows is a later version's."""
    strange: tuple[Any, ...] = (None, [], "", 5)
    for raw in strange:
        with pytest.raises(DamagedError, match="no object"):
            value_of(Sample, raw)
    with pytest.raises(DamagedError, match="digest is missing"):
        value_of(Rejection, {"configuration": "", "problems": []})
    assert value_of(Sample, {"whole": 7, "later": [1]}) == Sample(whole=7)


def places(raw: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value inside."""
    inside = raw.items() if isinstance(raw, dict) else enumerate(raw) if type(raw) is list else ()
    for name, value in inside:
        yield (*path, name)
        yield from places(value, (*path, name))


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -5, 10**30, "abc", 0.5, [], {}, [[]], {"a": 1}, [5]]
)


@given(value=st.sampled_from(VALUES), junk=JUNK, data=st.data())
@settings(max_examples=200)
def test_junk_anywhere_is_damage_or_meant(value: Any, junk: Any, data: st.DataObject):
    """No other error, and what is read is written the same."""
    raw = as_json(value)
    *way, last = data.draw(st.sampled_from(list(places(raw))))
    inner = raw
    for step in way:
        inner = inner[step]
    inner[last] = junk
    try:
        read = value_of(type(value), raw)
    except DamagedError:
        return
    assert value_of(type(value), as_json(read)) == read


# --- On disk -----------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state")
    yield store
    store.close()


Change = Callable[[dict[str, Any]], None]


def wrong(*way: str, to: Any) -> Change:
    def change(raw: dict[str, Any]) -> None:
        inner = raw
        for step in way[:-1]:
            inner = inner[step]
        inner[way[-1]] = to

    return change


@pytest.mark.parametrize(
    ("name", "value", "change"),
    [
        ("standing.json", STANDING, wrong("pin", "digest", to=5)),
        ("standing.json", STANDING, wrong("suspension", "until", to="abc")),
        ("standing.json", STANDING, wrong("held", "digest", to=5)),
        ("standing.json", STANDING, wrong("pin", "since", to=10**30)),
        ("standing.json", STANDING, wrong("held", "candidate", "generation", to="9")),
        ("current.json", DEPLOYMENT, wrong("digest", to=5)),
        ("current.json", DEPLOYMENT, wrong("generation", to="9")),
        ("current.json", DEPLOYMENT, wrong("activated_at", to=10**30)),
        ("rejected.json", VALUES[4], wrong("problems", to=[{}])),
        ("ledger.json", VALUES[6], wrong("files", to=["x"])),
    ],
)
def test_a_sealed_record_of_a_wrong_type_is_damaged(
    store: Store, name: str, value: Any, change: Change
):
    """As one whose checksum differs: what reads it goes on, and the scrub tells of it."""
    records = store.source("one")
    records.commit(DEPLOYMENT)
    raw = as_json(value)
    change(raw)
    path = store.root / "sources/one" / name
    path.write_bytes(seal(raw))
    with pytest.raises(DamagedError, match=rf"{name} is damaged: "):
        read_as(type(value), path)
    assert [one.path for one in store.scrub().damaged] == [path]
    if name == "standing.json":
        with pytest.raises(DamagedError):
            records.standing()
    else:
        assert records.ledger() is None
        assert records.rejected() is None
    assert records.restorable() == ((DEPLOYMENT,), ())
    # The next write mends it.
    records.keep_standing(Standing())
    assert records.commit_next(replace(DEPLOYMENT, generation=0)).generation == 2
