"""The state directory: one owner, whole or not at all, and nothing left over."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.compiler.spec import CompiledZone, CompileReport, RevisionFile
from ocizone.errors import Problem, Severity, StoreError
from ocizone.plugins.artifact import Keep
from ocizone.store.deployments import Deployment, Rejection, StoredLayer
from ocizone.store.sealed import DamagedError, read_sealed, seal
from ocizone.store.store import Store
from tests.fakes.following import digest_of

FINGERPRINT = "f" * 64
ZONE = CompiledZone("dns://.:53", "example.org.", 7, 12, "db.example.org")
FILE = RevisionFile("db.example.org", digest_of(b"zone"), 4)
WARNING = Problem("db.example.org", 3, 1, Severity.WARNING, "odd", "is odd", "make it even")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state")
    yield store
    store.close()


def deployment(generation: int = 1, *, blob: bytes = b"zone") -> Deployment:
    layer = StoredLayer(digest_of(blob), len(blob), "db.example.org", False, "text/dns")
    return Deployment(
        source="one",
        reference="r.test/zones:prod",
        digest=digest_of(b"manifest"),
        layers=(layer,),
        fingerprint=FINGERPRINT,
        zones=(ZONE,),
        files=(FILE,),
        activated_at=1_790_000_000,
        generation=generation,
    )


def put_blob(store: Store, data: bytes) -> str:
    temporary = store.disk.temporary()
    temporary.write_bytes(data)
    store.blobs.ingest(temporary, digest_of(data))
    return digest_of(data)


def put_image(store: Store, data: bytes = b"image") -> None:
    temporary = store.disk.temporary()
    temporary.write_bytes(data)
    digest = digest_of(data).removeprefix("sha256:")
    report = CompileReport((WARNING,), (ZONE,), (FILE,), digest, len(data))
    store.images.publish(temporary, FINGERPRINT, report)


# --- Opening ---------------------------------------------------------------------------------


def test_directories_are_private(store: Store) -> None:
    """Everything below the state directory is for its owner alone."""
    for path in [store.root, *store.root.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_second_process_is_refused_and_told_which(store: Store) -> None:
    """Two processes never share a state directory."""
    script = "import sys; from pathlib import Path; from ocizone.store.store import Store\n"
    script += "Store(Path(sys.argv[1]))"
    ran = subprocess.run(
        [sys.executable, "-c", script, str(store.root)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert f"StoreError: state directory {store.root} is in use by process {os.getpid()}" in (
        ran.stderr
    )


def test_lock_ends_with_close(store: Store) -> None:
    """A closed store can be opened again; closing twice is no harm."""
    store.close()
    other = Store(store.root)
    store.close()
    with pytest.raises(StoreError, match="in use"):
        Store(store.root)
    other.close()


def test_failed_opening_leaves_no_lock(tmp_path: Path) -> None:
    """What cannot be opened is not held."""
    root = tmp_path / "state"
    root.mkdir()
    (root / "blobs").symlink_to(tmp_path)
    with pytest.raises(StoreError, match="is in the way"):
        Store(root)
    (root / "blobs").unlink()
    Store(root).close()


@pytest.mark.parametrize("name", ["blobs", "images", "sources", "tmp"])
def test_planted_link_is_refused(tmp_path: Path, name: str) -> None:
    """No directory of ours may be a link to somewhere else."""
    root = tmp_path / "state"
    root.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / name).symlink_to(elsewhere)
    with pytest.raises(StoreError, match="no link"):
        Store(root)
    assert list(elsewhere.iterdir()) == []


def test_planted_link_of_the_lock_is_refused(tmp_path: Path) -> None:
    """The lock file is not followed either."""
    root = tmp_path / "state"
    root.mkdir()
    (root / "lock").symlink_to(tmp_path / "target")
    with pytest.raises(StoreError, match="cannot open"):
        Store(root)
    assert not (tmp_path / "target").exists()


def test_start_clears_only_our_temporaries(store: Store, tmp_path: Path) -> None:
    """Left-overs of a crash go; what others put there stays; links in them are not followed."""
    precious = tmp_path / "precious"
    precious.write_text("x")
    workspace = store.workspace()
    (workspace / "tree" / "file").write_text("x")
    (workspace / "tree" / "link").symlink_to(tmp_path)
    store.disk.temporary().write_text("x")
    store.disk.temporary().symlink_to(precious)
    foreign = store.root / "tmp" / "notes"
    foreign.write_text("x")
    store.close()
    again = Store(store.root)
    assert list((store.root / "tmp").iterdir()) == [foreign]
    assert precious.read_text() == "x"
    again.close()


def test_path_that_cannot_be_made(tmp_path: Path) -> None:
    """A state directory below a file is an error that names it."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="file/state"):
        Store(tmp_path / "file" / "state")


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("left", [True, False])
def test_disk_that_cannot_be_written_is_opened_and_locked(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int, *, left: bool
) -> None:
    """What is there is read; the lock holds, with its file or without; a write fails."""
    digest = put_blob(store, b"zone")
    store.close()
    if not left:
        (store.root / "lock").unlink()
    real = os.open

    def refuse(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY | os.O_CREAT):
            raise OSError(code, os.strerror(code))
        return real(path, flags, mode)

    def inject(point: str) -> None:
        if point.startswith("before clear"):
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", refuse)
    again = Store(store.root, inject)
    assert again.blobs.verified(digest)
    with pytest.raises(StoreError, match="in use"):
        Store(store.root, inject)
    with pytest.raises(StoreError, match="cannot write"):
        again.source("one").commit(deployment())
    again.close()


