"""Files under PATH: ours are replaced and removed, nobody else's is touched."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocizone.compiler.spec import RevisionFile
from ocizone.errors import StoreError
from ocizone.store.materialise import IncompleteTreeError, materialise, materialised
from ocizone.store.store import Store
from tests.fakes.following import digest_of


class Place:
    """A store, and a PATH beside it."""

    def __init__(self, tmp_path: Path) -> None:
        self.store = Store(tmp_path / "state")
        self.records = self.store.source("one")
        self.root = tmp_path / "zones"
        self._tmp_path = tmp_path

    def put(self, files: dict[str, str], lacking: tuple[str, ...] = ()) -> list[str]:
        """Materialise a revision; return the warnings as ``rule path``.

        Args:
            files: of the revision.
            lacking: those that are not in its tree.
        """
        tree = self.store.workspace() / "tree"
        for path, text in files.items():
            if path in lacking:
                continue
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        found = materialise(tree, self.root, listed(files), self.records, self.store.disk)
        return [f"{one.rule} {Path(one.file).relative_to(self.root)}" for one in found]

    def done(self, files: dict[str, str]) -> bool:
        return materialised(self.root, listed(files), self.records)

    @property
    def files(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.root)): path.read_text()
            for path in self.root.rglob("*")
            if path.is_file()
        }


def listed(files: dict[str, str]) -> tuple[RevisionFile, ...]:
    return tuple(
        RevisionFile(path, digest_of(text.encode()), len(text)) for path, text in files.items()
    )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.store.close()


def test_files_and_directories_are_made(place: Place) -> None:
    """PATH and what is below it is made, readable for everybody."""
    assert place.put({"db.a": "a", "sub/deep/db.b": "b"}) == []
    assert place.files == {"db.a": "a", "sub/deep/db.b": "b"}
    assert stat.S_IMODE((place.root / "sub").stat().st_mode) & 0o555 == 0o555
    assert stat.S_IMODE((place.root / "db.a").stat().st_mode) & 0o444 == 0o444


def test_dropped_files_go_with_their_directories(place: Place) -> None:
    """A file dropped from the artifact is removed, and a directory we made for it."""
    place.put({"db.a": "a", "sub/deep/db.b": "b", "sub/db.c": "c"})
    place.put({"db.a": "a", "sub/db.c": "c"})
    assert place.files == {"db.a": "a", "sub/db.c": "c"}
    assert not (place.root / "sub" / "deep").exists()
    place.put({})
    assert list(place.root.iterdir()) == []


def test_directory_that_others_use_stays(place: Place) -> None:
    """A directory we made stays as long as somebody else has a file in it."""
    place.put({"sub/db.a": "a"})
    (place.root / "sub" / "theirs").write_text("x")
    place.put({})
    assert place.files == {"sub/theirs": "x"}


def test_file_of_others_is_left(place: Place) -> None:
    """A file we did not write is neither overwritten nor removed; a warning names it."""
    place.root.mkdir()
    (place.root / "db.a").write_text("theirs")
    (place.root / "other").write_text("theirs")
    assert place.put({"db.a": "ours", "db.b": "b"}) == ["file-of-others db.a"]
    assert place.files == {"db.a": "theirs", "other": "theirs", "db.b": "b"}
    place.put({})
    assert place.files == {"db.a": "theirs", "other": "theirs"}


def test_same_file_of_others_stays_theirs(place: Place) -> None:
    """A file that was there with the right content is not ours to remove."""
    place.root.mkdir()
    (place.root / "db.a").write_text("same")
    assert place.put({"db.a": "same"}) == []
    place.put({})
    assert place.files == {"db.a": "same"}


def test_changed_file_of_ours(place: Place) -> None:
    """Edited by hand: the next revision replaces it, but it is not removed."""
    place.put({"db.a": "a", "db.b": "b"})
    (place.root / "db.a").write_text("edited")
    (place.root / "db.b").write_text("edited")
    assert place.put({"db.a": "new a"}) == ["file-changed db.b"]
    assert place.files == {"db.a": "new a", "db.b": "edited"}
    assert place.put({"db.a": "new a", "db.b": "b"}) == ["file-of-others db.b"]


def test_nothing_changed_writes_nothing(place: Place) -> None:
    """The same revision again touches neither PATH nor the ledger."""
    place.put({"db.a": "a"})
    before = (place.root / "db.a").stat(), (place.store.root / "sources/one/ledger.json").stat()
    place.put({"db.a": "a"})
    after = (place.root / "db.a").stat(), (place.store.root / "sources/one/ledger.json").stat()
    assert [one.st_mtime_ns for one in before] == [one.st_mtime_ns for one in after]


def test_a_tree_without_what_stands_already(place: Place) -> None:
    """Only what has to be written must be in it; else nothing is touched, and somebody is told."""
    place.put({"a": "1", "b": "1"})
    assert place.put({"a": "1", "b": "2"}, lacking=("a",)) == []
    assert place.files == {"a": "1", "b": "2"}
    (place.root / "a").unlink()
    with pytest.raises(IncompleteTreeError, match="lacks a"):
        place.put({"a": "1", "b": "3"}, lacking=("a",))
    assert place.files == {"b": "2"}


def test_file_is_replaced_not_rewritten(place: Place) -> None:
    """Whoever reads the old file goes on reading the old file."""
    place.put({"db.a": "old"})
    with (place.root / "db.a").open() as reader:
        place.put({"db.a": "new"})
        assert reader.read() == "old"


@pytest.mark.parametrize("planted", ["sub", "sub/deep", "sub/deep/db.a"])
def test_links_below_path_are_not_followed(place: Place, tmp_path: Path, planted: str) -> None:
    """A link planted at any component: nothing is written through it."""
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "db.a").write_text("precious")
    link = place.root / planted
    link.parent.mkdir(parents=True)
    link.symlink_to(outside / Path(planted).relative_to("sub"))
    assert len(place.put({"sub/deep/db.a": "ours", "db.b": "b"})) == 1
    assert (outside / "deep" / "db.a").read_text() == "precious"
    assert sorted(path.name for path in outside.rglob("*")) == ["db.a", "deep"]
    assert (place.root / "db.b").read_text() == "b"


def test_removal_does_not_follow_links(place: Place, tmp_path: Path) -> None:
    """A directory of ours replaced by a link: what it points to is not removed."""
    place.put({"sub/db.a": "a"})
    (place.root / "sub").rename(tmp_path / "moved")
    (place.root / "sub").symlink_to(tmp_path / "moved")
    place.put({})
    assert (tmp_path / "moved" / "db.a").read_text() == "a"


def test_path_itself_may_be_a_link(place: Place, tmp_path: Path) -> None:
    """PATH is the operator's: it may be a link to where zones are kept."""
    (tmp_path / "real").mkdir()
    place.root.symlink_to(tmp_path / "real")
    place.put({"db.a": "a"})
    assert (tmp_path / "real" / "db.a").read_text() == "a"


