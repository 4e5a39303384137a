"""Collecting files to push, and checking them."""

from __future__ import annotations

import os

import pytest

from ocizone.errors import ArtifactError, Problem, Severity, StoreError
from ocizone.publish import YAML_TYPE, Checked, FileToPush, check_files, check_zones, collect
from ocizone.registry.push import ZONE_TYPE
from tests.signedzones import DAY, NOW, signed_text

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
    for paths in ([tmp_path], [tmp_path / "db.a.org", tmp_path / "db.b.org"]):
        checked = check_zones(paths, NOW)
        assert [zone.origin for zone in checked.zones] == ["a.org.", "b.org."]
        assert (checked.problems, checked.refused, checked.records) == ((), False, 6)


def test_a_directory_is_checked_as_the_artifact_it_would_be(tmp_path):
    """What a server refuses is refused here, and named as it lies on disk."""
    (tmp_path / "db.a.org").write_text(ZONE.format(origin="a.org.") + "x A 1.2.3\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "UPPER").write_text("x")
    (tmp_path / "sub" / "upper").write_text("y")
    assert [problem.rule for problem in check_zones([tmp_path], NOW).problems] == ["path-collision"]
    (tmp_path / "sub" / "upper").unlink()
    (problem,) = check_zones([tmp_path], NOW).problems
    assert (problem.rule, problem.file, problem.line) == ("rdata", str(tmp_path / "db.a.org"), 5)


def test_the_soa_tells_the_zone_as_on_the_server(tmp_path):
    """`db.corp` that begins with another $ORIGIN is that zone, here and there."""
    (tmp_path / "whatever").write_text(ZONE.format(origin="corp.example.org."))
    for checked in (
        check_zones([tmp_path], NOW),
        check_files(collect([tmp_path / "whatever"]), NOW),
    ):
        assert [zone.origin for zone in checked.zones] == ["corp.example.org."]


def test_a_zone_of_two_files_is_refused(tmp_path):
    """Found by push before a server finds it."""
    for name in ("db.a.org", "a.org.zone"):
        (tmp_path / name).write_text(ZONE.format(origin="a.org."))
    checked = check_zones([tmp_path], NOW)
    assert [problem.rule for problem in checked.problems] == ["origin-claimed-twice"]
    assert checked.refused


def test_what_cannot_be_read_is_a_finding(tmp_path):
    """`check --format json` stays JSON."""
    (problem,) = check_zones([tmp_path / "gone"], NOW).problems
    assert (problem.rule, problem.file) == ("unreadable", str(tmp_path / "gone"))


def test_links_do_not_lead_out(tmp_path):
    """A link beside the zones may point anywhere; its target is not read."""
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "db.a.org").write_text("y")
    (folder / "same").symlink_to("db.a.org")
    assert len(collect([folder])) == 2
    (folder / "out").symlink_to(tmp_path / "secret")
    with pytest.raises(ArtifactError, match="link-outside"):
        collect([folder])


def test_only_files_are_pushed(tmp_path):
    """A pipe would be read for ever."""
    os.mkfifo(tmp_path / "db.fifo")
    with pytest.raises(StoreError, match="is no file and no directory"):
        collect([tmp_path / "db.fifo"])


def test_a_warning_does_not_refuse():
    """It tells."""
    warning = Problem("x", 1, 0, Severity.WARNING, "odd", "is odd")
    assert not Checked((warning,), ()).refused


def test_signatures_are_judged_by_the_clock_of_who_asks(tmp_path):
    """One file and a directory alike: fine today, refused next month."""
    (tmp_path / "db.example.org").write_text(signed_text())
    for path in (tmp_path, tmp_path / "db.example.org"):
        assert check_zones([path], NOW).problems == ()
        late = check_zones([path], NOW + 30 * DAY)
        assert {problem.rule for problem in late.problems} == {"rrsig-expired"}
        assert late.refused


TEST = "- {{name: ns.{origin}, type: A, rdata: [192.0.2.{octet}]}}\n"


def zones_in(folder, *origins):
    """Write zones; return their paths."""
    for origin in origins:
        (folder / f"db.{origin[:-1]}").write_text(ZONE.format(origin=origin))
    return [folder / f"db.{origin[:-1]}" for origin in origins]


def with_tests(folder, *tests):
    """Write a file of zone tests; return its path."""
    path = folder / "zone-tests.yaml"
    path.write_text("".join(TEST.format(origin=origin, octet=octet) for origin, octet in tests))
    return path


def test_zone_tests_of_an_artifact(tmp_path):
    """What push and a server would run: a name of no zone fails, too."""
    zones_in(tmp_path, "a.org.")
    with_tests(tmp_path, ("a.org.", 1))
    checked = check_files(collect([tmp_path]), NOW)
    assert (checked.problems, checked.tests) == ((), 1)
    path = with_tests(tmp_path, ("a.org.", 1), ("a.org.", 2), ("b.org.", 1))
    checked = check_files(collect([tmp_path]), NOW)
    assert [(problem.file, problem.line) for problem in checked.problems] == [
        (str(path), 2),
        (str(path), 3),
    ]
    assert checked.refused


def test_zone_tests_beside_single_files(tmp_path):
    """They run against the files that were given, wherever those lie; others are passed over."""
    folder = tmp_path / "tests"
    folder.mkdir()
    tests = with_tests(folder, ("a.org.", 1), ("b.org.", 1), ("c.org.", 9))
    checked = check_zones([tests, *zones_in(tmp_path, "a.org.", "b.org.")], NOW)
    assert (checked.problems, checked.tests) == ((), 2)
    with_tests(folder, ("a.org.", 1), ("b.org.", 2))
    (problem,) = check_zones([*zones_in(tmp_path, "a.org.", "b.org."), tests], NOW).problems
    assert (problem.rule, problem.where()) == ("zone-test", f"{tests}:2:3")


def test_zone_tests_alone(tmp_path):
    """Without zones, or with one that is refused, only what is malformed is told."""
    tests = with_tests(tmp_path, ("a.org.", 9))
    assert check_zones([tests], NOW) == Checked((), ())
    (zone,) = zones_in(tmp_path, "a.org.")
    zone.write_text(zone.read_text() + "x A 1.2.3\n")
    assert [problem.rule for problem in check_zones([zone, tests], NOW).problems] == ["rdata"]
    tests.write_text("- x\n")
    assert [problem.rule for problem in check_zones([tests], NOW).problems] == ["zone-test"]
    tests.unlink()
    assert [problem.rule for problem in check_zones([tests], NOW).problems] == ["unreadable"]


def test_zone_tests_of_signed_zones(tmp_path):
    """With includes, signatures and all."""
    (tmp_path / "db.example.org").write_text(signed_text("nsec3"))
    (tmp_path / "zone-tests.yml").write_text(
        "- {name: x.example.org, type: A, rcode: NXDOMAIN}\n"
        "- {name: y.w.example.org, type: A, rdata: [192.0.2.2]}\n"
    )
    paths = [tmp_path / "db.example.org", tmp_path / "zone-tests.yml"]
    assert check_zones(paths, NOW).tests == 2
