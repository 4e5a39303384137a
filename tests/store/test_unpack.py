"""Unpacking what strangers pushed: hostile titles and archives, a canary beside the tree."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from ocizone.compiler.spec import Layer, RevisionFile
from ocizone.errors import Problem, StoreError
from ocizone.findings import Findings
from ocizone.store import tarstream
from ocizone.store import unpack as unpack_module
from ocizone.store.tarstream import BadArchiveError, members
from ocizone.store.unpack import EMPTY_MEDIA_TYPE, unpack

ZONE = b"$ORIGIN example.org.\n"
CANARY = b"canary"
TAR_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


class Site:
    """A folder with a tree to unpack into, blobs, and canaries around the tree."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.tree = base / "state" / "tree"
        self.tree.mkdir(parents=True)
        self.blobs = 0
        for name in ("canary", "state/canary", "state/tree-evil"):
            (base / name).write_bytes(CANARY)

    def layer(
        self, content: bytes, title: str = "", *, unpacked: bool = False, media_type: str = "x/y"
    ) -> Layer:
        """Store a blob and return its layer."""
        self.blobs += 1
        blob = self.base / f"blob{self.blobs}"
        blob.write_bytes(content)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        return Layer(str(blob), digest, title, unpacked, media_type)

    def unpack(self, *layers: Layer) -> tuple[tuple[RevisionFile, ...], tuple[Problem, ...]]:
        """Unpack, and check that nothing but the tree was touched."""
        before = self._outside()
        findings = Findings()
        files = unpack(layers, self.tree, findings)
        assert self._outside() == before
        for path in self.tree.rglob("*"):
            assert not path.is_symlink()
            assert path.is_dir() or path.stat().st_nlink == 1
        return files, findings.problems()

    def _outside(self) -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in self.base.rglob("*")
            if path.is_file() and not path.is_relative_to(self.tree)
        }


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A fresh site; the working folder holds a file a link could reach (CVE-2026-50163)."""
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    (cwd / "sentinel").write_bytes(CANARY)
    monkeypatch.chdir(cwd)
    return Site(tmp_path)


def tar(*entries: tarfile.TarInfo | tuple[str, bytes], fmt: int = tarfile.USTAR_FORMAT) -> bytes:
    """Return a tar+gzip of these entries."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=fmt) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                archive.addfile(info, io.BytesIO(entry[1]))
    return gzip.compress(raw.getvalue(), mtime=0)


def special(kind: bytes, name: str = "x", linkname: str = "") -> tarfile.TarInfo:
    """Return an entry that is no regular file."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = linkname
    return info


def rules(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.rule for problem in problems]


HOSTILE_PATHS = [
    "",
    ".",
    "..",
    "./",
    "./.",
    "../canary",
    "../../canary",
    "../tree-evil/x",
    "../tree-evil",
    "a/../../canary",
    "a/..",
    "a/../b",
    "..\\canary",
    "a\\..\\..\\canary",
    "/canary",
    "//canary",
    "/etc/cron.d/x",
    "./../canary",
    "././../canary",
    "a//b",
    "a/./b",
    "a/",
    "C:canary",
    "c:/canary",
    "C:\\canary",
    "\\\\host\\share\\x",
    "a\x00b",
    "a\nb",
    "a\rb",
    "a\x1b[31mb",
    "a\x7fb",
    "a\u202eb",
    "a\u200bb",
    "a\u2028b",
    "\udcff",
    "x" * 256,
    "x" * 4096,
    "\u00e9" * 128,
    "/".join("a" * 17),
    "a/" * 600 + "b",
    ".env",
    "zones/.env",
    "Kexample.org.+013+12345.private",
    "keys/Kexample.org.+013+12345.private",
    ".docker/config.json",
    "home/.docker/config.json",
]


@pytest.mark.parametrize("title", [title for title in HOSTILE_PATHS if title])
def test_hostile_titles(site: Site, title: str) -> None:
    """No title leaves the tree, hides a character, or ships a key (CVE-2021-21272)."""
    files, problems = site.unpack(site.layer(ZONE, title))
    assert files == ()
    assert rules(problems) in (["path"], ["secret"])
    assert str(problems[0]).isascii()
    assert str(problems[0]).isprintable()
    assert not any(path.is_file() for path in site.tree.rglob("*"))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in HOSTILE_PATHS
        if name.rstrip("/") == name != "" and not {"\x00", "\udcff"} & set(name)
    ],
)
@pytest.mark.parametrize("fmt", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_hostile_members(site: Site, name: str, fmt: int) -> None:
    """No member's path does either (CVE-2007-4559), long names and pax paths included."""
    files, problems = site.unpack(site.layer(tar((name, ZONE), fmt=fmt), unpacked=True))
    assert files == ()
    assert rules(problems) in (["path"], ["secret"])
    assert not any(path.is_file() for path in site.tree.rglob("*"))


