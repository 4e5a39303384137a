"""How much history is kept, and what is never removed (`keep N AGE`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone import limits
from ocizone.plugins.artifact import Keep
from ocizone.store.deployments import Deployment, StoredLayer
from ocizone.store.pruning import named, superfluous
from ocizone.store.records import SourceRecords
from ocizone.store.reports import DeployReport
from ocizone.store.standing import Held, Pin, Standing
from ocizone.store.store import Store
from tests.fakes.following import digest_of

DAY = 86_400
NOW = 100 * DAY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state")
    yield store
    store.close()


def digest(name: str) -> str:
    return digest_of(name.encode())


def one(generation: int, name: str = "", day: int | None = None) -> Deployment:
    """Return a deployment of a day; its digest is of its name, or its number."""
    return Deployment(
        source="one",
        reference="r.test/zones:prod",
        digest=digest(name or str(generation)),
        layers=(StoredLayer(digest(f"blob{name or generation}"), 4, "db", False, "text/dns"),),
        fingerprint=digest(f"image{name or generation}").removeprefix("sha256:"),
        zones=(),
        files=(),
        activated_at=(generation if day is None else day) * DAY,
        generation=generation,
    )


def dropped(history: list[Deployment], keep: Keep, *protected: str, now: int = NOW) -> list[int]:
    gone = superfluous(history, keep, history[0], frozenset(map(digest, protected)), now)
    return [each.generation for each in gone]


HISTORY = [one(5), one(4), one(3), one(2), one(1)]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (Keep(9), []),
        (Keep(5), []),
        (Keep(3), [2, 1]),
        (Keep(1), [4, 3, 2, 1]),
        # What follows it decides its age: 4 was served until day 5.
        (Keep(9, 95 * DAY), [3, 2, 1]),
        (Keep(9, 95 * DAY - 1), [4, 3, 2, 1]),
        (Keep(9, 1), [4, 3, 2, 1]),
        (Keep(2, 98 * DAY), [3, 2, 1]),
    ],
)
def test_so_many_and_so_long(keep: Keep, expected: list[int]):
    """Both bounds apply; age never to the newest, however old it is."""
    assert dropped(HISTORY, keep) == expected


def test_age_counts_from_when_another_took_its_place():
    """Served for a year until a minute ago: a rollback wants it."""
    history = [one(2, day=100), one(1, day=1)]
    assert dropped(history, Keep(9, 60.0), now=100 * DAY + 60) == []
    assert dropped(history, Keep(9, 60.0), now=100 * DAY + 61) == [1]


def test_what_is_named_stays():
    """The newest deployment of a protected digest, wherever it stands."""
    history = [one(5), one(4), one(3, "x"), one(2), one(1, "x")]
    assert dropped(history, Keep(1), "x") == [4, 2, 1]


def test_the_current_one_stays_though_newer_ones_are_there():
    """After a deployment that was durable and could not be served."""
    gone = superfluous(HISTORY, Keep(1), HISTORY[2], frozenset(), NOW)
    assert [each.generation for each in gone] == [4, 2, 1]


def test_going_to_and_fro_evicts_no_other_version():
    """Versions are counted: a rollback a minute must not cost the one of last month."""
    history = [one(number, "ab"[number % 2]) for number in range(20, 2, -1)]
    history += [one(2, "older"), one(1, "oldest")]
    gone = dropped(history, Keep(3))
    assert gone == [*range(16, 2, -1), 1]
    assert 2 not in gone
    # Of each version one deployment more: its serials may be others.
    assert dropped(history, Keep(4)) == list(range(16, 2, -1))


def test_an_older_deployment_of_a_version_ages_by_itself():
    """That the version is served again says nothing of its former serials."""
    history = [one(3, "a", day=99), one(2, "b", day=50), one(1, "a", day=1)]
    assert dropped(history, Keep(9, 20 * DAY)) == [1]


@given(
    keep=st.integers(1, 4),
    names=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=20),
)
@settings(max_examples=50)
def test_the_newest_versions_stay_however_often_they_were_deployed(keep: int, names: list[str]):
    """Law: the newest deployment of each of the last N versions stays, and no third of any."""
    history = [one(len(names) - place, name) for place, name in enumerate(names)]
    gone = set(dropped(history, Keep(keep)))
    kept = [names[len(names) - each.generation] for each in history if each.generation not in gone]
    last = list(dict.fromkeys(names))[:keep]
    assert list(dict.fromkeys(kept)) == last
    assert all(kept.count(name) == min(2, names.count(name)) for name in last)


@given(
    keep=st.integers(1, 8),
    age=st.none() | st.integers(0, 20 * DAY),
    days=st.lists(st.integers(0, 20), min_size=1, max_size=10),
    now=st.integers(0, 40 * DAY),
)
@settings(max_examples=50)
def test_the_newest_stays_and_no_more_than_so_many(
    keep: int, age: int | None, days: list[int], now: int
):
    """Whatever the times are, clocks that went backwards among them."""
    history = [one(len(days) - place, day=day) for place, day in enumerate(days)]
    gone = superfluous(history, Keep(keep, age), history[0], frozenset(), now)
    assert history[0] not in gone
    assert len(history) - len(gone) <= keep


def test_named():
    """Served, pinned, passed over by a rollback, held."""
    held = Held(digest("held"), "ChangeGuard", 1, "c", ())
    pin = Pin(digest("pinned"), "rollback", 1, "", (digest("left"),))
    assert named(None, Standing()) == frozenset()
    assert named(one(1), Standing(pin=pin, held=held)) == {
        digest("1"),
        digest("pinned"),
        digest("left"),
        digest("held"),
    }


# --- On disk -----------------------------------------------------------------------------------


def put_blob(store: Store, data: str) -> str:
    temporary = store.disk.temporary()
    temporary.write_text(data)
    store.blobs.ingest(temporary, digest(data))
    return digest(data)


def committed(store: Store, *deployments: Deployment) -> SourceRecords:
    records = store.source("one")
    for each in deployments:
        for layer in each.layers:
            put_blob(store, f"blob{each.generation}")
            assert layer.digest
        records.commit(each)
    return records


def test_collection_keeps_as_a_source_asks(store: Store):
    """By key; the default for others; what goes is told in octets."""
    records = committed(store, *(one(generation) for generation in range(1, 9)))
    store.source("two").commit(one(1))
    assert store.collect({"other": Keep(1)}).blobs == 8 - limits.KEEP_DEPLOYMENTS - 1
    collected = store.collect({"one": Keep(2)})
    assert [each.generation for each in records.history()] == [8, 7]
    assert (collected.blobs, collected.octets) == (4, 4 * len("blob1"))
    assert store.collect({"one": Keep(2)}).blobs == 0
    assert set(store.blobs.digests()) == {digest("blob8"), digest("blob7"), digest("blob1")}


def test_collection_by_age(store: Store):
    """Seconds of the caller's clock."""
    records = committed(store, one(1), one(2), one(3))
    store.collect({"one": Keep(9, 10 * DAY)}, now=12 * DAY + 1)
    assert [each.generation for each in records.history()] == [3, 2]