# --- Blobs -----------------------------------------------------------------------------------


def test_blob_is_kept_by_digest(store: Store) -> None:
    """An ingested blob is read-only, whole and found by its digest."""
    digest = put_blob(store, b"zone")
    path = store.blobs.path(digest)
    assert path.read_bytes() == b"zone"
    assert stat.S_IMODE(path.stat().st_mode) == 0o440
    assert store.blobs.verified(digest)
    assert store.blobs.digests() == (digest,)


def test_blob_with_other_content_is_not_taken(store: Store) -> None:
    """What reads back as something else is not what was fetched."""
    temporary = store.disk.temporary()
    temporary.write_bytes(b"zone")
    with pytest.raises(StoreError, match="read back as"):
        store.blobs.ingest(temporary, digest_of(b"other"))
    assert store.blobs.digests() == ()


@pytest.mark.parametrize("damage", [b"", b"zonf", b"zone."])
def test_damaged_blob_is_removed(store: Store, damage: bytes) -> None:
    """A damaged blob is not used, and does not keep the good one from being fetched."""
    digest = put_blob(store, b"zone")
    path = store.blobs.path(digest)
    path.unlink()
    path.write_bytes(damage)
    assert not store.blobs.verified(digest)
    assert not path.exists()
    assert not store.blobs.verified(digest)


def test_link_is_no_blob(store: Store, tmp_path: Path) -> None:
    """A link with a blob's name is nothing, even to the right content."""
    (tmp_path / "zone").write_bytes(b"zone")
    path = store.blobs.path(digest_of(b"zone"))
    path.symlink_to(tmp_path / "zone")
    assert not store.blobs.verified(digest_of(b"zone"))


@pytest.mark.parametrize(
    "digest",
    [
        "",
        "sha256:",
        "sha256:../../x",
        "sha256:" + "A" * 64,
        "sha512:" + "a" * 64,
        "sha256:" + "a" * 63,
    ],
)
def test_odd_digest_is_no_path(store: Store, digest: str) -> None:
    """A digest becomes a path only in its checked form."""
    with pytest.raises(StoreError, match="no sha256 digest"):
        store.blobs.path(digest)


def test_copy_of_a_file(store: Store, tmp_path: Path) -> None:
    """A local file is copied in, its link followed, its size bounded."""
    (tmp_path / "zone").write_bytes(b"zone")
    (tmp_path / "link").symlink_to(tmp_path / "zone")
    assert store.blobs.ingest_copy(tmp_path / "link") == digest_of(b"zone")
    assert store.blobs.verified(digest_of(b"zone"))


