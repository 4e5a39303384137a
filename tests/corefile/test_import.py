"""`import`: snippets and files, put where the line stands."""

from __future__ import annotations

import errno
import fnmatch
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.corefile import stream as stream_module
from ocizone.corefile.load import load, parse_text
from ocizone.corefile.types import Corefile
from ocizone.errors import ConfigError
from ocizone.plugins.errors import Errors
from ocizone.plugins.file import ZoneFile
from ocizone.plugins.log import LogRule
from ocizone.wire.name import to_text

COUNT = "Wrong argument count or unexpected line ending after 'import'"
ONE = "Import takes only one argument (glob pattern or file)"
SNIPPET_DEPTH = "maximum snippet import depth (10000) exceeded"
FILE_DEPTH = "maximum file import depth (10000) exceeded"


def parse(text: str, files: Mapping[str, str] | None = None, **environ: str) -> Corefile:
    """Parse a text that stands at /etc/dns/Corefile, among these files."""
    there = dict(files or {})

    def read(path: str) -> str:
        if "\0" in path:
            raise ValueError("embedded null byte")
        if path not in there:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if there[path] == "<directory>":
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if there[path] == "<secret>":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return there[path]

    def glob(pattern: str) -> list[str]:
        return [path for path in reversed(list(there)) if fnmatch.fnmatch(path, pattern)]

    return parse_text(text, "Corefile", read=read, glob=glob, environ=environ, cwd="/etc/dns")


def errors(
    text: str, files: Mapping[str, str] | None = None, **environ: str
) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as caught:
        parse(text, files, **environ)
    return [(f"{found.file}:{found.line}", found.message) for found in caught.value.problems]


def zones(corefile: Corefile) -> list[str]:
    return [to_text(key.zone) for block in corefile.blocks for key in block.keys]


def test_everywhere_a_line_begins() -> None:
    """Top level, key list, server block and directive block take imports."""
    corefile = parse(
        "import tops\nw.,\nimport keys\nb. {\n import lines\n log . {\n  import classes\n }\n}\n",
        {
            "/etc/dns/tops": "(s) {\nerrors\n}\na. {\nimport s\n}\n",
            "/etc/dns/keys": "x.,",
            "/etc/dns/lines": "file db\n",
            "/etc/dns/classes": "class error\nclass denial\n",
        },
    )
    assert zones(corefile) == ["a.", "w.", "x.", "b."]
    first, second = corefile.blocks
    assert first.get(Errors)
    assert second.get(ZoneFile)
    rule = second.get(LogRule)
    assert rule
    assert rule.classes == {"error", "denial"}
    assert corefile.files == (
        "/etc/dns/Corefile",
        "/etc/dns/tops",
        "/etc/dns/keys",
        "/etc/dns/lines",
        "/etc/dns/classes",
    )


def test_only_first_on_its_line() -> None:
    """An argument called import is an argument."""
    assert parse(". {\n file import\n}").blocks[0].get(ZoneFile)


def test_relative_to_the_importing_file() -> None:
    """A nested import starts from the directory of the file it stands in; places are absolute."""
    files = {"/etc/dns/a/one": "import ../b/two\n", "/etc/dns/b/two": "x. {\n nosuch\n}\n"}
    assert errors("import a/one", files) == [("/etc/dns/b/two:2", "Unknown directive 'nosuch'")]


def test_glob_takes_files_in_order() -> None:
    """Lexical order, whatever the file system says."""
    files = {
        "/etc/dns/c/10.conf": "ten. {\n}\n",
        "/etc/dns/c/2.conf": "two. {\n}\n",
        "/etc/dns/c/1.conf": "one. {\n}\nimport ../extra\n",
        "/etc/dns/extra": "extra. {\n}\n",
    }
    assert zones(parse("import c/*.conf", files)) == ["one.", "extra.", "ten.", "two."]
    assert zones(parse("import /etc/dns/c/?.conf", files)) == ["one.", "extra.", "two."]


def test_a_file_of_a_glob_may_import_another() -> None:
    """A file that waits for its turn is not being read, so it is no cycle."""
    files = {"/etc/dns/c/1": "file one\nimport 2\n", "/etc/dns/c/2": "file two\n"}
    block = parse("a. {\nimport c/*\n}", files).blocks[0]
    assert [found.path[-3:] for found in block.all(ZoneFile)] == ["one", "two", "two"]


def test_snippet_twice_in_one_directive() -> None:
    """Words of two expansions do not end up on one line."""
    block = parse("(s) {\nclass error\n}\na. {\nlog {\nimport s\nimport s\n}\n}").blocks[0]
    rule = block.get(LogRule)
    assert rule
    assert rule.classes == {"error"}


def test_snippet_twice_in_one_block() -> None:
    """Lines of two expansions are two lines, though they have one number."""
    block = parse("(s) {\nfile db\n}\na. {\nimport s\nimport s\n}").blocks[0]
    assert [found.position.line for found in block.all(ZoneFile)] == [2, 2]


def test_snippets_are_expanded_where_they_are_used() -> None:
    """The environment is that of the use; a snippet defined in one file works in another."""
    files = {"/etc/dns/s": "(z) {\nfile {$DB}\n}\n"}
    block = parse("import s\na. {\nimport z\n}", files, DB="/db").blocks[0]
    found = block.get(ZoneFile)
    assert found
    assert found.path == "/db"
    assert str(found.position) == "/etc/dns/s:2"