def test_collection_keeps_what_is_held_and_pinned(store: Store):
    """A restart must find what ``approve`` and ``unpin`` activate."""
    records = committed(store, one(1), one(2), one(3))
    held = put_blob(store, "held")
    waits = replace(one(4), layers=(StoredLayer(put_blob(store, "blob4"), 4, "", False, ""),))
    records.keep_standing(
        Standing(
            pin=Pin(digest("1"), "pin", 1),
            held=Held(digest("4"), "ChangeGuard", 1, "c", (), (held,), "", waits),
        )
    )
    store.collect({"one": Keep(1)})
    assert [each.generation for each in records.history()] == [3, 1]
    assert set(store.blobs.digests()) == {
        digest("blob3"),
        digest("blob1"),
        held,
        digest("blob4"),
    }
    records.keep_standing(Standing())
    store.collect({"one": Keep(1)})
    assert store.blobs.digests() == (digest("blob3"),)


def test_no_history_is_removed_while_what_is_pinned_is_not_known(store: Store):
    """A damaged standing may name what looks superfluous; other sources go on."""
    records = committed(store, one(1), one(2))
    records.keep_standing(Standing())
    (store.root / "sources/one/standing.json").write_bytes(b"{")
    other = store.source("two")
    other.commit(one(1))
    other.commit(one(2))
    store.collect({"one": Keep(1), "two": Keep(1)})
    assert (len(records.history()), len(other.history())) == (2, 1)
    assert len(store.blobs.digests()) == 2


def test_damaged_records_go_with_their_age(store: Store):
    """They tell nothing; but only beyond what is kept."""
    committed(store, one(1), one(2), one(3))
    directory = store.root / "sources/one/deployments"
    for generation in (1, 2):
        (directory / f"{generation:08d}.json").write_bytes(b"")
    store.collect({"one": Keep(2)})
    assert sorted(path.stem for path in directory.iterdir()) == ["00000002", "00000003"]


def report(name: str, at: float) -> DeployReport:
    return DeployReport("one", "one", "r", digest(name), "refused", (("resolved", at),))


def test_reports_are_bounded(store: Store):
    """Those of kept deployments, and the last so many others."""
    records = committed(store, one(1))
    records.keep_report(report("1", 0.0))
    for number in range(limits.KEEP_REPORTS + 5):
        records.keep_report(report(f"r{number}", 10.0 + number))
    damaged = store.root / "sources/one/reports" / f"{'0' * 64}.json"
    damaged.write_bytes(b"{")
    store.collect()
    kept = {each.digest for each in records.reports()}
    assert kept == {digest("1")} | {
        digest(f"r{number}") for number in range(5, limits.KEEP_REPORTS + 5)
    }
    assert not damaged.exists()


def test_manifests_are_deleted_once(store: Store):
    """Deployments and reports; what is served stays; unknown is no error (claircore)."""
    records = committed(store, one(1), one(2))
    records.keep_report(report("1", 1.0))
    records.keep_report(report("refused", 1.0))
    asked = [digest(name) for name in ("1", "2", "refused", "unknown", "1")]
    assert records.delete_manifests(asked) == (digest("1"), digest("refused"))
    assert records.delete_manifests(asked) == ()
    assert [each.generation for each in records.history()] == [2]
    assert records.reports() == ()


def test_sources_no_block_names_are_forgotten_when_asked(store: Store):
    """Their records at once, what only they referred to with the next collection."""
    committed(store, one(1))
    store.source("two").commit(replace(one(2), layers=()))
    assert store.collect().blobs == 0
    assert store.forget({"two"}) == ("one",)
    assert store.forget({"two"}) == ()
    assert store.keys() == ("two",)
    assert store.collect().blobs == 1
    assert list((store.root / "tmp").iterdir()) == []


def test_usage(store: Store):
    """Octets of every file, deployments of every source."""
    before = store.usage()
    assert before.generations == 0
    committed(store, one(1), one(2))
    (store.root / "blobs" / "more").write_bytes(b"x" * 1000)
    found = store.usage()
    assert found.generations == 2
    assert found.octets - before.octets > 1000
