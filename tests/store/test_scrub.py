"""Everything is hashed again; what is damaged is taken away, told, and made anew."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocizone.compiler.spec import CompileReport
from ocizone.errors import StoreError
from ocizone.limits import MIB
from ocizone.store.deployments import Deployment, Rejection, StoredLayer
from ocizone.store.disk import Inject
from ocizone.store.ledger import Ledger
from ocizone.store.reports import DeployReport
from ocizone.store.scrub import Damage, Pace, StoppedError
from ocizone.store.standing import Standing
from ocizone.store.store import Store
from tests.fakes.following import digest_of


class Faults:
    """What the disk is made to do, by point."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def __call__(self, point: str) -> None:
        if point in self.codes:
            code = self.codes[point]
            raise OSError(code, os.strerror(code))


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def store(tmp_path: Path, faults: Inject) -> Iterator[Store]:
    store = Store(tmp_path / "state", faults)
    for generation in (1, 2):
        fill(store, generation)
    yield store
    store.close()


def fill(store: Store, generation: int) -> Deployment:
    """Put one deployment of source one into the store, with every kind of record."""
    blob, image = f"blob {generation}".encode(), f"image {generation}".encode()
    name = digest_of(image).removeprefix("sha256:")
    temporary = store.disk.temporary()
    temporary.write_bytes(blob)
    store.blobs.ingest(temporary, digest_of(blob))
    temporary.write_bytes(image)
    store.images.publish(temporary, name, CompileReport((), (), (), name, len(image)))
    layer = StoredLayer(digest_of(blob), len(blob), "db", False, "text/dns")
    deployment = Deployment(
        "one", "r.test/a", digest_of(b"m%d" % generation), (layer,), name, (), (), 5, generation
    )
    records = store.source("one")
    records.commit(deployment)
    records.reject(Rejection(digest_of(b"bad"), "c", ()))
    records.keep_standing(Standing())
    records.keep_report(DeployReport("one", "one", "r", deployment.digest, "served"))
    records.write_ledger(Ledger("/a"))
    return deployment


def files(store: Store) -> list[Path]:
    """Return every file whose damage matters."""
    found = [path for path in store.root.rglob("*") if path.is_file() and path.name != "lock"]
    return sorted(found)