def test_snippet_in_snippet() -> None:
    """Snippets may use snippets, and one may be used after another has ended."""
    text = (
        "(a) {\nerrors\n}\n(b) {\nimport a\nlog\n}\nx. {\nimport b\n}\ny. {\nimport b\nimport a2\n}"
    )
    assert errors(text.replace("import a2", "errors")) == [
        ("Corefile:13", "plugin/errors: this plugin can only be used once per Server Block")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import", ("Corefile:1", COUNT)),
        ("import a b", ("Corefile:1", ONE)),
        (". {\nimport s }", ("Corefile:2", ONE)),
        ("import {$NONE}", ("Corefile:1", "Import requires a non-empty filepath")),
        ("import nothing", ("Corefile:1", "File to import not found: nothing")),
        ("import dir", ("Corefile:1", "Could not import dir: is a directory")),
        ("import secret", ("Corefile:1", "Could not import secret: Permission denied")),
        ('import "a\0b"', ("Corefile:1", "File to import not found: a\0b")),
        ("import a\0*", ("Corefile:1", "No files matching import glob pattern: a\0*")),
        (
            "import **",
            ("Corefile:1", "Glob pattern may only contain one wildcard (*), but has others: **"),
        ),
        (
            "import ??",
            ("Corefile:1", "Glob pattern may only contain one wildcard (*), but has others: ??"),
        ),
        (
            "import [ab]",
            ("Corefile:1", "Glob pattern may only contain one wildcard (*), but has others: [ab]"),
        ),
        ("(s) {\nimport s\n}\nimport s", ("Corefile:2", SNIPPET_DEPTH)),
        ("(s) {\nimport t\n}\n(t) {\nimport s\n}\nimport s", ("Corefile:5", SNIPPET_DEPTH)),
        ("import loop", ("/etc/dns/loop:1", FILE_DEPTH)),
        ("import Corefile", ("Corefile:1", FILE_DEPTH)),
    ],
)
def test_refused(text: str, expected: tuple[str, str]) -> None:
    """Each way to get it wrong has its own message; a cycle ends at once."""
    files = {
        "/etc/dns/dir": "<directory>",
        "/etc/dns/secret": "<secret>",
        "/etc/dns/loop": "import loop\n",
    }
    assert expected in errors(text, files)


def test_near_snippet_name() -> None:
    """A misspelled snippet is offered by name."""
    with pytest.raises(ConfigError, match="did you mean 'monitoring'"):
        parse("(monitoring) {\nerrors\n}\n. {\nimport monitorng\n}")


def test_values_of_the_environment_do_not_show() -> None:
    """A message names the variable, not its value."""
    assert "s3cret" not in str(errors("import {$P}", P="s3cret"))


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("COREFILE_SNIPPET_EXPANSIONS", SNIPPET_DEPTH),
        ("COREFILE_FILE_IMPORTS", FILE_DEPTH),
        ("COREFILE_TOKENS", "more than 3 words after imports"),
    ],
)
def test_bombs(limit: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Doubling imports end at a limit."""
    monkeypatch.setattr(stream_module, limit, 3)
    text = "(s) {\nerrors\n}\n. {\n" + "import s\nimport f\n" * 5 + "}\n"
    assert message in [found for _, found in errors(text, {"/etc/dns/f": "any\n"})]


def test_fingerprint() -> None:
    """Meaning changes it, places and comments do not; imports and environment count."""
    files = {"/etc/dns/f": "file db\n"}

    def of(text: str, more: Mapping[str, str] = files, **environ: str) -> str:
        return parse(text, more, **environ).fingerprint

    base = of(". {\nimport f\n}\n")
    assert len(base) == 64
    assert of("# comment\n\n. {\n\n  import f # x\n}\n") == base
    assert of(". {\nimport f\n}\n", {"/etc/dns/f": "file other\n"}) != base
    assert of(". {\nfile {$A}\n}\n", A="1") != of(". {\nfile {$A}\n}\n", A="2")
    assert of(". {\nlog a\nany\n}\n") != of(". {\nlog a any\n}\n")
    assert of('. {\nnsid "{}"\n}\n') != of(". {\nnsid {}\n}\n")
    assert of(". {\nlog a b\n}\n") != of(". {\nlog ab\n}\n")


def test_from_the_file_system(tmp_path: Path) -> None:
    """The defaults read real files: bad UTF-8 is replaced, `*` matches a leading dot."""
    folder = tmp_path / "[odd]"
    folder.mkdir()
    (folder / "Corefile").write_bytes(b"import *.conf\n# \xff\n")
    (folder / ".hidden.conf").write_text("example.org {\n}\n")
    corefile = load("[odd]/Corefile", environ={}, cwd=str(tmp_path))
    assert zones(corefile) == ["example.org."]
    assert corefile.path == "[odd]/Corefile"
    assert corefile.files == (str(folder / "Corefile"), str(folder / ".hidden.conf"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing", "open missing: no such file or directory"),
        (".", "open .: is a directory"),
        ("large", "open large: file too large"),
        ("a\0b", "open a\0b: embedded null byte"),
    ],
)
def test_unreadable(
    path: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Corefile that cannot be read is a ConfigError in Go's words."""
    monkeypatch.setattr("ocizone.corefile.sources.COREFILE_OCTETS", 10)
    (tmp_path / "large").write_text("x" * 11)
    with pytest.raises(ConfigError) as caught:
        load(path, environ={}, cwd=str(tmp_path))
    ((problem),) = caught.value.problems
    assert (problem.file, problem.line, problem.message) == (path, 0, message)
    assert limits.COREFILE_OCTETS > 10
