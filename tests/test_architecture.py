"""The rules of the house, as tests: which way imports point, how big a file is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "ocizone"
MODULES = sorted(PACKAGE.rglob("*.py"))

PURE = ("wire", "zone", "answer", "corefile", "plugins")
PURE_MODULES = (
    "errors.py",
    "findings.py",
    "limits.py",
    "live.py",
    "endpoint.py",
    "plan.py",
    "zonerules.py",
    "keyring.py",
    "assemble.py",
    "catalogs.py",
    "registry/reference.py",
    "registry/manifest.py",
    "registry/tagrule.py",
    "registry/events.py",
    "admin/senders.py",
    "follow/schedule.py",
    "compiler/spec.py",
    "follow/source.py",
    "follow/guard.py",
    "follow/watermark.py",
    "observe/querylog.py",
    "fastpath/denied.py",
    "fastpath/fastzone.py",
    "fastpath/form.py",
    "fastpath/lane.py",
    "fastpath/memo.py",
    "fastpath/mould.py",
    "fastpath/repeatable.py",
    "fastpath/table.py",
    "fastpath/tally.py",
    "fastpath/template.py",
)
#: What a pure module may not import: the network, threads, clocks, chance.
IMPURE = {
    "twisted", "socket", "ssl", "select", "selectors", "asyncio", "requests", "urllib3", "oras",
    "http", "threading", "multiprocessing", "concurrent", "subprocess", "time", "random", "secrets",
}  # fmt: skip
#: Who may import whom, beyond itself and the base (errors, limits, __init__). What is not
#: named may import anything: app and cli are where everything meets.
ALLOWED = {
    "wire": set(),
    "zone": {"wire"},
    "answer": {"wire", "zone", "plugins"},
    "corefile": {"wire", "plugins", "registry.reference"},
    "plugins": {"wire", "corefile", "registry.reference", "registry.tagrule"},
    "registry": {"plugins.artifact"},
    "store": {"compiler.spec", "plugins.artifact", "registry.api", "registry.manifest", "zone"},
    "compiler": {"answer", "wire", "zone", "store", "process"},
    "follow": {
        "store", "registry", "compiler.spec", "plugins.artifact", "zone", "wire", "corefile.types",
    },
    "serve": {"answer", "live", "endpoint", "plugins.tls", "wire.tsig"},
    "observe": {"answer", "plugins", "wire", "zone", "follow.status", "registry.manifest"},
    "lab": {"registry.manifest"},
    "fastpath": {"answer", "live", "serve", "wire", "zone"},
}  # fmt: skip
BASE = {"errors", "findings", "limits", "plain", ""}
MAX_LINES = 400
#: Files above MAX_LINES, each with its reason.
LONG: dict[str, str] = {"limits.py": "a list; every limit in one place is what it is for"}


def imports(path: Path) -> Iterator[str]:
    """Yield the absolute names a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            if node.module == "ocizone":
                yield from (f"ocizone.{alias.name}" for alias in node.names)
            else:
                yield node.module


def short(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def is_pure(path: Path) -> bool:
    return short(path).split("/")[0] in PURE or short(path) in PURE_MODULES


@pytest.mark.parametrize("path", [path for path in MODULES if is_pure(path)], ids=short)
def test_pure_modules_import_no_world(path: Path):
    """No network, no threads, no clock, no chance below the shell."""
    found = {name.split(".")[0] for name in imports(path)} & IMPURE
    assert not found, f"{short(path)} imports {found}"


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_imports_point_one_way(path: Path):
    """A package imports only those below it; serve and follow never meet."""
    package = short(path).split("/")[0]
    allowed = ALLOWED.get(package)
    if allowed is None:
        return
    for name in imports(path):
        if not name.startswith("ocizone"):
            continue
        inner = name.removeprefix("ocizone").removeprefix(".")
        top = inner.split(".")[0]
        two = ".".join(inner.split(".")[:2])
        known = (
            top == package or {top, two} & allowed or top in BASE or name == "ocizone.__version__"
        )
        assert known, f"{short(path)} imports {name}"


def test_serve_and_follow_never_import_one_another():
    """They meet in one cell (ocizone.live), which app fills."""
    for path in MODULES:
        top = short(path).split("/")[0]
        other = {"serve": "ocizone.follow", "follow": "ocizone.serve"}.get(top)
        if other:
            assert not [name for name in imports(path) if name.startswith(other)], path


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_files_stay_readable(path: Path):
    """Above 400 lines a file holds two ideas."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES or short(path) in LONG, f"{short(path)}: {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_names_say_something(path: Path):
    """No drawers for anything."""
    for word in ("util", "common", "helper", "manager", "handler", "misc"):
        assert word not in path.stem


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_modules_say_what_they_are(path: Path):
    """The docstring comes first: what, what not, which RFC."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), short(path)


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_no_group_is_possessive(path: Path):
    """Python before 3.11.5 (Debian 12 has 3.11.2) matches such groups wrongly (gh-106052)."""
    assert not re.search(r"\)[*+?]\+", path.read_text(encoding="utf-8"))