def flip(path: Path, place: int, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.chmod(0o600)
    path.write_bytes(data)


def test_a_whole_store(store: Store):
    """Everything is counted, nothing is touched."""
    before = {path: path.read_bytes() for path in files(store)}
    found = store.scrub()
    assert found.damaged == ()
    # An image and its record are one.
    assert found.whole == len(before) - 2
    assert {path: path.read_bytes() for path in files(store)} == before


def test_a_flipped_bit_is_noticed_in_each_kind_of_file(tmp_path: Path):
    """Blob, image, image record, pointer, history, refusal, standing, report, ledger."""
    whole = Store(tmp_path / "whole")
    for generation in (1, 2):
        fill(whole, generation)
    whole.close()
    names = [path.relative_to(whole.root) for path in files(whole)]
    kinds = {
        f"{name.parts[0]}/{name.name}" if name.parts[0] == "sources" else name.parts[0]
        for name in names
    }
    assert {"blobs", "images", "sources/current.json", "sources/standing.json",
            "sources/rejected.json", "sources/ledger.json", "sources/00000001.json"} <= kinds  # fmt: skip
    for number, name in enumerate(names):
        store = Store(tmp_path / str(number))
        for generation in (1, 2):
            fill(store, generation)
        path = store.root / name
        flip(path, path.stat().st_size // 2)
        (damage,) = store.scrub().damaged
        assert damage.path.stem == path.stem
        assert store.scrub().damaged == ((damage,) if damage.kind == "record" else ())
        # What is not damaged is found: the deployment, or the one before.
        newest = store.source("one").restorable()[0][0]
        assert newest.generation == 2 or name.name in {"current.json", "00000002.json"}
        store.close()


@pytest.mark.parametrize("cut", [b"", b"x", None])
def test_a_record_is_damaged_at_every_octet(store: Store, cut: bytes | None):
    """No flipped bit goes unnoticed, and none raises what nobody foresaw."""
    path = store.root / "sources/one/current.json"
    data = path.read_bytes()
    if cut is not None:
        path.write_bytes(cut)
        assert [one.path for one in store.scrub().damaged] == [path]
        return
    for place in range(len(data)):
        for bit in (0, 5):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            current = store.source("one").current()
            assert current is None or current.generation == 2, (place, bit)
            deployments, unreadable = store.source("one").restorable()
            assert (deployments[0].generation, unreadable) == (2, ())


def test_a_damaged_blob_is_fetched_again(store: Store):
    """It is removed, in use or not: nobody maps it."""
    (digest, other) = sorted(store.blobs.digests())
    flip(store.blobs.path(digest), 0)
    hold = store.hold()
    hold.keep(digest)
    (damage,) = store.scrub().damaged
    assert damage == Damage(
        "blob",
        store.blobs.path(digest),
        True,
        "removed; it is fetched again when it is needed",
    )
    assert store.blobs.digests() == (other,)


def test_a_damaged_image_that_is_served_stays_mapped(store: Store):
    """It loses its name, so that the next look compiles it again; told loudly."""
    name, other = sorted(store.images.fingerprints())
    path = store.images.path(name)
    hold = store.hold()
    hold.keep(name)
    flip(path, 0)
    flip(store.images.path(other), 0)
    with path.open("rb") as mapped:
        first, second = sorted(store.scrub().damaged, key=lambda one: not one.in_use)
        assert mapped.read()
    assert (first.path, first.in_use, second.in_use) == (path, True, False)
    assert "refresh its source now" in first.message
    assert "compiled again" in second.message
    assert store.images.fingerprints() == ()
    assert not store.images.present(name)


def test_an_image_without_a_record_is_damaged(store: Store):
    """Nothing tells whether it is whole."""
    name = store.images.fingerprints()[0]
    (store.root / "images" / f"{name}.json").unlink()
    (damage,) = store.scrub().damaged
    assert damage.path == store.images.path(name)


def test_a_record_without_an_image_is_nothing(store: Store):
    """A collection that a crash cut short leaves it; the next one takes it."""
    name = store.images.fingerprints()[0]
    store.images.path(name).unlink()
    assert store.scrub().damaged == ()


def test_what_the_disk_lost_is_damaged(store: Store, monkeypatch: pytest.MonkeyPatch):
    """A sector that cannot be read; anything else is no reason to remove a file."""
    digest = store.blobs.digests()[0]

    def failing(code: int) -> None:
        def broken(*_: object) -> str:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr("ocizone.store.blobs.sha256_of", broken)

    failing(errno.EMFILE)
    with pytest.raises(StoreError, match="Too many open files"):
        store.scrub()
    assert store.blobs.present(digest)
    failing(errno.ENOENT)
    assert store.scrub().damaged == ()
    failing(errno.EIO)
    assert len(store.scrub().damaged) == 2
    assert not store.blobs.present(digest)


def test_what_is_written_meanwhile_is_no_damage(store: Store):
    """It is looked at once more, after everything else."""
    name = store.images.fingerprints()[0]
    record = store.root / "images" / f"{name}.json"
    data = record.read_bytes()
    record.unlink()

    def pace(_octets: int) -> None:
        record.write_bytes(data)

    assert store.scrub(pace).damaged == ()
    assert store.images.verified(name)


def test_files_of_others_are_nobodys(store: Store):
    """Neither scrub nor collection takes an odd name for a blob or an image."""
    for folder in ("blobs/sha256", "images"):
        (store.root / folder / "README").write_text("hands off")
    assert store.scrub().damaged == ()
    store.collect()
    assert (store.root / "images/README").exists()


def test_what_is_damaged_and_cannot_be_removed(store: Store, faults: Faults):
    """A read-only disk: said, not passed over."""
    flip(store.blobs.path(store.blobs.digests()[0]), 0)
    faults.codes["before retire blob"] = errno.EROFS
    with pytest.raises(StoreError, match="Read-only"):
        store.scrub()


# --- Pace --------------------------------------------------------------------------------------


class Sleeper:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stopping = False
        self.slept: list[float] = []

    def seconds(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.slept.append(seconds)
        self.now += seconds
        return self.stopping


def test_pace_is_kept_without_bursts():
    """So many octets a second; time a slow disk took is not saved up."""
    sleeper = Sleeper()
    pace = Pace(10 * MIB, sleeper.seconds, sleeper.wait)
    pace(MIB)
    pace(MIB)
    assert sleeper.slept == pytest.approx([0.1, 0.1])
    sleeper.now += 100
    pace(MIB)
    assert sleeper.slept[-1] == pytest.approx(0.1)
    assert sleeper.now == pytest.approx(100.3)


def test_a_scrub_stops_with_the_server(store: Store):
    """Nothing is removed because of what was not read."""
    sleeper = Sleeper()
    sleeper.stopping = True
    with pytest.raises(StoppedError):
        store.scrub(Pace(MIB, sleeper.seconds, sleeper.wait))
    assert len(store.blobs.digests()) == 2


def test_a_damaged_image_that_is_served_is_told_of_until_it_is_replaced(store: Store):
    """Its name is gone, so that it is compiled again; the server still answers from it."""
    name = store.source("one").history()[0].fingerprint
    hold = store.hold()
    hold.keep(name)
    flip(store.images.path(name), 3)
    for _ in range(3):
        (damage,) = store.scrub().damaged
        assert (damage.path, damage.in_use) == (store.images.path(name), True)
    fill(store, 2)
    assert store.scrub().damaged == ()
    # Another time, and nobody serves from it any more.
    flip(store.images.path(name), 3)
    assert len(store.scrub().damaged) == 1
    hold.release()
    assert store.scrub().damaged == ()
