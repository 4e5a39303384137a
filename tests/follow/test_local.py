"""Following zone files on disk: the same states, the same store, without a registry."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocizone.compiler.spec import ZoneRule
from ocizone.follow import scan
from ocizone.follow.source import LocalSource
from ocizone.follow.status import Looked, Outcome
from tests.fakes.following import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    (tmp_path / "local").mkdir()
    yield site
    site.store.close()


def file_source(site: Site, *paths: str, interval_s: float = 60.0) -> LocalSource:
    rule = ZoneRule("dns://.:53", "file", paths[0], ("example.org.",))
    return LocalSource("one", "zones", str(site.root / "local"), paths, (rule,), interval_s)


def auto_source(site: Site) -> LocalSource:
    rule = ZoneRule("dns://.:53", "auto", "", (".",), r"db\.(.*)", "{1}")
    return LocalSource("one", "zones", str(site.root / "local"), None, (rule,), 60.0)


def write(site: Site, path: str, text: str) -> Path:
    file = site.root / "local" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    # Renamed into place, as careful editors do: a new inode for sure, whatever the clock says.
    temporary = file.with_name("temporary")
    temporary.write_text(text)
    return temporary.rename(file)


def outcomes(site: Site) -> list[Outcome]:
    return [event.result.outcome for event in site.events if isinstance(event, Looked)]


def test_change_is_served_at_the_next_look(site: Site) -> None:
    """A file is looked at every interval; a change is deployed."""
    write(site, "db.a", "one")
    follower = site.local(file_source(site, "db.a"))
    assert site.served == {"db.a": "one"}
    write(site, "db.a", "two")
    site.clock.advance(59)
    assert site.served == {"db.a": "one"}
    site.clock.advance(1)
    assert site.served == {"db.a": "two"}
    assert follower.status.generation == 2


def test_unchanged_file_is_not_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as nothing but the access time changes, no content is read and nothing written."""
    write(site, "db.a", "one")
    site.local(file_source(site, "db.a"))
    monkeypatch.setattr(scan, "open_foreign", lambda _: pytest.fail("content was read"))
    for _ in range(3):
        site.clock.advance(60)
    assert outcomes(site) == [Outcome.ACTIVATED, *[Outcome.UNCHANGED] * 3]


def test_touched_file_is_no_change(site: Site) -> None:
    """The content decides, not the date."""
    file = write(site, "db.a", "one")
    site.local(file_source(site, "db.a"))
    os.utime(file, (1, 1))
    site.clock.advance(60)
    assert outcomes(site) == [Outcome.ACTIVATED, Outcome.UNCHANGED]


def test_interval_zero_looks_once(site: Site) -> None:
    """``reload 0`` means: never again; asked to, it looks."""
    write(site, "db.a", "one")
    follower = site.local(file_source(site, "db.a", interval_s=0))
    write(site, "db.a", "two")
    assert site.clock.getDelayedCalls() == []
    assert follower.status.next_check is None
    follower.refresh()
    assert site.served == {"db.a": "two"}


def test_bad_file_keeps_the_old_zone_and_is_not_compiled_again(site: Site) -> None:
    """What is refused is remembered until it changes."""
    write(site, "db.a", "one")
    follower = site.local(file_source(site, "db.a"))
    write(site, "db.a", "BAD")
    for _ in range(3):
        site.clock.advance(60)
    assert site.served == {"db.a": "one"}
    assert len(site.compiler.specs) == 2
    assert [problem.rule for problem in follower.status.problems] == ["bad"]
    write(site, "db.a", "three")
    site.clock.advance(60)
    assert site.served == {"db.a": "three"}


@pytest.mark.parametrize("how", ["remove", "directory", "fifo"])
def test_missing_file_keeps_the_old_zone(site: Site, how: str) -> None:
    """A file that goes away, or becomes no file, is a finding that names it."""
    file = write(site, "db.a", "one")
    follower = site.local(file_source(site, "db.a"))
    file.unlink()
    if how == "directory":
        file.mkdir()
    if how == "fifo":
        os.mkfifo(file)
    site.clock.advance(60)
    assert site.served == {"db.a": "one"}
    assert [problem.file for problem in follower.status.problems] == [str(file)]
    assert outcomes(site)[-1] is Outcome.REFUSED


