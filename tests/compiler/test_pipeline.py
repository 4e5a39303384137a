"""From a CompileSpec to a report and an image, in process; and the child itself."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ocizone.compiler import pipeline
from ocizone.compiler import tree as tree_module
from ocizone.compiler.ondisk import CheckedZone, check_zone_file
from ocizone.compiler.pipeline import compile_revision
from ocizone.compiler.spec import CompiledZone, CompileReport, CompileSpec, Layer, ZoneRule
from ocizone.compiler.tree import SourceTree
from ocizone.errors import Problem, StoreError
from ocizone.wire.codes import TYPE_A, TYPE_AAAA, TYPE_CNAME
from ocizone.wire.name import BadNameError, from_text
from ocizone.zone.image import Image

SAMPLES = Path(__file__).parents[2] / "zones"
ZONE = "$TTL 60\n@ SOA ns.x. h.x. 1 2 3 4 5\n@ NS ns.x.\n"
ORIGIN_ZONE = "$ORIGIN example.org.\n" + ZONE
YAML_ZONE = """\
'':
  - {type: NS, value: ns.x.}
  - type: SOA
    value: {mname: ns.x., rname: h.x., serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5}
"""
VIEW = "dns://.:53"


def artifact(*origins: str, view: str = VIEW) -> ZoneRule:
    """Return the rule of a block without ``file`` and ``auto``."""
    return ZoneRule(view, "artifact", "", origins or (".",))


def auto(template: str = "{1}", regexp: str = r"db\.(.*)", path: str = "") -> ZoneRule:
    """Return the rule of an ``auto`` directive for any zone."""
    return ZoneRule(VIEW, "auto", path, (".",), regexp, template)


def spec_of(base: Path, files: dict[str, str], *rules: ZoneRule) -> CompileSpec:
    """Return the spec of a revision with these files."""
    (base / "tree").mkdir()
    layers = []
    for number, (title, text) in enumerate(files.items()):
        blob = base / f"blob{number}"
        blob.write_bytes(text.encode())
        digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        layers.append(Layer(str(blob), digest, title, unpack=False, media_type="text/dns"))
    return CompileSpec("test", tuple(layers), rules, str(base / "tree"), str(base / "image"))


def compiled(base: Path, files: dict[str, str], *rules: ZoneRule) -> CompileReport:
    """Compile in process; the clock ticks once a call."""
    spec = spec_of(base, files, *rules or (artifact(),))
    ticks = itertools.count()
    report = compile_revision(spec, lambda: float(next(ticks)))
    assert report.refused != Path(spec.image).exists()
    assert report.refused == (report.image_sha256 == "")
    assert report.seconds == 1.0
    return report


def zones(report: CompileReport) -> list[tuple[str, str]]:
    assert not report.refused, report.problems
    return [(zone.apex, zone.file) for zone in report.zones]


def found(report: CompileReport) -> list[tuple[str, str]]:
    return [(problem.rule, problem.where()) for problem in report.problems]


def test_samples_compile_without_findings(tmp_path: Path) -> None:
    """The sample artifact is sound, and www.example.org has A and AAAA."""
    files = {path.name: path.read_text(encoding="utf-8") for path in SAMPLES.iterdir()}
    report = compiled(tmp_path, files)
    assert report.problems == ()
    assert zones(report) == [
        ("2.0.192.in-addr.arpa.", "db.2.0.192.in-addr.arpa"),
        ("example.org.", "db.example.org"),
        ("example.net.", "example.net.yaml"),
    ]
    image = Image.open(tmp_path / "image")
    www = image.zones()[VIEW, from_text("example.org.")].get(b"www\x00")
    assert www is not None
    assert {TYPE_A, TYPE_AAAA} <= www.rrsets.keys()
    blog = image.zones()[VIEW, from_text("example.org.")].get(b"blog\x00")
    assert blog is not None
    assert TYPE_CNAME in blog.rrsets
    octets = (tmp_path / "image").read_bytes()
    assert report.image_sha256 == hashlib.sha256(octets).hexdigest()
    assert report.image_octets == len(octets)


@pytest.mark.parametrize(
    ("title", "text", "apex"),
    [
        ("db.example.org", ZONE, "example.org."),
        ("DB", ORIGIN_ZONE, "example.org."),
        ("zones/db.Example.ORG", ZONE, "example.org."),
        ("db.example.org.", ZONE, "example.org."),
        ("example.org.zone", ZONE, "example.org."),
        ("example.org.yaml", YAML_ZONE, "example.org."),
        ("example.org.yml", YAML_ZONE, "example.org."),
        ("master.txt", ORIGIN_ZONE, "example.org."),
        (
            "zone",
            "$TTL 9\nexample.org. SOA n.x. h.x. 1 2 3 4 5\nexample.org. NS n.x.\n",
            "example.org.",
        ),
    ],
)
def test_artifact_rule_finds_zones(tmp_path: Path, title: str, text: str, apex: str) -> None:
    """The file's name tells the origin, else the SOA's owner."""
    assert zones(compiled(tmp_path, {title: text})) == [(apex, title)]


def test_soa_owner_when_the_name_is_of_no_block(tmp_path: Path) -> None:
    """db.corp with its own $ORIGIN is the zone it says, where the block wants that."""
    report = compiled(tmp_path, {"db.corp": ORIGIN_ZONE}, artifact("example.org."))
    assert zones(report) == [("example.org.", "db.corp")]


def test_files_that_are_no_zones(tmp_path: Path) -> None:
    """Read-mes, includes, backups and macOS metadata are listed, and not served."""
    files = {
        "db.example.org": ZONE + "$INCLUDE hosts.inc\n",
        "hosts.inc": "a 5 A 192.0.2.1\n",
        "README.md": "# Zones\n\nSee (the wiki\n",
        "config.yaml": "a: 1\n",
        "._db.example.org": "junk",
        "db.example.org~": ZONE,
        ".db.example.org.swp": "junk",
        "root": ZONE,
    }
    report = compiled(tmp_path, files, artifact("example.org."))
    assert zones(report) == [("example.org.", "db.example.org")]
    assert report.problems == ()
    assert report.extra["not_zones"] == sorted(files.keys() - {"db.example.org"})
    assert report.zones[0].records == 3


def test_zones_outside_the_block_are_told(tmp_path: Path) -> None:
    """A zone the block does not serve is a warning, not silence."""
    files = {"db.example.org": ZONE, "db.example.net": ZONE, "x": ORIGIN_ZONE.replace("org", "com")}
    report = compiled(tmp_path, files, artifact("example.org."))
    assert zones(report) == [("example.org.", "db.example.org")]
    assert found(report) == [("outside-block", "db.example.net"), ("outside-block", "x")]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "it holds no files"),
        ({"README": "x"}, "it holds README"),
        ({"{}": "{}"}, "it holds {}"),
        ({f"f{n:02}": "x" for n in range(25)}, "f19 and 5 more"),
    ],
)
def test_no_zone_files(tmp_path: Path, files: dict[str, str], words: str) -> None:
    """An artifact without a zone is an error that names what was seen."""
    report = compiled(tmp_path, files)
    assert [problem.rule for problem in report.problems] == ["no-zone-files"]
    assert "no zone files in artifact" in report.problems[0].message
    assert words in report.problems[0].message


def test_empty_descriptor_is_no_zone(tmp_path: Path) -> None:
    """`oras push` without files gives ``{}``, which is no zone."""
    spec = spec_of(tmp_path, {"x": "{}"}, artifact())
    (layer,) = spec.layers
    empty = Layer(layer.blob, layer.digest, "", False, "application/vnd.oci.empty.v1+json")
    spec = CompileSpec("test", (empty,), spec.rules, spec.tree, spec.image)
    assert found(compile_revision(spec, lambda: 0.0)) == [("no-zone-files", "test")]


def test_file_rule(tmp_path: Path) -> None:
    """One file gives a zone for each origin; names in it are relative to each."""
    rule = ZoneRule(VIEW, "file", "zones/any", ("a.org.", "b.org."))
    report = compiled(tmp_path, {"zones/any": ZONE}, rule)
    assert zones(report) == [("a.org.", "zones/any"), ("b.org.", "zones/any")]


def test_file_rule_without_its_file(tmp_path: Path) -> None:
    """A missing file is an error that names it and what is there."""
    report = compiled(tmp_path, {"db.x": ZONE}, ZoneRule(VIEW, "file", "db.y", ("y.",)))
    assert found(report) == [("no-such-file", "db.y")]
    assert "db.x" in report.problems[0].hint


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (auto(), [("a.org.", "db.a.org"), ("b.org.", "sub/db.b.org")]),
        (auto(path="sub"), [("b.org.", "sub/db.b.org")]),
        (auto(path="sub/"), [("b.org.", "sub/db.b.org")]),
        (auto("{1}.net"), [("a.org.net.", "db.a.org"), ("b.org.net.", "sub/db.b.org")]),
        (auto("$1"), [("a.org.", "db.a.org"), ("b.org.", "sub/db.b.org")]),
        (auto("{name}", r"(?P<name>\w)\.org$"), [("a.", "db.a.org"), ("b.", "sub/db.b.org")]),
    ],
)
def test_auto_rule(tmp_path: Path, rule: ZoneRule, expected: list[tuple[str, str]]) -> None:
    """Matching base names below the folder are zones; the template gives the origin."""
    files = {"db.a.org": ZONE, "sub/db.b.org": ZONE, "other": "x", "sub/._db.c": "x"}
    report = compiled(tmp_path, files, rule)
    assert zones(report) == expected
    assert report.problems == ()


def test_auto_rule_tells_what_it_leaves(tmp_path: Path) -> None:
    """A name that makes no origin, and one outside the block, are warnings."""
    rule = ZoneRule(VIEW, "auto", "", ("org.",), r"db\.(.*)", "{1}{2}")
    report = compiled(tmp_path, {"db.a..b": ZONE, "db.net": ZONE, "db.a.org": ZONE}, rule)
    assert zones(report) == [("a.org.", "db.a.org")]
    assert found(report) == [("origin", "db.a..b"), ("outside-block", "db.net")]


def test_two_files_for_one_origin(tmp_path: Path) -> None:
    """Two files that claim one origin in one view are an error naming both."""
    report = compiled(tmp_path, {"db.example.org": ZONE, "example.org.zone": ZONE})
    (problem,) = report.problems
    assert problem.rule == "origin-claimed-twice"
    assert "db.example.org" in problem.message
    assert "example.org.zone" in problem.message


def test_two_views_share(tmp_path: Path) -> None:
    """One file for two views is compiled once; two views may take different files."""
    rules = (
        artifact("a.org.", view="one"),
        artifact("a.org.", view="two"),
        ZoneRule("three", "file", "db.b.org", ("a.org.",)),
    )
    report = compiled(tmp_path, {"db.a.org": ZONE, "db.b.org": ZONE}, *rules)
    assert [(zone.view, zone.file) for zone in report.zones] == [
        ("one", "db.a.org"),
        ("two", "db.a.org"),
        ("three", "db.b.org"),
    ]


def test_one_bad_zone_refuses_the_revision(tmp_path: Path) -> None:
    """All findings of all zones are told, and no image appears."""
    files = {"db.a": ZONE, "db.b": ZONE + "x A bad\n", "db.c": ZONE + "y CNAME z\ny A 192.0.2.1\n"}
    report = compiled(tmp_path, files)
    assert report.zones == ()
    assert found(report) == [("rdata", "db.b:4:5"), ("cname-and-other-data", "db.c:5:1")]


def test_bad_layers_refuse_the_revision(tmp_path: Path) -> None:
    """After an unpacking error nothing is read."""
    assert found(compiled(tmp_path, {"../db.a": ZONE, "db.b": "junk"})) == [("path", "../db.a")]


def test_include_stays_inside(tmp_path: Path) -> None:
    """$INCLUDE is relative to its file, and never leaves the artifact."""
    (tmp_path / "secret").write_text("x 5 TXT secret\n")
    lines = ["../secret", "../../secret", "../other/hosts", "/etc/passwd", "gone", "a\\000b", ".."]
    text = ZONE + "".join(f'$INCLUDE "{line}"\n' for line in lines)
    report = compiled(tmp_path, {"zones/db.a": text, "other/hosts": "h 5 A x\n"})
    assert found(report) == [
        ("rdata", "other/hosts:1:7"),
        *(("include", f"zones/db.a:{line}:10") for line in (4, 5, 7, 8, 9, 10)),
    ]


def test_include_from_odd_names(tmp_path: Path) -> None:
    """A file whose name findings must escape or is long includes what is beside it."""
    folder = "zon\u00e9s" + "x" * 150
    files = {f"{folder}/db.a": ZONE + "$INCLUDE hosts\n", f"{folder}/hosts": "h 5 A 192.0.2.1\n"}
    report = compiled(tmp_path, files)
    assert report.problems == ()
    assert report.zones[0].records == 3


def test_a_packed_folder_without_its_annotation(tmp_path: Path) -> None:
    """oras-py pushes folders without the annotation: the hint says what is missing."""
    spec = spec_of(tmp_path, {"zones": "x"}, artifact())
    (layer,) = spec.layers
    octets = gzip.compress(b"tar")
    Path(layer.blob).write_bytes(octets)
    layer = replace(layer, digest=f"sha256:{hashlib.sha256(octets).hexdigest()}")
    report = compile_revision(replace(spec, layers=(layer,)), lambda: 0.0)
    assert "io.deis.oras.content.unpack" in report.problems[0].hint


def test_too_many_zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image has a bounded number of zones."""
    monkeypatch.setattr(pipeline, "ZONES_PER_IMAGE", 1)
    assert found(compiled(tmp_path, {"db.a": ZONE, "db.b": ZONE})) == [("zones", "")]