@pytest.mark.parametrize(
    "entry",
    [
        special(tarfile.SYMTYPE, "x", "../canary"),
        special(tarfile.SYMTYPE, "x", "db.example.org"),
        special(tarfile.SYMTYPE, "x", "/etc/passwd"),
        special(tarfile.LNKTYPE, "x", "sentinel"),
        special(tarfile.LNKTYPE, "x", "db.example.org"),
        special(tarfile.LNKTYPE, "x", "../../canary"),
        special(tarfile.CHRTYPE),
        special(tarfile.BLKTYPE),
        special(tarfile.FIFOTYPE),
        special(b"S"),
        special(b"D"),
        special(b"V"),
        special(b"Z"),
    ],
    ids=lambda entry: f"{entry.type!r}-{entry.linkname}",
)
def test_only_regular_files(site: Site, entry: tarfile.TarInfo) -> None:
    """Links, devices, fifos, sparse files and what nobody knows are refused."""
    archive = tar(("db.example.org", ZONE), entry, ("after", ZONE))
    files, problems = site.unpack(site.layer(archive, unpacked=True))
    assert rules(problems) == ["bad-archive"]
    assert [file.path for file in files] == ["db.example.org"]
    assert [path.name for path in site.tree.iterdir()] == ["db.example.org"]


def test_symlink_then_file_through_it(site: Site) -> None:
    """A link of an earlier entry or layer leads nowhere, because it is never made."""
    link = special(tarfile.SYMTYPE, "zones", "..")
    _, problems = site.unpack(
        site.layer(tar(link, ("zones/canary", ZONE)), unpacked=True),
        site.layer(ZONE, "zones/canary"),
    )
    assert rules(problems) == ["bad-archive"]