def test_restart_serves_without_the_file(site: Site) -> None:
    """The last good version comes from the store, whatever became of the file."""
    file = write(site, "db.a", "one")
    source = file_source(site, "db.a")
    site.local(source)
    file.unlink()
    again = site.again()
    again.local(source)
    assert again.served == {"db.a": "one"}
    assert again.compiler.specs == []
    again.store.close()


def test_included_files_belong_to_it(site: Site) -> None:
    """A change of an included file is a change of the zone; includes of includes too."""
    write(site, "db.a", '$INCLUDE "parts/one.inc" ; comment\n$include parts/none.inc\n')
    write(site, "parts/one.inc", "$INCLUDE two.inc\n$INCLUDE ../../outside\n")
    write(site, "parts/two.inc", "deep\n$INCLUDE ../db.a\n")
    write(site, "other", "not included\n")
    (site.root / "outside").write_text("outside the root\n")
    site.local(file_source(site, "db.a"))
    assert site.served is not None
    assert sorted(site.served) == ["db.a", "parts/one.inc", "parts/two.inc"]
    write(site, "parts/two.inc", "deeper\n")
    site.clock.advance(60)
    assert site.served["parts/two.inc"] == "deeper\n"
    (site.root / "local" / "parts" / "two.inc").unlink()
    site.clock.advance(60)
    assert sorted(site.served) == ["db.a", "parts/one.inc"]


def test_directory_takes_matching_files(site: Site) -> None:
    """``auto`` takes what its regular expression finds; hidden directories are left out."""
    write(site, "db.a", "a")
    write(site, "sub/db.b", "b")
    write(site, "notes.txt", "n")
    write(site, "..2026_01/db.c", "a version of a mounted volume")
    site.local(auto_source(site))
    assert site.served == {"db.a": "a", "sub/db.b": "b"}
    write(site, "db.d", "d")
    (site.root / "local" / "db.a").unlink()
    site.clock.advance(60)
    assert site.served == {"db.d": "d", "sub/db.b": "b"}


def test_link_is_followed(site: Site) -> None:
    """Zone files are often mounted through links."""
    (site.root / "real").write_text("one")
    (site.root / "local" / "db.a").symlink_to(site.root / "real")
    site.local(auto_source(site))
    assert site.served == {"db.a": "one"}


def test_missing_directory_is_a_finding(site: Site) -> None:
    """``auto`` of a directory that is not there is refused; it may come later."""
    (site.root / "local").rmdir()
    follower = site.local(auto_source(site))
    assert [problem.file for problem in follower.status.problems] == [str(site.root / "local")]
    write(site, "db.a", "a")
    site.clock.advance(60)
    assert site.served == {"db.a": "a"}


def test_too_many_files(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory with more files than an artifact may have is not read."""
    monkeypatch.setattr("ocizone.limits.ARCHIVE_MEMBERS", 2)
    for name in "abc":
        write(site, f"db.{name}", name)
    follower = site.local(auto_source(site))
    assert site.served is None
    assert follower.status.last_error is not None
    assert "more than 2" in follower.status.last_error.message


def test_file_written_while_it_is_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half-written content is not taken: the next look finds the whole."""
    write(site, "db.a", "one")
    layer = scan._layer

    def slow(source: LocalSource, path: str) -> object:
        found = layer(source, path)
        write(site, path, "written meanwhile")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(scan, "_layer", slow)
        follower = site.local(file_source(site, "db.a"))
    assert site.served is None
    assert follower.status.last_error is not None
    assert "being written to" in follower.status.last_error.message
    site.clock.advance(60)
    assert site.serving.served == {"one": {"db.a": "written meanwhile"}}