def test_copy_of_a_large_file_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is larger than a zone file may be leaves nothing."""
    (tmp_path / "zone").write_bytes(b"zone")
    monkeypatch.setattr(limits, "ZONE_FILE_OCTETS", 3)
    with pytest.raises(StoreError, match="larger"):
        store.blobs.ingest_copy(tmp_path / "zone")
    assert list((store.root / "tmp").iterdir()) == []


# --- Images ----------------------------------------------------------------------------------


def test_image_comes_back_with_its_record(store: Store) -> None:
    """A published image is verified by its record, which keeps zones, files and warnings."""
    assert store.images.verified(FINGERPRINT) is None
    assert not store.images.present(FINGERPRINT)
    put_image(store)
    record = store.images.verified(FINGERPRINT)
    assert record is not None
    assert (record.zones, record.files, record.problems) == ((ZONE,), (FILE,), (WARNING,))
    assert store.images.present(FINGERPRINT)
    assert store.images.path(FINGERPRINT).read_bytes() == b"image"


def test_replaced_image_keeps_the_old_file_for_who_has_it(store: Store) -> None:
    """An image is never written again: whoever mapped it keeps the old content."""
    put_image(store)
    with store.images.path(FINGERPRINT).open("rb") as mapped:
        put_image(store, b"another image")
        assert mapped.read() == b"image"
    assert store.images.verified(FINGERPRINT) is not None


def test_link_is_no_image(store: Store, tmp_path: Path) -> None:
    """A link in place of an image is not mapped."""
    put_image(store)
    path = store.images.path(FINGERPRINT)
    path.rename(tmp_path / "image")
    path.symlink_to(tmp_path / "image")
    assert store.images.verified(FINGERPRINT) is None


def test_record_of_another_kind_is_none(store: Store) -> None:
    """A record that is whole but says something else is no record."""
    put_image(store)
    (store.root / "images" / f"{FINGERPRINT}.json").write_bytes(seal({"sha256": "x"}))
    assert store.images.verified(FINGERPRINT) is None


def test_odd_fingerprint_is_no_path(store: Store) -> None:
    """A fingerprint becomes a path only in its checked form."""
    with pytest.raises(StoreError, match="no image fingerprint"):
        store.images.path("../../etc/passwd")


# --- Records ---------------------------------------------------------------------------------


def test_deployment_comes_back(store: Store) -> None:
    """What was committed is current, and in the history."""
    records = store.source("one")
    assert (records.current(), records.history(), records.candidates()) == (None, (), ())
    records.commit(deployment())
    assert records.current() == deployment()
    assert records.history() == (deployment(),)
    assert records.candidates() == (deployment(),)


def test_record_is_replaced_not_rewritten(store: Store) -> None:
    """Whoever has the old pointer open goes on reading the old one, whole."""
    records = store.source("one")
    records.commit(deployment(1))
    pointer = store.root / "sources/one/current.json"
    old = pointer.read_bytes()
    with pointer.open("rb") as reader:
        records.commit(deployment(2))
        assert reader.read() == old
    assert pointer.read_bytes() != old


def test_generations_rise(store: Store) -> None:
    """Each commit is a generation above all there are, whatever of them is damaged."""
    records = store.source("one")
    assert records.commit_next(deployment(0)).generation == 1
    assert records.commit_next(deployment(0)).generation == 2
    (store.root / "sources/one/current.json").write_bytes(b"")
    assert records.commit_next(deployment(0)).generation == 3
    assert [one.generation for one in records.candidates()] == [3, 2, 1]


def test_retract(store: Store) -> None:
    """The pointer goes back to the deployment before, or to none."""
    records = store.source("one")
    records.commit(deployment(1))
    records.commit(deployment(2))
    records.retract(deployment(1))
    assert records.current() == deployment(1)
    records.retract(None)
    assert records.current() is None


def test_history_is_bounded(store: Store) -> None:
    """Only the last KEEP_DEPLOYMENTS versions are kept."""
    records = store.source("one")
    for number in range(limits.KEEP_DEPLOYMENTS + 3):
        records.commit_next(replace(deployment(0), digest=digest_of(b"%d" % number)))
    records.prune(Keep(limits.KEEP_DEPLOYMENTS), 0)
    newest = limits.KEEP_DEPLOYMENTS + 3
    kept = [newest - age for age in range(limits.KEEP_DEPLOYMENTS)]
    assert [one.generation for one in records.history()] == kept


def test_refusal_comes_back(store: Store) -> None:
    """A refusal is remembered with its findings; a damaged one is none."""
    records = store.source("one")
    assert records.rejected() is None
    rejection = Rejection(digest_of(b"bad"), "configuration", (WARNING,))
    records.reject(rejection)
    assert records.rejected() == rejection
    (store.root / "sources/one/rejected.json").write_bytes(seal({"digest": 7}))
    assert records.rejected() is None
    (store.root / "sources/one/rejected.json").write_bytes(b"{")
    assert records.rejected() is None


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "-x", "a" * 129, "a\0b"])
def test_odd_key_is_no_directory(store: Store, key: str) -> None:
    """A source's key becomes a directory only in its checked form."""
    with pytest.raises(StoreError, match="cannot name a source"):
        store.source(key)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"format": 1, "sha256": "00", "content": {}}',
        seal({"a": 1}).replace(b'"a": 1', b'"a": 2'),
        seal({"a": 1}).replace(b'"format": 1', b'"format": 2'),
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_damaged_record_is_told_from_none(tmp_path: Path, data: bytes) -> None:
    """A record that is not what was written is damaged; a missing one is none."""
    path = tmp_path / "record"
    assert read_sealed(path) is None
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="is damaged"):
        read_sealed(path)