def test_planted_links_are_not_followed(site: Site) -> None:
    """What stands in the tree already is not ours: nothing is written through it."""
    for name in ("zones", "db.example.org"):
        (site.tree / name).symlink_to(site.base / "canary")
    for title in ("zones/db", "db.example.org"):
        with pytest.raises(StoreError, match="cannot unpack"):
            unpack([site.layer(ZONE, title)], site.tree, Findings())
    assert (site.base / "canary").read_bytes() == CANARY


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("db.x", "DB.X"),
        ("db.stra\u00dfe", "db.STRASSE"),
        ("db.\u00e9", "db.e\u0301"),
        ("zones/db.x", "Zones/db.y"),
        ("zones", "zones/db.x"),
        ("zones/db.x", "zones"),
        ("a/b/c", "a/b"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_collisions(site: Site, first: str, second: str, *, packed: bool) -> None:
    """Paths some file system takes for one are not both written."""
    if packed:
        archive = tar((first, ZONE), (second, ZONE), fmt=tarfile.PAX_FORMAT)
        layers = [site.layer(archive, unpacked=True)]
    else:
        layers = [site.layer(ZONE, first), site.layer(ZONE, second)]
    files, problems = site.unpack(*layers)
    assert rules(problems) == ["path-collision"]
    assert [file.path for file in files] == [first]


def test_same_title_twice(site: Site) -> None:
    """One title with two contents is an error that names both; with one content it is one file."""
    one, other = site.layer(ZONE, "db.x"), site.layer(b"; other\n", "db.x")
    _, problems = site.unpack(one, other)
    assert rules(problems) == ["duplicate-path"]
    assert one.digest in problems[0].message
    assert other.digest in problems[0].message


def test_same_title_same_content(site: Site) -> None:
    """The CLI pushes a file that is named twice as two equal descriptors."""
    files, problems = site.unpack(site.layer(ZONE, "db.x"), site.layer(ZONE, "db.x"))
    assert not problems
    assert [file.path for file in files] == ["db.x"]


def test_two_titles_of_one_blob(site: Site) -> None:
    """Equal files are one blob and two files (oras-go: restoreDuplicates)."""
    files, problems = site.unpack(site.layer(ZONE, "db.x"), site.layer(ZONE, "sub/db.y"))
    assert not problems
    assert [file.path for file in files] == ["db.x", "sub/db.y"]
    assert files[0].digest == files[1].digest
    assert (site.tree / "sub/db.y").read_bytes() == ZONE


def test_plain_files(site: Site) -> None:
    """A layer with a title is a file, in folders, whatever its media type says."""
    layers = [
        site.layer(ZONE, "db.example.org", media_type=TAR_TYPE),
        site.layer(b"", "zones/deep/db.x"),
        site.layer(tar(("a", ZONE)), "backup.tar.gz", media_type=TAR_TYPE),
        site.layer(gzip.compress(ZONE), "db.gz"),
        site.layer(ZONE, "./db.dot."),
        site.layer(ZONE, "db.b\u00fccher"),
    ]
    files, problems = site.unpack(*layers)
    assert not problems
    assert [file.path for file in files] == [
        "backup.tar.gz",
        "db.b\u00fccher",
        "db.dot.",
        "db.example.org",
        "db.gz",
        "zones/deep/db.x",
    ]
    assert (site.tree / "db.example.org").read_bytes() == ZONE
    assert files[3] == RevisionFile("db.example.org", layers[0].digest, len(ZONE))
    assert (site.tree / "db.example.org").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("fmt", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize(("title", "unpacked"), [("zones", True), (".", True), ("", False)])
def test_archives(site: Site, fmt: int, title: str, *, unpacked: bool) -> None:
    """`oras push FOLDER` and Flux both give tar+gzip: their members are the files."""
    long = "zones/" + "l" * 120 + "/db.long"
    old = tarfile.TarInfo("zones/old")
    old.mtime = 1.5  # a fraction makes tarfile write a pax header
    archive = tar(
        special(tarfile.DIRTYPE, "zones"), ("./zones/db.x", ZONE), (long, ZONE), old, fmt=fmt
    )
    files, problems = site.unpack(site.layer(archive, title, unpacked=unpacked))
    assert not problems
    assert [file.path for file in files] == sorted([long, "zones/db.x", "zones/old"])
    assert (site.tree / "zones/db.x").read_bytes() == ZONE
    assert files[1].digest == f"sha256:{hashlib.sha256(ZONE).hexdigest()}"


def test_empty_descriptor_gives_no_file(site: Site) -> None:
    """`oras push` without files leaves the empty descriptor: no file, and no finding here."""
    assert site.unpack(site.layer(b"{}", media_type=EMPTY_MEDIA_TYPE)) == ((), ())


@pytest.mark.parametrize(
    "content", [b"plain", gzip.compress(b"x" * 600, mtime=0), b"\x1f\x8b\x08junk", b""]
)
def test_untitled_layers_that_are_no_archive(site: Site, content: bytes) -> None:
    """They are not dropped silently; marked for unpacking they are an error."""
    assert rules(site.unpack(site.layer(content))[1]) == ["untitled-layer"]
    assert rules(site.unpack(site.layer(content, "z", unpacked=True))[1]) == ["bad-archive"]


def test_blob_is_hashed_again(site: Site) -> None:
    """A blob that changed on disk since it was verified is an error."""
    layer = site.layer(ZONE, "db.x")
    Path(layer.blob).write_bytes(b"changed")
    assert rules(site.unpack(layer)[1]) == ["digest"]


@pytest.mark.parametrize(
    "content",
    [
        b"-----BEGIN PRIVATE KEY-----\nabc\n",
        b"; x\n-----BEGIN EC PRIVATE KEY-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
        b"Private-key-format: v1.3\nAlgorithm: 13\n",
        b"x" * (256 * 1024 - 10) + b"\n-----BEGIN PRIVATE KEY-----\n",
    ],
)
def test_private_keys_are_told(site: Site, content: bytes) -> None:
    """A key that was shipped by mistake stops the revision, plain or packed."""
    assert rules(site.unpack(site.layer(content, "notes"))[1]) == ["secret"]
    packed = site.layer(tar(("notes2", content)), unpacked=True)
    assert rules(site.unpack(packed)[1]) == ["secret"]


def test_bombs(site: Site) -> None:
    """1000:1 is no zone text, one member or many (CVE-2023-33957's class)."""
    one = tar(("db.x", bytes(8 * 2**20)))
    assert rules(site.unpack(site.layer(one, unpacked=True))[1]) == ["bomb"]
    nested = gzip.compress(gzip.compress(tar(("db.y", ZONE))))
    assert rules(site.unpack(site.layer(nested))[1]) == ["untitled-layer"]


def test_totals(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, and all of them together, are bounded; so are expanded octets and members."""
    monkeypatch.setattr(unpack_module, "EXPANDED_OCTETS", 30_000)
    big = os.urandom(20_000)
    _, problems = site.unpack(site.layer(big, "a"), site.layer(big, "b"))
    assert rules(problems) == ["too-large"]
    packed = site.layer(tar(("c", b""), ("d", os.urandom(40_000))), unpacked=True)
    assert rules(site.unpack(packed)[1]) == ["bomb"]
    monkeypatch.setattr(unpack_module, "ZONE_FILE_OCTETS", 10)
    assert rules(site.unpack(site.layer(ZONE, "e"))[1]) == ["too-large"]
    monkeypatch.setattr(tarstream, "ARCHIVE_MEMBERS", 3)
    packed = site.layer(tar(*((f"m{n}", b"") for n in range(4))), unpacked=True)
    assert "over 3 entries" in site.unpack(packed)[1][0].message


def test_members_exactly_at_the_limit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is what is taken, one more is not."""
    monkeypatch.setattr(tarstream, "ARCHIVE_MEMBERS", 3)
    packed = site.layer(tar(*((f"m{n}", b"") for n in range(3))), unpacked=True)
    assert not site.unpack(packed)[1]


def raw_header(**changes: bytes) -> bytes:
    """Return a tar header with raw fields changed and the checksum right."""
    block = bytearray(tarfile.TarInfo("db.x").tobuf(tarfile.USTAR_FORMAT)[:512])
    at = {"name": 0, "size": 124, "kind": 156, "prefix": 345}
    for field, value in changes.items():
        block[at[field] : at[field] + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\x00 " % sum(block)
    return bytes(block)


def pax(record: bytes, kind: bytes = b"x") -> bytes:
    """Return an extended header and its body."""
    return raw_header(kind=kind, size=b"%011o\x00" % len(record)) + record.ljust(512, b"\x00")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (raw_header(), "cut short"),
        (raw_header(size=b"00000000010\x00"), "cut short"),
        (raw_header(size=b"\x80" + b"\xff" * 11), "not octal"),
        (raw_header(size=b"-0000000010\x00"), "not octal"),
        (raw_header(name=b"\xff\xfe"), "not UTF-8"),
        (raw_header()[:500] + b"\x01" + raw_header()[501:], "checksum"),
        (b"x" * 512, "checksum"),
        (raw_header()[:148] + b"9999999\x00" + raw_header()[156:], "checksum"),
        (raw_header(kind=b"x", size=b"77777777777\x00"), "extended header is over"),
        (raw_header(kind=b"L", size=b"77777777777\x00"), "extended header is over"),
        (pax(b"18 GNU.sparse.a=1\n"), "sets 'GNU.sparse.a'"),
        (pax(b"9 size=1\n"), "sets 'size'"),
        (pax(b"15 linkpath=ab\n"), "sets 'linkpath'"),
        (pax(b"10 path=x\n", b"g"), "sets 'path'"),
        (pax(b"11 path=\x00y\n"), "sets 'path'"),
        (pax(b"99 path=x\n"), "damaged"),
        (pax(b"x path=x\n"), "damaged"),
        (pax(b"1 path=x\n"), "damaged"),
        (pax(b"8 \xff=123\n"), "not UTF-8"),
    ],
)
def test_damaged_archives(octets: bytes, why: str) -> None:
    """Cut, wrong, oversized or overriding headers are BadArchiveError, never another."""
    with pytest.raises(BadArchiveError, match=why):
        list(members(io.BytesIO(octets)))


@pytest.mark.parametrize("cut", [1, 100, 600])
def test_truncated_gzip(site: Site, cut: int) -> None:
    """A blob that ends early is an error of that layer."""
    archive = tar(("db.x", os.urandom(2000)))
    _, problems = site.unpack(site.layer(archive[:-cut], unpacked=True))
    assert rules(problems) == ["bad-archive"]


def test_content_left_unread_is_passed_over() -> None:
    """The next member is found even when one was not read."""
    raw = gzip.decompress(tar(("a", b"x" * 1000), ("b", b"y")))
    assert [member.path for member in members(io.BytesIO(raw))] == ["a", "b"]


def test_pax_paths_count_for_one_member() -> None:
    """A pax path names the next member only; comments change nothing."""
    octets = (
        pax(b"16 comment=abcd\n", b"g")
        + pax(b"10 path=x\n")
        + raw_header()
        + raw_header()
        + bytes(1024)
    )
    assert [member.path for member in members(io.BytesIO(octets))] == ["x", "db.x"]


def test_folders_are_passed_over() -> None:
    """A folder is no member, even one with content, or written the old way."""
    octets = (
        raw_header(kind=b"5", size=b"00000000004\x00")
        + bytes(512)
        + raw_header(name=b"old/\x00", kind=b"\x00")
        + raw_header()
        + bytes(1024)
    )
    assert [member.path for member in members(io.BytesIO(octets))] == ["db.x"]


def test_ustar_prefix() -> None:
    """A POSIX header's prefix comes before its name."""
    octets = raw_header(prefix=b"zones") + bytes(1024)
    assert [member.path for member in members(io.BytesIO(octets))] == ["zones/db.x"]


def test_store_errors_name_the_path(site: Site) -> None:
    """A blob that is gone is the store's failure, not the artifact's."""
    layer = site.layer(ZONE, "db.x")
    Path(layer.blob).unlink()
    with pytest.raises(StoreError, match=str(site.tree)):
        unpack([layer], site.tree, Findings())


def test_nothing_is_left_open(site: Site) -> None:
    """Refusing a layer closes its files."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    site.unpack(site.layer(tar(("../x", ZONE)), unpacked=True))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
