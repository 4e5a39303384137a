"""A deployment as an archive whose octets are a function of its files."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.compiler.spec import RevisionFile
from ocizone.errors import StoreError
from ocizone.store.archive import write_archive
from ocizone.store.deployments import Deployment, StoredLayer
from ocizone.store.published import Published
from ocizone.store.store import Store
from tests.fakes.following import digest_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state")
    yield store
    store.close()


def deployed(store: Store, files: dict[str, bytes], key: str = "one") -> Deployment:
    """Commit a deployment whose layers are these files."""
    layers = []
    for title, data in files.items():
        temporary = store.disk.temporary()
        temporary.write_bytes(data)
        store.blobs.ingest(temporary, digest_of(data))
        layers.append(StoredLayer(digest_of(data), len(data), title, False, "text/dns"))
    manifest = digest_of(repr(sorted(files.items())).encode())
    made = Deployment(key, "r", manifest, tuple(layers), "f" * 64, (), (), 5, 0)
    return store.source(key).commit_next(made)


FILES = {"db.example.org": b"zone", "sub/z.txt": b"", "é": b"x" * 10_000, "n" * 200: b"long"}


def test_an_archive_holds_the_files_and_nothing_of_here(store: Store):
    """Sorted by path; no owner, no time, mode 0644, no name in the gzip header."""
    made = store.archive(deployed(store, FILES))
    data = made.path.read_bytes()
    assert (made.digest, made.octets) == (digest_of(data), len(data))
    assert data[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
        contents = {}
        for member in members:
            found = archive.extractfile(member)
            assert found is not None
            contents[member.name] = found.read()
    assert contents == FILES
    assert [member.name.encode() for member in members] == sorted(name.encode() for name in FILES)
    for member in members:
        told = (member.mode, member.mtime, member.uid, member.gid, member.uname, member.gname)
        assert told == (0o644, 0, 0, 0, "", "")


def test_the_same_blob_under_another_title_is_another_archive(store: Store):
    """Two versions that only rename a file must not get each other's archive."""
    one, other = (
        store.archive(deployed(store, {name: b"zone"})) for name in ("db.a.test", "db.b.test")
    )
    with tarfile.open(other.path) as archive:
        assert archive.getnames() == ["db.b.test"]
    assert one.digest != other.digest


def test_the_same_files_make_the_same_octets(store: Store, tmp_path: Path):
    """Whatever the order of layers, the time, the state directory."""
    first = store.archive(deployed(store, FILES))
    other = Store(tmp_path / "other")
    second = other.archive(deployed(other, dict(reversed(FILES.items())), "two"))
    assert first.path.read_bytes() == second.path.read_bytes()
    # The tar inside does not depend on zlib at all: it is this one.
    tar = gzip.decompress(store.archive(deployed(store, {"a": b"b"})).path.read_bytes())
    assert (
        hashlib.sha256(tar).hexdigest()
        == "8c5113902389f363d76ba6ac75ea2af30e19f3d1edb0088598b6104075d307d7"
    )
    other.close()


def test_an_archive_is_made_once_and_a_few_are_kept(store: Store):
    """Ranges of one come from the same file; the ones asked for long ago go."""
    made = [
        store.archive(deployed(store, {"db": b"%d" % number})) for number in range(limits.ARCHIVES)
    ]
    first = deployed(store, {"db": b"0"})
    assert store.archive(first) == made[0]
    store.archive(deployed(store, {"db": b"new"}))
    assert [one.path.exists() for one in made] == [True, False, True, True]
    made[0].path.unlink()
    again = store.archive(first)
    assert (again.digest, again.path.exists()) == (made[0].digest, True)
    # Temporaries: the next start removes them.
    assert {path.parent for path in (again.path,)} == {store.root / "tmp"}
    store.close()
    Store(store.root).close()
    assert list((store.root / "tmp").iterdir()) == []


def test_what_is_damaged_is_not_archived(store: Store):
    """Told; nothing is left behind."""
    deployment = deployed(store, {"db": b"zone"})
    path = store.blobs.path(deployment.layers[0].digest)
    path.unlink()
    path.write_bytes(b"zonf")
    with pytest.raises(StoreError, match="not in the store any more"):
        store.archive(deployment)
    assert list((store.root / "tmp").iterdir()) == []


def test_what_cannot_be_unpacked_is_told(store: Store):
    """Rules got stricter since it was deployed."""
    deployment = deployed(store, {"id_rsa": b"x"})
    with pytest.raises(StoreError, match="secret"):
        store.archive(deployment)
    assert list((store.root / "tmp").iterdir()) == []


def test_a_file_that_changed_is_not_archived(tmp_path: Path):
    """Between unpacking and writing: nobody but us writes there."""
    (tmp_path / "db").write_bytes(b"zonf")
    with pytest.raises(StoreError, match="db is not what was unpacked"):
        write_archive(tmp_path, [RevisionFile("db", digest_of(b"zone"), 4)], io.BytesIO())


# --- What is given away ------------------------------------------------------------------------


def test_only_kept_deployments_of_sources_of_the_plan_are_published(store: Store):
    """Neither what waits for approval, nor what a forgotten source left."""
    deployment = deployed(store, {"db": b"zone"})
    (layer,) = deployment.layers
    temporary = store.disk.temporary()
    temporary.write_bytes(b"held")
    store.blobs.ingest(temporary, digest_of(b"held"))
    published = Published(store)
    assert published.blob(digest_of(b"held"), ["one"]) is None
    assert published.blob(layer.digest, []) is None
    assert published.archive(deployment.digest, []) is None
    assert published.archive(layer.digest, ["one"]) is None
    blob = published.blob(layer.digest, ["one"])
    archive = published.archive(deployment.digest, ["one"])
    assert blob is not None
    assert archive is not None
    assert (blob.octets, blob.digest) == (4, layer.digest)
    assert archive.media_type == "application/gzip"
    for each in (blob, archive):
        with os.fdopen(each.descriptor, "rb") as file:
            assert digest_of(file.read()) == each.digest
    store.blobs.path(layer.digest).unlink()
    assert published.blob(layer.digest, ["one"]) is None
    store.blobs.path(layer.digest).symlink_to(store.root)
    with pytest.raises(StoreError, match="cannot read"):
        published.blob(layer.digest, ["one"])


def test_what_is_deployed_later_is_published(store: Store):
    """What was read before is read again when it changed, and only then."""
    published = Published(store)
    first = deployed(store, {"db": b"one"})
    asked = (digest_of(b"one"), digest_of(b"two"))

    def found() -> list[bool]:
        opened = [published.blob(digest, ["one"]) for digest in asked]
        for each in opened:
            if each is not None:
                os.close(each.descriptor)
        return [each is not None for each in opened]

    assert found() == [True, False]
    deployed(store, {"db": b"two"})
    assert found() == [True, True]
    store.source("one").delete_manifests([first.digest])
    assert found() == [False, True]
