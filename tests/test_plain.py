"""What is written down of dataclasses, as JSON takes it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pytest

from ocizone.compiler.spec import CompiledZone, CompileReport, RevisionFile, ZoneChange
from ocizone.errors import Problem, Severity
from ocizone.plain import plain
from ocizone.store.deployments import Deployment, StoredLayer
from ocizone.store.ledger import Ledger


@dataclass(frozen=True, slots=True)
class _One:
    """A dataclass of one field: attrgetter gives no tuple for it."""

    text: str


@dataclass(frozen=True, slots=True)
class _Deep:
    """Every kind of field."""

    kind: Literal["a", "b"]
    one: _One | None
    several: tuple[_One, ...]
    listed: list[_One]
    by_name: dict[str, _One]
    rows: tuple[tuple[str, float], ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


PROBLEM = Problem("db", 1, 2, Severity.WARNING, "rule", "message", "hint")
ZONE = CompiledZone("v", "example.org.", 1, 3, "db")
FILE = RevisionFile("db.example.org", "sha256:00", 3)
CHANGE = ZoneChange("v", "example.org.", "changed", serial=2)


@pytest.mark.parametrize(
    "value",
    [
        _One("x"),
        _Deep("a", None, (), [], {}),
        _Deep("b", _One("x"), (_One("y"), _One("z")), [_One("l")], {"k": _One("v")}, (("s", 1.5),)),
        _Deep("a", None, (), [], {}, extra={"derived": {"zones_kept": 3}, "list": ["a"]}),
        PROBLEM,
        CompileReport((PROBLEM,), (ZONE,), (FILE,), "00", 1, 0.5, {"a": [1]}, (CHANGE,)),
        Deployment(
            "s", "r", "d", (StoredLayer("d", 1, "t", False, "m"),), "f", (ZONE, ZONE), (FILE,), 1, 2
        ),
        Ledger("/root", {"a": ["1", "2"]}, ["b"]),
    ],
)
def test_it_is_what_asdict_gives(value: Any) -> None:
    """The same values, of the same types."""
    found, wanted = plain(value), asdict(value)
    assert found == wanted
    assert repr(found) == repr(wanted)


def test_a_container_of_dataclasses() -> None:
    """They need not be in a dataclass themselves."""
    assert plain((ZONE, [FILE], {"a": _One("x")})) == (
        asdict(ZONE),
        [asdict(FILE)],
        {"a": {"text": "x"}},
    )