def test_link_is_no_record(tmp_path: Path) -> None:
    """A link in place of a record is an error, not followed."""
    (tmp_path / "target").write_bytes(seal({}))
    (tmp_path / "record").symlink_to(tmp_path / "target")
    with pytest.raises(StoreError, match="cannot read"):
        read_sealed(tmp_path / "record")


def test_fifo_is_no_record(tmp_path: Path) -> None:
    """A FIFO in place of a record is an error at once: opening it must not wait for a writer."""
    os.mkfifo(tmp_path / "record")
    with pytest.raises(StoreError, match="not a regular file"):
        read_sealed(tmp_path / "record")


# --- Collection ------------------------------------------------------------------------------


def test_collection_keeps_what_a_deployment_names(store: Store) -> None:
    """Blobs and images of kept deployments stay, everything else goes."""
    put_blob(store, b"zone")
    put_blob(store, b"garbage")
    put_image(store)
    store.source("one").commit(deployment())
    collected = store.collect()
    assert (collected.blobs, collected.images) == (1, 0)
    assert store.blobs.digests() == (digest_of(b"zone"),)
    store.source("one").commit(replace(deployment(), fingerprint="e" * 64, layers=()))
    collected = store.collect()
    assert (collected.blobs, collected.images) == (1, 1)
    assert store.images.fingerprints() == ()


def test_nothing_is_collected_by_half_known_records(store: Store) -> None:
    """What a record that cannot be read names may be wanted again: nothing is removed."""
    digest = put_blob(store, b"zone")
    records = store.source("one")
    records.commit(deployment())
    records.commit(replace(deployment(2), layers=()))
    record = store.root / "sources/one/deployments/00000001.json"
    record.unlink()
    record.mkdir()
    with pytest.raises(StoreError, match="cannot read"):
        store.collect()
    assert store.blobs.verified(digest)


def test_collection_keeps_what_is_held(store: Store) -> None:
    """What is being fetched or compiled is named by no record yet; holds are counted."""
    digest = put_blob(store, b"zone")
    put_image(store)
    first, second = store.hold(), store.hold()
    for hold in (first, second):
        hold.keep(digest)
        hold.keep(FINGERPRINT)
    first.release()
    first.release()
    assert store.collect().blobs == 0
    assert store.images.present(FINGERPRINT)
    second.release()
    assert (store.collect().blobs, store.images.present(FINGERPRINT)) == (1, False)
    assert store.blobs.digests() == ()


def test_what_is_dropped_during_a_collection_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment committed after the records were read lets go of its hold in the middle."""
    digest = put_blob(store, b"zone")
    hold = store.hold()
    hold.keep(digest)
    listing = store.blobs.digests

    def commit_and_release() -> tuple[str, ...]:
        store.source("one").commit(deployment())
        hold.release()
        return listing()

    monkeypatch.setattr(store.blobs, "digests", commit_and_release)
    assert store.collect().blobs == 0
    assert store.blobs.verified(digest)


def test_collection_that_cannot_read_removes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that cannot be read now may name what looks like garbage."""
    put_blob(store, b"zone")
    store.source("one").commit(deployment())

    def broken(*_: object, **__: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", broken)
        with pytest.raises(StoreError):
            store.collect()
    assert store.blobs.verified(digest_of(b"zone"))