@pytest.mark.parametrize("kind", ["directory", "fifo"])
def test_something_else_in_the_way(place: Place, kind: str) -> None:
    """A directory or a FIFO with a file's name is left, and hangs nobody."""
    place.root.mkdir()
    if kind == "fifo":
        os.mkfifo(place.root / "db.a")
    else:
        (place.root / "db.a").mkdir()
    assert place.put({"db.a": "a", "db.b": "b"}) == ["file-of-others db.a"]
    assert place.files == {"db.b": "b"}


def test_path_that_cannot_be_made(place: Place) -> None:
    """A file where PATH should be: an error, and nothing is recorded."""
    place.root.write_text("a file")
    with pytest.raises(StoreError, match="cannot mkdir"):
        place.put({"db.a": "a"})
    assert place.records.ledger() is None


def test_done_tells_an_interrupted_run(place: Place) -> None:
    """Missing, cut, extra and half-replaced files are noticed without reading any."""
    files = {"db.a": "a", "db.b": "b"}
    assert not place.done(files)
    place.put(files)
    assert place.done(files)
    assert not place.done({"db.a": "a"})
    assert not place.done({"db.a": "x", "db.b": "b"})
    (place.root / "db.a").write_text("longer")
    assert not place.done(files)
    (place.root / "db.a").unlink()
    assert not place.done(files)


def test_damaged_ledger_means_nothing_is_ours(place: Place) -> None:
    """Without a ledger every file may be somebody else's: none is removed."""
    place.put({"db.a": "a", "db.b": "b"})
    (place.store.root / "sources/one/ledger.json").write_bytes(b"{")
    assert place.put({"db.a": "a2"}) == ["file-of-others db.a"]
    assert place.files == {"db.a": "a", "db.b": "b"}


def test_other_path_starts_anew(place: Place, tmp_path: Path) -> None:
    """Files under a former PATH stay where they are."""
    place.put({"db.a": "a"})
    former, place.root = place.root, tmp_path / "elsewhere"
    place.put({"db.b": "b"})
    assert (former / "db.a").read_text() == "a"
    assert place.files == {"db.b": "b"}