def run_child(text: str) -> subprocess.CompletedProcess[str]:
    """Run the compiler child as the parent does."""
    return subprocess.run(
        [sys.executable, "-m", "ocizone.compiler"],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_child(tmp_path: Path) -> None:
    """JSON in, JSON out, exit 0, whatever was found."""
    spec = spec_of(tmp_path, {"db.a": ZONE, "db.b\u00fc": ZONE}, artifact())
    done = run_child(spec.to_json())
    assert (done.returncode, done.stderr) == (0, "")
    report = CompileReport.from_json(done.stdout)
    (zone,) = report.zones
    assert replace(zone, content="") == CompiledZone(VIEW, "a.", 1, 2, "db.a", written=1)
    assert json.loads(done.stdout)["image_sha256"] == report.image_sha256
    assert Path(spec.image).exists()


def test_child_that_cannot_write(tmp_path: Path) -> None:
    """A store that fails is one line on stderr and exit 1."""
    spec = spec_of(tmp_path, {"db.a": ZONE}, artifact())
    broken = CompileSpec("test", spec.layers, spec.rules, spec.tree, "/proc/no/image")
    done = run_child(broken.to_json())
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("cannot write the image /proc/no/image")
    assert done.stderr.count("\n") == 1


def test_child_is_light() -> None:
    """The child imports neither Twisted nor a registry client, nor what few artifacts need."""
    code = "import sys, ocizone.compiler.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    loaded = {module.partition(".")[0] for module in done.stdout.split()}
    assert not loaded & {"twisted", "oras", "requests", "yaml", "cryptography", "dns"}


def rules(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.rule for problem in problems]


def test_check_a_file(tmp_path: Path) -> None:
    """A file on disk is checked as in an artifact; findings name it as it was given."""
    path = tmp_path / "db.example.org"
    path.write_text(ZONE + "$INCLUDE inc\n")
    (tmp_path / "inc").write_text("a 5 A 192.0.2.1\nb 5 A x\n")
    problems, checked = check_zone_file(path)
    assert [problem.where() for problem in problems] == [f"{tmp_path}/inc:2:7"]
    assert checked == CheckedZone(str(path), "example.org.", None, 0)


def test_check_with_an_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An origin that is given wins over the name; a relative path stays relative."""
    monkeypatch.chdir(tmp_path)
    Path("anything").write_text(ZONE)
    problems, zone = check_zone_file(Path("anything"), "Example.NET")
    assert problems == ()
    assert zone == CheckedZone("anything", "example.net.", 1, 2)
    assert rules(check_zone_file(Path("anything"))[0]) == ["origin"]
    with pytest.raises(BadNameError):
        check_zone_file(Path("anything"), "a..b")
    with pytest.raises(StoreError, match="gone"):
        check_zone_file(Path("gone"))


def test_check_a_secret(tmp_path: Path) -> None:
    """A signing key beside a zone is told, whatever it holds."""
    path = tmp_path / "Kb.+013+1.private"
    path.write_text("x")
    problems, zone = check_zone_file(path)
    assert (rules(problems), zone) == (["secret"], None)


def test_check_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too large a file is a StoreError, and so is what is no regular file."""
    os.mkfifo(tmp_path / "db.fifo")
    (tmp_path / "db.gone").symlink_to("nowhere")
    with pytest.raises(StoreError, match="is no file and no directory"):
        check_zone_file(tmp_path / "db.fifo")
    tree = SourceTree(tmp_path)
    with pytest.raises(StoreError, match="cannot read"):
        tree.head("db.gone", 1)
    (tmp_path / "db.a").write_text(ZONE)
    monkeypatch.setattr(tree_module, "ZONE_FILE_OCTETS", 10)
    with pytest.raises(StoreError, match="over 10 octets"):
        check_zone_file(tmp_path / "db.a")


def test_check_does_not_follow_links_out(tmp_path: Path) -> None:
    """$INCLUDE through a symbolic link leaves the folder, and is refused."""
    folder = tmp_path / "zones"
    folder.mkdir()
    (tmp_path / "secret").write_text("x 5 TXT secret\n")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "db.a").write_text(ZONE + "$INCLUDE link\n")
    assert rules(check_zone_file(folder / "db.a")[0]) == ["include"]
