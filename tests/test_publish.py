"""Collecting files to push, and checking them."""

from __future__ import annotations

import pytest

from ocizone.errors import ArtifactError, Problem, Severity, StoreError
from ocizone.publish import YAML_TYPE, Checked, FileToPush, check_zones, collect
from ocizone.registry.push import ZONE_TYPE

ZONE = """\
$ORIGIN {origin}
@ 300 IN SOA ns hostmaster 7 7200 3600 1209600 300
@ 300 IN NS ns
ns 300 IN A 192.0.2.1
"""


@pytest.fixture
def tree(tmp_path):
    """A directory with zones, a sub-directory, and what does not belong."""
    for name in ("db.b.org", "a.org.yaml", "sub/db.c.org", ".hidden", "db.b.org~", ".git/config"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    return tmp_path


def test_a_directory_gives_its_files(tree):
    """Sorted by title; hidden and backup files are left out; YAML has its own type."""
    assert collect([tree]) == [
        FileToPush("a.org.yaml", tree / "a.org.yaml", YAML_TYPE),
        FileToPush("db.b.org", tree / "db.b.org", ZONE_TYPE),
        FileToPush("sub/db.c.org", tree / "sub/db.c.org", ZONE_TYPE),
    ]


def test_a_file_gives_itself(tree):
    """Titled by its name, wherever it lies; a hidden one that is named is meant."""
    found = collect([tree / "sub/db.c.org", tree / ".hidden"])
    assert [file.title for file in found] == [".hidden", "db.c.org"]


def test_the_order_of_arguments_does_not_matter(tree):
    """The same files give the same digest."""
    paths = [tree / "db.b.org", tree / "a.org.yaml"]
    assert collect(paths) == collect(reversed(paths))


@pytest.mark.parametrize("secret", ["Korg.+013+00001.private", "sub/Korg.+013+00001.private"])
def test_a_secret_is_not_pushed(tree, secret):
    """A signing key that lies beside its zone; named or with its directory."""
    (tree / secret).write_text("x")
    with pytest.raises(ArtifactError, match=r"error\[secret\]: .*not pushed"):
        collect([tree])
    with pytest.raises(ArtifactError, match=r"error\[secret\]: .*not pushed"):
        collect([tree / secret])


def test_one_title_twice_is_refused(tree):
    """Two layers of one name: the second would win silently."""
    (tree / "db.c.org").write_text("y")
    with pytest.raises(ArtifactError, match=r"db\.c\.org has the same title db\.c\.org"):
        collect([tree / "sub/db.c.org", tree / "db.c.org"])


def test_nothing_to_push_is_refused(tmp_path):
    """An empty directory is a mistake."""
    with pytest.raises(ArtifactError, match="no file to push"):
        collect([tmp_path])
    with pytest.raises(StoreError, match="gone does not exist"):
        collect([tmp_path / "gone"])


def test_zones_are_checked_and_counted(tmp_path):
    """Every file of every path."""
    for origin in ("a.org.", "b.org."):
        (tmp_path / f"db.{origin[:-1]}").write_text(ZONE.format(origin=origin))
    checked = check_zones([tmp_path / "db.a.org", tmp_path / "db.b.org"])
    assert [zone.origin for zone in checked.zones] == ["a.org.", "b.org."]
    assert (checked.problems, checked.refused, checked.records) == ((), False, 6)


def test_a_zone_of_two_files_is_refused(tmp_path):
    """Found by push before a server finds it."""
    for name in ("db.a.org", "a.org.zone", "sub"):
        (tmp_path / name).write_text(ZONE.format(origin="a.org."))
    checked = check_zones([tmp_path])
    assert [problem.rule for problem in checked.problems] == ["origin-claimed-twice"] * 2
    assert checked.refused


def test_a_warning_does_not_refuse():
    """It tells."""
    warning = Problem("x", 1, 0, Severity.WARNING, "odd", "is odd")
    assert not Checked((warning,), ()).refused
